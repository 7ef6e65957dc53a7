/** A viewer of the live stream over a real WebSocket, as a browser's page or another program. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  type ClientMessage,
  liveSubprotocol,
  type ServerMessage,
} from '../../dashboard/protocol.ts';
import { type GatewayProcess, until } from '../setup/gateway-process.ts';

export interface ViewerOptions {
  /** Sent as a bearer token with the request; none without it. */
  readonly token?: string;
  readonly origin?: string;
}

export interface Viewer {
  readonly subprotocol: string;
  /** Everything that came, heartbeats too. */
  readonly messages: readonly ServerMessage[];
  send(message: ClientMessage): void;
  sendText(text: string): void;
  /** The first message of this kind from `from` on. */
  hear<T extends ServerMessage['t']>(t: T, from?: number): Promise<MessageOf<T>>;
  /** Resolves with the close code. */
  closed(): Promise<number>;
  close(): void;
}

export type MessageOf<T extends ServerMessage['t']> = Extract<ServerMessage, { t: T }>;

/** Rejects with the HTTP status when the gateway refuses the handshake. */
export async function openViewer(
  { http }: GatewayProcess,
  { token, origin }: ViewerOptions,
): Promise<Viewer> {
  const socket = new WebSocket(`${http.replace('http', 'ws')}/live`, liveSubprotocol, {
    ...(origin === undefined ? {} : { origin }),
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  });
  const messages: ServerMessage[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await once(socket, 'open');
  return {
    subprotocol: socket.protocol,
    messages,
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    hear: (t, from = 0) =>
      until(`a message of kind ${t}`, () => messages.slice(from).find(isOf(t))),
    closed: () => closed,
    close: () => socket.close(),
  };
}

function isOf<T extends ServerMessage['t']>(t: T) {
  return (message: ServerMessage): message is MessageOf<T> => message.t === t;
}

/** Values of a series view in the order in which they came. */
export function valuesOf(messages: readonly ServerMessage[], id: number): (number | string)[] {
  return messages.flatMap((message) =>
    message.t === 'd' && message.id === id ? message.rows.map((row) => row[2]) : [],
  );
}
