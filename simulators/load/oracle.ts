/**
 * Compares what a load knows with what a gateway holds. What was acknowledged must be there, and
 * once; what is there must be as it was sent; and nothing may be there that was never sent.
 */
import type { SentMessage } from './history-file.ts';

export interface Comparison {
  /** What the gateway holds of this load. */
  readonly found: number;
  /** Acknowledged and not there. */
  readonly missing: number;
  /** There more than once, counted once for each further time. */
  readonly duplicated: number;
  /** There with another value or another time. */
  readonly altered: number;
  /** There, of the load's devices, and never sent. */
  readonly unknown: number;
  /** The first few of each, in words. */
  readonly examples: readonly string[];
}

export interface FoundItem {
  /** What says which message it is: the same of one and the same message, and of no other. */
  readonly key: string;
  /** Equal when nothing was altered. */
  readonly content: string;
  /** Where it was found, for people. */
  readonly place: string;
}

const examplesMax = 5;

/** Everything that was sent, as it must be found; several for a message of several readings. */
export type Expected = (message: SentMessage) => readonly Omit<FoundItem, 'place'>[];

export interface Comparing {
  found(item: FoundItem): void;
  result(): Comparison;
}

export function createComparison(messages: readonly SentMessage[], expected: Expected): Comparing {
  const awaited = new Map<string, { content: string; isOwed: boolean; times: number }>();
  for (const message of messages) {
    for (const { key, content } of expected(message)) {
      awaited.set(key, { content, isOwed: message.isAcknowledged, times: 0 });
    }
  }
  const count = { found: 0, duplicated: 0, altered: 0, unknown: 0 };
  const kept = new Map<string, string[]>();
  const note = (kind: string, sentence: string): void => {
    const own = kept.get(kind) ?? [];
    if (own.length < examplesMax) own.push(`${kind}: ${sentence}`);
    kept.set(kind, own);
  };
  return {
    found({ key, content, place }) {
      count.found += 1;
      const one = awaited.get(key);
      if (one === undefined) {
        count.unknown += 1;
        note('unknown', `${place} ${key} ${content}`);
        return;
      }
      one.times += 1;
      if (one.times > 1) {
        count.duplicated += 1;
        note('duplicated', `${place} ${key}`);
      }
      if (one.content !== content) {
        count.altered += 1;
        note('altered', `${place} ${key} is ${content}, sent ${one.content}`);
      }
    },
    result() {
      let missing = 0;
      for (const [key, { isOwed, times, content }] of awaited) {
        if (!isOwed || times > 0) continue;
        missing += 1;
        note('missing', `${key} ${content}`);
      }
      return { ...count, missing, examples: [...kept.values()].flat() };
    },
  };
}

export function isSound({ missing, duplicated, altered, unknown }: Comparison): boolean {
  return missing + duplicated + altered + unknown === 0;
}
