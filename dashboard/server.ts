/** The HTTP side on one page: health, metrics, the API, the page itself and the live stream. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { clientsRouter } from './api/clients.ts';
import { codecDryRunRouter } from './api/codec-dry-run.ts';
import { codecsRouter } from './api/codecs.ts';
import { credentialsRouter } from './api/credentials.ts';
import { deriveRouter } from './api/derive.ts';
import { devicesRouter } from './api/devices.ts';
import { linkRouter } from './api/link.ts';
import { modelsRouter } from './api/models.ts';
import { qualityRouter } from './api/quality.ts';
import { readingsRouter } from './api/readings.ts';
import { snapshotRouter } from './api/snapshot.ts';
import { sourcesRouter } from './api/sources.ts';
import { uplinksRouter } from './api/uplinks.ts';
import { createLiveServer, type LiveOptions, type LiveServer } from './live/live.ts';
import { methodsOf, openApi } from './openapi/openapi.ts';
import type { DashboardParts } from './parts.ts';
import { bodyOf } from './request/body.ts';
import { clientAddress } from './request/client-address.ts';
import { Problem, problemHandler, sendProblem } from './request/problem.ts';
import { knownParameters } from './request/query.ts';
import { endWith, refuseUnreadable } from './request/unreadable.ts';
import { authenticate, isSameOrigin, principalOf, sessionRouter } from './session.ts';

export interface DashboardOptions {
  readonly host: string;
  readonly port: number;
  readonly bodyBytesMax: number;
  /** One proxy of our own stands in front: its word for address and scheme is believed. */
  readonly trustProxy?: boolean;
  /** The built page; absent when only the API is wanted. */
  readonly webDirectory?: string;
  readonly live: LiveOptions;
  /** Paths of somebody else, beside those of the contract: webhooks. */
  readonly mounted?: readonly RequestHandler[];
}

export interface Dashboard {
  readonly server: Server;
  readonly app: Express;
  /** Resolves with the port it got. Rejects when the port is taken. */
  start(): Promise<number>;
  stop(): Promise<void>;
  liveClients(): number;
  /** Hands WebSocket handshakes on another path to somebody else: MQTT. */
  onUpgrade(path: string, handler: UpgradeHandler): void;
}

/**
 * Milliseconds that an idle connection is kept. Whoever asks as it is being closed, or while this
 * process or his own is too busy to see that it was, gets a reset; so it is longer than the pauses
 * of those who ask at intervals, and than a proxy in front keeps one.
 */
const keepAliveTimeout = 75_000;

/** A request for an upgrade, and the address of its client, before a proxy of our own. */
export type UpgradeHandler = (
  upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  address: string | undefined,
) => void;

export function createDashboard(parts: DashboardParts, options: DashboardOptions): Dashboard {
  const live = createLiveServer(parts, options.live);
  const app = createApp(parts, options);
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout, maxHeaderSize: 16_384 },
    app,
  );
  refuseUnreadable(server);
  const upgrades = new Map<string, UpgradeHandler>([
    ['/live', ({ request, socket, head }) => upgradeLive(live, parts, request, socket, head)],
  ]);
  server.on('upgrade', (request, socket, head) => {
    // Node takes its own listener away here: a client that breaks off must not end the process.
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0] ?? '';
    const handler = upgrades.get(path);
    if (handler === undefined) endWith(socket, new Problem(404, 'no WebSocket is here'));
    else handler({ request, socket, head }, clientAddress(request, options.trustProxy === true));
  });
  return {
    server,
    app,
    start: () => listen(server, options),
    async stop() {
      live.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 2_000).unref();
      await closed;
    },
    liveClients: () => live.clients(),
    onUpgrade: (path, handler) => upgrades.set(path, handler),
  };
}

function createApp(parts: DashboardParts, options: DashboardOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', options.trustProxy === true ? 1 : false);
  app.set('query parser', 'simple');
  app.use(securityHeaders, onlyItsMethods);
  app.get('/healthz/live', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/healthz/ready', (_request, response) => {
    const report = parts.health();
    response.status(report.ready ? 200 : 503).json(report);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(parts.metrics.contentType).send(await parts.metrics.metrics());
  });
  app.get('/api/v1/openapi.json', knownParameters, (_request, response) => {
    response.json(openApi);
  });
  app.get('/live', () => {
    // [RFC 9110, section 15.5.22]
    const headers = { Upgrade: 'websocket', Connection: 'Upgrade' };
    throw new Problem(426, 'a WebSocket is here; GET /api/v1/live is the same as events', {
      headers,
    });
  });
  const json = bodyOf({ bytesMax: options.bodyBytesMax });
  app.use(sessionRouter(parts.access));
  const api = express.Router();
  api.use(
    authenticate(parts.access),
    knownParameters,
    devicesRouter(parts, json),
    linkRouter(parts),
    codecDryRunRouter(parts),
    codecsRouter(parts),
    modelsRouter(parts, json),
    deriveRouter(parts, json),
    readingsRouter(parts),
    uplinksRouter(parts),
    qualityRouter(parts),
    sourcesRouter(parts),
    snapshotRouter(parts),
    clientsRouter(parts, json),
    credentialsRouter(parts, json),
  );
  app.use('/api/v1', noStore, api);
  for (const router of options.mounted ?? []) app.use(router);
  app.use('/api', (_request, response) =>
    sendProblem(response, new Problem(404, 'nothing is here')),
  );
  if (options.webDirectory !== undefined) serveWeb(app, options.webDirectory);
  app.use((_request, response) => sendProblem(response, new Problem(404, 'nothing is here')));
  app.use(problemHandler(parts.log));
  return app;
}

/** Beside the contract, for browsers. */
const pagePaths: readonly string[] = ['/', '/signin', '/live'];

/**
 * Before every route, or one would answer for another: `DELETE /credentials/{id}` for what
 * `/credentials/{id}:rotate` does not have, and Express with the methods of both to OPTIONS
 * [RFC 9110, sections 9.3.7 and 15.5.6].
 */
function onlyItsMethods(request: Request, response: Response, next: NextFunction): void {
  // Of the server as a whole [RFC 9110, section 9.3.7].
  if (request.method === 'OPTIONS' && request.url === '*') {
    response.status(204).end();
    return;
  }
  const allowed = pagePaths.includes(request.path) ? ['GET', 'HEAD'] : methodsOf(request.path);
  if (allowed.length === 0 || allowed.includes(request.method)) {
    next();
    return;
  }
  response.set('Allow', allowed.join(', '));
  if (request.method === 'OPTIONS') response.status(204).end();
  else sendProblem(response, new Problem(405, `use ${allowed.join(' or ')}`));
}

/** Hashed assets may be kept for ever; the page itself is asked for anew each time. */
function serveWeb(app: Express, directory: string): void {
  app.use(
    '/assets',
    express.static(`${directory}/assets`, { immutable: true, maxAge: '1y', fallthrough: false }),
  );
  app.use(express.static(directory, { index: 'index.html', maxAge: 0 }));
}

function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Content-Security-Policy':
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
  next();
}

function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.set('Cache-Control', 'no-store');
  next();
}

function upgradeLive(
  live: LiveServer,
  parts: DashboardParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  if (!isSameOrigin(request)) {
    endWith(socket, new Problem(403, 'this request came from another site'));
    return;
  }
  const isSignedIn = principalOf(request, parts.access) !== undefined;
  live.server.handleUpgrade(request, socket, head, (accepted) => live.accept(accepted, isSignedIn));
}

function listen(server: Server, { host, port }: DashboardOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
