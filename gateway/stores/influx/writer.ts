/** Writes telemetry to InfluxDB in large requests, and finds the points that it will not take. */
import type { LinkSample, Reading } from '../../model/reading.ts';
import { admit, type OnRejected } from '../admission.ts';
import type { RecordBatch, RecordWriter } from '../store.ts';
import { gatherPoints, type Point, toLine } from './points.ts';
import { type InfluxServer, PointsRefused } from './server.ts';

/** Bounds of one request; InfluxDB 1.x takes up to 25 MB. */
export const pointsPerRequestMax = 5_000;
const requestLengthMax = 4 * 1024 * 1024;
/** More writes at once make InfluxDB 1.x answer 500. */
export const requestsInFlightMax = 2;

export interface InfluxWriterOptions {
  readonly server: InfluxServer;
  readonly onRejected: OnRejected;
}

export function createInfluxWriter(options: InfluxWriterOptions): RecordWriter {
  const { server, onRejected } = options;
  const inTurn = createGate(requestsInFlightMax);
  const underway = new Set<Underway>();

  async function write(points: ReadonlyMap<string, Point>, earlier: Underway[]): Promise<void> {
    await Promise.all(earlier.map((other) => other.ended));
    const requests = toRequests(points.values()).map((request) =>
      inTurn(() => send({ server, onRejected, request })),
    );
    // All end before this does, so that nothing of a failed batch is still on its way.
    for (const { status, reason } of (await Promise.allSettled(requests)).filter(isRejected)) {
      if (status === 'rejected') throw reason;
    }
  }

  return {
    async write(batch) {
      const points = gatherPoints(admit(batch, onRejected));
      if (points.size === 0) return;
      // Requests overtake one another; only for a point in both does it matter which is last.
      const earlier = [...underway].filter((other) => overlap(other.points, points));
      const writing = write(points, earlier);
      const mine = { points, ended: writing.catch(() => undefined) };
      underway.add(mine);
      try {
        await writing;
      } finally {
        underway.delete(mine);
      }
    },
    async close() {
      await Promise.all([...underway].map((other) => other.ended));
    },
  };
}

interface Underway {
  readonly points: ReadonlyMap<string, Point>;
  readonly ended: Promise<void>;
}

function isRejected(result: PromiseSettledResult<void>): result is PromiseRejectedResult {
  return result.status === 'rejected';
}

function overlap(some: ReadonlyMap<string, Point>, others: ReadonlyMap<string, Point>): boolean {
  for (const key of others.keys()) if (some.has(key)) return true;
  return false;
}

interface Request {
  readonly points: readonly Point[];
  readonly lines: string;
}

function toRequests(points: Iterable<Point>): Request[] {
  const requests: Request[] = [];
  let gathered: Point[] = [];
  let lines = '';
  for (const point of points) {
    gathered.push(point);
    lines += `${toLine(point)}\n`;
    if (gathered.length < pointsPerRequestMax && lines.length < requestLengthMax) continue;
    requests.push({ points: gathered, lines });
    gathered = [];
    lines = '';
  }
  if (gathered.length > 0) requests.push({ points: gathered, lines });
  return requests;
}

interface Sending {
  readonly server: InfluxServer;
  readonly onRejected: OnRejected;
  readonly request: Request;
}

/**
 * Halves a refused request until the wrong points stand alone, then takes the point apart into its
 * readings; all else is stored. Of n points with one wrong this takes about 2 log2 n requests.
 */
async function send(sending: Sending): Promise<void> {
  const { server, onRejected, request } = sending;
  try {
    return await server.post(request.lines);
  } catch (error) {
    if (!(error instanceof PointsRefused)) throw error;
    const expired = findExpired(request.points, error.message);
    const parts = expired === undefined ? split(request.points) : [];
    if (parts.length === 0) onRejected(toBatch(expired ?? request.points), error.message);
    for (const part of parts) {
      for (const smaller of toRequests(part)) await send({ ...sending, request: smaller });
    }
  }
}

/** Of a policy's expired points the server tells the number only, but they are the oldest ones. */
function findExpired(points: readonly Point[], reason: string): readonly Point[] | undefined {
  const dropped = /beyond retention policy dropped=(\d+)/.exec(reason)?.[1];
  if (dropped === undefined) return undefined;
  return points.toSorted((a, b) => a.time - b.time).slice(0, Number(dropped));
}

/** Empty for what cannot be taken apart any more. */
function split(points: readonly Point[]): readonly (readonly Point[])[] {
  if (points.length > 1) {
    const middle = points.length >> 1;
    return [points.slice(0, middle), points.slice(middle)];
  }
  const [point] = points;
  if (point === undefined || point.readings.length < 2) return [];
  return point.readings.map((reading) => [{ ...point, readings: [reading] }]);
}

function toBatch(points: readonly Point[]): RecordBatch {
  const readings: Reading[] = [];
  const links: LinkSample[] = [];
  for (const point of points) {
    readings.push(...point.readings);
    if (point.link !== undefined) links.push(point.link);
  }
  return { readings, links };
}

/** Lets at most `width` works run at once; the others wait in the order they came. */
function createGate(width: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let free = width;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((enter) => waiting.push(enter));
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
