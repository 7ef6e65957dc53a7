/**
 * What a screen reader is told unasked: counts and states, never values, and not more often than
 * every 20 seconds [WCAG 2.2, 4.1.3]. The last sentence in a quiet period is said at its end.
 */

export const announceEveryMs = 20_000;

interface Announcer {
  /** Returns the sentence to say now, or nothing. Call it with each change and each tick. */
  offer(sentence: string, now: number): string | undefined;
}

export function createAnnouncer(): Announcer {
  let said: string | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    offer(sentence, now) {
      if (sentence === said || now - saidAt < announceEveryMs) return undefined;
      said = sentence;
      saidAt = now;
      return sentence;
    },
  };
}
