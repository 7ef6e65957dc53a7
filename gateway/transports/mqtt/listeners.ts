/** The sockets behind which the broker stands: TCP, TLS and WebSocket, counted and made quick. */
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
} from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { checkClientCertificate } from '../client-certificate.ts';
import { createConnectionCount, plainAddress } from '../connection-count.ts';
import type { ListeningAddress } from '../transport.ts';
import { type CertificateTrust, createCertificateTrust } from './certificate-trust.ts';
import type { AcceptedConnection } from './connection.ts';
import { createConnectionPace } from './connection-pace.ts';
import { awaitFirstBytes } from './first-bytes.ts';
import type { OnLimit } from './limit-count.ts';
import type {
  ListenerOptions,
  MqttBrokerOptions,
  MqttLimits,
  TlsListenerOptions,
} from './options.ts';
import { createTrust, takeProxyHeader } from './proxy-protocol.ts';
import { readRevocationLists } from './revocation-list.ts';
import { createMqttWebSocket, isMqttPath, type Upgrade } from './websocket.ts';

export interface MqttListeners {
  start(): Promise<readonly ListeningAddress[]>;
  /** No new connections; those that are open stay. */
  stopAccepting(): void;
  /** Ends what is still open, whoever it is. */
  destroyAll(): void;
  /** Takes a WebSocket upgrade that an HTTP server of somebody else received, from this client. */
  upgrade(upgrade: Upgrade, address?: string): void;
  /** For new connections; open ones stay, to be held against the trust that it gives. */
  setSecureContext(tls: SecureContext): CertificateTrust;
  connections(): number;
  /** Those of them that have begun to speak and wait for their turn. */
  waiting(): number;
}

/** What a listener shows of itself, and whom it trusts. */
export type SecureContext = Pick<TlsListenerOptions, 'cert' | 'key' | 'ca' | 'crl'>;

export interface MqttListenerEvents {
  onAccept(accepted: AcceptedConnection): void;
  onTurnedAway(address: string, reason: string): void;
  onLimit: OnLimit;
}

/** Several packets may share a WebSocket frame [MQTT-6.0.0-2]. */
const frameSlackBytes = 65_536;
/**
 * A device that comes back within it resumes its TLS session, which spares both sides the signature
 * and, in TLS 1.2, the key exchange; five minutes, the usual length, is less than an outage takes.
 */
const ticketSeconds = 86_400;
/** Between the first bytes of a connection and its turn; most clients have given up by then. */
const waitMsMax = 30_000;
/** The path on a server of our own. */
const ownPath = '/mqtt';

export function createMqttListeners(
  options: Pick<MqttBrokerOptions, 'tcp' | 'tls' | 'webSocket'>,
  { limits, events }: { readonly limits: MqttLimits; readonly events: MqttListenerEvents },
): MqttListeners {
  const count = createConnectionCount(limits);
  const pace = createConnectionPace({ monotonicMs: () => performance.now(), waitMsMax });
  const servers: Server[] = [];
  let tlsServer: TlsServer | undefined;
  let trust = trustIn(options.tls ?? { cert: '', key: '' });
  let isStopped = false;

  function admit(socket: Duplex, remoteAddress: string | undefined): boolean {
    const address = plainAddress(remoteAddress);
    const limit = isStopped ? undefined : count.admit(socket, address);
    if (!isStopped && limit === undefined) return true;
    if (limit !== undefined) events.onLimit(limit);
    turnAway(socket, { address, reason: 'too many connections' });
    return false;
  }

  function turnAway(socket: Duplex, why: { address: string; reason: string }): void {
    if (!isStopped) events.onTurnedAway(why.address, why.reason);
    socket.on('error', ignore);
    socket.destroy();
  }

  function accept(accepted: AcceptedConnection): void {
    pace.end(accepted.conn);
    events.onAccept(accepted);
  }

  /** Lets a connection wait for its turn. */
  function pass(socket: Duplex, address: string, begin: () => void): void {
    pace.open(socket, {
      address,
      begin: () => {
        socket.off('error', ignore);
        if (isStopped) socket.destroy();
        else begin();
      },
      onLate: () => turnAway(socket, { address, reason: 'it waited too long for its turn' }),
    });
  }

  function passWhenHeard(socket: Socket, address: string, begin: () => void): void {
    socket.on('error', ignore);
    awaitFirstBytes(socket, {
      timeoutMs: limits.connectTimeoutMs,
      onBytes: () => pass(socket, address, begin),
      onSilence: () => {
        events.onLimit('connectTimeoutMs');
        turnAway(socket, { address, reason: 'it did not say anything' });
      },
    });
  }

  /** Hands on a connection that is admitted, with the address of its client. */
  function listenTo(
    proxyFrom: readonly string[],
    use: (socket: Socket, address: string) => void,
  ): (socket: Socket) => void {
    const isProxy = createTrust(proxyFrom);
    const admitAndUse = (socket: Socket, address: string) => {
      if (admit(socket, address)) passWhenHeard(socket, address, () => use(socket, address));
    };
    return (socket) => {
      const address = plainAddress(socket.remoteAddress);
      if (!isProxy(address)) {
        admitAndUse(socket, address);
        return;
      }
      if (isStopped || !count.hold(socket)) {
        if (!isStopped) events.onLimit('connectionsMax');
        turnAway(socket, { address, reason: 'too many connections' });
        return;
      }
      takeProxyHeader(socket, { timeoutMs: limits.connectTimeoutMs }, (header) => {
        if (header.kind === 'whole') admitAndUse(socket, header.address ?? address);
        else {
          if (header.isLate === true) events.onLimit('connectTimeoutMs');
          turnAway(socket, { address, reason: `PROXY header: ${header.detail}` });
        }
      });
    };
  }

  const webSocket = createMqttWebSocket({
    frameBytesMax: limits.packetBytesMax + frameSlackBytes,
  });

  function takeUpgrade(upgrade: Upgrade, address: string): void {
    upgrade.socket.on('error', ignore);
    pass(upgrade.socket, address, () =>
      webSocket.upgrade(upgrade, (conn) => accept({ conn, address, listener: 'mqtt-websocket' })),
    );
  }

  function listenTcp(at: ListenerOptions): Promise<ListeningAddress> {
    const take = listenTo(at.proxyFrom ?? [], (conn, address) => {
      accept({ conn, address, listener: 'mqtt' });
    });
    const server = createTcpServer({ noDelay: true }, take);
    servers.push(server);
    return bind(server, 'mqtt', at);
  }

  function listenTls(at: TlsListenerOptions): Promise<ListeningAddress> {
    const server = createTlsServer({
      ...secureContextOf(at),
      sessionTimeout: ticketSeconds,
      requestCert: at.requestCert === true,
      // A client without a certificate may still have a password; checked below.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.connectTimeoutMs,
    });
    /** By the other end of the socket, as a TLS socket does not show the one it stands on. */
    const clients = new Map<string, string>();
    const addressOf = (socket: Socket | TLSSocket) =>
      clients.get(peerOf(socket)) ?? plainAddress(socket.remoteAddress);
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') events.onLimit('connectTimeoutMs');
      events.onTurnedAway(addressOf(socket), error.message);
    });
    server.on('secureConnection', (socket) => {
      const address = addressOf(socket);
      const check = checkClientCertificate(socket);
      if (check.kind === 'untrusted') {
        turnAway(socket, { address, reason: `client certificate: ${check.reason}` });
        return;
      }
      const certificate = check.kind === 'trusted' ? check : undefined;
      const problem = certificate && trust.problemOf(certificate);
      if (problem === undefined) {
        accept({ conn: socket, address, listener: 'mqtts', certificate });
      } else {
        turnAway(socket, { address, reason: `client certificate: ${problem}` });
      }
    });
    // Counted before the handshake, or unfinished handshakes would not count.
    const take = listenTo(at.proxyFrom ?? [], (socket, address) => {
      const peer = peerOf(socket);
      clients.set(peer, address);
      socket.once('close', () => clients.delete(peer));
      server.emit('connection', socket);
    });
    const door = createTcpServer({ noDelay: true }, take);
    tlsServer = server;
    servers.push(door);
    return bind(door, 'mqtts', at);
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
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') events.onLimit('connectTimeoutMs');
      socket.destroy();
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const address = plainAddress(request.socket.remoteAddress);
      if (isMqttPath(request, ownPath)) takeUpgrade({ request, socket, head }, address);
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
    upgrade: (upgrade, address = upgrade.request.socket.remoteAddress) => {
      if (admit(upgrade.socket, address)) takeUpgrade(upgrade, plainAddress(address));
    },
    setSecureContext: (tls) => {
      const fresh = trustIn(tls);
      // Its tickets are sealed with new keys: whoever comes back shows a certificate again.
      tlsServer?.setSecureContext({ ...secureContextOf(tls), sessionTimeout: ticketSeconds });
      trust = fresh;
      return fresh;
    },
    connections: count.total,
    waiting: pace.waiting,
    destroyAll: count.destroyAll,
  };
}

function secureContextOf({ cert, key, ca, crl }: SecureContext) {
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl: readRevocationLists(crl).map(({ pem }) => pem) }),
  };
}

function trustIn({ ca, crl }: SecureContext): CertificateTrust {
  const lists = crl === undefined ? [] : readRevocationLists(crl);
  return createCertificateTrust({ ca, lists });
}

function peerOf({ remoteAddress, remotePort }: Socket | TLSSocket): string {
  return `${remoteAddress} ${remotePort}`;
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
