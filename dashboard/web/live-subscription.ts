/** One subscription of the live stream: puts snapshots together and notices a missing delta. */
import type {
  ClientMessage,
  LiveFilter,
  LiveRow,
  LiveView,
  QualityFlag,
  SeriesEntry,
  ServerMessage,
  VouchedByWord,
} from '../protocol.ts';

/** A row of the stream with its series written out. Times are epoch milliseconds. */
export interface LiveReading {
  readonly device: string;
  readonly quantity: string;
  /** '' for none. */
  readonly channel: string;
  /** UCUM. */
  readonly unit: string;
  readonly time: number;
  readonly value: number | string;
  readonly quality: QualityFlag;
  readonly vouchedBy: VouchedByWord;
  readonly receivedAt: number;
  readonly ledgerSeq: number;
}

/** Where a subscription's readings go. None of these may throw. */
interface LiveSink {
  /** The state to start from; it replaces what was there. */
  snapshot(readings: readonly LiveReading[]): void;
  delta(readings: readonly LiveReading[]): void;
  /** The gateway left readings out: what is kept of their time is to be fetched by HTTP. */
  gap(): void;
}

export interface SubscriptionOptions {
  readonly view: LiveView;
  readonly filter?: LiveFilter;
  /** Milliseconds between deltas. */
  readonly rateMs?: number;
  readonly sink: LiveSink;
}

/** A snapshot with more rows is refused as damaged. */
const snapshotRowsMax = 500_000;

/** `hole`: the stream does not join on; subscribe anew. `data`: readings were handed over. */
type Taken = 'data' | 'waiting' | 'hole';

export type SubscriptionMessage = Extract<ServerMessage, { t: 'snap' | 'd' }>;

export interface Subscription {
  /** Its number on the stream; a new one with each request, so that late answers are told apart. */
  readonly id: number;
  request(id: number, epoch: string | undefined): ClientMessage;
  /** The gateway resumed it: deltas follow on what was there. */
  resumed(): void;
  take(message: SubscriptionMessage, series: ReadonlyMap<number, SeriesEntry>): Taken;
  gap(): void;
  /** Drops what cannot be continued; the next request asks for a snapshot. */
  forget(): void;
}

/** Undefined when a row belongs to a series that was never announced. */
function readingOf(
  row: LiveRow,
  series: ReadonlyMap<number, SeriesEntry>,
): LiveReading | undefined {
  const entry = series.get(row[0]);
  if (entry === undefined) return undefined;
  const [, device, quantity, channel, unit] = entry;
  const [, time, value, quality, vouchedBy, receivedAt, ledgerSeq] = row;
  return {
    device,
    quantity,
    channel,
    unit,
    time,
    value,
    quality,
    vouchedBy,
    receivedAt,
    ledgerSeq,
  };
}

function readingsOf(
  rows: readonly LiveRow[],
  series: ReadonlyMap<number, SeriesEntry>,
): LiveReading[] | undefined {
  const readings: LiveReading[] = [];
  for (const row of rows) {
    const reading = readingOf(row, series);
    if (reading === undefined) return undefined;
    readings.push(reading);
  }
  return readings;
}

export function createSubscription(options: SubscriptionOptions): Subscription {
  const { view, filter, rateMs, sink } = options;
  let id = 0;
  let last: { epoch: string; seq: number } | undefined;
  let epochNow = '';
  let parts: { seq: number; count: number; readings: LiveReading[] } | undefined;

  function takePart(
    message: Extract<ServerMessage, { t: 'snap' }>,
    readings: LiveReading[],
  ): Taken {
    if (parts?.seq !== message.seq) parts = { seq: message.seq, count: 0, readings: [] };
    parts.count += 1;
    for (const reading of readings) parts.readings.push(reading);
    if (parts.readings.length > snapshotRowsMax) return 'hole';
    if (parts.count < message.of) return 'waiting';
    const whole = parts.readings;
    parts = undefined;
    last = { epoch: epochNow, seq: message.seq };
    sink.snapshot(whole);
    return 'data';
  }

  function takeDelta(message: Extract<ServerMessage, { t: 'd' }>, readings: LiveReading[]): Taken {
    if (last === undefined || message.from !== last.seq + 1) return 'hole';
    last = { epoch: epochNow, seq: message.seq };
    sink.delta(readings);
    return 'data';
  }

  return {
    get id() {
      return id;
    },
    request(newId, epoch) {
      id = newId;
      parts = undefined;
      epochNow = epoch ?? '';
      const canResume = last !== undefined && last.epoch === epoch;
      return {
        t: 'sub',
        id,
        view,
        ...(filter === undefined ? {} : { filter }),
        ...(rateMs === undefined ? {} : { rate: rateMs }),
        ...(canResume && last !== undefined ? { resume: last } : {}),
      };
    },
    resumed() {
      if (last !== undefined) last = { epoch: epochNow, seq: last.seq };
    },
    take(message, series) {
      const readings = readingsOf(message.rows, series);
      if (readings === undefined) return 'hole';
      return message.t === 'snap' ? takePart(message, readings) : takeDelta(message, readings);
    },
    gap: () => sink.gap(),
    forget() {
      last = undefined;
      parts = undefined;
    },
  };
}
