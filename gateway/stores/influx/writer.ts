/** Writes telemetry to InfluxDB in large requests, two at a time. */
import { admit, type OnRejected } from '../admission.ts';
import type { RecordBatch, RecordBundle, RecordWriter } from '../store.ts';
import { gatherPoints, keyOf, toLine } from './points.ts';
import { dropRefused } from './refused-points.ts';
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

/** Lines as they are sent, and where each of them ends. */
interface Lines {
  readonly bytes: Buffer;
  readonly ends: readonly number[];
}

/** What a bundle holds: bytes and numbers, nothing that the collector has to follow. */
interface Load {
  readonly lines: Lines[];
  /** Of each point; see `keyOf`. */
  readonly keys: number[];
}

export function createInfluxWriter(options: InfluxWriterOptions): RecordWriter {
  const inTurn = createGate(requestsInFlightMax);
  const underway = new Set<Underway>();

  /** Requests overtake one another; only for a point in both does it matter which is last. */
  async function send(load: Load, points: ReadonlySet<number>): Promise<void> {
    const earlier = [...underway].filter((other) => load.keys.some((key) => other.points.has(key)));
    await Promise.all(earlier.map((other) => other.ended));
    const isInOrder = points.size < load.keys.length;
    const requests: Promise<void>[] = [];
    for (const request of toRequests(load.lines)) {
      const sent = inTurn(() => post(request, options));
      requests.push(sent);
      if (isInOrder) await sent;
    }
    // All end before this does, so that nothing of a failed bundle is still on its way.
    for (const { status, reason } of (await Promise.allSettled(requests)).filter(isRejected)) {
      if (status === 'rejected') throw reason;
    }
  }

  async function write(load: Load): Promise<void> {
    if (load.lines.length === 0) return;
    const points = new Set(load.keys);
    const writing = send(load, points);
    const mine = { points, ended: writing.catch(() => undefined) };
    underway.add(mine);
    try {
      await writing;
    } finally {
      underway.delete(mine);
    }
  }

  return {
    gather: () => createBundle(options.onRejected, write),
    async close() {
      await Promise.all([...underway].map((other) => other.ended));
    },
  };
}

function createBundle(onRejected: OnRejected, write: (load: Load) => Promise<void>): RecordBundle {
  const load: Load = { lines: [], keys: [] };
  let readings = 0;
  return {
    get readings() {
      return readings;
    },
    add(batch) {
      readings += batch.readings.length;
      addTo(load, admit(batch, onRejected));
    },
    write: () => write(load),
  };
}

function addTo({ lines, keys }: Load, batch: RecordBatch): void {
  let gathered: string[] = [];
  let length = 0;
  for (const point of gatherPoints(batch).values()) {
    const line = `${toLine(point)}\n`;
    gathered.push(line);
    length += line.length;
    keys.push(keyOf(point));
    if (gathered.length < pointsPerRequestMax && length < requestLengthMax) continue;
    lines.push(toBytes(gathered, length));
    gathered = [];
    length = 0;
  }
  if (gathered.length > 0) lines.push(toBytes(gathered, length));
}

function toBytes(gathered: readonly string[], length: number): Lines {
  const bytes = Buffer.from(gathered.join(''));
  const isAscii = bytes.length === length;
  const ends: number[] = [];
  let end = 0;
  for (const line of gathered) {
    end += isAscii ? line.length : Buffer.byteLength(line);
    ends.push(end);
  }
  return { bytes, ends };
}

type Request = readonly Lines[];

function toRequests(all: readonly Lines[]): Request[] {
  const requests: Request[] = [];
  let request: Lines[] = [];
  let [points, length] = [0, 0];
  for (const lines of all) {
    points += lines.ends.length;
    length += lines.bytes.length;
    if (request.length > 0 && (points > pointsPerRequestMax || length > requestLengthMax)) {
      requests.push(request);
      request = [];
      [points, length] = [lines.ends.length, lines.bytes.length];
    }
    request.push(lines);
  }
  requests.push(request);
  return requests;
}

async function post(request: Request, options: InfluxWriterOptions): Promise<void> {
  try {
    return await options.server.post(Buffer.concat(request.map(({ bytes }) => bytes)));
  } catch (error) {
    if (!(error instanceof PointsRefused)) throw error;
    await dropRefused(request.flatMap(toText), error, options);
  }
}

function toText({ bytes, ends }: Lines): string[] {
  return ends.map((end, place) => bytes.toString('utf8', ends[place - 1] ?? 0, end));
}

interface Underway {
  readonly points: ReadonlySet<number>;
  readonly ended: Promise<void>;
}

function isRejected(result: PromiseSettledResult<void>): result is PromiseRejectedResult {
  return result.status === 'rejected';
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
