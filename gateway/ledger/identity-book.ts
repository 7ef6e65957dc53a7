/**
 * The identities of messages in two generations: new ones go into the current one; when that is
 * full or old, the other one is emptied and becomes the current. So an identity is known for at
 * least the window, unless more of them come than the limit allows, and is gone after two.
 */
import type { Clock } from '../model/clock.ts';
import { identityKeyBytes } from './identity.ts';
import { type LedgerFiles, treeSize } from './lmdb-files.ts';

export interface IdentityLimits {
  readonly identityWindowMs: number;
  readonly identitiesMax: number;
}

interface Generation {
  readonly current: 0 | 1;
  readonly startedAt: number;
}

const noteKey = 'generation';

export class IdentityBook {
  readonly #files: LedgerFiles;
  readonly #clock: Clock;
  readonly #limits: IdentityLimits;
  #generation: Generation;
  /** Identities in the current generation; a record that is written anew counts again. */
  #count: number;

  constructor(files: LedgerFiles, clock: Clock, limits: IdentityLimits) {
    this.#files = files;
    this.#clock = clock;
    this.#limits = limits;
    this.#generation = readGeneration(files) ?? { current: 0, startedAt: clock.now() };
    this.#count = treeSize(files.generations[this.#generation.current]).entryCount;
    if (!files.notes.doesExist(noteKey)) {
      files.notes.putSync(noteKey, encodeGeneration(this.#generation));
    }
  }

  find(identity: string): Buffer | undefined {
    const { current } = this.#generation;
    const { generations } = this.#files;
    const key = spareKeyOf(identity);
    return generations[current].get(key) ?? generations[current === 0 ? 1 : 0].get(key);
  }

  /** Of both generations, as one identity may be in each; the newer one first. */
  *findAll(identity: string): Generator<number> {
    const { current } = this.#generation;
    for (const generation of [current, current === 0 ? 1 : 0] as const) {
      const value = this.#files.generations[generation].get(spareKeyOf(identity));
      if (value !== undefined) yield value.readUIntBE(0, 6);
    }
  }

  /** Identities that begin with a prefix from `from` up to `to`, the last ones first. */
  *between(from: string, to: string, limit: number): Generator<string> {
    const range = { start: Buffer.from(to, 'latin1'), end: Buffer.from(from, 'latin1') };
    for (const generation of this.#files.generations) {
      const keys = generation.getKeys({ ...range, reverse: true, limit });
      for (const key of keys) yield key.toString('latin1');
    }
  }

  /** Only inside a write transaction. */
  put(identity: string, value: Buffer): void {
    this.#files.generations[this.#generation.current].putSync(spareKeyOf(identity), value);
    this.#count += 1;
  }

  /** Only inside a write transaction, before its first `put`; returns how to undo it in memory. */
  rotateIfDue(): () => void {
    const before = this.#generation;
    const countBefore = this.#count;
    const now = this.#clock.now();
    // A clock that was set back starts the window anew rather than holding it for ever.
    const startedAt = Math.min(before.startedAt, now);
    const isFull = countBefore >= this.#limits.identitiesMax / 2;
    if (isFull || now - startedAt >= this.#limits.identityWindowMs) {
      const current = before.current === 0 ? 1 : 0;
      this.#files.generations[current].clearSync();
      this.#generation = { current, startedAt: now };
      this.#count = 0;
      this.#files.notes.putSync(noteKey, encodeGeneration(this.#generation));
    } else if (startedAt !== before.startedAt) {
      this.#generation = { ...before, startedAt };
    }
    return () => {
      this.#generation = before;
      this.#count = countBefore;
    };
  }
}

const spareKey = Buffer.alloc(identityKeyBytes);

/** Good until the next call: LMDB copies a key at once. */
function spareKeyOf(identity: string): Buffer {
  spareKey.write(identity, 'latin1');
  return spareKey;
}

function readGeneration(files: LedgerFiles): Generation | undefined {
  const note = files.notes.get(noteKey);
  if (note === undefined) return undefined;
  const current = note.readUInt8(0) === 0 ? 0 : 1;
  return { current, startedAt: note.readDoubleBE(1) };
}

function encodeGeneration({ current, startedAt }: Generation): Buffer {
  const note = Buffer.alloc(9);
  note.writeUInt8(current, 0);
  note.writeDoubleBE(startedAt, 1);
  return note;
}
