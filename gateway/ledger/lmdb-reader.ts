/**
 * Reads the ledger on any thread, while the writer writes. It opens the files for reading only and
 * takes a new snapshot for each call, so it sees the newest commit and never keeps old pages alive.
 */
import { decodeEntry } from './entry-codec.ts';
import type { LedgerEntry, LedgerReader } from './ledger.ts';
import {
  type DirectoryOptions,
  type LedgerFiles,
  newestSeq,
  openLedgerFiles,
  seqKey,
  seqOf,
} from './lmdb-files.ts';

/** Entries that one call returns at most, whatever its limit: about 10 MB of 1 kB uplinks. */
const readLimitMax = 10_000;

/** Throws when no ledger was ever written there, or one of another format. */
export function openLedgerReader(options: DirectoryOptions): LmdbLedgerReader {
  return new LmdbLedgerReader(openLedgerFiles(options, { readOnly: true }));
}

export class LmdbLedgerReader implements LedgerReader {
  readonly #files: LedgerFiles;

  constructor(files: LedgerFiles) {
    this.#files = files;
  }

  read(after: number, limit: number, bytesMax = Number.POSITIVE_INFINITY): LedgerEntry[] {
    return this.#fresh(({ entries }) => {
      const range = { start: seqKey(after + 1), limit: Math.min(limit, readLimitMax) };
      const found: LedgerEntry[] = [];
      let bytes = 0;
      for (const { key, value } of entries.getRange(range)) {
        bytes += value.length;
        if (bytes > bytesMax && found.length > 0) break;
        found.push(decodeEntry(seqOf(key), value));
      }
      return found;
    });
  }

  get(seq: number): LedgerEntry | undefined {
    return this.#fresh((files) => entryOf(files, seq));
  }

  copiesOf(seq: number): LedgerEntry[] {
    return this.#fresh((files) => {
      const keys = files.copies.getKeys({ start: seqKey(seq, 0), end: seqKey(seq + 1, 0) });
      return [...keys].flatMap((key) => entryOf(files, seqOf(key, 1)) ?? []);
    });
  }

  head(): number {
    return this.#fresh(newestSeq);
  }

  tail(): number {
    return this.#fresh((files) => {
      for (const key of files.entries.getKeys({ limit: 1 })) return seqOf(key);
      return newestSeq(files) + 1;
    });
  }

  async close(): Promise<void> {
    await this.#files.root.close();
  }

  #fresh<Result>(read: (files: LedgerFiles) => Result): Result {
    this.#files.root.resetReadTxn();
    try {
      return read(this.#files);
    } finally {
      this.#files.root.resetReadTxn();
    }
  }
}

function entryOf({ entries }: LedgerFiles, seq: number): LedgerEntry | undefined {
  const bytes = entries.get(seqKey(seq));
  return bytes && decodeEntry(seq, bytes);
}
