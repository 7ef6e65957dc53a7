import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addTo, deviationOf, emptySpread } from '../../../gateway/pipeline/quality/spread.ts';
import { hourMs, start } from './judging.ts';

/** Steps of up to eight hours, values far from zero, where sums of squares would drown. */
const series = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 8 * hourMs }), fc.integer({ min: -500, max: 500 })),
  { minLength: 1, maxLength: 60 },
);

describe('The spread of a series', () => {
  it('is the standard deviation of the values in its last hours', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 25 }), (steps, hours) => {
        const spread = emptySpread();
        const held: { time: number; value: number }[] = [];
        let time = start;
        for (const [step, tenths] of steps) {
          time += step;
          const value = 1_000_000 + tenths / 10;
          addTo(spread, time, value);
          held.push({ time, value });
        }
        const first = Math.floor(time / hourMs) - hours;
        const inside = held.filter((one) => Math.floor(one.time / hourMs) >= first);
        const mean = inside.reduce((sum, { value }) => sum + value, 0) / inside.length;
        const squares = inside.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
        const { count, deviation } = deviationOf(spread, time, hours);
        expect(count).toBe(inside.length);
        expect(deviation).toBeCloseTo(Math.sqrt(squares / inside.length), 6);
      }),
      { numRuns: 150 },
    );
  });

  it('is nothing before its first value, and nothing of what is older than it keeps', () => {
    const spread = emptySpread();
    expect(deviationOf(spread, start, 25)).toEqual({ count: 0, deviation: 0 });
    addTo(spread, start, 5);
    expect(deviationOf(spread, start + 40 * hourMs, 25).count).toBe(0);
  });
});
