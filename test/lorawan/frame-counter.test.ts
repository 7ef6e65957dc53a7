import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  counterCandidates,
  counterDefaults,
  reconstruct,
} from '../../gateway/lorawan/frame-counter.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('Frame counter', () => {
  it.each([
    ['the next frame', 8, 7, 8],
    ['a retransmission', 7, 7, 7],
    ['a gap', 100, 7, 100],
    ['the rollover to the second span', 0, 65_535, 65_536],
    ['the rollover to the third span', 0, 131_071, 131_072],
    ['a retransmission at the end of a span', 65_535, 65_535, 65_535],
    ['a retransmission at the start of a span', 0, 65_536, 65_536],
    ['the counter before the last one, a whole span later', 6, 7, 65_542],
  ])('takes %s for what it is', (_what, fCnt16, last, fCnt) => {
    expect(reconstruct(fCnt16, last)).toBe(fCnt);
    expect(counterCandidates(fCnt16, last)[0]).toBe(fCnt);
  });

  it('tries the counter behind the last one, then the plain 16 bits', () => {
    expect(counterCandidates(8, 70_000)).toEqual([131_080, 65_544, 8]);
    expect(counterCandidates(8, 10)).toEqual([65_544, 8]);
    expect(counterCandidates(8, 7)).toEqual([8]);
    expect(counterCandidates(4464, 70_000)).toEqual([70_000, 4464]);
  });

  it('tries the first upper halves of a session that was never heard', () => {
    expect(counterCandidates(5, undefined, { ...counterDefaults, firstEpochsMax: 3 })).toEqual([
      5, 65_541, 131_077,
    ]);
    expect(counterCandidates(5, undefined)).toHaveLength(16);
  });

  it('leaves out counters beyond the gap limit', () => {
    const options = { ...counterDefaults, gapMax: 16_384 };
    expect(counterCandidates(16_384, 0, options)).toEqual([16_384]);
    expect(counterCandidates(16_385, 0, options)).toEqual([]);
    expect(counterCandidates(9, 70_000, options)).toEqual([65_545, 9]);
  });

  it('leaves out counters that do not fit 32 bits', () => {
    expect(counterCandidates(0, 0xffff_ffff)).toEqual([0xffff_0000, 0]);
  });

  it('finds every counter up to one span ahead of the last one', () => {
    fc.assert(
      fc.property(uint32, fc.integer({ min: 0, max: 65_535 }), (last, ahead) => {
        const fCnt = last + ahead;
        fc.pre(fCnt <= 0xffff_ffff);
        expect(counterCandidates(fCnt % 65_536, last)[0]).toBe(fCnt);
      }),
    );
  });

  it('names each counter once, all with the 16 bits on air', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), uint32, (fCnt16, last) => {
        const candidates = counterCandidates(fCnt16, last);
        expect(new Set(candidates).size).toBe(candidates.length);
        for (const fCnt of candidates) expect(fCnt % 65_536).toBe(fCnt16);
      }),
    );
  });
});
