/**
 * Judges the readings of one entry after the other, in the order of the ledger, and remembers what
 * the tests need for it. There are two lanes at most: one at the newest entry, and one behind it
 * while the store catches up. See quality-control.ts.
 */
import { type Quantity, quantityOf } from '../../../decoders/quantity.ts';
import type { Device, SettledDevice } from '../../model/device.ts';
import type { Reading } from '../../model/reading.ts';
import { defaultLimits } from './default-limits.ts';
import type { Unjudged } from './judge.ts';
import { type LimitRule, type Limits, limitsFor, rulesFor } from './limits.ts';
import { isPosition, judgePosition } from './location.ts';
import { judgeAmong, type Neighbourhood, tellNeighbours } from './neighbours.ts';
import {
  forgetMs,
  judgeAlone,
  judgeNext,
  lastReading,
  newSeries,
  remember,
  remembers,
  type SeriesState,
  spikeAt,
} from './series.ts';
import {
  fail,
  flagOf,
  gap,
  location,
  neighbour,
  pass,
  spike,
  suspect,
  syntax,
  tests,
  type Verdict,
} from './verdict.ts';

export interface LaneLimits {
  readonly rules: readonly LimitRule[];
  /** Series that are remembered; for those beyond, only tests 1 to 5 are made. */
  readonly seriesMax: number;
}

export const defaultLaneLimits: LaneLimits = { rules: [], seriesMax: 100_000 };

/** A series as it is kept on disk. */
export type SeriesRecord = readonly [
  device: string,
  quantity: string,
  channel: string,
  state: SeriesState,
];

export interface Lane {
  /**
   * Sets the quality of each reading and its verdict in the place of the reading. What is now known
   * of earlier values that looked better when they came is added to `amended`.
   */
  judge(
    readings: readonly Unjudged[],
    device: Device | undefined,
    verdicts: Verdict[],
    amended: Reading[],
  ): void;
  /** What is remembered; series that are silent for too long are dropped on the way. */
  records(): SeriesRecord[];
  /** What each test has found so far, by place of the test times eight plus its bits. */
  readonly counts: Float64Array;
}

/** Kept for each series of a device, with what does not change from value to value. */
interface Series {
  readonly quantity: string;
  readonly channel: string;
  readonly known: Quantity | undefined;
  limits: Limits;
  state: SeriesState | undefined;
  neighbourhood: Neighbourhood | undefined;
}

interface DeviceSeries {
  known: SettledDevice | undefined;
  readonly series: Series[];
  readonly byName: Map<string, Series>;
}

export interface LaneParts {
  readonly limits: LaneLimits;
  /** For the places of restored devices among their neighbours. */
  readonly deviceOf: (id: string) => Device | undefined;
}

/** With more series a device is searched by name, with fewer one after the other. */
const scannedMax = 24;
/** Series of one device; those beyond are judged and forgotten. */
const seriesPerDeviceMax = 1_000;

export function createLane(
  { limits, deviceOf: registered }: LaneParts,
  records: readonly SeriesRecord[] = [],
): Lane {
  const devices = new Map<string, DeviceSeries>();
  const neighbourhoods = new Map<string, Neighbourhood>();
  const counts = new Float64Array(tests.length * 8);
  let newest = 0;
  let size = 0;

  function deviceOf(id: string, known: Device | undefined): DeviceSeries {
    let found = devices.get(id);
    if (found === undefined) {
      found = { known, series: [], byName: new Map() };
      devices.set(id, found);
    }
    if (found.known !== known) {
      found.known = known;
      for (const series of found.series) settle(series, id, known);
    }
    return found;
  }

  /** Limits follow the device: its area, its model and what these ask may have changed. */
  function settle(series: Series, device: string, known: SettledDevice | undefined): void {
    const { quantity, channel } = series;
    const place = { device, quantity, channel, area: known?.area, model: known?.model };
    series.limits = limitsFor(place, defaultLimits.get(quantity), rulesFor(limits.rules, known));
    series.neighbourhood = undefined;
    if (!series.limits.neighbours || known?.area === undefined) return;
    const key = `${known.area}\n${quantity}`;
    series.neighbourhood = neighbourhoods.get(key) ?? new Map();
    neighbourhoods.set(key, series.neighbourhood);
  }

  function seriesOf(owner: DeviceSeries, id: string, quantity: string, channel: string): Series {
    const { series: all, byName } = owner;
    if (all.length <= scannedMax) {
      for (const series of all) {
        if (series.quantity === quantity && series.channel === channel) return series;
      }
    }
    const name = `${quantity}\n${channel}`;
    const found = byName.get(name);
    if (found !== undefined) return found;
    const series: Series = {
      quantity,
      channel,
      known: quantityOf(quantity),
      limits: {},
      state: undefined,
      neighbourhood: undefined,
    };
    settle(series, id, owner.known);
    if (all.length < seriesPerDeviceMax) {
      all.push(series);
      byName.set(name, series);
    }
    return series;
  }

  function stateOf(series: Series): SeriesState | undefined {
    if (series.state !== undefined || !remembers(series.limits)) return series.state;
    if (size >= limits.seriesMax) return undefined;
    size += 1;
    series.state = newSeries();
    return series.state;
  }

  /** Tests 3 to 5, and that the value is of the kind of its quantity. */
  function judgeSingle(
    series: Series,
    reading: Unjudged,
    readings: readonly Unjudged[],
    known: Device | undefined,
  ): Verdict {
    const { value, time, quantity } = reading;
    const clock = reading.quality === suspect ? suspect << gap : 0;
    if (typeof value === 'string' || series.known?.kind === 'state') {
      return clock | (syntaxOf(series.known, value) << syntax);
    }
    const verdict = clock | (pass << syntax) | judgeAlone(value, time, series.limits);
    if (!isPosition(quantity)) return verdict;
    const found = judgePosition(reading, readings, known, series.limits.metresMax);
    return verdict | (found << location);
  }

  /** Tests that look at other values; not for a value that has failed, or whose time is a guess. */
  function judgeAmongOthers(
    series: Series,
    state: SeriesState,
    reading: Unjudged,
    value: number,
    alone: Verdict,
    amended: Reading[],
  ): Verdict {
    const { time, receivedAt, device } = reading;
    if (state.like !== undefined && receivedAt - state.heardAt > forgetMs) {
      Object.assign(state, newSeries());
    }
    if (time <= state.lastTime) return alone;
    const finding = spikeAt(state, value, time, series.limits);
    if (finding !== 0) count(finding << spike);
    const spiked = state.lastVerdict | (finding << spike);
    if (flagOf(spiked) > flagOf(state.lastVerdict)) {
      const last = lastReading(state, flagOf(spiked));
      if (last !== undefined) amended.push(last);
    }
    let verdict = alone | judgeNext(state, value, time, series.limits);
    const { neighbourhood } = series;
    const { neighbours } = series.limits;
    if (neighbourhood !== undefined && neighbours) {
      const own = { key: `${device}\n${series.channel}`, time, value };
      verdict |= judgeAmong(neighbourhood, own, neighbours) << neighbour;
      if (flagOf(verdict) < suspect) {
        tellNeighbours(neighbourhood, own);
        state.toldTime = time;
        state.toldValue = value;
      }
    }
    remember(state, reading, value, verdict);
    return verdict;
  }

  function judgeOne(
    owner: DeviceSeries,
    reading: Unjudged,
    readings: readonly Unjudged[],
    amended: Reading[],
  ): Verdict {
    const { value, quantity, channel = '' } = reading;
    const series = seriesOf(owner, reading.device, quantity, channel);
    const alone = judgeSingle(series, reading, readings, owner.known);
    const isFit =
      typeof value === 'number' && reading.quality !== suspect && flagOf(alone) !== fail;
    const state = isFit ? stateOf(series) : undefined;
    const verdict =
      state === undefined || typeof value !== 'number'
        ? alone
        : judgeAmongOthers(series, state, reading, value, alone, amended);
    reading.quality = flagOf(verdict);
    return verdict;
  }

  function restore([device, quantity, channel, state]: SeriesRecord): void {
    const series = seriesOf(deviceOf(device, registered(device)), device, quantity, channel);
    series.state = state;
    size += 1;
    newest = Math.max(newest, state.heardAt);
    const { neighbourhood } = series;
    if (neighbourhood === undefined || Number.isNaN(state.toldTime)) return;
    const key = `${device}\n${channel}`;
    tellNeighbours(neighbourhood, { key, time: state.toldTime, value: state.toldValue });
  }
  records.forEach(restore);

  function count(verdict: Verdict): void {
    for (let place = 0, bits = verdict; bits !== 0; place += 1, bits >>>= 3) {
      const at = place * 8 + (bits & 7);
      counts[at] = (counts[at] ?? 0) + 1;
    }
  }

  return {
    counts,
    judge(readings, known, verdicts, amended) {
      const first = readings[0];
      if (first === undefined) return;
      newest = Math.max(newest, first.receivedAt);
      const owner = deviceOf(first.device, known);
      if (isInOrder(readings)) {
        for (let at = 0; at < readings.length; at += 1) {
          const reading = readings[at];
          if (reading === undefined) continue;
          const verdict = judgeOne(owner, reading, readings, amended);
          verdicts[at] = verdict;
          count(verdict);
        }
        return;
      }
      // Records from a device's memory often come newest first.
      const byTime = [...readings.entries()].sort(([, one], [, other]) => one.time - other.time);
      for (const [at, reading] of byTime) {
        const verdict = judgeOne(owner, reading, readings, amended);
        verdicts[at] = verdict;
        count(verdict);
      }
    },
    records() {
      const kept: SeriesRecord[] = [];
      for (const [device, { series }] of devices) {
        let isSilent = true;
        for (const { quantity, channel, state } of series) {
          if (state === undefined) continue;
          if (newest - state.heardAt > forgetMs) continue;
          isSilent = false;
          kept.push([device, quantity, channel, state]);
        }
        if (!isSilent) continue;
        size -= series.filter(({ state }) => state !== undefined).length;
        devices.delete(device);
      }
      return kept;
    },
  };
}

function isInOrder(readings: readonly Unjudged[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const { time } of readings) {
    if (time < before) return false;
    before = time;
  }
  return true;
}

/** A state is one of the words of its quantity; a name outside the vocabulary has no form. */
function syntaxOf(known: Quantity | undefined, value: number | string): number {
  if (known === undefined) return 0;
  if (known.kind !== 'state' || typeof value === 'number') return fail;
  return Object.hasOwn(known.states, value) ? pass : fail;
}
