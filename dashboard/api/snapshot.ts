/**
 * `GET /snapshot` and the live stream as server-sent events: the same picture without a WebSocket.
 */
import { type Request, type Response, Router } from 'express';
import { createSubscription } from '../live/subscription.ts';
import type { DashboardParts } from '../parts.ts';
import type { ServerMessage } from '../protocol.ts';
import { rates, views } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { choiceOf, integerOf, textOf } from '../request/query.ts';

const unreadBytesMax = 262_144;
/** Streams at once; a browser without WebSocket needs one. */
const streamsMax = 500;

export function snapshotRouter(parts: DashboardParts): Router {
  const router = Router();
  router.get('/snapshot', (request, response) => {
    const messages: ServerMessage[] = [];
    const subscription = createSubscription({
      id: 0,
      hub: parts.hub,
      selection: selectionOf(request),
      send: (message) => messages.push(message),
      isReady: () => false,
    });
    subscription.start(undefined);
    const rows = messages.flatMap((message) => (message.t === 'snap' ? message.rows : []));
    const series = messages.flatMap((message) => (message.t === 'snap' ? message.series : []));
    const seq = parts.hub.seq();
    response.set('ETag', `"${parts.hub.epoch}:${seq}"`);
    response.json({ epoch: parts.hub.epoch, seq, now: parts.clock.now(), series, rows });
  });
  let streams = 0;
  router.get('/live', (request, response) => {
    if (streams >= streamsMax) throw new Problem(503, 'too many viewers: try again later');
    stream(request, response, parts);
    streams += 1;
    response.once('close', () => {
      streams -= 1;
    });
  });
  return router;
}

function selectionOf(request: Request) {
  const device = textOf(request, 'device');
  const area = textOf(request, 'area');
  return {
    view: choiceOf(request, 'view', views) ?? ('latest' as const),
    ...(device === undefined ? {} : { device }),
    ...(area === undefined ? {} : { area }),
  };
}

/** Each event's id is `epoch:seq`, so that a browser that reconnects goes on where it was. */
function stream(request: Request, response: Response, parts: DashboardParts): void {
  const { hub } = parts;
  const selection = selectionOf(request);
  const rateMs = integerOf(request, 'rate', { ...rates, fallback: 1_000 });
  response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  // A HEAD asks for the headers alone, and would hold its stream open unseen.
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const subscription = createSubscription({
    id: 0,
    hub,
    selection,
    send(message) {
      const id = 'seq' in message ? `id: ${hub.epoch}:${message.seq}\n` : '';
      response.write(`${id}data: ${JSON.stringify(message)}\n\n`);
    },
    isReady: () => response.writableLength <= unreadBytesMax,
  });
  subscription.listen(rateMs);
  subscription.start(resumeOf(request.headers['last-event-id']));
  const beat = setInterval(() => response.write(': beat\n\n'), 15_000);
  response.once('close', () => {
    clearInterval(beat);
    subscription.close();
  });
}

function resumeOf(header: string | string[] | undefined) {
  const match = /^([0-9a-f-]{36}):(\d{1,16})$/.exec(typeof header === 'string' ? header : '');
  if (match?.[1] === undefined) return undefined;
  return { epoch: match[1], seq: Number(match[2]) };
}
