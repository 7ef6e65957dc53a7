/**
 * Who came, was refused, was thrown out, and who did it: entries that are only ever added, numbered
 * without a gap, the oldest removed above a limit. The command line adds to it while the gateway
 * runs, so the number is taken inside the write transaction.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';

export interface AuditRecord {
  /**
   * `connect`, `refuse`, `takeover`, `disconnect`, `kick`, `ban`, `lift`, `credential`, `token`,
   * `keys`, `reload`, `reload-failed`.
   */
  readonly event: string;
  /** Who did it; absent for what the gateway did by itself. */
  readonly by?: string | undefined;
  readonly clientId?: string | undefined;
  readonly credential?: string | undefined;
  readonly address?: string | undefined;
  readonly detail?: string | undefined;
  /** Entries of the same kind and source that were held back since the last one. */
  readonly heldBack?: number | undefined;
}

export interface AuditEntry extends AuditRecord {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Entries before this one that there was no room for. */
  readonly lost?: number;
}

export interface AuditQuery {
  /** Only older ones than this seq. */
  readonly before?: number;
  readonly limit: number;
  readonly event?: string;
}

export interface AuditLog {
  /** Queues the entry and returns at once. */
  append(record: AuditRecord): void;
  /** The newest first. Looks through a bounded number of entries. */
  read(query: AuditQuery): readonly AuditEntry[];
  /** How many of each event this process has added. */
  counts(): ReadonlyMap<string, number>;
  /** Resolves when everything so far is on disk, or cannot be written. */
  flushed(): Promise<void>;
}

export interface AuditLogOptions {
  readonly entriesMax: number;
  readonly now: () => number;
  readonly log: { error(fields: Readonly<Record<string, unknown>>, message: string): void };
}

type StoredEntry = Omit<AuditEntry, 'seq'>;

/** Waiting for the disk; above it an entry is lost, and the next one that is written says so. */
const queueMax = 10_000;
const removedAtOnceMax = 2_000;
const scannedMax = 20_000;
const retryMs = 1_000;
const attemptsMax = 3;

/** The caller opens and closes `root`, which it must not before the last `flushed()`. */
export function openAuditLog(
  root: RootDatabase<unknown, string>,
  { entriesMax, now, log }: AuditLogOptions,
): AuditLog {
  const entries = root.openDB<StoredEntry, string>({ name: 'audit', encoding: 'json' });
  let queued: StoredEntry[] = [];
  let lost = 0;
  const counts = new Map<string, number>();
  let committing: Promise<void> | undefined;

  function append(record: AuditRecord): void {
    counts.set(record.event, (counts.get(record.event) ?? 0) + 1);
    if (queued.length >= queueMax) {
      lost += 1;
      return;
    }
    const missing = lost === 0 ? {} : { lost };
    lost = 0;
    queued.push({ at: now(), ...record, ...missing });
    committing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(commitAll);
  }

  async function commitAll(): Promise<void> {
    for (let attempt = 1; queued.length > 0 && attempt <= attemptsMax; ) {
      const group = queued;
      queued = [];
      try {
        await entries.transaction(() => write(group));
        attempt = 1;
      } catch (error) {
        queued = [...group, ...queued];
        log.error({ event: 'audit-write-failed', error }, 'audit-write-failed');
        await wait(retryMs, undefined, { ref: false });
        attempt += 1;
      }
    }
    committing = undefined;
  }

  /** Only inside a write transaction. */
  function write(group: readonly StoredEntry[]): void {
    let seq = seqAt('last');
    for (const entry of group) {
      seq += 1;
      entries.putSync(keyOf(seq), entry);
    }
    const first = seqAt('first');
    const removed = Math.min(seq - first + 1 - entriesMax, removedAtOnceMax);
    for (let index = 0; index < removed; index += 1) entries.removeSync(keyOf(first + index));
  }

  function seqAt(end: 'first' | 'last'): number {
    for (const key of entries.getKeys({ reverse: end === 'last', limit: 1 })) return seqOf(key);
    return 0;
  }

  return {
    append,
    counts: () => counts,
    read: ({ before = Number.MAX_SAFE_INTEGER, limit, event }) => {
      const found: AuditEntry[] = [];
      const range = { start: keyOf(before - 1), reverse: true, limit: scannedMax };
      for (const { key, value } of entries.getRange(range)) {
        if (found.length >= limit) break;
        if (event === undefined || value.event === event) found.push({ seq: seqOf(key), ...value });
      }
      return found;
    },
    flushed: async () => {
      await committing;
    },
  };
}

/** In base 36 and of one length, so that the order of the keys is that of the numbers. */
function keyOf(seq: number): string {
  return seq.toString(36).padStart(11, '0');
}

function seqOf(key: string): number {
  return Number.parseInt(key, 36);
}
