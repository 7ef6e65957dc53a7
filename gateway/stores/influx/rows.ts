/** Turns the rows of an InfluxQL answer, one a point, back into readings, one a quantity. */

import { isQuality, isVouchedBy } from '../../model/stored-words.ts';
import type { ReadingQuery, StoredReading } from '../store.ts';
import { decodeName, fieldNamesOf, quantityOfQualityField } from './names.ts';
import type { Series } from './series.ts';

export interface Rows {
  /** Rows in the answer, which the statement's LIMIT counts. */
  readonly count: number;
  /** The time of the last row; 0 without one. */
  readonly lastTime: number;
  /** In the order of time, quantity, channel; each once. */
  readonly readings: readonly StoredReading[];
}

export function readRows(query: ReadingQuery, answer: readonly Series[]): Rows {
  const found = new Map<string, StoredReading>();
  let count = 0;
  let lastTime = 0;
  for (const series of answer) {
    const read = createRowReader(query, series.columns);
    for (const row of series.values) {
      count += 1;
      for (const reading of read(row)) {
        lastTime = Math.max(lastTime, reading.time);
        keepNewest(found, reading);
      }
    }
  }
  return { count, lastTime, readings: [...found.values()].sort(compareReadings) };
}

/** A device that has moved to another area has left its old points behind, under the old tags. */
function keepNewest(found: Map<string, StoredReading>, reading: StoredReading): void {
  const key = `${reading.time}\n${reading.quantity}\n${reading.channel ?? ''}`;
  const other = found.get(key);
  if (other === undefined || reading.seq >= other.seq) found.set(key, reading);
}

interface Place {
  readonly time: number;
  readonly quantity: string;
  readonly channel?: string;
}

/** The order of pages: time, then quantity, then channel, by UTF-16 unit. */
export function compareReadings(a: Place, b: Place): number {
  return (
    a.time - b.time ||
    compareText(a.quantity, b.quantity) ||
    compareText(a.channel ?? '', b.channel ?? '')
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

interface Columns {
  readonly quantity: string;
  readonly number: number;
  readonly text: number;
  readonly quality: number;
}

/** Finds out once where each quantity stands in the rows. */
function createRowReader(query: ReadingQuery, columns: readonly string[]) {
  const place = (name: string) => columns.indexOf(name);
  const [time, seq, voucher, channel] = ['time', 'seq', 'vouched_by', 'channel'].map(place);
  const quantities: Columns[] = [];
  for (const [quality, column] of columns.entries()) {
    const quantity = quantityOfQualityField(column);
    if (quantity === undefined) continue;
    const names = fieldNamesOf(quantity);
    quantities.push({ quantity, number: place(names.number), text: place(names.text), quality });
  }
  return function* read(row: readonly unknown[]): Generator<StoredReading> {
    const at = row[time ?? -1];
    const from = row[seq ?? -1];
    const vouchedBy = row[voucher ?? -1];
    const tag = row[channel ?? -1];
    // What is not of our form was written by another program into our measurement.
    if (typeof at !== 'number' || typeof from !== 'number' || !isVouchedBy(vouchedBy)) return;
    for (const columnsOf of quantities) {
      const quality = row[columnsOf.quality];
      const value = row[columnsOf.number] ?? row[columnsOf.text];
      if (!isQuality(quality)) continue;
      if (typeof value !== 'number' && typeof value !== 'string') continue;
      yield {
        device: query.device,
        quantity: columnsOf.quantity,
        ...(typeof tag === 'string' && tag !== '' && { channel: decodeName(tag) }),
        value,
        time: at,
        quality,
        vouchedBy,
        seq: from,
      };
    }
  };
}
