/** The sockets behind which the broker stands: TCP, TLS and WebSocket, counted and made quick. */
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
} from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { checkClientCertificate } from './client-certificate.ts';
import { createConnectionCount, plainAddress } from './connection-count.ts';
import type { AcceptedConnection } from './mqtt-connection.ts';
import type {
  ListenerOptions,
  MqttBrokerOptions,
  MqttLimits,
  TlsListenerOptions,
} from './mqtt-options.ts';
import { createMqttWebSocket, isMqttPath } from './mqtt-websocket.ts';
import type { ListeningAddress } from './transport.ts';

export interface MqttListeners {
  start(): Promise<readonly ListeningAddress[]>;
  /** No new connections; those that are open stay. */
  stopAccepting(): void;
  /** Ends what is still open, whoever it is. */
  destroyAll(): void;
  /** Takes a WebSocket upgrade that an HTTP server of somebody else received. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** New certificates for new connections; open ones stay. */
  setSecureContext(tls: Pick<TlsListenerOptions, 'cert' | 'key' | 'ca' | 'crl'>): void;
  connections(): number;
}

export interface MqttListenerEvents {
  onAccept(accepted: AcceptedConnection): void;
  onTurnedAway(address: string, reason: string): void;
}

/** Several packets may share a WebSocket frame [MQTT-6.0.0-2]. */
const frameSlackBytes = 65_536;
/** The path on a server of our own. */
const ownPath = '/mqtt';

export function createMqttListeners(
  options: Pick<MqttBrokerOptions, 'tcp' | 'tls' | 'webSocket'>,
  { limits, events }: { readonly limits: MqttLimits; readonly events: MqttListenerEvents },
): MqttListeners {
  const count = createConnectionCount(limits);
  const servers: Server[] = [];
  let tlsServer: TlsServer | undefined;
  let isStopped = false;

  function admit(socket: Duplex, remoteAddress: string | undefined): boolean {
    const address = plainAddress(remoteAddress);
    const isAdmitted = !isStopped && count.admit(socket, address);
    if (isAdmitted) return true;
    if (!isStopped) events.onTurnedAway(address, 'too many connections');
    socket.on('error', ignore);
    socket.destroy();
    return false;
  }

  const webSocket = createMqttWebSocket(
    { frameBytesMax: limits.packetBytesMax + frameSlackBytes },
    (conn, request) => {
      const address = plainAddress(request.socket.remoteAddress);
      events.onAccept({ conn, address, listener: 'mqtt-websocket', certificateNames: [] });
    },
  );

  function listenTcp(at: ListenerOptions): Promise<ListeningAddress> {
    const server = createTcpServer({ noDelay: true }, (socket) => {
      if (!admit(socket, socket.remoteAddress)) return;
      const address = plainAddress(socket.remoteAddress);
      events.onAccept({ conn: socket, address, listener: 'mqtt', certificateNames: [] });
    });
    servers.push(server);
    return bind(server, 'mqtt', at);
  }

  function listenTls(at: TlsListenerOptions): Promise<ListeningAddress> {
    const server = createTlsServer({
      ...secureContext(at),
      requestCert: at.requestCert === true,
      // A client without a certificate may still have a password; checked below.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.connectTimeoutMs,
      noDelay: true,
    });
    // Counted before the handshake, or unfinished handshakes would not count.
    server.on('connection', (socket: Socket) => admit(socket, socket.remoteAddress));
    server.on('tlsClientError', (error, socket) => {
      events.onTurnedAway(plainAddress(socket.remoteAddress), error.message);
    });
    server.on('secureConnection', (socket) => {
      const address = plainAddress(socket.remoteAddress);
      const check = checkClientCertificate(socket);
      if (check.kind === 'untrusted') {
        events.onTurnedAway(address, `client certificate: ${check.reason}`);
        socket.destroy();
        return;
      }
      const certificateNames = check.kind === 'trusted' ? check.names : [];
      events.onAccept({ conn: socket, address, listener: 'mqtts', certificateNames });
    });
    tlsServer = server;
    servers.push(server);
    return bind(server, 'mqtts', at);
  }

  function listenWebSocket(at: ListenerOptions): Promise<ListeningAddress> {
    const server: HttpServer = createHttpServer({
      headersTimeout: limits.connectTimeoutMs,
      requestTimeout: limits.connectTimeoutMs,
      connectionsCheckingInterval: limits.connectTimeoutMs,
      noDelay: true,
    });
    server.on('connection', (socket: Socket) => admit(socket, socket.remoteAddress));
    server.on('request', (_request, response) => response.writeHead(426).end());
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isMqttPath(request, ownPath)) webSocket.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    servers.push(server);
    return bind(server, 'mqtt-websocket', at);
  }

  return {
    start: async () => {
      const { tcp, tls, webSocket: web } = options;
      const pending = [
        ...(tcp === undefined ? [] : [listenTcp(tcp)]),
        ...(tls === undefined ? [] : [listenTls(tls)]),
        ...(web === undefined ? [] : [listenWebSocket(web)]),
      ];
      const results = await Promise.allSettled(pending);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) return Promise.all(pending);
      for (const server of servers) server.close();
      throw failed.reason;
    },
    stopAccepting: () => {
      isStopped = true;
      for (const server of servers) server.close();
    },
    upgrade: (request, socket, head) => {
      if (admit(socket, request.socket.remoteAddress)) webSocket.upgrade(request, socket, head);
    },
    setSecureContext: (tls) => tlsServer?.setSecureContext(secureContext(tls)),
    connections: count.total,
    destroyAll: count.destroyAll,
  };
}

function secureContext({ cert, key, ca, crl }: Parameters<MqttListeners['setSecureContext']>[0]) {
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl }),
  };
}

function bind(server: Server, name: string, at: ListenerOptions): Promise<ListeningAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.host, port: at.port }, () => {
      server.off('error', reject);
      // A failing accept (too many open files) must not end the process.
      server.on('error', ignore);
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : at.port;
      resolve({ name, host: at.host, port });
    });
  });
}

function ignore(): void {}
