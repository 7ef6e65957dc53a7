/**
 * A histogram of latencies in log-linear buckets: 1,024 to each power of two, as HdrHistogram lays
 * them out for three digits. A percentile is never below the exact one and at most 0.1 % above it,
 * or a microsecond; memory is the same for ten values and for ten million.
 */
import assert from 'node:assert/strict';

const halfCount = 1_024;
const halfBits = 10;
const microsecondsEach = 1_000;
/** Longer waits count as this one: 71 minutes, what 32 bits of microseconds hold. */
export const latencyMsMax = 4_294_967;
const bucketCount = (32 - halfBits + 1) * halfCount;

export interface Histogram {
  /** Milliseconds; what is below zero counts as zero. */
  record(milliseconds: number): void;
  /** The value that this share of all values does not exceed; NaN of none. */
  quantile(share: number): number;
  summary(): LatencySummary;
}

/** Milliseconds, to a microsecond; null of no values, since JSON knows no NaN. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
}

export function createHistogram(): Histogram {
  const counts = new Float64Array(bucketCount);
  let count = 0;
  let sum = 0;
  let max = 0;

  function quantile(share: number): number {
    assert.ok(share >= 0 && share <= 1, 'a share is from 0 to 1');
    if (count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * count));
    let passed = 0;
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      passed += counts[bucket] ?? 0;
      if (passed >= rank) return Math.min(highestIn(bucket), max) / microsecondsEach;
    }
    return max / microsecondsEach;
  }

  return {
    record(milliseconds) {
      const value = Math.round(
        Math.min(latencyMsMax, Math.max(0, milliseconds)) * microsecondsEach,
      );
      const bucket = bucketOf(value);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      count += 1;
      sum += value;
      max = Math.max(max, value);
    },
    quantile,
    summary() {
      const at = (share: number) => (count === 0 ? null : quantile(share));
      return {
        count,
        meanMs: count === 0 ? null : Math.round(sum / count) / microsecondsEach,
        ...{ p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) },
      };
    },
  };
}

/** The first 2,048 values have a bucket each; above, it takes the eleven leading bits. */
function bucketOf(value: number): number {
  const shift = Math.max(0, 32 - Math.clz32(value) - halfBits - 1);
  return shift * halfCount + (value >>> shift);
}

function highestIn(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / halfCount) - 1);
  return (bucket - shift * halfCount + 1) * 2 ** shift - 1;
}
