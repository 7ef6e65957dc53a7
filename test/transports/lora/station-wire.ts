/** A Basics Station's side of the wire: a WebSocket that collects what it is told. */
import { type ClientOptions, WebSocket } from 'ws';

export interface StationClient {
  readonly socket: WebSocket;
  send(message: unknown): void;
  readonly received: string[];
  /** Resolves once so many messages have come in all. */
  messages(count: number): Promise<readonly string[]>;
  /** Resolves with the close code. */
  closed(): Promise<number>;
}

/** Rejects with `Unexpected server response: 401` and the like when the door stays shut. */
export async function openStation(
  url: string,
  options: ClientOptions = {},
): Promise<StationClient> {
  const socket = new WebSocket(url, options);
  const received: string[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    received.push(String(data));
    for (const check of waiting) check();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  return {
    socket,
    received,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    messages: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve(received);
        };
        waiting.add(check);
        check();
      }),
    closed: () => closed,
  };
}
