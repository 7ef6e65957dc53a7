/**
 * The simulated city beside real places: what a typical week of it is like, held against the weeks
 * of public data sets. The bounds are the 5th and 95th percentile over all whole weeks of the sets,
 * worked out once: UCI "Air Quality" (De Vito et al. 2008) of 2004 and 2005, UCI "Beijing
 * Multi-Site Air Quality", station Aotizhongxin (Chen), 2013 to 2017, both CC BY 4.0, and City of
 * Melbourne Pedestrian Counting System, 2015 and 2016, CC BY 4.0.
 */
import { describe, expect, it } from '@jest/globals';
import { createCityWeather, hourMs } from '../../simulators/city-weather.ts';
import type { DeviceValues } from '../../simulators/device-curves.ts';
import { createDeviceCurve, type DeviceCurve } from '../../simulators/device-values.ts';
import { createScenario } from '../../simulators/scenario.ts';

const seed = 'calibration';
const weekHours = 168;
const weeks = 52;
const zoneHours = 4;
const scenario = createScenario({ seed, devices: 60 });
const weather = createCityWeather(seed);
/** Midnight in Baku. */
const start = Date.UTC(2025, 0, 1) - zoneHours * hourMs;

function curveOf(kind: string): DeviceCurve {
  const device = scenario.devices.find((one) => one.kind === kind);
  if (device === undefined) throw new Error(`no ${kind}`);
  return createDeviceCurve(device, { seed, weather });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of one week of hours that begins at midnight. */
function statisticsOf(week: readonly number[]): Readonly<Record<string, number>> {
  const centre = mean(week);
  const variance = mean(week.map((value) => (value - centre) ** 2));
  const correlation = (lag: number): number => {
    const products = week
      .slice(lag)
      .map((value, at) => (value - centre) * ((week[at] ?? 0) - centre));
    return products.reduce((sum, product) => sum + product, 0) / week.length / variance;
  };
  const between = (from: number, to: number): number =>
    mean(week.filter((_, hour) => hour % 24 >= from && hour % 24 < to));
  return {
    'correlation with the hour before': correlation(1),
    'correlation with the day before': correlation(24),
    spread: Math.sqrt(variance),
    'spread over mean': Math.sqrt(variance) / centre,
    'strongest over mean': Math.max(...week) / centre,
    'night over mean': between(0, 5) / centre,
    'day over mean': between(8, 20) / centre,
    'afternoon above night': between(12, 17) - between(2, 6),
  };
}

/** The median over a year of weeks. */
function typical(read: (time: number) => number): (name: string) => number {
  const all = Array.from({ length: weeks }, (_, week) =>
    statisticsOf(
      Array.from({ length: weekHours }, (_, hour) =>
        read(start + (week * weekHours + hour) * hourMs),
      ),
    ),
  );
  return (name) => {
    const sorted = all.map((one) => one[name] ?? Number.NaN).sort((left, right) => left - right);
    return sorted[weeks >> 1] ?? Number.NaN;
  };
}

const air = curveOf('air-quality');
const sky = curveOf('weather');
const people = curveOf('people');
const value = (curve: DeviceCurve, name: keyof DeviceValues) => (time: number) =>
  Number(curve.at(time)[name]);

const series = {
  'air temperature': typical(value(air, 'temperature')),
  humidity: typical(value(air, 'humidity')),
  'fine dust': typical(value(air, 'pm2_5')),
  pressure: typical(value(sky, 'pressure')),
  wind: typical(value(sky, 'windSpeed')),
  people: typical(
    (time) => value(people, 'peopleTotal')(time + hourMs) - value(people, 'peopleTotal')(time),
  ),
};

describe('A typical simulated week', () => {
  it.each([
    ['air temperature', 'correlation with the hour before', 0.918, 0.969],
    ['air temperature', 'correlation with the day before', 0.224, 0.84],
    ['air temperature', 'spread', 2.64, 5.9],
    ['air temperature', 'afternoon above night', 3.76, 13.7],
    ['humidity', 'correlation with the hour before', 0.891, 0.963],
    ['humidity', 'correlation with the day before', 0.167, 0.737],
    ['humidity', 'spread', 9.45, 17.9],
    ['fine dust', 'correlation with the hour before', 0.88, 0.974],
    ['fine dust', 'correlation with the day before', -0.229, 0.461],
    ['fine dust', 'spread over mean', 0.457, 1.23],
    ['fine dust', 'night over mean', 0.845, 1.46],
    ['fine dust', 'day over mean', 0.752, 1.08],
    ['pressure', 'correlation with the hour before', 0.866, 0.993],
    ['pressure', 'correlation with the day before', -0.158, 0.608],
    ['pressure', 'spread', 2.02, 7.46],
    ['wind', 'correlation with the hour before', 0.519, 0.838],
    ['wind', 'correlation with the day before', -0.072, 0.388],
    ['wind', 'spread over mean', 0.451, 0.886],
    ['wind', 'night over mean', 0.479, 0.951],
    ['wind', 'day over mean', 1.092, 1.366],
    ['wind', 'strongest over mean', 2.315, 4.452],
    ['people', 'night over mean', 0.0307, 0.177],
    ['people', 'day over mean', 1.35, 1.76],
  ] as const)('is like real ones: %s, %s', (name, statistic, low, high) => {
    const found = series[name](statistic);
    expect(found).toBeGreaterThanOrEqual(low);
    expect(found).toBeLessThanOrEqual(high);
  });
});

/** Hours as a gauge tells them that tips at every tenth of a millimetre. */
function gaugeHours(years: number): number[] {
  const quarters = [0, 0.25, 0.5, 0.75];
  return Array.from({ length: years * 8_766 }, (_, hour) => {
    const fallen = mean(quarters.map((part) => weather.rain(start + (hour + part) * hourMs)));
    return Math.floor(fallen * 10) / 10;
  });
}

function rainStatistics(hours: readonly number[]): Readonly<Record<string, number>> {
  const years = hours.length / 8_766;
  const wet = hours.filter((fallen) => fallen > 0).sort((left, right) => left - right);
  const sum = wet.reduce((total, fallen) => total + fallen, 0);
  const heaviest = wet.slice(-Math.floor(wet.length / 10));
  const spells = hours.filter((fallen, hour) => fallen > 0 && !((hours[hour - 1] ?? 0) > 0)).length;
  const days = new Set(
    hours.flatMap((fallen, hour) => (fallen > 0 ? [Math.floor(hour / 24)] : [])),
  );
  const quantile = (share: number): number => wet[Math.floor(share * (wet.length - 1))] ?? 0;
  return {
    'millimetres a year': sum / years,
    'share of wet hours': wet.length / hours.length,
    'wet days a year': days.size / years,
    'spells a year': spells / years,
    'hours of a spell': wet.length / spells,
    'half of the wet hours bring at most': quantile(0.5),
    'three quarters bring at most': quantile(0.75),
    'nine tenths bring at most': quantile(0.9),
    'all but five in a hundred bring at most': quantile(0.95),
    'all but one in a hundred bring at most': quantile(0.99),
    'what the heaviest tenth brings of all': heaviest.reduce((total, one) => total + one, 0) / sum,
  };
}

/** The bounds are the least and the most of four years, from March to February, of the station. */
describe('The rain of ten simulated years', () => {
  const found = rainStatistics(gaugeHours(10));

  it.each([
    ['millimetres a year', 497, 692],
    ['share of wet hours', 0.0308, 0.0533],
    ['wet days a year', 66, 85],
    ['spells a year', 92, 151],
    ['hours of a spell', 2.93, 3.4],
    ['half of the wet hours bring at most', 0.4, 0.7],
    ['three quarters bring at most', 1, 1.9],
    ['nine tenths bring at most', 3.2, 4.4],
    ['all but five in a hundred bring at most', 5.2, 11.7],
    ['all but one in a hundred bring at most', 12.1, 23.3],
  ])('is like real rain: %s', (name, low, high) => {
    expect(found[name]).toBeGreaterThanOrEqual(low);
    expect(found[name]).toBeLessThanOrEqual(high);
  });

  it('falls for the most part in a few hours, as there, where a tenth of them brings 0.62', () => {
    expect(found['what the heaviest tenth brings of all']).toBeGreaterThan(0.57);
    expect(found['what the heaviest tenth brings of all']).toBeLessThan(0.67);
  });
});
