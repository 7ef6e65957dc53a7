/**
 * The cellular network over the city, as its modems see it: cells of each technology on roofs, how
 * strong and how clean a modem hears the one that serves it, and when it is handed over to another.
 * Pure functions of the seed, the place and the time.
 */
import { clamp, streetActivity } from '../city-weather.ts';
import { districts } from '../districts.ts';
import { createRandom, hashNoise, noiseKey, smoothNoise } from '../random.ts';
import type { CityDevice, Place, Scenario } from '../scenario.ts';
import { keptFor } from './template.ts';

export type Technology = 'NR-SA' | 'LTE-M' | 'NB-IoT';

export interface Cell {
  readonly rat: Technology;
  readonly band: number;
  /** 0 to 503, of NR to 1007. */
  readonly pci: number;
  /** 28 bits, of NR 36. */
  readonly cellId: number;
  readonly tac: number;
  readonly location: Place;
  /** Share of the streets' bustle that loads it. */
  readonly busyness: number;
}

export interface RadioState {
  readonly cell: Cell;
  /** dBm, whole */
  readonly rsrp: number;
  /** dB, in halves */
  readonly rsrq: number;
  readonly sinr: number;
}

export type CellularRadio = (time: number) => RadioState;

interface Layer {
  readonly band: number;
  readonly cellsPerDistrict: number;
  /** dBm of one resource element at a distance of one kilometre, before walls. */
  readonly powerAtKilometre: number;
  /** Thermal noise in one resource element with the modem's own, dBm. */
  readonly noise: number;
  /** What it can report [TS 38.133 10.1; TS 36.133 9.1]. */
  readonly rsrpMin: number;
}

/** Higher frequencies reach less far, so their cells stand closer. */
const layers: Readonly<Record<Technology, Layer>> = {
  'NR-SA': {
    ...{ band: 78, cellsPerDistrict: 4 },
    powerAtKilometre: -98,
    noise: -122,
    rsrpMin: -156,
  },
  'LTE-M': {
    ...{ band: 20, cellsPerDistrict: 2 },
    powerAtKilometre: -91,
    noise: -125,
    rsrpMin: -140,
  },
  'NB-IoT': {
    ...{ band: 8, cellsPerDistrict: 2 },
    powerAtKilometre: -88,
    noise: -125,
    rsrpMin: -140,
  },
};

const decadeLoss = 37;
/** Cells that a modem measures: the strongest ones where it stands. */
const neighboursMax = 5;
const shadowing = 9;
/** Cellars and cabinets cost up to this many dB. */
const wallsMax = 14;
/** Slow fading goes by minutes, fast fading by seconds. */
const slow = { decibels: 6, periodMs: 25 * 60_000 };
const fast = { decibels: 2, periodMs: 20_000 };
/** A cell must be the strongest at the start of such a time to serve in it. */
const measurementMs = 5 * 60_000;

export function technologyOf({ model }: CityDevice): Technology {
  if (model.startsWith('5G')) return 'NR-SA';
  return model.startsWith('LTE') ? 'LTE-M' : 'NB-IoT';
}

interface HeardCell {
  readonly cell: Cell;
  /** Without fading. */
  readonly rsrp: number;
  readonly key: number;
}

export function createCellularRadio(device: CityDevice, scenario: Scenario): CellularRadio {
  const rat = technologyOf(device);
  const own = noiseKey(scenario.seed, device.id, 'cell');
  const walls = wallsMax * hashNoise(own, 1);
  const heard = cellsOf(scenario)
    .filter((cell) => cell.rat === rat)
    .map((cell, index) => hear({ cell, walls, key: own + index + 1 }, device.location))
    .sort((left, right) => right.rsrp - left.rsrp)
    .slice(0, neighboursMax);
  // Asked for in the order of time, it is measured once for all uplinks until the next time.
  let [measuredAt, serving] = [Number.NaN, strongest(heard, 0)];
  return (time) => {
    const start = Math.floor(time / measurementMs) * measurementMs;
    if (start !== measuredAt) [measuredAt, serving] = [start, strongest(heard, start)];
    return stateOf(serving, heard, time);
  };
}

function hear(
  { cell, walls, key }: { cell: Cell; walls: number; key: number },
  place: Place,
): HeardCell {
  const { powerAtKilometre } = layers[cell.rat];
  const kilometres = Math.max(0.05, distanceKm(place, cell.location));
  const shadow = shadowing * (2 * hashNoise(key, 0) - 1);
  return {
    cell,
    key,
    rsrp: powerAtKilometre - decadeLoss * Math.log10(kilometres) - walls + shadow,
  };
}

function withSlowFading({ rsrp, key }: HeardCell, time: number): number {
  return rsrp + slow.decibels * smoothNoise(key, time, slow.periodMs);
}

function strongest(heard: readonly HeardCell[], time: number): HeardCell {
  let [best, most] = [heard[0], Number.NEGATIVE_INFINITY];
  for (const one of heard) {
    const rsrp = withSlowFading(one, time);
    if (rsrp > most) [best, most] = [one, rsrp];
  }
  if (best === undefined) throw new RangeError('the city has cells of every technology');
  return best;
}

/**
 * RSRQ is RSRP over all that is received in as many elements: two of twelve always carry the
 * reference, the others the cell's own traffic, and all of them the neighbours' and the noise.
 */
function stateOf(serving: HeardCell, heard: readonly HeardCell[], time: number): RadioState {
  const { cell, key } = serving;
  const { noise, rsrpMin } = layers[cell.rat];
  const activity = streetActivity(time);
  const fading = fast.decibels * smoothNoise(key ^ 5, time, fast.periodMs);
  const rsrp = Math.max(rsrpMin, withSlowFading(serving, time) + fading);
  const others = heard
    .filter((one) => one !== serving)
    .reduce(
      (sum, one) => sum + milliwatts(withSlowFading(one, time)) * loadOf(one.cell, activity),
      0,
    );
  const disturbance = (others + milliwatts(noise)) / milliwatts(rsrp);
  const received = 2 + 10 * loadOf(cell, activity) + 12 * disturbance;
  return {
    cell,
    rsrp: Math.round(rsrp),
    rsrq: halves(clamp(-decibels(received), -30, -3)),
    sinr: halves(clamp(-decibels(disturbance), -20, 30)),
  };
}

function loadOf({ busyness }: Cell, activity: number): number {
  return 0.08 + 0.75 * activity * busyness;
}

function milliwatts(dBm: number): number {
  return 10 ** (dBm / 10);
}

function decibels(ratio: number): number {
  return 10 * Math.log10(ratio);
}

function halves(value: number): number {
  return Math.round(value * 2) / 2;
}

const firstTac = 4_101;
const technologies: readonly Technology[] = ['NR-SA', 'LTE-M', 'NB-IoT'];

/** All cells of the city; the same for the same seed. */
const cellsOf = keptFor(({ seed }: Scenario): readonly Cell[] => {
  const random = createRandom(`${seed}\ncells`);
  return districts.flatMap((district, place) =>
    technologies.flatMap((rat) =>
      Array.from({ length: layers[rat].cellsPerDistrict }, (_, index): Cell => {
        const site = random.integer(1, 0xfffff);
        const isNr = rat === 'NR-SA';
        return {
          ...{ rat, band: layers[rat].band, pci: random.integer(0, isNr ? 1_007 : 503) },
          // The number of the station, then that of the cell in it.
          cellId: site * (isNr ? 2 ** 12 : 2 ** 8) + index + 1,
          tac: firstTac + place,
          location: {
            latitude: district.latitude + random.between(-0.011, 0.011),
            longitude: district.longitude + random.between(-0.015, 0.015),
          },
          busyness: district.busyness,
        };
      }),
    ),
  );
});

/** Good to a metre over a city. */
function distanceKm(from: Place, to: Place): number {
  const north = (to.latitude - from.latitude) * 111.2;
  const east = (to.longitude - from.longitude) * 111.2 * Math.cos((from.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}
