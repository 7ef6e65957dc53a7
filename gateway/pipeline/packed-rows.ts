/**
 * Rows of the live side as one block of numbers, which changes threads without being copied: as
 * arrays they cost each of the two threads more than all the rest that is done with them.
 */
import type { VouchedBy } from '../model/inbound.ts';
import type { Quality } from '../model/reading.ts';
import type { RowTuple } from './worker-messages.ts';

export interface PackedRows {
  /** Series, time, value, quality, voucher, receivedAt, seq of each row; NaN for a text value. */
  readonly cells: Float64Array<ArrayBuffer>;
  /** The text values, in the order of their rows. */
  readonly texts: readonly string[];
}

const cellsPerRow = 7;
const vouchers: readonly VouchedBy[] = ['mic', 'network-server', 'tls-client', 'credential'];
/** Who is not in the list, which the types rule out, vouches for nothing more than the weakest. */
const weakest: VouchedBy = 'credential';
const qualities: readonly Quality[] = [1, 2, 3, 4, 9];
/** Not evaluated. */
const unknownQuality: Quality = 2;

export function packRows(rows: readonly RowTuple[]): PackedRows {
  const cells = new Float64Array(rows.length * cellsPerRow);
  const texts: string[] = [];
  let at = 0;
  for (const [series, time, value, quality, vouchedBy, receivedAt, seq] of rows) {
    cells[at] = series;
    cells[at + 1] = time;
    if (typeof value === 'number') cells[at + 2] = value;
    else {
      cells[at + 2] = Number.NaN;
      texts.push(value);
    }
    cells[at + 3] = quality;
    cells[at + 4] = vouchers.indexOf(vouchedBy);
    cells[at + 5] = receivedAt;
    cells[at + 6] = seq;
    at += cellsPerRow;
  }
  return { cells, texts };
}

export function unpackRows({ cells, texts }: PackedRows): RowTuple[] {
  const rows: RowTuple[] = [];
  let text = 0;
  const cell = (at: number) => cells[at] ?? Number.NaN;
  for (let at = 0; at < cells.length; at += cellsPerRow) {
    const number = cell(at + 2);
    const value = Number.isNaN(number) ? (texts[text] ?? '') : number;
    if (Number.isNaN(number)) text += 1;
    const quality = qualities.find((known) => known === cell(at + 3)) ?? unknownQuality;
    const vouchedBy = vouchers[cell(at + 4)] ?? weakest;
    rows.push([cell(at), cell(at + 1), value, quality, vouchedBy, cell(at + 5), cell(at + 6)]);
  }
  return rows;
}
