/** Puts bodies together that come in blocks [RFC 7959, Block1], within limits. */
import type { Block } from './message.ts';

export interface BlockLimits {
  readonly bodyBytesMax: number;
  /** Bodies under way; above it the oldest is forgotten. */
  readonly blockwiseMax: number;
  /** Bytes of all of them. */
  readonly blockwiseBytesMax: number;
}

export type BlockOutcome =
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'continue' | 'incomplete' | 'too-large' };

export interface BlockAssembly {
  /** `key` tells one body of one sender from all others under way. */
  add(key: string, block: Block, payload: Buffer): BlockOutcome;
  /** Bodies under way with such a key are never finished. */
  forget(isGone: (key: string) => boolean): void;
  /** Bodies under way. */
  count(): number;
}

interface UnderWay {
  readonly parts: Buffer[];
  readonly bytes: number;
  readonly lastAtMs: number;
}

/**
 * What a block costs beside its bytes, so that many small ones are not cheaper than few large ones.
 */
const overheadBytes = 256;

/** A sender that has been silent for so long starts over. */
const lifetimeMs = 120_000;

export function createBlockAssembly(
  { bodyBytesMax, blockwiseMax, blockwiseBytesMax }: BlockLimits,
  monotonicMs: () => number,
): BlockAssembly {
  const underWay = new Map<string, UnderWay>();
  let bytesInAll = 0;

  function forget(key: string): void {
    const known = underWay.get(key);
    if (known !== undefined) bytesInAll -= costOf(known);
    underWay.delete(key);
  }

  /** The first key of the map is the one whose last block is longest ago. */
  function makeRoom(): void {
    const nowMs = monotonicMs();
    for (const [key, { lastAtMs }] of underWay) {
      const isOver = underWay.size > blockwiseMax || bytesInAll > blockwiseBytesMax;
      if (!isOver && nowMs - lastAtMs < lifetimeMs) return;
      forget(key);
    }
  }

  return {
    count: () => underWay.size,
    forget: (isGone) => {
      for (const key of [...underWay.keys()].filter(isGone)) forget(key);
    },
    add: (key, { num, isLast, size }, payload) => {
      const known = num === 0 ? undefined : underWay.get(key);
      forget(key);
      // A block that is not the last is full, and its place says how many came before it.
      const isFull = payload.length === size || (isLast && payload.length <= size);
      if (!isFull || (known?.bytes ?? 0) !== num * size) return { kind: 'incomplete' };
      const bytes = (known?.bytes ?? 0) + payload.length;
      if (bytes > bodyBytesMax) return { kind: 'too-large' };
      const parts = known?.parts ?? [];
      parts.push(payload);
      if (isLast) return { kind: 'whole', body: Buffer.concat(parts) };
      const begun = { parts, bytes, lastAtMs: monotonicMs() };
      underWay.set(key, begun);
      bytesInAll += costOf(begun);
      makeRoom();
      return { kind: 'continue' };
    },
  };
}

function costOf({ parts, bytes }: UnderWay): number {
  return bytes + parts.length * overheadBytes;
}
