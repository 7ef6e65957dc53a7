/**
 * What each kind of device measures at a time: the city's weather and rhythm, the district's own
 * share of them (so that neighbours move together), and a little of the device's own.
 */
import {
  bump,
  type CityWeather,
  clamp,
  daylight,
  hourMs,
  isInSlot,
  isWeekend,
  localDay,
  localHour,
  streetActivity,
} from './city-weather.ts';
import { hashNoise, noiseKey, smoothNoise } from './random.ts';
import type { CityDevice } from './scenario.ts';

/** Everything a device could send; its payload format takes what it has a place for. */
export interface DeviceValues {
  /** Cel */
  temperature: number;
  /** % */
  humidity: number;
  /** V, and the same as % of a full battery */
  batteryVoltage: number;
  batteryLevel: number;
  /** ug/m3 */
  pm2_5: number;
  pm10: number;
  no2: number;
  /** ppm */
  co2: number;
  /** dB(A) */
  noiseAverage: number;
  noisePeak: number;
  /** hPa */
  pressure: number;
  /** lx */
  illuminance: number;
  /** m/s, degrees, mm/h */
  windSpeed: number;
  windDirection: number;
  rainIntensity: number;
  /** m above the gauge's zero, and m from the sensor down to the water */
  waterLevel: number;
  waterDistance: number;
  isOccupied: boolean;
  /** W, and kWh since the meter was set up */
  power: number;
  energy: number;
  /** V, A */
  mainsVoltage: number;
  mainsCurrent: number;
  /** % */
  fillLevel: number;
  /** People since the counter was set up */
  peopleTotal: number;
}

export interface DeviceCurve {
  at(time: number): DeviceValues;
}

/** Where the totals of meters and counters start: 2025-01-01 in Baku. */
const totalsStart = Date.UTC(2024, 11, 31, 20);
const dayMs = 24 * hourMs;

export function createDeviceCurve(
  device: CityDevice,
  city: { seed: string; weather: CityWeather },
): DeviceCurve {
  const own = (name: string): number => noiseKey(city.seed, device.id, name);
  const local = (name: string): number => noiseKey(city.seed, device.district.name, name);
  const keys = {
    own: own('own'),
    slow: own('slow'),
    slots: own('slots'),
    district: local('district'),
    dust: local('dust'),
  };
  const trait = (step: number): number => hashNoise(keys.own, step);
  const { weather } = city;
  const busyness = device.district.busyness * (0.75 + 0.5 * trait(1));
  return {
    at(time) {
      const activity = busyness * streetActivity(time);
      const neighbourhood = smoothNoise(keys.district, time, 2 * hourMs);
      const jitter = smoothNoise(keys.slow, time, 10 * 60_000);
      return {
        ...airOf({ weather, time, activity, neighbourhood, jitter, dustKey: keys.dust }),
        ...skyOf(weather, time, jitter),
        ...powerOf(time, { size: 0.5 + trait(2), jitter }),
        ...countsOf(time, { busyness, trait: trait(3), slots: keys.slots }),
        ...noiseOf(activity, neighbourhood, jitter),
        ...batteryOf(time, trait(4)),
        ...waterOf(weather.waterRise(time), { trait: trait(5), jitter }),
      };
    },
  };
}

interface Air {
  readonly weather: CityWeather;
  readonly time: number;
  readonly activity: number;
  readonly neighbourhood: number;
  readonly jitter: number;
  readonly dustKey: number;
}

type Part<K extends keyof DeviceValues> = Pick<DeviceValues, K>;

/** Traffic makes the dust and the gases; wind and rain carry them away; calm nights keep them. */
function airOf(air: Air): Part<'temperature' | 'humidity' | 'pm2_5' | 'pm10' | 'no2' | 'co2'> {
  const { weather, time, activity, neighbourhood, jitter } = air;
  const cleared = 1 / (1 + 0.12 * weather.windSpeed(time) + 0.3 * weather.rain(time));
  const haze = 1 + 0.5 * smoothNoise(air.dustKey, time, 18 * hourMs);
  const fine = clamp((9 + 62 * activity) * cleared * haze + 3 * neighbourhood + jitter, 2, 250);
  const sand = Math.max(0, weather.windSpeed(time) - 8) * 6;
  return {
    temperature: weather.temperature(time) + 0.7 * neighbourhood + 0.25 * jitter,
    humidity: clamp(weather.humidity(time) - 2 * neighbourhood + jitter, 10, 100),
    pm2_5: fine,
    pm10: fine * 1.6 + sand + 4 + jitter,
    no2: clamp((8 + 75 * activity) * cleared + 4 * neighbourhood + jitter, 1, 200),
    co2: clamp(418 + 95 * activity * cleared + 12 * (1 - daylight(time)) + 6 * jitter, 400, 900),
  };
}

function skyOf(
  weather: CityWeather,
  time: number,
  jitter: number,
): Part<'pressure' | 'illuminance' | 'windSpeed' | 'windDirection' | 'rainIntensity'> {
  return {
    pressure: weather.pressure(time) + 0.2 * jitter,
    illuminance: clamp(weather.illuminance(time) * (1 + 0.05 * jitter), 0, 120_000),
    windSpeed: Math.max(0, weather.windSpeed(time) + 0.6 * jitter),
    windDirection: (weather.windDirection(time) + 8 * jitter + 360) % 360,
    rainIntensity: weather.rain(time),
  };
}

/** A street's feeder: homes in the evening, lights at night. */
function loadShare(hour: number): number {
  return 0.55 + 0.35 * bump(hour, 20.5, 2.5) + 0.15 * bump(hour, 8, 2) - 0.2 * bump(hour, 4, 2);
}

/** Integral of the load over the day so far, by hour; the last entry is the whole day. */
const loadUntilHour = cumulate((hour) => loadShare(hour));
const peopleUntilHour = cumulate((hour) => 0.02 + bump(hour, 13, 4) + 0.6 * bump(hour, 18.5, 1.5));

function cumulate(rate: (hour: number) => number): (hour: number) => number {
  const stepsPerHour = 4;
  const sums = [0];
  let sum = 0;
  for (let step = 0; step < 24 * stepsPerHour; step += 1) {
    sum += rate((step + 0.5) / stepsPerHour) / stepsPerHour;
    sums.push(sum);
  }
  return (hour) => {
    const place = hour * stepsPerHour;
    const step = Math.min(Math.floor(place), sums.length - 2);
    const from = sums[step] ?? 0;
    const to = sums[step + 1] ?? from;
    return from + (to - from) * (place - step);
  };
}

function powerOf(
  time: number,
  { size, jitter }: { size: number; jitter: number },
): Part<'power' | 'energy' | 'mainsVoltage' | 'mainsCurrent'> {
  const peak = 9_000 * size;
  const power = peak * loadShare(localHour(time)) * (1 + 0.06 * jitter);
  const mainsVoltage = 228 + 4 * jitter - power / 2_500;
  const days = localDay(time) - localDay(totalsStart);
  return {
    power,
    mainsVoltage,
    mainsCurrent: power / mainsVoltage,
    energy: (peak / 1000) * (days * loadUntilHour(24) + loadUntilHour(localHour(time))),
  };
}

function countsOf(
  time: number,
  device: { busyness: number; trait: number; slots: number },
): Part<'isOccupied' | 'fillLevel' | 'peopleTotal'> {
  const days = localDay(time) - localDay(totalsStart);
  const daily = 900 * device.busyness;
  const wanted = clamp(0.25 + 0.7 * bump(localHour(time), 14, 4.5), 0, 0.97);
  const slotMs = (20 + 40 * device.trait) * 60_000;
  return {
    isOccupied: isInSlot(device.slots, time, slotMs, isWeekend(time) ? wanted * 0.7 : wanted),
    peopleTotal: Math.floor(
      daily * (days + peopleUntilHour(localHour(time)) / peopleUntilHour(24)),
    ),
    fillLevel: fillLevel(time, device),
  };
}

/** Bins fill while people are about and are emptied at five in the morning, every 1 to 3 days. */
function fillLevel(time: number, device: { busyness: number; trait: number }): number {
  const round = time - 5 * hourMs;
  const roundDays = 1 + Math.floor(device.trait * 3);
  const full = (localDay(round) % roundDays) + dayFill(localHour(round));
  return clamp(4 + (85 / roundDays) * full * (0.7 + 0.4 * device.busyness), 0, 100);
}

function dayFill(hoursSinceRound: number): number {
  const hour = (hoursSinceRound + 5) % 24;
  const sinceFive = peopleUntilHour(hour) - peopleUntilHour(5);
  const wrapped = sinceFive < 0 ? sinceFive + peopleUntilHour(24) : sinceFive;
  return wrapped / peopleUntilHour(24);
}

function noiseOf(
  activity: number,
  neighbourhood: number,
  jitter: number,
): Part<'noiseAverage' | 'noisePeak'> {
  const noiseAverage = clamp(43 + 29 * activity + 2 * neighbourhood + 2.5 * jitter, 32, 95);
  return { noiseAverage, noisePeak: noiseAverage + 7 + 6 * Math.abs(jitter) };
}

/** A lithium cell loses a few millivolts a month, from a charge that differs by device. */
function batteryOf(time: number, trait: number): Part<'batteryVoltage' | 'batteryLevel'> {
  const years = (time - totalsStart) / (365 * dayMs);
  const batteryLevel = clamp(100 - 25 * trait - 9 * years, 3, 100);
  return { batteryLevel, batteryVoltage: 2.9 + 0.007 * batteryLevel };
}

function waterOf(
  rise: number,
  { trait, jitter }: { trait: number; jitter: number },
): Part<'waterLevel' | 'waterDistance'> {
  const sensorHeight = 4.5;
  const waterLevel = clamp(0.4 + 0.6 * trait + rise + 0.01 * jitter, 0, sensorHeight - 0.3);
  return { waterLevel, waterDistance: sensorHeight - waterLevel };
}
