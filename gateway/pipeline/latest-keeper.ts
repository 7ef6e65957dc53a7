/**
 * Keeps the last value of every series across restarts: written at intervals, not for every
 * reading.
 */
import type { Catalogue, LatestRow } from '../ledger/catalogue.ts';
import type { Reading } from '../model/reading.ts';
import type { ReadingRow } from '../model/reading-row.ts';
import { isQuality, isVouchedBy } from '../model/stored-words.ts';

export interface LatestKeeper {
  /** `rows` number the series of the readings, place by place; see live-numbers.ts. */
  note(readings: readonly Reading[], rows: readonly ReadingRow[]): void;
  /** Writes what has changed since the last time. */
  flush(): void;
  /** Every last value kept, for a new start. */
  restore(): Reading[];
  /**
   * Takes the kept values, numbered, as known: an older one that comes late does not replace them.
   */
  know(rows: readonly ReadingRow[]): void;
}

export function createLatestKeeper(
  catalogue: Pick<Catalogue, 'keepLatest' | 'latest'>,
): LatestKeeper {
  const dirty = new Map<number, Reading>();
  /** The time of the last value of each series, by its number. */
  const newest: number[] = [];
  return {
    note(readings, rows) {
      for (const [place, reading] of readings.entries()) {
        const series = rows[place]?.[0];
        if (series === undefined || reading.time < (newest[series] ?? Number.NEGATIVE_INFINITY)) {
          continue;
        }
        newest[series] = reading.time;
        dirty.set(series, reading);
      }
    },
    flush() {
      if (dirty.size === 0) return;
      catalogue.keepLatest([...dirty.values()].map(toRow));
      dirty.clear();
    },
    restore: () => [...catalogue.latest()].flatMap((row) => fromRow(row) ?? []),
    know(rows) {
      for (const [series, time] of rows) newest[series] = time;
    },
  };
}

function toRow(reading: Reading): LatestRow {
  const { device, quantity, channel = '', value, unit, time, receivedAt } = reading;
  const { quality, vouchedBy, seq, agency = '', area = '' } = reading;
  return {
    key: [device, quantity, channel],
    value: [value, unit, time, receivedAt, quality, vouchedBy, seq, agency, area],
  };
}

function fromRow({ key, value: row }: LatestRow): Reading | undefined {
  const [device, quantity, channel] = key;
  const [value, unit, time, receivedAt, quality, vouchedBy, seq, agency, area] = row;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  if (typeof unit !== 'string' || typeof time !== 'number' || typeof seq !== 'number')
    return undefined;
  if (typeof receivedAt !== 'number' || !isQuality(quality) || !isVouchedBy(vouchedBy))
    return undefined;
  return {
    device,
    quantity,
    value,
    unit,
    time,
    receivedAt,
    quality,
    vouchedBy,
    seq,
    ...(channel === '' ? {} : { channel }),
    ...(typeof agency === 'string' && agency !== '' ? { agency } : {}),
    ...(typeof area === 'string' && area !== '' ? { area } : {}),
  };
}
