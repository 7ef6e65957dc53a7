/** `GET /readings` and `GET /latest`: history and the last value of every series. */
import { type Request, type Response, Router } from 'express';
import { unitOf } from '../../decoders/mapping.ts';
import { quantities, type quantityOf } from '../../decoders/quantity.ts';
import { codecAt, type HistoryRow } from '../../gateway/ledger/codec-history.ts';
import type { ReadingRow } from '../../gateway/model/reading-row.ts';
import type { StoredReading } from '../../gateway/stores/store.ts';
import type { DashboardParts } from '../parts.ts';
import type { LatestJson, ReadingJson, ReadingsJson } from '../protocol.ts';
import {
  aggregates,
  manyRows,
  readingCursor,
  seriesPlaces,
  yesOrNo,
} from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import {
  choiceOf,
  cursorTextOf,
  durationOf,
  integerOf,
  refusal,
  textOf,
  timeOf,
} from '../request/query.ts';

const dayMs = 86_400_000;
const windowsMax = 10_000;

export function readingsRouter(parts: DashboardParts): Router {
  const router = Router();
  router.get('/readings', async (request, response) => {
    response.json(
      await (textOf(request, 'every') === undefined ? raw : aggregated)(request, parts),
    );
  });
  router.get('/latest', (request, response) => latest(request, response, parts));
  router.get('/quantities', (_request, response) => {
    response.json({ items: [...quantities].map(quantityJson) });
  });
  return router;
}

function quantityJson([name, known]: [string, ReturnType<typeof quantityOf>]) {
  return { quantity: name, ...known };
}

async function raw(request: Request, parts: DashboardParts): Promise<ReadingsJson> {
  const { readings, clock } = parts;
  if (textOf(request, 'agg') !== undefined) throw refusal('agg', 'needs every, the window');
  const limit = integerOf(request, 'limit', { ...manyRows, fallback: 1_000 });
  const quantity = textOf(request, 'quantity');
  const channel = textOf(request, 'channel');
  const after = cursorOf(request);
  const withCodec = choiceOf(request, 'codec', yesOrNo) === 'true';
  const found = await readings.readings({
    device: deviceOf(request),
    ...rangeOf(request, clock.now()),
    limit: limit + 1,
    ...(quantity === undefined ? {} : { quantity }),
    ...(channel === undefined ? {} : { channel }),
    ...(after === undefined ? {} : { after }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const rows = withCodec ? parts.codecs.history.rowsOf(deviceOf(request)) : [];
  const items = page.map((stored) => ({ ...storedJson(stored), ...codecOf(rows, stored.seq) }));
  return found.length > limit && last !== undefined
    ? { items, nextCursor: cursorFor(last) }
    : { items };
}

async function aggregated(
  request: Request,
  { readings, clock }: DashboardParts,
): Promise<ReadingsJson> {
  if (textOf(request, 'codec') !== undefined) throw refusal('codec', 'is not for windows');
  for (const name of ['limit', 'cursor']) {
    if (textOf(request, name) !== undefined)
      throw refusal(name, 'is not for windows: from, to and every say how many there are');
  }
  const quantity = textOf(request, 'quantity');
  const everyMs = durationOf(request, 'every');
  if (quantity === undefined || everyMs === undefined) {
    throw refusal('quantity', 'is needed with every');
  }
  const range = rangeOf(request, clock.now());
  if ((range.to - range.from) / everyMs > windowsMax) {
    throw refusal(
      'every',
      `gives more than ${windowsMax} windows: take longer ones or a shorter range`,
    );
  }
  const channel = textOf(request, 'channel');
  const values = await readings.aggregate({
    device: deviceOf(request),
    quantity,
    ...range,
    everyMs,
    aggregate: choiceOf(request, 'agg', aggregates) ?? 'mean',
    // One more than whole windows fit, since the range need not begin where a window does.
    limit: windowsMax + 1,
    ...(channel === undefined ? {} : { channel }),
  });
  return {
    items: values.map(({ time, value }) => ({ time: new Date(time).toISOString(), value })),
  };
}

function deviceOf(request: Request): string {
  const device = textOf(request, 'device');
  if (device === undefined) throw refusal('device', 'is needed');
  return device;
}

function rangeOf(request: Request, now: number): { from: number; to: number } {
  const to = timeOf(request, 'to', now + 1);
  const from = timeOf(request, 'from', to - dayMs);
  if (from >= to) throw refusal('from', 'is before to');
  return { from, to };
}

function codecOf(rows: readonly HistoryRow[], seq: number): { codec?: string } {
  const codec = codecAt(rows, seq);
  return codec === undefined ? {} : { codec };
}

function cursorFor({ time, quantity, channel = '' }: StoredReading): string {
  return Buffer.from(JSON.stringify([time, quantity, channel])).toString('base64url');
}

function cursorOf(request: Request) {
  const text = cursorTextOf(request);
  if (text === undefined) return undefined;
  const isOurs = readingCursor.test(text);
  try {
    const [time, quantity, channel]: unknown[] = JSON.parse(
      Buffer.from(text, 'base64url').toString(),
    );
    if (
      isOurs &&
      typeof time === 'number' &&
      typeof quantity === 'string' &&
      typeof channel === 'string'
    ) {
      return { time, quantity, channel };
    }
  } catch {}
  throw refusal('cursor', 'is not one that this gateway gave out');
}

function storedJson(stored: StoredReading): Omit<ReadingJson, 'receivedAt'> {
  const { device, quantity, channel, value, time, quality, vouchedBy, seq } = stored;
  return {
    device,
    quantity,
    ...(channel === undefined ? {} : { channel }),
    value,
    unit: unitOf(quantity),
    time: new Date(time).toISOString(),
    quality,
    vouchedBy,
    seq,
  };
}

function latest(request: Request, response: Response, { hub, clock }: DashboardParts): void {
  const limit = integerOf(request, 'limit', { ...manyRows, fallback: 1_000 });
  const from = integerOf(request, 'cursor', { ...seriesPlaces, fallback: 0 });
  const device = textOf(request, 'device');
  const area = textOf(request, 'area');
  const quantity = textOf(request, 'quantity');
  const now = clock.now();
  const { rows } = hub.snapshot({
    view: 'latest',
    ...(device === undefined ? {} : { device }),
    ...(area === undefined ? {} : { area }),
  });
  const wanted = rows.filter(
    ([index]) =>
      index >= from && (quantity === undefined || hub.identity(index)?.quantity === quantity),
  );
  const page = wanted.slice(0, limit);
  const next = wanted[limit];
  const body: LatestJson = {
    now: new Date(now).toISOString(),
    items: page.map((row) => latestJson(row, hub, now)),
    ...(next === undefined ? {} : { nextCursor: String(next[0]) }),
  };
  response.json(body);
}

function latestJson(
  row: ReadingRow,
  hub: DashboardParts['hub'],
  now: number,
): LatestJson['items'][number] {
  const [index, time, value, quality, vouchedBy, receivedAt, seq] = row;
  const identity = hub.identity(index);
  if (identity === undefined) throw new Problem(500, 'a row has no series');
  return {
    device: identity.device,
    quantity: identity.quantity,
    ...(identity.channel === '' ? {} : { channel: identity.channel }),
    value,
    unit: identity.unit,
    time: new Date(time).toISOString(),
    receivedAt: new Date(receivedAt).toISOString(),
    quality,
    vouchedBy,
    seq,
    ageSeconds: Math.max(0, Math.round((now - time) / 1_000)),
  };
}
