import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHistogram, latencyMsMax } from '../../../simulators/load/histogram.ts';

function histogramOf(values: readonly number[]) {
  const histogram = createHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** The smallest value that this share of all does not exceed. */
function exactQuantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

const microsecond = 0.001;

describe('Latency histogram', () => {
  it('gives percentiles at most 0.1 % or a microsecond above the exact ones, and none below', () => {
    const latency = fc.oneof(
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.double({ min: 0, max: latencyMsMax, noNaN: true }),
    );
    const values = fc.array(latency, { minLength: 1, maxLength: 300 });
    const shares = fc.constantFrom(0, 0.25, 0.5, 0.9, 0.99, 0.999, 1);
    fc.assert(
      fc.property(values, shares, (all, share) => {
        const exact = exactQuantile(all, share);
        const found = histogramOf(all).quantile(share);
        expect(found).toBeGreaterThanOrEqual(exact - microsecond / 2 - 1e-9);
        expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 1_024) + microsecond);
      }),
      { numRuns: 200 },
    );
  });

  it('is exact to the microsecond below two milliseconds', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => (index + 1) / 1_000);
    const histogram = histogramOf(values);
    for (const share of [0.001, 0.5, 0.9, 0.99, 1]) {
      expect(histogram.quantile(share)).toBeCloseTo(exactQuantile(values, share), 9);
    }
  });

  it('tells count, mean and maximum', () => {
    expect(histogramOf([1, 2, 3, 1_000]).summary()).toMatchObject({
      count: 4,
      meanMs: 251.5,
      maxMs: 1_000,
    });
  });

  it('has no percentiles of nothing', () => {
    expect(histogramOf([]).summary()).toMatchObject({ count: 0, p50Ms: null, maxMs: null });
    expect(histogramOf([]).quantile(0.5)).toBeNaN();
  });

  it('counts what is below zero as zero and what is beyond its reach as its end', () => {
    expect(histogramOf([-5]).quantile(1)).toBe(0);
    expect(histogramOf([Number.MAX_VALUE]).quantile(1)).toBe(latencyMsMax);
  });
});
