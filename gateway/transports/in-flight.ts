/** Counts receipts that are under way, so that a stop can wait for them. */
import { setTimeout as wait } from 'node:timers/promises';

export interface InFlight {
  count(): number;
  /** Counts the work until it settles, however it does, and hands its promise back. */
  track<Result>(work: Promise<Result>): Promise<Result>;
  /** Resolves when none is left, or at the time-out; true when none is left. */
  settle(timeoutMs: number): Promise<boolean>;
}

export function createInFlight(): InFlight {
  let underWay = 0;
  const whenSettled = new Set<() => void>();

  function leave(): void {
    underWay -= 1;
    if (underWay > 0) return;
    for (const resolve of whenSettled) resolve();
    whenSettled.clear();
  }

  return {
    count: () => underWay,
    track: (work) => {
      underWay += 1;
      work.then(leave, leave);
      return work;
    },
    settle: async (timeoutMs) => {
      if (underWay === 0) return true;
      const abort = new AbortController();
      const settled = new Promise<void>((resolve) => whenSettled.add(resolve));
      const expired = wait(timeoutMs, undefined, { signal: abort.signal }).catch(() => undefined);
      await Promise.race([settled, expired]);
      abort.abort();
      return underWay === 0;
    },
  };
}
