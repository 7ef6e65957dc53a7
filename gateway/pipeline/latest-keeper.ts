/**
 * Keeps the last value of every series across restarts: written at intervals, not for every
 * reading.
 */
import type { Catalogue, LatestRow } from '../ledger/catalogue.ts';
import type { VouchedBy } from '../model/inbound.ts';
import type { Quality, Reading } from '../model/reading.ts';

export interface LatestKeeper {
  note(readings: readonly Reading[]): void;
  /** Writes what has changed since the last time. */
  flush(): void;
  /** Every last value kept, for a new start. */
  restore(): Reading[];
}

export function createLatestKeeper(
  catalogue: Pick<Catalogue, 'keepLatest' | 'latest' | 'latestOf'>,
): LatestKeeper {
  const dirty = new Map<string, Reading>();
  return {
    note(readings) {
      for (const reading of readings) {
        const key = `${reading.device}\n${reading.quantity}\n${reading.channel ?? ''}`;
        const known = dirty.get(key);
        if (known === undefined || known.time <= reading.time) dirty.set(key, reading);
      }
    },
    flush() {
      if (dirty.size === 0) return;
      const rows = [...dirty.values()].map(toRow);
      catalogue.keepLatest(rows.filter((row) => !isOlder(row, catalogue.latestOf(row.key))));
      dirty.clear();
    },
    restore: () => [...catalogue.latest()].flatMap((row) => fromRow(row) ?? []),
  };
}

/** What comes late from a device's memory does not take the place of a newer value. */
function isOlder(row: LatestRow, held: LatestRow['value'] | undefined): boolean {
  const [time, heldTime] = [row.value[timeAt], held?.[timeAt]];
  return typeof time === 'number' && typeof heldTime === 'number' && time < heldTime;
}

/** The place of the time in a row, see `toRow`. */
const timeAt = 2;

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
  if (typeof receivedAt !== 'number' || !isQuality(quality) || !isVoucher(vouchedBy))
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

function isQuality(value: unknown): value is Quality {
  return value === 1 || value === 2 || value === 3 || value === 4 || value === 9;
}

const vouchers: readonly unknown[] = ['mic', 'network-server', 'tls-client', 'credential'];

function isVoucher(value: unknown): value is VouchedBy {
  return vouchers.includes(value);
}
