/**
 * Records by key in a database of the state environment, written in groups: a write is queued in
 * memory, a later one of the same key takes its place, and one commit at a time takes all that
 * waits. What is queued and removed again within one commit's time costs almost nothing.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { commitCause } from '../ledger/lmdb-files.ts';

export interface StateJournal {
  entries(prefix: string): Iterable<{ readonly key: string; readonly value: Buffer }>;
  put(key: string, value: Buffer): void;
  remove(key: string): void;
  /** Resolves when everything queued so far is on disk; rejects when the disk refuses it. */
  flushed(): Promise<void>;
}

export interface StateJournalLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const retryMs = 1_000;

/** The caller opens and closes `root`, which it must not before the last `flushed()`. */
export function openStateJournal(
  root: RootDatabase<unknown, string>,
  name: string,
  log: StateJournalLog,
): StateJournal {
  const records = root.openDB<Buffer, string>({ name, encoding: 'binary' });
  /** Undefined removes. */
  let queued = new Map<string, Buffer | undefined>();
  let waiting: Waiter[] = [];
  let isCommitting = false;

  function schedule(): void {
    if (isCommitting) return;
    isCommitting = true;
    // One turn later, so that what one packet causes goes into one commit.
    setImmediate(() => void commitAll());
  }

  async function commitAll(): Promise<void> {
    while (queued.size > 0 || waiting.length > 0) {
      const [batch, waiters] = [queued, waiting];
      [queued, waiting] = [new Map(), []];
      const error = await commit(batch);
      if (error === undefined) {
        for (const { resolve } of waiters) resolve();
        continue;
      }
      putBack(batch);
      for (const { reject } of waiters) reject(error);
      log.error({ event: 'state-write-failed', database: name, error }, 'state-write-failed');
      await wait(retryMs, undefined, { ref: false });
    }
    isCommitting = false;
  }

  async function commit(batch: ReadonlyMap<string, Buffer | undefined>): Promise<unknown> {
    if (batch.size === 0) return undefined;
    try {
      await records.transaction(() => {
        for (const [key, value] of batch) {
          if (value === undefined) records.removeSync(key);
          else records.putSync(key, value);
        }
      });
      return undefined;
    } catch (error) {
      return (await commitCause(error)) ?? error;
    }
  }

  function putBack(batch: ReadonlyMap<string, Buffer | undefined>): void {
    for (const [key, value] of batch) if (!queued.has(key)) queued.set(key, value);
  }

  return {
    entries: (prefix) => records.getRange({ start: prefix, end: `${prefix}\u{10ffff}` }),
    put: (key, value) => {
      queued.set(key, value);
      schedule();
    },
    remove: (key) => {
      queued.set(key, undefined);
      schedule();
    },
    flushed: () => {
      if (queued.size === 0 && !isCommitting) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        schedule();
      });
    },
  };
}
