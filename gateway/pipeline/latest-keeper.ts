/**
 * Keeps the last value of every series across restarts: written at intervals, not for every
 * reading.
 */
import type { Catalogue, LatestRow } from '../ledger/catalogue.ts';
import type { Reading } from '../model/reading.ts';
import { createRowBlock, type ReadingRow } from '../model/reading-row.ts';
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
  /** Of each series: 1 where its last value is not written yet. */
  let unwritten = new Uint8Array(1_024);
  const last = createRowBlock();
  const owners: (Owner | undefined)[] = [];
  /** The time of the last value of each series, by its number. */
  const newest: number[] = [];
  return {
    note(readings, rows) {
      for (let place = 0; place < readings.length; place += 1) {
        const reading = readings[place];
        const row = rows[place];
        if (reading === undefined || row === undefined) continue;
        const [series] = row;
        if (reading.time < (newest[series] ?? Number.NEGATIVE_INFINITY)) continue;
        newest[series] = reading.time;
        last.set(series, row);
        if (!isOwnedBy(owners[series], reading)) owners[series] = ownerOf(reading);
        if (series >= unwritten.length) unwritten = grown(unwritten, series);
        unwritten[series] = 1;
      }
    },
    flush() {
      const changed: LatestRow[] = [];
      for (const [series, owner] of owners.entries()) {
        const row = unwritten[series] === 1 ? last.get(series) : undefined;
        if (owner !== undefined && row !== undefined) changed.push(toRow(owner, row));
      }
      unwritten.fill(0);
      if (changed.length > 0) catalogue.keepLatest(changed);
    },
    restore: () => [...catalogue.latest()].flatMap((row) => fromRow(row) ?? []),
    know(rows) {
      for (const [series, time] of rows) {
        newest[series] = time;
        owners[series] = undefined;
      }
    },
  };
}

function grown(flags: Uint8Array<ArrayBuffer>, series: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * series);
  larger.set(flags);
  return larger;
}

/** What the readings of a series have in common, most of the time. */
interface Owner extends Pick<Reading, 'device' | 'quantity' | 'unit'> {
  readonly channel: string;
  readonly agency: string;
  readonly area: string;
}

function ownerOf(reading: Reading): Owner {
  const { device, quantity, channel = '', unit, agency = '', area = '' } = reading;
  return { device, quantity, channel, unit, agency, area };
}

/** Device, quantity and channel are those of the series' number. */
function isOwnedBy(owner: Owner | undefined, { unit, agency = '', area = '' }: Reading): boolean {
  return owner?.unit === unit && owner.agency === agency && owner.area === area;
}

function toRow(owner: Owner, row: ReadingRow): LatestRow {
  const { device, quantity, channel, unit, agency, area } = owner;
  const [, time, value, quality, vouchedBy, receivedAt, seq] = row;
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
