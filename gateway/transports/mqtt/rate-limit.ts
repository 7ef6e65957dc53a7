/**
 * A token bucket without tokens: it answers how long the next message has to wait, and never
 * refuses.
 */

export interface RateLimit {
  /**
   * Takes `amount` and returns the milliseconds to wait before it may pass; 0 in the usual case.
   */
  delayMs(amount: number): number;
}

/** One second's worth may come at once after a pause. */
const burstMs = 1_000;

export function createRateLimit(perSecondMax: number, monotonicMs: () => number): RateLimit {
  const msEach = 1_000 / perSecondMax;
  /** When everything taken so far would be through at the permitted rate. */
  let paidUntilMs = 0;
  return {
    delayMs: (amount) => {
      const nowMs = monotonicMs();
      paidUntilMs = Math.max(paidUntilMs, nowMs - burstMs) + amount * msEach;
      return Math.max(0, paidUntilMs - nowMs);
    },
  };
}
