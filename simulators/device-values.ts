/**
 * What each kind of device measures at a time: the city's weather and rhythm, the district's own
 * share of them (so that neighbours move together), and a little of the device's own.
 */
import { type CityWeather, hourMs, streetActivity } from './city-weather.ts';
import {
  airOf,
  batteryOf,
  countsOf,
  type DeviceValues,
  noiseOf,
  powerOf,
  skyOf,
  waterOf,
} from './device-curves.ts';
import { hashNoise, noiseKey, smoothNoise } from './random.ts';
import type { CityDevice } from './scenario.ts';

export interface DeviceCurve {
  at(time: number): DeviceValues;
}

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
  const traits = { size: 0.5 + trait(2), counts: trait(3), battery: trait(4), water: trait(5) };
  const busyness = device.district.busyness * (0.75 + 0.5 * trait(1));
  const site: Site = { weather: city.weather, keys, traits, busyness };
  return { at: (time) => new ValuesAt(site, time) };
}

interface Site {
  readonly weather: CityWeather;
  readonly keys: { slow: number; slots: number; district: number; dust: number };
  readonly traits: { size: number; counts: number; battery: number; water: number };
  readonly busyness: number;
}

/**
 * The values of one device at one time. A device sends a few of them, so each group is worked out
 * when one of its values is asked for, and only then.
 */
class ValuesAt implements DeviceValues {
  readonly #site: Site;
  readonly #time: number;
  readonly #jitter: number;
  #air: ReturnType<typeof airOf> | undefined;
  #sky: ReturnType<typeof skyOf> | undefined;
  #mains: ReturnType<typeof powerOf> | undefined;
  #counts: ReturnType<typeof countsOf> | undefined;
  #noise: ReturnType<typeof noiseOf> | undefined;
  #battery: ReturnType<typeof batteryOf> | undefined;
  #water: ReturnType<typeof waterOf> | undefined;

  constructor(site: Site, time: number) {
    this.#site = site;
    this.#time = time;
    this.#jitter = smoothNoise(site.keys.slow, time, 10 * 60_000);
  }

  get #activity(): number {
    return this.#site.busyness * streetActivity(this.#time);
  }

  get #neighbourhood(): number {
    return smoothNoise(this.#site.keys.district, this.#time, 2 * hourMs);
  }

  get #airNow() {
    this.#air ??= airOf({
      weather: this.#site.weather,
      time: this.#time,
      activity: this.#activity,
      neighbourhood: this.#neighbourhood,
      jitter: this.#jitter,
      dustKey: this.#site.keys.dust,
    });
    return this.#air;
  }

  get #skyNow() {
    this.#sky ??= skyOf(this.#site.weather, this.#time, this.#jitter);
    return this.#sky;
  }

  get #mainsNow() {
    const { size } = this.#site.traits;
    this.#mains ??= powerOf(this.#time, { size, jitter: this.#jitter });
    return this.#mains;
  }

  get #countsNow() {
    const { busyness, traits, keys } = this.#site;
    const device = { busyness, trait: traits.counts, slots: keys.slots };
    this.#counts ??= countsOf(this.#time, device);
    return this.#counts;
  }

  get #noiseNow() {
    this.#noise ??= noiseOf(this.#activity, this.#neighbourhood, this.#jitter);
    return this.#noise;
  }

  get #batteryNow() {
    this.#battery ??= batteryOf(this.#time, this.#site.traits.battery);
    return this.#battery;
  }

  get #waterNow() {
    const { weather, traits } = this.#site;
    const device = { trait: traits.water, jitter: this.#jitter };
    this.#water ??= waterOf(weather.waterRise(this.#time), device);
    return this.#water;
  }

  get temperature(): number {
    return this.#airNow.temperature;
  }

  get humidity(): number {
    return this.#airNow.humidity;
  }

  get pm2_5(): number {
    return this.#airNow.pm2_5;
  }

  get pm10(): number {
    return this.#airNow.pm10;
  }

  get no2(): number {
    return this.#airNow.no2;
  }

  get co2(): number {
    return this.#airNow.co2;
  }

  get batteryVoltage(): number {
    return this.#batteryNow.batteryVoltage;
  }

  get batteryLevel(): number {
    return this.#batteryNow.batteryLevel;
  }

  get noiseAverage(): number {
    return this.#noiseNow.noiseAverage;
  }

  get noisePeak(): number {
    return this.#noiseNow.noisePeak;
  }

  get pressure(): number {
    return this.#skyNow.pressure;
  }

  get illuminance(): number {
    return this.#skyNow.illuminance;
  }

  get windSpeed(): number {
    return this.#skyNow.windSpeed;
  }

  get windDirection(): number {
    return this.#skyNow.windDirection;
  }

  get rainIntensity(): number {
    return this.#skyNow.rainIntensity;
  }

  get waterLevel(): number {
    return this.#waterNow.waterLevel;
  }

  get waterDistance(): number {
    return this.#waterNow.waterDistance;
  }

  get isOccupied(): boolean {
    return this.#countsNow.isOccupied;
  }

  get fillLevel(): number {
    return this.#countsNow.fillLevel;
  }

  get peopleTotal(): number {
    return this.#countsNow.peopleTotal;
  }

  get power(): number {
    return this.#mainsNow.power;
  }

  get energy(): number {
    return this.#mainsNow.energy;
  }

  get mainsVoltage(): number {
    return this.#mainsNow.mainsVoltage;
  }

  get mainsCurrent(): number {
    return this.#mainsNow.mainsCurrent;
  }
}
