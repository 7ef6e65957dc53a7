/**
 * Rows of the live side as one block of numbers, which changes threads without being copied: as
 * arrays they cost each of the two threads more than all the rest that is done with them.
 */
import {
  cellsPerRow,
  type ReadingRow,
  type RowCells,
  readRow,
  writeRow,
} from '../model/reading-row.ts';

export interface PackedRows {
  readonly cells: RowCells;
  /** The text values by the place of their row. */
  readonly texts: ReadonlyMap<number, string>;
}

export function packRows(rows: readonly ReadingRow[]): PackedRows {
  const cells: RowCells = new Float64Array(rows.length * cellsPerRow);
  const texts = new Map<number, string>();
  for (const [place, row] of rows.entries()) {
    const text = writeRow(cells, place * cellsPerRow, row);
    if (text !== undefined) texts.set(place, text);
  }
  return { cells, texts };
}

export function unpackRows({ cells, texts }: PackedRows): ReadingRow[] {
  const rows: ReadingRow[] = [];
  for (let at = 0; at < cells.length; at += cellsPerRow) {
    rows.push(readRow(cells, at, texts.get(rows.length)));
  }
  return rows;
}
