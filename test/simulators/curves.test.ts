/** The city's curves behave like a city: ranges, day and night, rush hours, rain and water. */
import { describe, expect, it } from '@jest/globals';
import {
  createCityWeather,
  hourMs,
  isWeekend,
  localHour,
  streetActivity,
} from '../../simulators/city-weather.ts';
import type { DeviceValues } from '../../simulators/device-curves.ts';
import { createDeviceCurve } from '../../simulators/device-values.ts';
import { createScenario } from '../../simulators/scenario.ts';

const seed = 'curves';
const scenario = createScenario({ seed, devices: 60 });
const weather = createCityWeather(seed);
const yearStart = Date.UTC(2025, 0, 1);
const yearHours = 365 * 24;

function curveOf(kind: string): (time: number) => DeviceValues {
  const device = scenario.devices.find((one) => one.kind === kind);
  if (device === undefined) throw new Error(`no ${kind}`);
  return createDeviceCurve(device, { seed, weather }).at;
}

const hours = Array.from({ length: yearHours }, (_, hour) => yearStart + hour * hourMs);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const atHour = (from: number, to: number) => (time: number) =>
  localHour(time) >= from && localHour(time) < to;

function correlation(left: readonly number[], right: readonly number[]): number {
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const products = left.map(
    (value, index) => (value - leftMean) * ((right[index] ?? 0) - rightMean),
  );
  const spread = (values: readonly number[], around: number): number =>
    Math.sqrt(mean(values.map((value) => (value - around) ** 2)));
  return mean(products) / (spread(left, leftMean) * spread(right, rightMean));
}

describe('City clock', () => {
  it('reads Baku time, four hours ahead of UTC', () => {
    expect(localHour(Date.UTC(2026, 0, 1, 8, 30))).toBe(12.5);
    expect(localHour(Date.UTC(2026, 0, 1, 22))).toBe(2);
  });

  it('knows the weekend', () => {
    // 2026-06-13 is a Saturday; at 19:30 UTC on Friday it has not begun in Baku.
    expect(isWeekend(Date.UTC(2026, 5, 13, 10))).toBe(true);
    expect(isWeekend(Date.UTC(2026, 5, 12, 19, 30))).toBe(false);
    expect(isWeekend(Date.UTC(2026, 5, 12, 20, 30))).toBe(true);
    expect(isWeekend(Date.UTC(2026, 5, 15, 10))).toBe(false);
  });
});

describe('City weather', () => {
  it('stays within what Baku has seen', () => {
    const range = (curve: (time: number) => number): [number, number] => {
      const values = hours.map(curve);
      return [Math.min(...values), Math.max(...values)];
    };
    const within = (curve: (time: number) => number, low: number, high: number): void => {
      const [least, most] = range(curve);
      expect(least).toBeGreaterThanOrEqual(low);
      expect(most).toBeLessThanOrEqual(high);
    };
    within(weather.temperature, -12, 42);
    within(weather.humidity, 25, 98);
    within(weather.pressure, 990, 1045);
    within(weather.windSpeed, 0, 32);
    within(weather.windDirection, 0, 360);
    within(weather.illuminance, 0, 100_000);
  });

  it('is warmer in July than in January and by day than by night', () => {
    const month = (number: number): number[] =>
      hours.filter((time) => new Date(time).getUTCMonth() === number).map(weather.temperature);
    expect(mean(month(6)) - mean(month(0))).toBeGreaterThan(15);
    const byDay = hours.filter(atHour(13, 17)).map(weather.temperature);
    const byNight = hours.filter(atHour(3, 7)).map(weather.temperature);
    expect(mean(byDay) - mean(byNight)).toBeGreaterThan(3);
  });

  it('is dark at night and bright at noon', () => {
    expect(Math.max(...hours.filter(atHour(0, 4)).map(weather.illuminance))).toBe(0);
    expect(Math.min(...hours.filter(atHour(12, 13)).map(weather.illuminance))).toBeGreaterThan(
      10_000,
    );
  });

  it('rains on some hours of the year, and rain lifts the water hours later', () => {
    const rainy = hours.filter((time) => weather.rain(time) > 0.2);
    expect(rainy.length / hours.length).toBeGreaterThan(0.005);
    expect(rainy.length / hours.length).toBeLessThan(0.2);
    const season = hours.slice(0, 120 * 24);
    const rain = season.map(weather.rain);
    const rise = season.map(weather.waterRise);
    const lagged = (lag: number): number =>
      correlation(rain.slice(0, rain.length - lag), rise.slice(lag));
    expect(lagged(5)).toBeGreaterThan(lagged(0));
    expect(lagged(5)).toBeGreaterThan(lagged(30));
  });
});

describe('Street life', () => {
  it('has two rush hours on a workday and none in the night', () => {
    const workday = Date.UTC(2026, 5, 16, 20) - 24 * hourMs;
    const at = (hour: number): number => streetActivity(workday + hour * hourMs);
    expect(at(9)).toBeGreaterThan(at(11.5));
    expect(at(18)).toBeGreaterThan(at(15));
    expect(at(3)).toBeLessThan(0.3 * at(9));
  });

  it('is quieter on Sunday morning than on Monday morning', () => {
    const sunday = Date.UTC(2026, 5, 14, 5);
    expect(streetActivity(sunday)).toBeLessThan(0.6 * streetActivity(sunday + 24 * hourMs));
  });
});

describe('Device values', () => {
  const week = hours.slice(2_000, 2_000 + 7 * 24);

  it('stay in their ranges', () => {
    const at = curveOf('air-quality');
    for (const time of week) {
      const values = at(time);
      expect(values.pm2_5).toBeGreaterThanOrEqual(2);
      expect(values.pm2_5).toBeLessThan(150);
      expect(values.pm10).toBeGreaterThan(values.pm2_5);
      expect(values.co2).toBeGreaterThanOrEqual(400);
      expect(values.noiseAverage).toBeGreaterThan(30);
      expect(values.noisePeak).toBeGreaterThan(values.noiseAverage);
      expect(values.fillLevel).toBeLessThanOrEqual(100);
      expect(values.waterLevel + values.waterDistance).toBeCloseTo(4.5, 6);
    }
  });

  it('are louder by day than by night', () => {
    const at = curveOf('noise');
    const loudness = (from: number, to: number): number =>
      mean(week.filter(atHour(from, to)).map((time) => at(time).noiseAverage));
    expect(loudness(8, 20) - loudness(1, 5)).toBeGreaterThan(4);
  });

  it('never count backwards', () => {
    const meter = curveOf('energy');
    const counter = curveOf('people');
    for (const [index, time] of week.entries()) {
      const before = week[index - 1] ?? time;
      expect(meter(time).energy).toBeGreaterThanOrEqual(meter(before).energy);
      expect(counter(time).peopleTotal).toBeGreaterThanOrEqual(counter(before).peopleTotal);
    }
  });

  it('fill bins until the round at five in the morning', () => {
    const at = curveOf('bin');
    const levels = hours.slice(0, 14 * 24).map((time) => ({ time, level: at(time).fillLevel }));
    const drops = levels.filter(
      ({ level }, index) => level < (levels[index - 1]?.level ?? 0) - 0.5,
    );
    expect(drops.length).toBeGreaterThanOrEqual(4);
    for (const { time } of drops) expect(localHour(time)).toBe(5);
  });

  it('move together in one district more than their own noise', () => {
    const [first, second] = scenario.devices.filter(({ kind }) => kind === 'air-quality');
    if (first === undefined || second === undefined) throw new Error('two stations');
    const one = createDeviceCurve(first, { seed, weather });
    const other = createDeviceCurve({ ...second, district: first.district }, { seed, weather });
    const fine = (curve: { at(time: number): DeviceValues }): number[] =>
      week.map((time) => curve.at(time).pm2_5);
    expect(correlation(fine(one), fine(other))).toBeGreaterThan(0.8);
  });
});
