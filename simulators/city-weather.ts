/**
 * The weather over the simulated city and the rhythm of its days, as pure functions of the seed and
 * the time: every device reads the same sky, so neighbours agree, and any time can be asked for.
 */
import { hashNoise, noiseKey, smoothNoise } from './random.ts';

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Azerbaijan Time is UTC+4 all year. */
const zoneOffsetMs = 4 * hourMs;

export interface CityWeather {
  /** Cel */
  temperature(time: number): number;
  /** % */
  humidity(time: number): number;
  /** mm/h, 0 most of the time */
  rain(time: number): number;
  /** m/s */
  windSpeed(time: number): number;
  /** Degrees the wind blows from; the north wind is the city's own. */
  windDirection(time: number): number;
  /** hPa at sea level */
  pressure(time: number): number;
  /** lx on open ground */
  illuminance(time: number): number;
  /** m above the level of dry days: rain of the last two days, delayed and drained. */
  waterRise(time: number): number;
}

/** Hours since local midnight, 0 to 24. */
export function localHour(time: number): number {
  return ((((time + zoneOffsetMs) % dayMs) + dayMs) % dayMs) / hourMs;
}

/** Whole local days since 1970-01-01. */
export function localDay(time: number): number {
  return Math.floor((time + zoneOffsetMs) / dayMs);
}

/** Saturday and Sunday; day 0 of the epoch was a Thursday. */
export function isWeekend(time: number): boolean {
  const weekday = (((localDay(time) + 4) % 7) + 7) % 7;
  return weekday === 0 || weekday === 6;
}

/** How busy the streets are, 0 to 1: two rush hours on workdays, a broad afternoon at weekends. */
export function streetActivity(time: number): number {
  const hour = localHour(time);
  const daytime = 0.12 + 0.33 * bump(hour, 14, 5);
  if (isWeekend(time)) return daytime + 0.3 * bump(hour, 17, 4);
  return daytime + 0.42 * bump(hour, 8.7, 1.3) + 0.45 * bump(hour, 18.3, 1.7);
}

/** A bell of height 1 on the circle of hours. */
export function bump(hour: number, centre: number, width: number): number {
  const straight = Math.abs(hour - centre);
  const distance = Math.min(straight, 24 - straight);
  return Math.exp(-0.5 * (distance / width) ** 2);
}

/** 1 in July, -1 in January: the sea delays both by a month. */
function season(time: number): number {
  return Math.cos(((localDay(time) - 209) / 365.25) * 2 * Math.PI);
}

/** 0 at night, 1 when the sun is highest; the day is longer in summer. */
export function daylight(time: number): number {
  const halfDay = 6 + 1.5 * season(time);
  const fromNoon = Math.abs(localHour(time) - 12.7);
  return fromNoon >= halfDay ? 0 : Math.cos((fromNoon / halfDay) * (Math.PI / 2));
}

/** m/s: Baku is called the city of winds. */
const usualWind = 4.8;

/** The sea and the land warm unequally: it blows most in the afternoon, least before sunrise. */
function breeze(time: number): number {
  return 1 + 0.38 * Math.cos(((localHour(time) - 14.5) / 12) * Math.PI);
}

export function createCityWeather(seed: string): CityWeather {
  const key = (name: string): number => noiseKey(seed, 'weather', name);
  const keys = {
    air: key('air'),
    rain: key('rain'),
    wind: key('wind'),
    gust: key('gust'),
    direction: key('direction'),
    pressure: key('pressure'),
    cloud: key('cloud'),
  };
  /** Fronts: they pass in a day or two, and bring damp air whether it rains or not. */
  const fronts = (time: number): number => smoothNoise(keys.rain, time, 36 * hourMs);
  const wetness = (time: number): number =>
    0.7 * fronts(time) + 0.3 * smoothNoise(keys.rain ^ 3, time, 4 * hourMs);
  const rain = createRain(keys.rain, fronts);
  const temperature = (time: number): number =>
    15.3 +
    11 * season(time) +
    (3 + 0.8 * season(time)) * Math.cos(((localHour(time) - 15) / 12) * Math.PI) +
    5 * smoothNoise(keys.air, time, 60 * hourMs) -
    Math.min(3, rain(time));
  return {
    temperature,
    rain,
    humidity: (time) =>
      clamp(72 - 1.6 * (temperature(time) - 15) + 66 * Math.max(0, wetness(time)), 25, 98),
    windSpeed: (time) =>
      usualWind *
      breeze(time) *
      Math.exp(
        0.8 * smoothNoise(keys.wind, time, 30 * hourMs) +
          0.25 * smoothNoise(keys.gust, time, 4 * hourMs) +
          0.5 * smoothNoise(keys.gust ^ 1, time, 20 * 60_000),
      ),
    windDirection: (time) => (360 + 90 * smoothNoise(keys.direction, time, 60 * hourMs)) % 360,
    pressure: (time) => 1017 - 6 * season(time) + 9 * smoothNoise(keys.pressure, time, 80 * hourMs),
    illuminance: (time) =>
      90_000 * daylight(time) * (0.65 + 0.35 * smoothNoise(keys.cloud, time, 3 * hourMs)),
    waterRise: betweenHours((time) => waterRise(rain, time)),
  };
}

/**
 * Showers within fronts: it rains while both together stand above a threshold, and the harder, by
 * far, the higher they stand, as most hours of rain bring little and a few bring the most of it.
 * The numbers are such that wet hours, what falls in them, spells and years are those of UCI
 * "Beijing Multi-Site Air Quality", station Aotizhongxin; its summer monsoon is not taken over.
 */
const showers = {
  ...{ hours: 2.5, weight: 0.4, threshold: 0.62 },
  ...{ burstHours: 2, burst: 1.9, least: 0.135, growth: 14.5, onset: 0.02 },
} as const;

function createRain(key: number, fronts: (time: number) => number): (time: number) => number {
  const { hours, weight, threshold, burstHours, burst, least, growth, onset } = showers;
  return (time) => {
    const front = (1 - weight) * fronts(time);
    // Most of the time not even the strongest shower would do.
    if (front + weight <= threshold) return 0;
    const excess = front + weight * smoothNoise(key ^ 1, time, hours * hourMs) - threshold;
    if (excess <= 0) return 0;
    const bursts = burst * smoothNoise(key ^ 2, time, burstHours * hourMs);
    return least * Math.exp(growth * excess + bursts) * Math.min(1, excess / onset);
  };
}

/** Hours kept; a city asks for the same few again and again, or goes through the years in order. */
const hoursKeptMax = 20_000;

/** The same curve by straight lines from hour to hour, each hour worked out once. */
function betweenHours(curve: (time: number) => number): (time: number) => number {
  const kept = new Map<number, number>();
  const atHour = (hour: number): number => {
    const known = kept.get(hour);
    if (known !== undefined) return known;
    if (kept.size >= hoursKeptMax) kept.clear();
    const value = curve(hour * hourMs);
    kept.set(hour, value);
    return value;
  };
  return (time) => {
    const hour = Math.floor(time / hourMs);
    const from = atHour(hour);
    return from + (atHour(hour + 1) - from) * (time / hourMs - hour);
  };
}

const riseHours = 48;
const delayHours = 3;
const drainHours = 10;

/** Rain of each hour arrives `delayHours` later and drains away; 10 mm make about 30 cm. */
function waterRise(rain: (time: number) => number, time: number): number {
  let metres = 0;
  for (let age = 0; age < riseHours; age += 1) {
    const arrived = 1 - Math.exp(-((age / delayHours) ** 2));
    metres += rain(time - age * hourMs) * 0.03 * arrived * Math.exp(-age / drainHours);
  }
  return metres;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** True for a share of the time slots that is `probability`: a pure function of key and time. */
export function isInSlot(key: number, time: number, slotMs: number, probability: number): boolean {
  return hashNoise(key, Math.floor(time / slotMs)) < probability;
}
