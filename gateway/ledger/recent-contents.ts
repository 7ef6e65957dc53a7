/**
 * Answers in memory whether a content may have come lately, so that an uplink that comes once, as
 * nearly all do, costs the disk no search. A Bloom filter in two generations: it forgets nothing
 * within `keepMs`, and where it errs the search finds nothing. So nothing in it needs undoing.
 */
import assert from 'node:assert/strict';

/** For 700,000 contents in `keepMs`, one search in twenty is needless. */
const bitsMax = 2 ** 23;
const bitMask = bitsMax - 1;

interface Generation {
  readonly words: Uint32Array;
  readonly startedAt: number;
  /** The latest reception in it; nothing yet: the beginning of time. */
  newest: number;
}

export class RecentContents {
  readonly #keepMs: number;
  #current: Generation;
  #previous: Generation;

  constructor(keepMs: number) {
    assert.ok(keepMs > 0, 'contents are kept for a while');
    this.#keepMs = keepMs;
    this.#current = emptyGeneration(0);
    this.#previous = emptyGeneration(0);
  }

  /** Of the contents of late, the latest time of reception; 0 without any. */
  newest(): number {
    return Math.max(this.#current.newest, this.#previous.newest);
  }

  mayHave(content: string): boolean {
    const first = bitOf(content, 0);
    const second = bitOf(content, 3);
    return has(this.#current, first, second) || has(this.#previous, first, second);
  }

  add(content: string, receivedAt: number): void {
    const age = receivedAt - this.#current.startedAt;
    // A clock that was set back far begins anew, too, or it would hold a generation for ever.
    if (age >= this.#keepMs || age <= -this.#keepMs) this.#rotate(receivedAt);
    const current = this.#current;
    setBit(current.words, bitOf(content, 0));
    setBit(current.words, bitOf(content, 3));
    if (receivedAt > current.newest) current.newest = receivedAt;
  }

  #rotate(startedAt: number): void {
    const { words } = this.#previous;
    this.#previous = this.#current;
    words.fill(0);
    this.#current = { words, startedAt, newest: 0 };
  }
}

function emptyGeneration(startedAt: number): Generation {
  return { words: new Uint32Array(bitsMax / 32), startedAt, newest: 0 };
}

/** A digest is random already: three of its bytes are as good as a hash of it. */
function bitOf(content: string, at: number): number {
  const low = content.charCodeAt(at) | (content.charCodeAt(at + 1) << 8);
  return (low | (content.charCodeAt(at + 2) << 16)) & bitMask;
}

function has({ words }: Generation, first: number, second: number): boolean {
  return isSet(words, first) && isSet(words, second);
}

function isSet(words: Uint32Array, bit: number): boolean {
  return (((words[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
}

function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
}
