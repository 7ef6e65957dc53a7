/**
 * A reading of a numbered series, as small as it travels, and how many of them are kept: in one
 * block of numbers, because as arrays of their own they are what the collector carries about most.
 */
import type { VouchedBy } from './inbound.ts';
import type { Quality } from './reading.ts';
import { vouchedByWords } from './stored-words.ts';

/** Times in epoch milliseconds; `seq` is the reading's place in the ledger. */
export type ReadingRow = readonly [
  series: number,
  time: number,
  value: number | string,
  quality: Quality,
  vouchedBy: VouchedBy,
  receivedAt: number,
  seq: number,
];

/** One after the other: the fields of the row, NaN for a text value. */
export type RowCells = Float64Array<ArrayBuffer>;

export const cellsPerRow = 7;

/** For a cell that is none of them, which the types rule out: it vouches for nothing more. */
const weakest: VouchedBy = 'credential';
const qualities: readonly Quality[] = [1, 2, 3, 4, 9];
/** Not evaluated. */
const unknownQuality: Quality = 2;

/** Returns the value when it is text, which no cell can hold. */
export function writeRow(cells: RowCells, at: number, row: ReadingRow): string | undefined {
  const value = row[2];
  cells[at] = row[0];
  cells[at + 1] = row[1];
  cells[at + 2] = typeof value === 'number' ? value : Number.NaN;
  cells[at + 3] = row[3];
  cells[at + 4] = vouchedByWords.indexOf(row[4]);
  cells[at + 5] = row[5];
  cells[at + 6] = row[6];
  return typeof value === 'number' ? undefined : value;
}

/** `text` is what `writeRow` returned for it. */
export function readRow(cells: RowCells, at: number, text: string | undefined): ReadingRow {
  const cell = (place: number) => cells[at + place] ?? Number.NaN;
  const quality = qualities.find((known) => known === cell(3)) ?? unknownQuality;
  const vouchedBy = vouchedByWords[cell(4)] ?? weakest;
  return [cell(0), cell(1), text ?? cell(2), quality, vouchedBy, cell(5), cell(6)];
}

/** Rows by their place, from 0. */
export interface RowBlock {
  set(place: number, row: ReadingRow): void;
  /** Undefined where nothing was set. */
  get(place: number): ReadingRow | undefined;
}

const rowsAtFirst = 1_024;

/** Grows as far as places are set; who sets them bounds them. */
export function createRowBlock(): RowBlock {
  let cells: RowCells = new Float64Array(rowsAtFirst * cellsPerRow);
  const texts = new Map<number, string>();
  return {
    set(place, row) {
      const at = place * cellsPerRow;
      if (at >= cells.length) cells = grown(cells, at + cellsPerRow);
      const text = writeRow(cells, at, row);
      if (text !== undefined) texts.set(place, text);
      else if (texts.size > 0) texts.delete(place);
    },
    get(place) {
      const at = place * cellsPerRow;
      // No quality is 0: nothing was written here.
      const isSet = (cells[at + 3] ?? 0) !== 0;
      return isSet ? readRow(cells, at, texts.get(place)) : undefined;
    },
  };
}

function grown(cells: RowCells, lengthMin: number): RowCells {
  const larger = new Float64Array(Math.max(lengthMin, cells.length * 2));
  larger.set(cells);
  return larger;
}
