import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isInRange } from '../../../decoders/quantity.ts';
import type { Device } from '../../../gateway/model/device.ts';
import { createLane } from '../../../gateway/pipeline/quality/lane.ts';
import type { LimitRule } from '../../../gateway/pipeline/quality/limits.ts';
import {
  hourly,
  hourMs,
  judgeOne,
  judgeSeries,
  judgeTogether,
  laneOf,
  readingOf,
  start,
} from './judging.ts';

const minute = 60_000;
const harbour: Device = {
  id: 'gauge-1',
  kind: 'lorawan',
  area: 'harbour',
  model: 'EM500',
  location: { latitude: 40.366, longitude: 49.835 },
};

function ruleOf(part: Partial<LimitRule>): LimitRule {
  return { quantity: 'water_level', spike: null, rate: null, flat: null, ...part };
}

describe('Tests of a value by itself', () => {
  it('fail beyond the range of the quantity, and pass at its ends', () => {
    const flag = (value: number) => judgeOne(laneOf(), readingOf({ value })).quality;
    expect([-50, 200, -50.001, 200.001].map(flag)).toEqual([1, 1, 4, 4]);
  });

  it('suspect what is not expected here, and fail what the sensor cannot report', () => {
    const rule = ruleOf({ range: { min: -1, max: 10 }, expected: { min: 0, max: 5 } });
    const flag = (value: number) => judgeOne(laneOf([rule]), readingOf({ value })).quality;
    expect([3, 7, 11, -0.5, -2].map(flag)).toEqual([1, 3, 4, 3, 4]);
  });

  it('suspect what is not of the season, by the month of the value', () => {
    const rule = ruleOf({ seasons: [{ months: [6, 7], min: 0, max: 2 }] });
    const june = judgeOne(laneOf([rule]), readingOf({ value: 3 }));
    expect([june.tests.climatology, june.quality]).toEqual([3, 3]);
    const may = judgeOne(laneOf([rule]), readingOf({ value: 3, time: start - hourMs }));
    expect([may.tests.climatology, may.quality]).toEqual([2, 1]);
    expect(judgeOne(laneOf([rule]), readingOf({ value: 1 })).tests.climatology).toBe(1);
  });

  it('evaluate nothing for a name outside of the vocabulary, until somebody gives it limits', () => {
    const reading = () => readingOf({ quantity: 'x_flux', value: 5 });
    expect(judgeOne(laneOf(), reading()).quality).toBe(2);
    const rule: LimitRule = { quantity: 'x_flux', range: { min: 0, max: 4 } };
    expect(judgeOne(laneOf([rule]), reading()).quality).toBe(4);
  });

  it('fail a state that is none of its words, and do not call a known one good', () => {
    const flag = (quantity: string, value: string | number) =>
      judgeOne(laneOf(), readingOf({ quantity, value })).quality;
    expect(flag('door', 'open')).toBe(2);
    expect(flag('door', 'ajar')).toBe(4);
    expect(flag('door', 1)).toBe(4);
    expect(flag('air_temperature', 'warm')).toBe(4);
    expect(flag('x_word', 'warm')).toBe(2);
  });

  it('suspect a value whose time is not believed, and let it be nobody’s neighbour', () => {
    const lane = laneOf();
    judgeOne(lane, readingOf({ value: 1 }));
    const guessed = judgeOne(lane, readingOf({ value: 9, time: start + minute, quality: 3 }));
    expect([guessed.quality, guessed.tests.gap, guessed.tests.gross_range]).toEqual([3, 3, 1]);
    const next = judgeOne(lane, readingOf({ value: 1, time: start + 2 * minute }));
    expect([next.quality, next.amended]).toEqual([1, []]);
  });
});

describe('The location test', () => {
  function position(latitude: number, longitude: number, device?: Device) {
    const half = (quantity: string, value: number) => readingOf({ quantity, value, unit: 'deg' });
    const readings = [half('latitude', latitude), half('longitude', longitude)];
    return judgeTogether(laneOf([], device), readings, device).map(({ tests }) => tests.location);
  }

  it('passes a device at its place and suspects one that is elsewhere', () => {
    expect(position(40.3661, 49.8351, harbour)).toEqual([1, 1]);
    expect(position(40.4, 49.835, harbour)).toEqual([3, 3]);
  });

  it('suspects 0/0, fails what is not on the globe, and says nothing without a place', () => {
    expect(position(0, 0)).toEqual([3, 3]);
    expect(position(91, 10)).toEqual([4, 4]);
    expect(position(10, 181)).toEqual([4, 4]);
    expect(position(40.4, 49.8)).toEqual([2, 2]);
    const alone = judgeOne(laneOf(), readingOf({ quantity: 'latitude', value: 40 }));
    expect(alone.tests.location).toBe(2);
  });
});

describe('The spike test', () => {
  it('says nothing of the newest value, and gives the one before out again when it was one', () => {
    const lane = laneOf();
    const at = (hour: number, value: number) =>
      judgeOne(lane, readingOf({ time: start + hour * hourMs, value, seq: hour + 1 }));
    expect(at(0, 1).tests.spike).toBe(2);
    const spike = at(1, 6);
    expect([spike.quality, spike.tests.spike]).toEqual([1, 2]);
    const after = at(2, 1);
    expect(after.amended).toEqual([
      readingOf({ time: start + hourMs, value: 6, seq: 2, quality: 4 }),
    ]);
    expect(after.quality).toBe(1);
    expect(at(4, 1).amended.map(({ quality }) => quality)).toEqual([3]);
    expect(at(5, 1).amended).toEqual([]);
  });

  it('suspects the neighbours of a large one, too: the rule of the manual compares with it', () => {
    expect(judgeSeries(laneOf(), 'water_level', hourly([1, 1, 6, 1, 1])).flags).toEqual([
      1, 3, 4, 3, 1,
    ]);
  });

  it('suspects a smaller one, and leaves a slope and a step alone', () => {
    const flags = (values: number[]) => judgeSeries(laneOf(), 'water_level', hourly(values)).flags;
    expect(flags([1, 2.2, 1, 1.1])).toEqual([1, 3, 1, 1]);
    expect(flags([1, 2, 3, 4, 5])).toEqual([1, 1, 1, 1, 1]);
    expect(flags([1, 1.1, 2, 2.1])).toEqual([1, 1, 1, 1]);
  });

  it('tells nothing across a gap', () => {
    const samples = hourly([1, 6, 1]).map((one, at) => ({ ...one, time: start + at * 4 * hourMs }));
    expect(judgeSeries(laneOf(), 'water_level', samples).flags).toEqual([1, 1, 1]);
  });

  it('never makes a flag better', () => {
    const rule = ruleOf({ expected: { min: 0, max: 2 }, spike: { suspect: 1, fail: 50 } });
    const lane = laneOf([rule]);
    const { flags } = judgeSeries(lane, 'water_level', hourly([1, 9, 1]));
    expect(flags).toEqual([1, 3, 1]);
  });
});

describe('The rate of change test', () => {
  const rule = ruleOf({ rate: { deviations: 3, floor: 0.5 } });
  const tide = (hours: number) =>
    Array.from({ length: hours }, (_, hour) => Math.sin((hour * Math.PI) / 6));

  it('says nothing until half a day is known', () => {
    const { found } = judgeSeries(laneOf([rule]), 'water_level', hourly(tide(20)));
    const flags = found.map(({ rate_of_change }) => rate_of_change);
    expect(flags.slice(0, 12)).toEqual(Array(12).fill(2));
    expect(flags.slice(12)).toEqual(Array(8).fill(1));
  });

  it('suspects a step larger than the spread of a day allows', () => {
    const { found, flags } = judgeSeries(laneOf([rule]), 'water_level', hourly([...tide(30), 9]));
    expect(found[30]?.rate_of_change).toBe(3);
    expect(flags[30]).toBe(3);
  });

  it('does not hold a step against a value that comes after a gap', () => {
    const lane = laneOf([rule]);
    judgeSeries(lane, 'water_level', hourly(tide(30)));
    const late = judgeOne(lane, readingOf({ value: 9, time: start + 34 * hourMs }));
    expect(late.tests.rate_of_change).toBe(2);
  });
});

describe('The flat line test', () => {
  const flat = {
    tolerance: 0.01,
    suspectCount: 3,
    failCount: 5,
    suspectSeconds: 0,
    failSeconds: 0,
  };
  const flagsOf = (values: number[], rule = ruleOf({ flat })) =>
    judgeSeries(laneOf([rule]), 'water_level', hourly(values)).found.map(
      ({ flat_line }) => flat_line,
    );

  it('suspects three and fails five equal values before it', () => {
    expect(flagsOf([1, 2, 2, 2, 2, 2, 2, 2])).toEqual([2, 1, 1, 1, 3, 3, 4, 4]);
    expect(flagsOf([2, 2, 2, 2, 2, 3])).toEqual([2, 2, 2, 3, 3, 1]);
  });

  it('takes values within the tolerance for equal, but not a slow rise', () => {
    expect(flagsOf([1, 2, 2.004, 1.998, 2.002])).toEqual([2, 1, 1, 1, 3]);
    expect(flagsOf([1, 2, 2.008, 2.016, 2.024, 2.032])).toEqual([2, 1, 1, 1, 1, 1]);
  });

  it('waits for the time as well as for the count', () => {
    const patient = ruleOf({
      flat: { ...flat, suspectSeconds: 4 * 3_600, failSeconds: 6 * 3_600 },
    });
    expect(flagsOf([1, 2, 2, 2, 2, 2, 2, 2], patient)).toEqual([2, 1, 1, 1, 1, 3, 3, 4]);
  });

  it('says nothing where the quantity may rest', () => {
    const resting = ruleOf({ flat: { ...flat, rests: { min: 0, max: 0.5 } } });
    expect(flagsOf([1, 0, 0, 0, 0, 0, 0], resting)).toEqual([2, 2, 2, 2, 2, 2, 2]);
  });
});

describe('The attenuated signal test', () => {
  const rule = ruleOf({ attenuation: { hours: 12, suspect: 0.1, fail: 0.01 } });
  const lastOf = (values: number[]) =>
    judgeSeries(laneOf([rule]), 'water_level', hourly(values)).found.at(-1)?.attenuated_signal;
  const wave = (height: number) => Array.from({ length: 20 }, (_, hour) => (hour % 2) * height);

  it('suspects a small and fails a tiny signal, and passes a large one', () => {
    expect([wave(1), wave(0.05), wave(0.001)].map(lastOf)).toEqual([1, 3, 4]);
  });

  it('says nothing until its hours are known', () => {
    expect(lastOf(wave(0.001).slice(0, 12))).toBe(2);
  });
});

describe('The gap test', () => {
  it('says that values are missing where one comes later than an interval and a half', () => {
    const lane = laneOf([ruleOf({ intervalSeconds: 600 })]);
    const at = (minutes: number) =>
      judgeOne(lane, readingOf({ time: start + minutes * minute, value: minutes }));
    expect([0, 10, 25, 41].map((minutes) => at(minutes).tests.gap)).toEqual([2, 1, 1, 9]);
    expect(at(80)).toMatchObject({ quality: 1, tests: { gap: 9, gross_range: 1 } });
  });
});

describe('The neighbour test', () => {
  const neighbours = { suspect: 3, fail: 6, deviationMin: 1, countMin: 3, ageSecondsMax: 3_600 };
  const rule: LimitRule = { quantity: 'air_temperature', neighbours };

  function judgeAt(values: readonly (readonly [string, number])[], area?: string) {
    const devices = new Map(
      values.map(([id]): [string, Device] => [
        id,
        { id, kind: 'lorawan', ...(area === undefined ? {} : { area }) },
      ]),
    );
    const deviceOf = (id: string) => devices.get(id);
    const lane = createLane({ limits: { rules: [rule], seriesMax: 100 }, deviceOf });
    const quantity = 'air_temperature';
    return values.map(([device, value], at) => {
      const reading = readingOf({ device, quantity, value, time: start + at * minute });
      return judgeOne(lane, reading, devices.get(device)).tests.neighbour;
    });
  }

  it('holds a value against those of at least three others in its area', () => {
    const values = [
      ['a', 20],
      ['b', 20.5],
      ['c', 19.5],
      ['d', 20],
      ['e', 24],
      ['f', 40],
    ] as const;
    expect(judgeAt(values, 'harbour')).toEqual([2, 2, 2, 1, 3, 4]);
  });

  it('says nothing without an area', () => {
    expect(
      judgeAt([
        ['a', 20],
        ['b', 20],
        ['c', 20],
        ['d', 40],
      ]),
    ).toEqual([2, 2, 2, 2]);
  });
});

describe('The order of values', () => {
  it('evaluates no test of neighbours for a late value, which leaves no trace', () => {
    const lane = laneOf();
    const at = (hour: number, value: number) =>
      judgeOne(lane, readingOf({ time: start + hour * hourMs, value }));
    at(0, 1);
    at(2, 1.1);
    const late = at(1, 9);
    expect(late).toMatchObject({
      quality: 1,
      tests: { spike: 2, rate_of_change: 2, flat_line: 2, gross_range: 1 },
      amended: [],
    });
    expect(at(2, 9).tests.flat_line).toBe(2);
    expect(at(3, 1.2).amended).toEqual([]);
  });

  it('judges the samples of one uplink by their times, in whatever order they come', () => {
    const samples = hourly([1, 6, 1, 1.1]);
    const inOrder = judgeSeries(laneOf(), 'water_level', samples).flags;
    const readings = samples.map(({ time, value }) => readingOf({ time, value })).reverse();
    const judged = judgeTogether(laneOf(), readings);
    expect(judged[0]?.amended.map(({ value }) => value)).toEqual([6, 1]);
    expect(judged.map(({ quality }) => quality)).toEqual([1, 1, 1, 1]);
    expect(inOrder).toEqual([1, 4, 3, 1]);
  });

  it('begins anew after two days of silence', () => {
    const lane = laneOf();
    judgeSeries(lane, 'water_level', hourly([1, 2, 2, 2, 2, 2, 2, 2]));
    const late = judgeOne(lane, readingOf({ value: 2, time: start + 80 * hourMs }));
    expect(late.tests.flat_line).toBe(2);
  });
});

describe('A lane', () => {
  it('keeps devices and channels apart', () => {
    const lane = laneOf();
    const at = (hour: number, value: number, device: string, channel?: string) => {
      const place = channel === undefined ? {} : { channel };
      return judgeOne(lane, readingOf({ time: start + hour * hourMs, value, device, ...place }));
    };
    for (const hour of [0, 1, 2]) {
      expect(at(hour, 1, 'a').amended).toEqual([]);
      expect(at(hour, 9, 'b').amended).toEqual([]);
      expect(at(hour, 30, 'a', 'deep').amended).toEqual([]);
    }
  });

  it('follows the device when its area or model changes', () => {
    const rule = ruleOf({ areas: ['harbour'], range: { min: 0, max: 1 } });
    const lane = laneOf([rule], harbour);
    const flag = (device?: Device) => judgeOne(lane, readingOf({ value: 5 }), device).quality;
    expect(flag(harbour)).toBe(4);
    expect(flag({ ...harbour, area: 'hill' })).toBe(1);
    expect(flag(undefined)).toBe(1);
  });

  it('judges series beyond its limit value by value', () => {
    const lane = laneOf([], undefined, 1);
    const spiky = (device: string) =>
      [1, 9, 1].map((value, hour) =>
        judgeOne(lane, readingOf({ device, value, time: start + hour * hourMs })),
      );
    expect(spiky('a').map(({ amended }) => amended.length)).toEqual([0, 0, 1]);
    expect(spiky('b').map(({ amended }) => amended.length)).toEqual([0, 0, 0]);
    expect(spiky('b').map(({ quality }) => quality)).toEqual([1, 1, 1]);
  });

  it('knows a device with very many series', () => {
    const lane = laneOf();
    for (const hour of [0, 1, 2]) {
      const readings = Array.from({ length: 1_100 }, (_, place) =>
        readingOf({
          channel: `c${place}`,
          value: place === 30 && hour === 1 ? 9 : 1,
          time: start + hour * hourMs,
        }),
      );
      const [first] = judgeTogether(lane, readings);
      expect(first?.amended.map(({ channel }) => channel)).toEqual(hour === 2 ? ['c30'] : []);
    }
  });

  it('forgets on the way what was silent for two days, and nothing else', () => {
    const lane = laneOf();
    judgeOne(lane, readingOf({ device: 'silent' }));
    judgeOne(lane, readingOf({ device: 'heard', time: start + 49 * hourMs }));
    expect(lane.records().map(([device]) => device)).toEqual(['heard']);
    expect(lane.records()).toHaveLength(1);
  });

  it('says by itself no more and no less than the range of the quantity', () => {
    const quantity = fc.constantFrom('air_temperature', 'pm2_5', 'no2', 'co2', 'battery_level');
    const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(quantity, value, (name, number) => {
        const { quality } = judgeOne(laneOf(), readingOf({ quantity: name, value: number }));
        expect(quality).toBe(isInRange(name, number) ? 1 : 4);
      }),
      { numRuns: 200 },
    );
  });
});
