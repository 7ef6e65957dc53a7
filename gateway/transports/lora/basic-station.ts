/**
 * LoRa gateways that run Basics Station, the LNS protocol of version 2: `/router-info` says where
 * to go, `/traffic/<eui>` takes what a station hears. The protocol has no acknowledgement, so a
 * station is not read while what it has handed in is not on disk.
 */
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ChannelPlan } from '../../model/channel-plan.ts';
import { formatId6, parseStationEui } from '../../model/id6.ts';
import { createConnectionCount, plainAddress } from '../connection-count.ts';
import { createLogThrottle } from '../log-throttle.ts';
import type { Receive, Transport } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import { createOrderedDelivery, type OrderedDelivery } from './ordered-delivery.ts';
import { admitStation, type StationRights } from './station-door.ts';
import { runStationSession } from './station-session.ts';

export interface BasicStationOptions extends StationRights {
  readonly host: string;
  readonly port: number;
  /** `wss://name:port`, where stations reach it by another name than they asked by. */
  readonly publicUrl?: string | undefined;
  readonly planName: string;
  readonly plan: ChannelPlan;
  /** Without it stations speak plain WebSocket. */
  readonly tls?: StationCertificates | undefined;
  readonly messageBytesMax: number;
  readonly inFlightPerStationMax: number;
  readonly connectionsMax: number;
  /** A station that answers no ping for so long is gone, whatever its socket says. */
  readonly pingIntervalMs: number;
  readonly stopTimeoutMs: number;
}

/** PEM. */
export interface StationCertificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer | undefined;
}

export interface BasicStation extends Transport {
  /** For new handshakes; stations that are connected stay. Nothing happens on a door without TLS. */
  setSecureContext(tls: StationCertificates): void;
}

/** Why a connection went no further: a closed list, since it becomes a label. */
type Reason = 'malformed' | 'unknown-station' | 'unauthorized' | 'busy';

interface Station {
  readonly delivery: OrderedDelivery;
  socket: WebSocket | undefined;
}

interface Lns {
  readonly options: BasicStationOptions;
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  readonly stations: Map<string, Station>;
  readonly webSockets: WebSocketServer;
  readonly ended: AbortController;
  readonly turnAway: (reason: Reason, request: IncomingMessage) => void;
}

const discoveryPath = '/router-info';
const discoveryTimeoutMs = 10_000;
const goingAway = 1001;

export function createBasicStation(
  options: BasicStationOptions,
  receive: Receive,
  hooks: TransportHooks,
): BasicStation {
  const lns = createLns(options, receive, hooks);
  const { connectionsMax } = options;
  const connections = createConnectionCount({
    connectionsMax,
    connectionsPerAddressMax: connectionsMax,
  });
  const server = createServer(options);
  server.on('connection', (socket: Duplex & { remoteAddress?: string }) => {
    const limit = connections.admit(socket, plainAddress(socket.remoteAddress));
    if (limit === undefined) return;
    hooks.onTurnedAway('basic-station', 'busy');
    socket.destroy();
  });
  server.on('upgrade', (request, socket, head) => upgrade(lns, { request, socket, head }));
  return {
    start: () => listen(server, options),
    setSecureContext: (tls) => {
      if (server instanceof HttpsServer) server.setSecureContext(secureContextOf(tls));
    },
    stop: async () => {
      server.close();
      for (const { socket } of lns.stations.values()) socket?.close(goingAway);
      const waiting = [...lns.stations.values()].map(({ delivery }) => delivery.empty());
      await Promise.race([
        Promise.all(waiting),
        wait(options.stopTimeoutMs, undefined, { ref: false }),
      ]);
      lns.ended.abort();
      connections.destroyAll();
    },
  };
}

function createLns(options: BasicStationOptions, receive: Receive, hooks: TransportHooks): Lns {
  const throttle = createLogThrottle(hooks.monotonicMs);
  return {
    options,
    receive,
    hooks,
    stations: new Map(),
    ended: new AbortController(),
    webSockets: new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytesMax,
      // Compression would let a few bytes on the wire become many in memory.
      perMessageDeflate: false,
    }),
    turnAway: (reason, request) => {
      hooks.onTurnedAway('basic-station', reason);
      const address = plainAddress(request.socket.remoteAddress);
      const heldBack = throttle(`${reason} ${address}`);
      if (heldBack === undefined) return;
      const fields = { event: 'station-turned-away', reason, address, heldBack };
      hooks.log.warn(fields, 'station turned away');
    },
  };
}

function createServer({ tls, requestCert }: BasicStationOptions): Server {
  const limits = { headersTimeout: 10_000, requestTimeout: 10_000, maxHeaderSize: 8_192 };
  const refuse = (_request: unknown, response: { writeHead(status: number): { end(): void } }) => {
    response.writeHead(426).end();
  };
  if (tls === undefined) return createHttpServer(limits, refuse);
  return createHttpsServer(
    { ...limits, ...secureContextOf(tls), requestCert, rejectUnauthorized: requestCert },
    refuse,
  );
}

function secureContextOf({ cert, key, ca }: StationCertificates) {
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}

interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade(lns: Lns, { request, socket, head }: Handshake): void {
  // Node takes its own listener away here: a client that breaks off must not end the process.
  socket.on('error', () => socket.destroy());
  const accept = (take: (webSocket: WebSocket) => void) =>
    lns.webSockets.handleUpgrade(request, socket, head, take);
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === discoveryPath) {
    accept((webSocket) => answerDiscovery(lns, request, webSocket));
    return;
  }
  const eui = stationOf(path);
  const admission = eui === undefined ? undefined : admitStation(eui, request, lns.options);
  if (eui === undefined || admission === undefined) {
    lns.turnAway('malformed', request);
    refuseUpgrade(socket, '404 Not Found');
  } else if (admission.kind !== 'in') {
    lns.turnAway(admission.kind, request);
    const isUnknown = admission.kind === 'unknown-station';
    refuseUpgrade(socket, isUnknown ? '403 Forbidden' : '401 Unauthorized');
  } else {
    const sender = {
      credential: eui,
      connection: randomUUID(),
      vouches: admission.vouches,
    };
    accept((webSocket) => {
      const { plan, planName, pingIntervalMs } = lns.options;
      const { delivery } = enter(lns, eui, webSocket);
      const session = { eui, planName, plan, pingIntervalMs, sender, delivery, hooks: lns.hooks };
      runStationSession(webSocket, session);
    });
  }
}

/** `/traffic/<eui>` as told at `/router-info`, and the `router-<eui>` that other servers tell. */
function stationOf(path: string): string | undefined {
  const [, spelling] = /^\/(?:traffic\/)?([^/]{1,40})$/.exec(path) ?? [];
  return spelling === undefined ? undefined : parseStationEui(spelling);
}

/**
 * The newer of two connections of one station is the live one: the other has not noticed its end.
 */
function enter(lns: Lns, eui: string, socket: WebSocket): Station {
  const { stations, receive, options, ended } = lns;
  const known = stations.get(eui);
  known?.socket?.terminate();
  const delivery =
    known?.delivery ??
    createOrderedDelivery(receive, {
      lengthMax: options.inFlightPerStationMax,
      signal: ended.signal,
    });
  const station: Station = { delivery, socket };
  stations.set(eui, station);
  socket.on('close', () => {
    station.socket = undefined;
    // What it left waiting is still written down; then nothing of it remains.
    delivery.empty().then(() => {
      if (stations.get(eui) === station) stations.delete(eui);
    });
  });
  return station;
}

/** One question, one answer: a station asks again later when it does not like it. */
function answerDiscovery(lns: Lns, request: IncomingMessage, socket: WebSocket): void {
  const timer = setTimeout(() => socket.terminate(), discoveryTimeoutMs);
  socket.on('close', () => clearTimeout(timer));
  socket.on('error', () => socket.terminate());
  socket.once('message', (data) => {
    const router = Buffer.isBuffer(data) ? readRouter(data) : undefined;
    if (router === undefined) lns.turnAway('malformed', request);
    else socket.send(JSON.stringify(discoveryOf(lns, request, router)));
    socket.close();
  });
}

/** The station's EUI, and its own spelling of it, which it wants to see again. */
interface Router {
  readonly spelling: string;
  readonly eui: string;
}

function readRouter(body: Buffer): Router | undefined {
  try {
    const message: unknown = JSON.parse(body.toString('utf8'));
    if (typeof message !== 'object' || message === null || !('router' in message)) return undefined;
    const { router: spelling } = message;
    const eui = typeof spelling === 'string' ? parseStationEui(spelling) : undefined;
    return typeof spelling === 'string' && eui !== undefined ? { spelling, eui } : undefined;
  } catch {
    return undefined;
  }
}

function discoveryOf(lns: Lns, request: IncomingMessage, { spelling, eui }: Router) {
  const admission = admitStation(eui, request, lns.options);
  if (admission.kind !== 'in') {
    lns.turnAway(admission.kind, request);
    return { router: spelling, error: 'this station is not set up here, or did not prove itself' };
  }
  const uri = `${baseOf(lns.options, request)}/traffic/${eui}`;
  return { router: spelling, muxs: formatId6('0000000000000000'), uri };
}

/**
 * By the name that the station itself has used to come here, unless the operator says otherwise. A
 * station takes no address without a port.
 */
function baseOf({ publicUrl, tls, host, port }: BasicStationOptions, request: IncomingMessage) {
  const scheme = tls === undefined ? 'ws' : 'wss';
  const asked = request.headers.host ?? '';
  const isName = /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/.test(asked);
  const base =
    publicUrl ?? `${scheme}://${isName ? asked : `${host}:${request.socket.localPort ?? port}`}`;
  if (/:\d{1,5}$/.test(base)) return base;
  return `${base}:${base.startsWith('wss') ? 443 : 80}`;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, { host, port }: BasicStationOptions) {
  return new Promise<{ name: string; host: string; port: number }[]>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve([{ name: 'basic-station', host, port: bound }]);
    });
  });
}
