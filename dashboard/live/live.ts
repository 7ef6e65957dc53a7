/** The live stream over WebSocket: takes viewers in, keeps their number and their pulse. */
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCodes, liveSubprotocol } from '../protocol.ts';
import { createLiveSession, type LiveSession, type LiveSessionParts } from './session.ts';

export interface LiveOptions {
  readonly heartbeatMs: number;
  readonly clientsMax: number;
  readonly subscriptionsMax: number;
}

export interface LiveServer {
  readonly server: WebSocketServer;
  /** `isSignedIn`: the upgrade request came with a valid cookie or bearer token. */
  accept(socket: WebSocket, isSignedIn: boolean): void;
  clients(): number;
  close(): void;
}

const messageBytesMax = 16_384;

export function createLiveServer(
  parts: Omit<LiveSessionParts, 'limits'>,
  options: LiveOptions,
): LiveServer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(liveSubprotocol) ? liveSubprotocol : false),
  });
  const sessions = new Set<LiveSession>();
  const limits = { ...options, messageBytesMax };
  const beat = setInterval(() => {
    for (const session of sessions) session.heartbeat();
  }, options.heartbeatMs);
  beat.unref();
  return {
    server,
    accept(socket, isSignedIn) {
      if (sessions.size >= options.clientsMax) {
        socket.close(closeCodes.tooMany, 'too many viewers');
        return;
      }
      const session = createLiveSession(socket, { ...parts, limits }, isSignedIn);
      sessions.add(session);
      socket.once('close', () => sessions.delete(session));
    },
    clients: () => sessions.size,
    close() {
      clearInterval(beat);
      for (const session of sessions) session.close(closeCodes.draining, 'gateway stops');
      server.close();
    },
  };
}
