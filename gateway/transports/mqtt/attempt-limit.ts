/**
 * Counts bad attempts by key in one-minute windows, and shuts a key out for a while above the
 * limit.
 */

export interface AttemptLimit {
  isShut(key: string): boolean;
  /** Counts one bad attempt; true when it is the one that shuts the key out. */
  record(key: string): boolean;
}

export interface AttemptLimitOptions {
  readonly attemptsMax: number;
  readonly windowMs: number;
  readonly shutMs: number;
  /** Keys remembered; above it the oldest is forgotten. */
  readonly keysMax: number;
  /** Monotonic milliseconds, so that setting the machine's clock opens nothing. */
  readonly monotonicMs: () => number;
}

interface Attempts {
  count: number;
  windowEndMs: number;
  shutUntilMs: number;
}

export function createAttemptLimit(options: AttemptLimitOptions): AttemptLimit {
  const byKey = new Map<string, Attempts>();
  return {
    isShut: (key) => (byKey.get(key)?.shutUntilMs ?? 0) > options.monotonicMs(),
    record: (key) => {
      const nowMs = options.monotonicMs();
      const attempts = byKey.get(key) ?? { count: 0, windowEndMs: 0, shutUntilMs: 0 };
      if (nowMs >= attempts.windowEndMs) {
        attempts.count = 0;
        attempts.windowEndMs = nowMs + options.windowMs;
      }
      attempts.count += 1;
      // Filed again, so that the first key of the map is the one that was quiet for longest.
      byKey.delete(key);
      byKey.set(key, attempts);
      forgetOldest(byKey, options.keysMax);
      if (attempts.count <= options.attemptsMax || attempts.shutUntilMs > nowMs) return false;
      attempts.shutUntilMs = nowMs + options.shutMs;
      return true;
    },
  };
}

function forgetOldest(byKey: Map<string, Attempts>, keysMax: number): void {
  if (byKey.size <= keysMax) return;
  for (const key of byKey.keys()) {
    byKey.delete(key);
    return;
  }
}
