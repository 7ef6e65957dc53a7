import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Quality } from '../../../gateway/model/reading.ts';
import { explain, flagOf, missing, tests } from '../../../gateway/pipeline/quality/verdict.ts';

const finding = fc.constantFrom(0, 1, 3, 4);
const verdicts = fc
  .tuple(fc.constantFrom(0, 1, 3, 5), fc.array(finding, { minLength: 9, maxLength: 9 }))
  .map(([gap, others]): number[] => [gap, ...others]);

describe('The flag of a value', () => {
  it('is the worst that any test has found, and 1 only where one of the value itself passed', () => {
    fc.assert(
      fc.property(verdicts, (bits) => {
        const flags = explain(bits.reduce((sum, one, place) => sum | (one << (place * 3)), 0));
        const all = Object.values(flags);
        const ofValue = tests.slice(2).map((test) => flags[test]);
        const worst: Quality = all.includes(4) ? 4 : all.includes(3) ? 3 : 1;
        const expected = worst === 1 && !ofValue.includes(1) ? 2 : worst;
        const verdict = bits.reduce((sum, one, place) => sum | (one << (place * 3)), 0);
        expect(flagOf(verdict)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('is not worse for values that did not come before it', () => {
    expect(explain(missing).gap).toBe(9);
    expect(flagOf(missing)).toBe(2);
    expect(flagOf(missing | (1 << 9))).toBe(1);
  });

  it('names every test once, and says 2 for those that said nothing', () => {
    expect(Object.keys(explain(0))).toEqual([...tests]);
    expect(new Set(Object.values(explain(0)))).toEqual(new Set([2]));
  });
});
