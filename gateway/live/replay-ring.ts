/** The last readings in the order they became known, so that a viewer who was away can catch up. */
import { createRowBlock, type ReadingRow } from '../model/reading-row.ts';

export interface ReplayRing {
  /** Returns the sequence of the row: from 1, one more each. */
  push(row: ReadingRow): number;
  /** The newest sequence; 0 before the first. */
  readonly seq: number;
  /** Rows after `seq`, oldest first; undefined when some of them are gone. */
  after(seq: number): readonly ReadingRow[] | undefined;
}

export function createReplayRing(rowsMax: number): ReplayRing {
  const rows = createRowBlock();
  let seq = 0;
  return {
    push(row) {
      rows.set(seq % rowsMax, row);
      seq += 1;
      return seq;
    },
    get seq() {
      return seq;
    },
    after(from) {
      if (from > seq || from < seq - rowsMax || from < 0) return undefined;
      const missed: ReadingRow[] = [];
      for (let at = from; at < seq; at += 1) {
        const row = rows.get(at % rowsMax);
        if (row !== undefined) missed.push(row);
      }
      return missed;
    },
  };
}
