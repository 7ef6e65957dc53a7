/**
 * Which version of which codec decoded a device's uplinks, from which ledger entry on. A row is
 * written only where that changes, so that every reading can say what made it without a field of
 * its own. It lies with the catalogue: when that is deleted, both are built again.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

export interface HistoryRow {
  /** The first entry that this codec has decoded. */
  readonly from: number;
  /**
   * `id@version`, with `#` and the version of the rules of device and model if there are any; empty
   * where the sender had decoded by itself.
   */
  readonly codec: string;
}

export interface CodecHistoryReader {
  /** In ascending order of `from`; at most `historyRowsMax`, the newest. */
  rowsOf(device: string): readonly HistoryRow[];
  close(): Promise<void>;
}

export interface CodecHistory extends CodecHistoryReader {
  /** The newest row of a device. */
  lastOf(device: string): HistoryRow | undefined;
  /** Not durable at once: what is lost is derived, and noted, again. In order. */
  apply(changes: readonly HistoryChange[]): Promise<void>;
}

/** One entry was decoded, for the first time or again. */
export interface HistoryChange {
  readonly device: string;
  readonly seq: number;
  readonly codec: string;
  /** No entry of this device lies between this one and `seq`. */
  readonly after: number;
  /** No later entry has been decoded yet. */
  readonly isNewest: boolean;
}

export const historyRowsMax = 1_000;

type RowKey = [device: string, from: number];

/** Threads of one process open it in the same way, as they do with the catalogue. */
export function openCodecHistory(dataDir: string): CodecHistory {
  const directory = join(dataDir, 'catalogue', 'codecs');
  mkdirSync(directory, { recursive: true });
  const rows = open<string, RowKey>({ path: directory, noMemInit: true });
  return {
    rowsOf(device) {
      const newest = rows.getRange({
        ...{ start: [device, Number.MAX_SAFE_INTEGER], end: [device, 0] },
        ...{ reverse: true, limit: historyRowsMax },
      });
      return [...newest].map(({ key, value }) => ({ from: key[1], codec: value })).reverse();
    },
    lastOf: (device) => rowAt(rows, device, Number.MAX_SAFE_INTEGER),
    async apply(changes) {
      if (changes.length === 0) return;
      await rows.transaction(() => {
        for (const change of changes) applyOne(rows, change);
      });
    },
    close: () => rows.close(),
  };
}

/** The row that speaks for this entry. */
function rowAt(
  rows: RootDatabase<string, RowKey>,
  device: string,
  seq: number,
): HistoryRow | undefined {
  const found = rows.getRange({
    ...{ start: [device, seq], end: [device, 0], reverse: true, limit: 1 },
  });
  for (const { key, value } of found) return { from: key[1], codec: value };
  return undefined;
}

function applyOne(rows: RootDatabase<string, RowKey>, change: HistoryChange): void {
  const { device, seq, codec, after, isNewest } = change;
  const row = rowAt(rows, device, seq);
  const held = row?.codec ?? '';
  if (held === codec && (row === undefined || row.from <= after)) return;
  const between = rows.getKeys({ start: [device, after + 1], end: [device, seq + 1] });
  for (const key of [...between]) rows.remove(key);
  if ((rowAt(rows, device, after)?.codec ?? '') !== codec) rows.put([device, seq], codec);
  if (held === codec || isNewest) return;
  // Those after it were decoded by what was noted before, until they are decoded again.
  const next: RowKey = [device, seq + 1];
  if (rows.get(next) === undefined) rows.put(next, held);
}

/** What decoded entry `seq`; undefined where the sender had. */
export function codecAt(rows: readonly HistoryRow[], seq: number): string | undefined {
  const codec = rows.findLast(({ from }) => from <= seq)?.codec;
  return codec === '' ? undefined : codec;
}
