/**
 * Removes the oldest entries in short transactions, so that ingest goes on between them. Identities
 * and counters stay: a removed message that comes again is still a redelivery.
 */
import { decodeHead, type EntryHead } from './entry-codec.ts';
import type { RetentionLimits } from './ledger.ts';
import { type LedgerFiles, removedNote, seqKey, seqOf, treeSize } from './lmdb-files.ts';

export type Commit = <Result>(apply: () => Result) => Promise<Result>;

export async function retainEntries(
  files: LedgerFiles,
  limits: RetentionLimits,
  batchMax: number,
  commit: Commit,
): Promise<number> {
  let removed = 0;
  for (;;) {
    const batch = await commit(() => removeBatch(files, limits, batchMax));
    removed += batch;
    if (batch === 0) return removed;
  }
}

interface StoredHead extends EntryHead {
  readonly seq: number;
}

function removeBatch(files: LedgerFiles, limits: RetentionLimits, batchMax: number): number {
  // One more than may go: it tells whether the last one's delivery ends there.
  const heads = oldestHeads(files, batchMax + 1);
  const count = Math.min(countRemovable(files, heads, limits), batchMax);
  const wholeCount = endOfDelivery(heads, count);
  // A delivery of more items than a batch goes as a whole, too.
  if (wholeCount === 0 && count === batchMax) return removeBatch(files, limits, batchMax * 2);
  for (const { seq, copyOf } of heads.slice(0, wholeCount)) {
    files.entries.removeSync(seqKey(seq));
    if (copyOf !== undefined) files.copies.removeSync(seqKey(copyOf, seq));
  }
  const newest = heads[wholeCount - 1];
  if (newest) files.notes.putSync(removedNote, seqKey(newest.seq));
  return wholeCount;
}

function oldestHeads(files: LedgerFiles, limit: number): StoredHead[] {
  const heads: StoredHead[] = [];
  for (const { key, value } of files.entries.getRange({ limit })) {
    const seq = seqOf(key);
    heads.push({ seq, ...decodeHead(seq, value) });
  }
  return heads;
}

function countRemovable(
  files: LedgerFiles,
  heads: readonly StoredHead[],
  { receivedBefore, sizeBytesMax, keepAfter }: RetentionLimits,
): number {
  const entries = treeSize(files.entries);
  const entryBytes = entries.bytes / Math.max(1, entries.entryCount);
  const used = usedBytes(files);
  const stays = heads.findIndex(({ seq, receivedAt }, place) => {
    const isOverSize = used - place * entryBytes > sizeBytesMax;
    return seq > keepAfter || !(receivedAt < receivedBefore || isOverSize);
  });
  return stays === -1 ? heads.length : stays;
}

/** Moves the end back to where no entry that stays needs the body of one that goes. */
function endOfDelivery(heads: readonly StoredHead[], count: number): number {
  const bodySeq = heads[count]?.bodySeq;
  if (bodySeq === undefined) return count;
  const first = heads.findIndex(({ seq }) => seq >= bodySeq);
  return Math.min(count, first);
}

/** Pages in use. The file keeps its free pages for later entries and never gets smaller. */
export function usedBytes(files: LedgerFiles): number {
  const { entries, copies, sessions, generations } = files;
  const trees = [entries, copies, sessions, ...generations];
  return trees.reduce((sum, tree) => sum + treeSize(tree).bytes, 0);
}
