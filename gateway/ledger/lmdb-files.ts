/**
 * The LMDB environments under a data directory and how their keys look. Both commit in full: pages,
 * fdatasync, then the root page through a descriptor opened with O_DSYNC, so that what a reader
 * sees and what a promise resolves for is on disk, and a failed flush leaves no trace. The
 * library's default, overlapping sync, shows a commit to readers before it is on disk.
 */
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';

/** The layout of the files; a later one that this program does not know is refused. */
export const ledgerFormat = 1;
const stateFormat = 1;

export interface LedgerFiles {
  /** Their folder. */
  readonly path: string;
  readonly root: RootDatabase<Buffer, string>;
  readonly notes: Database<Buffer, string>;
  readonly entries: Database<Buffer, Buffer>;
  /** Key: seq of the first reception, seq of the copy. No value. */
  readonly copies: Database<Buffer, Buffer>;
  readonly sessions: Database<Buffer, string>;
  readonly generations: readonly [Database<Buffer, Buffer>, Database<Buffer, Buffer>];
}

export interface DirectoryOptions {
  /** The data directory; each environment has a folder of its own in it. */
  readonly directory: string;
}

const fullCommit = {
  noSubdir: false,
  overlappingSync: false,
  // Batching by event turn leaves a rejected promise that nobody holds when a commit fails.
  eventTurnBatching: false,
  // LMDB's pages hold nothing but what was written into them; zeroing them first is for secrets.
  noMemInit: true,
} as const;

export function openLedgerFiles(
  { directory }: DirectoryOptions,
  { readOnly }: { readonly readOnly: boolean },
): LedgerFiles {
  const path = join(directory, 'ledger');
  if (readOnly && !existsSync(join(path, 'data.mdb'))) {
    throw new Error(`There is no ledger in ${path}: start the gateway once, or check dataDir.`);
  }
  const root = open<Buffer, string>({
    ...{ ...fullCommit, path, readOnly, encoding: 'binary', maxDbs: 8 },
  });
  try {
    const notes = root.openDB<Buffer, string>({ name: 'notes', encoding: 'binary' });
    checkFormat(notes, { path, format: ledgerFormat, readOnly });
    const seqKeyed = (name: string) =>
      root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
    return {
      ...{ path, root, notes, entries: seqKeyed('entries'), copies: seqKeyed('copies') },
      sessions: root.openDB<Buffer, string>({ name: 'sessions', encoding: 'binary' }),
      generations: [seqKeyed('identities-0'), seqKeyed('identities-1')],
    };
  } catch (error) {
    void root.close();
    throw error;
  }
}

/**
 * The environment for small state (devices, cursors, alarms): other rooms open their own named
 * databases in it. A write's promise resolves when it is on disk. The caller closes it.
 */
export function openState({ directory }: DirectoryOptions): RootDatabase<unknown, string> {
  const path = join(directory, 'state');
  const root = open<unknown, string>({ ...fullCommit, path, maxDbs: 64 });
  try {
    const notes = root.openDB<Buffer, string>({ name: 'format', encoding: 'binary' });
    checkFormat(notes, { path, format: stateFormat, readOnly: false });
  } catch (error) {
    void root.close();
    throw error;
  }
  return root;
}

function checkFormat(
  notes: Database<Buffer, string>,
  expected: { readonly path: string; readonly format: number; readonly readOnly: boolean },
): void {
  const { path, format, readOnly } = expected;
  const stored = notes.get('format')?.readUInt32BE();
  if (stored === undefined && !readOnly) notes.putSync('format', numberValue(format));
  if (stored !== undefined && stored !== format) {
    throw new Error(
      `The files in ${path} have format ${stored}; this program reads format ${format}. ` +
        'Run the version that wrote them, or restore a backup made before the upgrade.',
    );
  }
}

function numberValue(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Big-endian, so that the order of the bytes is the order of the entries. */
export function seqKey(...seqs: number[]): Buffer {
  const key = Buffer.allocUnsafe(8 * seqs.length);
  seqs.forEach((seq, place) => {
    key.writeUInt16BE(0, 8 * place);
    key.writeUIntBE(seq, 8 * place + 2, 6);
  });
  return key;
}

const spareKey = Buffer.alloc(8);

/** The same for a write, which copies it at once: good until the next call. */
export function spareSeqKey(seq: number): Buffer {
  spareKey.writeUIntBE(seq, 2, 6);
  return spareKey;
}

/** The seq at one place of such a key, the first by default. */
export function seqOf(key: Buffer, place = 0): number {
  return key.readUIntBE(8 * place + 2, 6);
}

/** Holds the newest removed seq, so that an emptied ledger does not count from 1 again. */
export const removedNote = 'removed';

/** 0 when nothing was ever written. */
export function newestSeq({ entries, notes }: LedgerFiles): number {
  for (const key of entries.getKeys({ reverse: true, limit: 1 })) return seqOf(key);
  const removed = notes.get(removedNote);
  return removed === undefined ? 0 : seqOf(removed);
}

/** What one database really uses; the file itself never shrinks. */
export function treeSize(database: Database<Buffer, Buffer> | Database<Buffer, string>): {
  readonly entryCount: number;
  readonly bytes: number;
} {
  const stats = new Map<string, unknown>(Object.entries(database.getStats()));
  const count = (name: string) => Number(stats.get(name));
  const pages = count('treeBranchPageCount') + count('treeLeafPageCount') + count('overflowPages');
  return { entryCount: count('entryCount'), bytes: pages * count('pageSize') };
}

/** The library tells why a commit failed by a second promise, which must not be left unheld. */
export async function commitCause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  const cause: unknown = await Promise.resolve(error.commitError).catch((each: unknown) => each);
  endIfHarmed(cause);
  return cause;
}

/** What lmdb 3.5.6 reserves for the sentence on a failed page write, with its closing zero. */
const sentenceBytesMax = 100;

/**
 * A longer sentence has been written past its end, over whatever lay there. What was acknowledged
 * is on disk; nothing more may be written by a process whose memory is not to be trusted.
 */
function endIfHarmed(cause: unknown): void {
  const sentence = /Attempting to write page.*/.exec(cause instanceof Error ? cause.message : '');
  if (sentence === null || sentence[0].length < sentenceBytesMax) return;
  writeSync(2, 'The disk failed and the database with it: ending, to be started again.\n');
  process.kill(process.pid, 'SIGKILL');
}

/**
 * False after the write of the root page itself has failed: LMDB then refuses every transaction of
 * this process, and a write would wait for ever. What was acknowledged is on disk all the same.
 */
export function isUsable({ root, notes }: LedgerFiles): boolean {
  try {
    root.resetReadTxn();
    return notes.doesExist('format');
  } catch {
    return false;
  }
}
