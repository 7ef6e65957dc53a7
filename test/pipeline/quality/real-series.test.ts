/** Real series with real faults, against the manual's rules said once more (manual.ts). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { LimitRule } from '../../../gateway/pipeline/quality/limits.ts';
import { judgeSeries, laneOf, type Sample } from './judging.ts';
import { byTheManual, type ManualLimits } from './manual.ts';

function fixture(name: string): string {
  const bytes = readFileSync(new URL(`../../fixtures/quality/${name}`, import.meta.url));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

function column(text: string, place: number): Sample[] {
  const rows = text.trim().split('\n').slice(1);
  return rows.flatMap((row) => {
    const cells = row.split(',');
    const [time = '', value = ''] = [cells[0], cells[place]];
    const zoned = time.endsWith('Z') ? time : `${time}Z`;
    return value === '' ? [] : [{ time: Date.parse(zoned), value: Number(value) }];
  });
}

/** Judges a series by rules that say the same in both forms. */
function compare(quantity: string, samples: readonly Sample[], limits: ManualLimits) {
  const { range, expected, spike, rate, flat, seasons = [], attenuation } = limits;
  const rule: LimitRule = {
    quantity,
    range: { min: range[0], max: range[1] },
    expected: { min: expected[0], max: expected[1] },
    spike: { suspect: spike[0], fail: spike[1] },
    rate,
    flat: {
      tolerance: flat.tolerance,
      suspectCount: flat.suspect[0],
      failCount: flat.fail[0],
      suspectSeconds: flat.suspect[1],
      failSeconds: flat.fail[1],
    },
    attenuation:
      attenuation === undefined
        ? null
        : { hours: attenuation[0], suspect: attenuation[1], fail: attenuation[2] },
    seasons: seasons.map(([months, min, max]) => ({ months, min, max })),
    stepSecondsMax: limits.stepHoursMax * 3_600,
  };
  const { flags, found } = judgeSeries(laneOf([rule]), quantity, samples);
  const manual = byTheManual(samples, limits);
  return { flags, found, manual };
}

const worst = (flags: readonly number[]) =>
  flags.includes(4) ? 4 : flags.includes(3) ? 3 : flags.includes(1) ? 1 : 2;

function expectTheManual({ flags, found, manual }: ReturnType<typeof compare>): void {
  const { grossRange, spike, rateOfChange, flatLine, climatology, attenuated } = manual;
  expect(found.map(({ gross_range }) => gross_range)).toEqual(grossRange);
  expect(found.map(({ rate_of_change }) => rate_of_change)).toEqual(rateOfChange);
  expect(found.map(({ flat_line }) => flat_line)).toEqual(flatLine);
  expect(found.map((tests) => tests.climatology)).toEqual(climatology);
  expect(found.map(({ attenuated_signal }) => attenuated_signal)).toEqual(attenuated);
  const others = [spike, rateOfChange, flatLine, climatology, attenuated];
  expect(flags).toEqual(
    grossRange.map((flag, at) => worst([flag, ...others.map((test) => test[at] ?? 2)])),
  );
}

function places(flags: readonly number[], flag: number): number[] {
  return flags.flatMap((one, at) => (one === flag ? [at] : []));
}

describe('The water level', () => {
  const samples = column(fixture('water-level.csv'), 1);
  /** The limits with which the makers of the data show it. */
  const limits: ManualLimits = {
    range: [-10, 10],
    expected: [-2, 3],
    spike: [0.8, 3],
    rate: { deviations: 3, floor: 0.1 },
    flat: { tolerance: 0.001, suspect: [3, 10_800], fail: [5, 21_600] },
    stepHoursMax: 3,
    seasons: [
      [[9, 10], -0.5, 0.5],
      [[11, 12], -0.6, 0.6],
    ],
    attenuation: [12, 0.1, 0.02],
  };
  const compared = compare('water_level', samples, limits);

  it('has the flags that the rules of the manual give it', () => {
    expect(samples).toHaveLength(5_000);
    expectTheManual(compared);
  });

  it('has its spike found: 4.1 m between values below zero', () => {
    expect(places(compared.manual.spike, 4)).toEqual([1_912]);
    expect(compared.flags[1_912]).toBe(4);
    expect(places(compared.manual.spike, 3).length).toBeGreaterThan(30);
  });

  it('has values beyond their season and a signal that fades, each where the manual has it', () => {
    const { climatology, attenuated } = compared.manual;
    for (const flags of [climatology, attenuated]) {
      expect(new Set(flags)).toEqual(new Set(flags === climatology ? [1, 2, 3] : [1, 2, 3, 4]));
    }
    expect(attenuated.slice(2_400).some((flag) => flag === 1)).toBe(false);
  });

  it('has both of its flat lines found, the long one to its end', () => {
    const failed = places(
      compared.found.map(({ flat_line }) => flat_line),
      4,
    );
    expect(failed).toContain(1_870);
    expect(failed.filter((at) => at > 2_311)).toEqual(
      Array.from({ length: 5_000 - 2_317 }, (_, place) => 2_317 + place),
    );
  });

  it('has spike and flat line found without any configuration, too', () => {
    const { flags, found } = judgeSeries(laneOf(), 'water_level', samples);
    expect(flags[1_912]).toBe(4);
    expect(found[1_870]?.flat_line).toBe(3);
    expect(flags[4_999]).toBe(4);
    const remarked = flags.slice(0, 2_311).filter((flag) => flag > 2).length;
    expect(remarked / 2_311).toBeLessThan(0.1);
  });
});

describe('The air beside a road in Italy', () => {
  const text = fixture('air-quality-italy.csv.gz');
  const flat = { tolerance: 0.01, suspect: [5, 43_200], fail: [10, 86_400] } as const;

  it('has the flags of temperature that the rules of the manual give it', () => {
    const samples = column(text, 2);
    expect(samples.length).toBeGreaterThan(8_900);
    expectTheManual(
      compare('air_temperature', samples, {
        range: [-60, 60],
        expected: [0, 40],
        spike: [3, 6],
        rate: { deviations: 1, floor: 1 },
        flat: { tolerance: 0.01, suspect: [1, 3_600], fail: [2, 7_200] },
        stepHoursMax: 3,
      }),
    );
  });

  it('has the flags of humidity and of NO2 that the rules of the manual give them', () => {
    expectTheManual(
      compare('relative_humidity', column(text, 3), {
        range: [0, 100],
        expected: [15, 85],
        spike: [10, 20],
        rate: { deviations: 2, floor: 0 },
        flat,
        stepHoursMax: 2,
      }),
    );
    expectTheManual(
      compare('no2', column(text, 1), {
        range: [0, 300],
        expected: [5, 250],
        spike: [50, 100],
        rate: { deviations: 3, floor: 10 },
        flat: { ...flat, tolerance: 1 },
        stepHoursMax: 3,
      }),
    );
  });

  it('is left in peace by the defaults: less than one value in a hundred is remarked', () => {
    for (const [quantity, place] of [
      ['air_temperature', 2],
      ['relative_humidity', 3],
      ['no2', 1],
    ] as const) {
      const { flags } = judgeSeries(laneOf(), quantity, column(text, place));
      const remarked = flags.filter((flag) => flag > 2).length;
      expect([quantity, remarked / flags.length < 0.01]).toEqual([quantity, true]);
    }
  });
});
