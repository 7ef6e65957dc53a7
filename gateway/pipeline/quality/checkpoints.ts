/**
 * What the tests remember, on disk: one file for a place in the ledger, written at intervals. It is
 * a view like the catalogue beside it; without one, the tests begin with what the ledger holds.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { SeriesRecord } from './lane.ts';

export interface Checkpoint {
  readonly seq: number;
  readonly records: readonly SeriesRecord[];
}

export interface Checkpoints {
  /** The newest one that is not past `seq`; a file that cannot be read is passed over. */
  before(seq: number): Checkpoint | undefined;
  save(checkpoint: Checkpoint): void;
  /** Removes what nobody needs who starts at `seq` or later. */
  prune(seq: number): void;
}

/** Raised when the form of the state changes: older files are then passed over. */
const version = 2;
const form = /^(\d{16})\.state$/;
/** Beside the one that the slowest reader needs. */
const newestKept = 2;

export function openCheckpoints(directory: string): Checkpoints {
  mkdirSync(directory, { recursive: true });

  /** Newest first. */
  function seqs(): number[] {
    const found = readdirSync(directory).flatMap((name) => Number(form.exec(name)?.[1] ?? []));
    return found.filter((seq) => seq > 0).sort((one, other) => other - one);
  }

  function pathOf(seq: number): string {
    return join(directory, `${String(seq).padStart(16, '0')}.state`);
  }

  function read(seq: number): Checkpoint | undefined {
    try {
      const [written, records] = deserialize(readFileSync(pathOf(seq)));
      return written === version ? { seq, records } : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    before(seq) {
      for (const found of seqs()) {
        const checkpoint = found <= seq ? read(found) : undefined;
        if (checkpoint !== undefined) return checkpoint;
      }
      return undefined;
    },
    save({ seq, records }) {
      if (seq === 0) return;
      const path = pathOf(seq);
      writeFileSync(`${path}.new`, serialize([version, records]));
      renameSync(`${path}.new`, path);
    },
    prune(seq) {
      const all = seqs();
      const needed = all.find((one) => one <= seq);
      for (const one of all.slice(newestKept)) if (one !== needed) rmSync(pathOf(one));
    },
  };
}
