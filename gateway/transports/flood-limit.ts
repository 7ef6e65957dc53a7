/**
 * A token bucket for each of many senders: says no at once, where a connection could be made to
 * wait.
 */

export interface FloodLimit {
  /** Takes one message of this sender; false when it has sent too many and this one is refused. */
  admit(key: string): boolean;
}

export interface FloodLimitOptions {
  readonly perSecondMax: number;
  /** So many may come at once after a pause. */
  readonly burstMax: number;
  /** Senders remembered; above it the one that was quiet for longest is forgotten. */
  readonly keysMax: number;
  readonly monotonicMs: () => number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

export function createFloodLimit(options: FloodLimitOptions): FloodLimit {
  const { perSecondMax, burstMax, keysMax, monotonicMs } = options;
  const byKey = new Map<string, Bucket>();
  return {
    admit: (key) => {
      const nowMs = monotonicMs();
      const bucket = byKey.get(key) ?? { tokens: burstMax, filledAtMs: nowMs };
      const earned = ((nowMs - bucket.filledAtMs) / 1_000) * perSecondMax;
      bucket.tokens = Math.min(burstMax, bucket.tokens + earned);
      bucket.filledAtMs = nowMs;
      // Filed again, so that the first key of the map is the one that was quiet for longest.
      byKey.delete(key);
      byKey.set(key, bucket);
      if (byKey.size > keysMax) forgetOldest(byKey);
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}

function forgetOldest(byKey: Map<string, Bucket>): void {
  for (const key of byKey.keys()) {
    byKey.delete(key);
    return;
  }
}
