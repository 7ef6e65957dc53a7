/**
 * The far end of the page's wires: a small server that speaks HTTP and the live stream as
 * dashboard/protocol.ts has them, with canned devices, under the strict content policy.
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { type LiveRow, liveSubprotocol, type ServerMessage } from '../../../dashboard/protocol.ts';
import { deviceList, historyOf, latestRows, quantityList, seriesList } from './canned.ts';

export interface StandIn {
  readonly origin: string;
  /** What browsers sent on the live stream, parsed. */
  readonly heard: unknown[];
  /** Sends a delta with these rows to every subscription of `latest`. */
  delta(rows: readonly LiveRow[]): void;
  /** A heartbeat that says whether the store is up to date; then readings are refused or not. */
  heartbeat(store: 'ok' | 'late'): void;
  killSockets(): void;
  acceptSockets(isAccepting: boolean): void;
  requireSession(isRequired: boolean): void;
  /** A gateway that has no device and has heard none; its accounts may be made or not. */
  beEmpty(options: { mayMakeAccounts: boolean }): void;
  close(): Promise<void>;
}

const policy = "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; object-src 'none'";

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Viewer {
  readonly socket: WebSocket;
  readonly id: number;
  seq: number;
}

interface Session {
  isRequired: boolean;
  isStoreLate: boolean;
  isEmpty: boolean;
  mayMakeAccounts: boolean;
}

const listening = [
  { name: 'http', host: '127.0.0.1', port: 8080 },
  { name: 'mqtt', host: '0.0.0.0', port: 1884 },
];

const goodToken = 'stand-in-token';

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerApi(request: IncomingMessage, response: ServerResponse, session: Session): void {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const hasCookie = (request.headers.cookie ?? '').includes('session=stand-in');
  if (request.method === 'POST' && url.pathname === '/api/v1/session') {
    answerSession(request, response);
    return;
  }
  if (session.isRequired && !hasCookie) {
    sendJson(response, 401, { type: 'about:blank', title: 'Unauthorized', status: 401 });
    return;
  }
  if (session.isStoreLate && url.pathname === '/api/v1/readings') {
    sendJson(response, 503, { title: 'Service Unavailable', status: 503 });
    return;
  }
  const now = Date.now();
  const device = url.searchParams.get('device') ?? '';
  const bodies: Readonly<Record<string, () => unknown>> = {
    '/api/v1/devices': () => ({ items: session.isEmpty ? [] : deviceList }),
    '/api/v1/sources': () => ({ listening, items: [] }),
    ...(session.mayMakeAccounts ? { '/api/v1/credentials': () => ({ items: [] }) } : {}),
    '/api/v1/quantities': () => ({ items: quantityList }),
    '/api/v1/readings': () => ({ items: historyOf(device, now) }),
    '/api/v1/latest': () => ({ now: new Date(now).toISOString(), items: [] }),
  };
  const body = bodies[url.pathname];
  if (body === undefined) sendJson(response, 404, { title: 'Not Found', status: 404 });
  else sendJson(response, 200, body());
}

function answerSession(request: IncomingMessage, response: ServerResponse): void {
  let text = '';
  request.on('data', (chunk) => {
    text += String(chunk);
  });
  request.on('end', () => {
    if (!text.includes(goodToken)) {
      sendJson(response, 401, { title: 'Unauthorized', status: 401 });
      return;
    }
    response.setHeader('set-cookie', 'session=stand-in; HttpOnly; SameSite=Strict; Path=/');
    response.writeHead(204).end();
  });
}

function answerFile(folder: string, path: string, response: ServerResponse): void {
  const file = join(folder, normalize(path === '/' ? '/index.html' : path));
  if (!file.startsWith(folder) || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': mediaTypes[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': policy,
  });
  createReadStream(file).pipe(response);
}

function say(socket: WebSocket, message: ServerMessage): void {
  socket.send(JSON.stringify(message));
}

/** The snapshot goes out in two parts, as a large one would. */
function sendSnapshot(viewer: Viewer, { isEmpty }: Session): void {
  const rows = isEmpty ? [] : latestRows(Date.now());
  const half = Math.ceil(rows.length / 2);
  const common = { t: 'snap', id: viewer.id, seq: viewer.seq, of: 2 } as const;
  say(viewer.socket, { ...common, part: 1, series: seriesList, rows: rows.slice(0, half) });
  say(viewer.socket, { ...common, part: 2, series: [], rows: rows.slice(half) });
}

/** What the stand-in reads of a client's message. */
function fieldsOf(text: string): { t: unknown; id: unknown; view: unknown } {
  const value: unknown = JSON.parse(text);
  const fields: Record<string, unknown> = { ...(typeof value === 'object' ? value : {}) };
  return { t: fields['t'], id: fields['id'], view: fields['view'] };
}

export async function startStandIn(folder: string): Promise<StandIn> {
  const session: Session = {
    isRequired: false,
    isStoreLate: false,
    isEmpty: false,
    mayMakeAccounts: false,
  };
  const heard: unknown[] = [];
  const viewers = new Set<Viewer>();
  let isAccepting = true;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://stand-in');
    if (pathname.startsWith('/api/')) answerApi(request, response, session);
    else answerFile(folder, pathname, response);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(liveSubprotocol) ? liveSubprotocol : false),
  });
  server.on('upgrade', (request, socket, head) => {
    if (isAccepting) sockets.handleUpgrade(request, socket, head, (open) => welcome(open));
    else socket.destroy();
  });

  function welcome(socket: WebSocket): void {
    const limits = { subscriptionsMax: 16, rateMinMs: 250, messageBytesMax: 65_536 };
    say(socket, { t: 'hello', v: 1, now: Date.now(), epoch: 'e1', hb: 15_000, limits });
    socket.on('message', (data) => {
      const message = fieldsOf(String(data));
      heard.push(message);
      if (message.t !== 'sub' || typeof message.id !== 'number') return;
      const viewer = { socket, id: message.id, seq: 100 };
      if (message.view === 'latest') {
        viewers.add(viewer);
        sendSnapshot(viewer, session);
      } else {
        say(socket, { t: 'snap', id: viewer.id, seq: 100, part: 1, of: 1, series: [], rows: [] });
      }
    });
    socket.on('close', () => {
      for (const viewer of viewers) if (viewer.socket === socket) viewers.delete(viewer);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    heard,
    delta(rows) {
      for (const viewer of viewers) {
        const from = viewer.seq + 1;
        viewer.seq += rows.length;
        say(viewer.socket, { t: 'd', id: viewer.id, from, seq: viewer.seq, rows: [...rows] });
      }
    },
    heartbeat(store) {
      session.isStoreLate = store === 'late';
      const now = Date.now();
      for (const socket of sockets.clients) {
        say(socket, { t: 'hb', now, seq: 100, ingestLagMs: 0, sources: { store } });
      }
    },
    killSockets() {
      for (const socket of sockets.clients) socket.terminate();
    },
    acceptSockets(accepting) {
      isAccepting = accepting;
    },
    requireSession(isRequired) {
      session.isRequired = isRequired;
    },
    beEmpty({ mayMakeAccounts }) {
      session.isEmpty = true;
      session.mayMakeAccounts = mayMakeAccounts;
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
