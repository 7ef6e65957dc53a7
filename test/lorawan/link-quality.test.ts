import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { airtimeOf, snrFloorOf } from '../../gateway/lorawan/airtime.ts';
import {
  gatewaysMax,
  type HeardUplink,
  linkQualityOf,
  periodsMax,
} from '../../gateway/lorawan/link-quality.ts';

const minute = 60_000;

function heard(fCnt: number, change: Partial<HeardUplink> = {}): HeardUplink {
  return {
    ...{ time: 1_700_000_000_000 + fCnt * minute, fCnt, session: 'a', size: 20 },
    txInfo: { spreadingFactor: 7, bandwidth: 125_000 },
    rxInfo: [{ gatewayId: 'near', rssi: -60, snr: 9 }],
    ...change,
  };
}
const lossOf = (...counters: readonly number[]) => {
  const { lost, resets } = linkQualityOf(counters.map((fCnt) => heard(fCnt)));
  return { lost, resets };
};

describe('Airtime', () => {
  it.each([
    [20, 7, 125_000, 0.056_576],
    [20, 12, 125_000, 1.318_912],
    [51, 10, 125_000, 0.616_448],
    [12, 7, 250_000, 0.020_608],
    [0, 12, 125_000, 0.663_552],
  ])('of %i bytes at SF%i and %i Hz is %d s', (size, spreadingFactor, bandwidth, seconds) => {
    expect(airtimeOf({ size, spreadingFactor, bandwidth })).toBeCloseTo(seconds, 6);
  });

  it('has a floor of hearing for each spreading factor', () => {
    expect([6, 7, 12, 13].map(snrFloorOf)).toEqual([undefined, -7.5, -20, undefined]);
  });
});

describe('Loss', () => {
  it.each([
    [[1, 2, 3], { lost: 0, resets: 0 }],
    [[1, 2, 5, 6], { lost: 2, resets: 0 }],
    [[1, 4, 2, 3, 5], { lost: 0, resets: 0 }],
    [[65_535, 65_536, 65_538], { lost: 1, resets: 0 }],
    [[900, 0, 1], { lost: 0, resets: 1 }],
    [[7, 7], { lost: 0, resets: 0 }],
  ])('of the counters %j is %j', (counters, loss) => {
    expect(lossOf(...counters)).toEqual(loss);
  });

  it('begins anew with each session, and needs a counter', () => {
    const uplinks = [heard(5), heard(6, { session: 'b' }), heard(9, { session: 'b' })];
    expect(linkQualityOf(uplinks)).toMatchObject({ lost: 2, resets: 1 });
    const { fCnt: _none, ...bare } = heard(1);
    expect(linkQualityOf([bare, bare])).toMatchObject({ received: 2, lost: 0, resets: 0 });
  });

  it('is what was taken away, in any sequence without a reset', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 2 });
    fc.assert(
      fc.property(numbers, (counters) => {
        const sorted = [...counters].sort((one, other) => one - other);
        const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
        expect(lossOf(...sorted).lost).toBe(last - first + 1 - sorted.length);
      }),
    );
  });
});

describe('Link quality', () => {
  it('names the gateways, the best first', () => {
    const both = [
      { gatewayId: 'far', rssi: -110, snr: -3 },
      { gatewayId: 'near', rssi: -60, snr: 9 },
    ];
    const silent = [{ gatewayId: 'far' }];
    const uplinks = [heard(1, { rxInfo: both }), heard(2), heard(3, { rxInfo: silent })];
    expect(linkQualityOf(uplinks).gateways).toEqual([
      {
        ...{ gatewayId: 'near', receptions: 2, best: 2, rssi: -60, snr: 9 },
        lastHeard: heard(2).time,
      },
      {
        ...{ gatewayId: 'far', receptions: 2, best: 1, rssi: -110, snr: -3 },
        lastHeard: heard(3).time,
      },
    ]);
  });

  it('shows how it goes, in periods of equal length', () => {
    const uplinks = Array.from({ length: 200 }, (_, index) =>
      heard(index * 2, index < 100 ? {} : { rxInfo: [{ gatewayId: 'near', rssi: -90, snr: -5 }] }),
    );
    const { trend, airtimeSeconds } = linkQualityOf(uplinks);
    expect(trend).toHaveLength(periodsMax);
    expect(trend[0]).toMatchObject({ rssi: -60, snr: 9, spreadingFactor: 7, margin: 16.5 });
    expect(trend.at(-1)).toMatchObject({ rssi: -90, margin: 2.5 });
    expect(trend.reduce((sum, { received }) => sum + received, 0)).toBe(200);
    expect(airtimeSeconds).toBeCloseTo(200 * 0.056_576, 6);
  });

  it('is empty without uplinks, and bounded with many gateways', () => {
    const nothing = { received: 0, lost: 0, resets: 0, airtimeSeconds: 0, gateways: [], trend: [] };
    expect(linkQualityOf([])).toEqual(nothing);
    const rxInfo = Array.from({ length: 99 }, (_, index) => ({ gatewayId: `gateway-${index}` }));
    expect(linkQualityOf([heard(1, { rxInfo })]).gateways).toHaveLength(gatewaysMax);
    const strange = heard(1, { txInfo: { spreadingFactor: 99 } });
    expect(linkQualityOf([strange])).toMatchObject({ airtimeSeconds: 0 });
    expect(linkQualityOf([heard(1, { txInfo: {}, rxInfo: [] })]).trend).toHaveLength(1);
  });
});
