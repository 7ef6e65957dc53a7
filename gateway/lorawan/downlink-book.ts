/**
 * What was heard of each session's downlinks, in LMDB across restarts: a device may acknowledge
 * after one what it was sent before, and a recorded downlink must not pass for a new one.
 */
import assert from 'node:assert/strict';
import type { Database, RootDatabase } from 'lmdb';
import type { counterOf } from './keystream.ts';
import { UnwrittenWrites } from './unwritten-writes.ts';

export interface HeardDownlinks {
  /** The counters of the confirmed ones, the newest first. */
  readonly confirmed: readonly number[];
  /** The last counters of all 32 bits: the network's and the application's count apart. */
  readonly last: Readonly<Partial<Record<ReturnType<typeof counterOf>, number>>>;
}

/** The stored form; version 1. */
interface DownlinkRow extends HeardDownlinks {
  readonly version: 1;
}

export class DownlinkBook {
  readonly #rows: Database<DownlinkRow, string>;
  readonly #writes = new UnwrittenWrites();

  /** The caller opens and closes `root`; the book keeps its rows in the database `downlinks`. */
  constructor(root: RootDatabase) {
    this.#rows = root.openDB<DownlinkRow, string>({ name: 'downlinks', encoding: 'json' });
  }

  /** By the session's name. */
  *all(): Generator<readonly [name: string, heard: HeardDownlinks]> {
    for (const { key, value } of this.#rows.getRange()) {
      assert(value.version === 1, `downlink row ${key} is of version 1`);
      yield [key, value];
    }
  }

  put(name: string, { confirmed, last }: HeardDownlinks): void {
    this.#writes.add(this.#rows.put(name, { version: 1, confirmed, last }));
  }

  remove(name: string): void {
    this.#writes.add(this.#rows.remove(name));
  }

  /** Resolves when all that was put is on disk; undefined when it is already. */
  unwritten(): Promise<unknown> | undefined {
    return this.#writes.pending();
  }
}
