/**
 * The curves of a city's devices: what air, sky, streets, mains and water are like at a time and a
 * place, as pure functions of it.
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
} from './city-weather.ts';
import { smoothNoise } from './random.ts';

/** Everything a device could send; its payload format takes what it has a place for. */
export interface DeviceValues {
  /** Cel */
  readonly temperature: number;
  /** % */
  readonly humidity: number;
  /** V, and the same as % of a full battery */
  readonly batteryVoltage: number;
  readonly batteryLevel: number;
  /** ug/m3 */
  readonly pm2_5: number;
  readonly pm10: number;
  readonly no2: number;
  /** ppm */
  readonly co2: number;
  /** dB(A) */
  readonly noiseAverage: number;
  readonly noisePeak: number;
  /** hPa */
  readonly pressure: number;
  /** lx */
  readonly illuminance: number;
  /** m/s, degrees, mm/h */
  readonly windSpeed: number;
  readonly windDirection: number;
  readonly rainIntensity: number;
  /** m above the gauge's zero, and m from the sensor down to the water */
  readonly waterLevel: number;
  readonly waterDistance: number;
  readonly isOccupied: boolean;
  /** W, and kWh since the meter was set up */
  readonly power: number;
  readonly energy: number;
  /** V, A */
  readonly mainsVoltage: number;
  readonly mainsCurrent: number;
  /** % */
  readonly fillLevel: number;
  /** People since the counter was set up */
  readonly peopleTotal: number;
}

/** Where the totals of meters and counters start: 2025-01-01 in Baku. */
const totalsStart = Date.UTC(2024, 11, 31, 20);
const dayMs = 24 * hourMs;

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
export function airOf(
  air: Air,
): Part<'temperature' | 'humidity' | 'pm2_5' | 'pm10' | 'no2' | 'co2'> {
  const { weather, time, activity, neighbourhood, jitter } = air;
  const cleared = 1 / (1 + 0.12 * weather.windSpeed(time) + 0.3 * weather.rain(time));
  const haze = 1 + 0.98 * smoothNoise(air.dustKey, time, 30 * hourMs);
  const dust = (22 + 34 * activity) * cleared * haze;
  const fine = clamp(dust + 1.5 * neighbourhood + 0.5 * jitter, 2, 250);
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

export function skyOf(
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

export function powerOf(
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

export function countsOf(
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

export function noiseOf(
  activity: number,
  neighbourhood: number,
  jitter: number,
): Part<'noiseAverage' | 'noisePeak'> {
  const noiseAverage = clamp(43 + 29 * activity + 2 * neighbourhood + 2.5 * jitter, 32, 95);
  return { noiseAverage, noisePeak: noiseAverage + 7 + 6 * Math.abs(jitter) };
}

/** A lithium cell loses a few millivolts a month, from a charge that differs by device. */
export function batteryOf(time: number, trait: number): Part<'batteryVoltage' | 'batteryLevel'> {
  const years = (time - totalsStart) / (365 * dayMs);
  const batteryLevel = clamp(100 - 25 * trait - 9 * years, 3, 100);
  return { batteryLevel, batteryVoltage: 2.9 + 0.007 * batteryLevel };
}

export function waterOf(
  rise: number,
  { trait, jitter }: { trait: number; jitter: number },
): Part<'waterLevel' | 'waterDistance'> {
  const sensorHeight = 4.5;
  const waterLevel = clamp(0.4 + 0.6 * trait + rise + 0.01 * jitter, 0, sensorHeight - 0.3);
  return { waterLevel, waterDistance: sensorHeight - waterLevel };
}
