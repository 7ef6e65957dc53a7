/**
 * One series and what its tests remember of it: the last two values, how long it has stood still,
 * and the spread of its last 25 hours. What is older is never used, so the state of a series is
 * settled by its last two days, however it came about.
 */
import type { VouchedBy } from '../../model/inbound.ts';
import type { Quality, Reading } from '../../model/reading.ts';
import {
  type AttenuationLimits,
  type FlatLimits,
  gapGrace,
  type Limits,
  type RateLimits,
  stepSecondsDefault,
} from './limits.ts';
import { addTo, deviationOf, emptySpread, hoursMax, type Spread } from './spread.ts';
import {
  attenuatedSignal,
  climatology,
  fail,
  flatLine,
  grossRange,
  missing,
  pass,
  rateOfChange,
  suspect,
  type Verdict,
} from './verdict.ts';

/** A series that was silent so long begins anew; longer than any test looks back. */
export const forgetMs = 48 * 3_600_000;
const hourMs = 3_600_000;
/** Fewer values have no spread worth the name. */
const spreadCountMin = 8;
/** The spread must have grown for half of its hours before a step is held against it. */
const spreadAgeMs = 12 * hourMs;

/** Plain data: it is written to disk as it is. Times are epoch milliseconds. */
export interface SeriesState {
  /** When the last value was received. */
  heardAt: number;
  /** The time of the first value since the series began anew. */
  since: number;
  /** An earlier reading like the last, whose own time, value and place stand beside it. */
  like: Reading | undefined;
  lastValue: number;
  lastTime: number;
  lastSeq: number;
  lastVouchedBy: VouchedBy;
  lastVerdict: Verdict;
  /** The value before the last; its time is not a number where there is none. */
  beforeValue: number;
  beforeTime: number;
  /** The values that stand still: from which time, how many, and between which ends. */
  stillSince: number;
  stillCount: number;
  stillMin: number;
  stillMax: number;
  spread: Spread | undefined;
  /** What its neighbours know of it; the time is not a number where they know nothing. */
  toldTime: number;
  toldValue: number;
}

export function newSeries(): SeriesState {
  return {
    heardAt: 0,
    since: 0,
    like: undefined,
    lastValue: 0,
    lastTime: Number.NEGATIVE_INFINITY,
    lastSeq: 0,
    lastVouchedBy: 'credential',
    lastVerdict: 0,
    beforeValue: 0,
    beforeTime: Number.NaN,
    stillSince: 0,
    stillCount: 0,
    stillMin: 0,
    stillMax: 0,
    spread: undefined,
    toldTime: Number.NaN,
    toldValue: 0,
  };
}

/** Tests 4 and 5, which need nothing but the value. */
export function judgeAlone(value: number, time: number, limits: Limits): Verdict {
  const { range, expected, seasons } = limits;
  let verdict = 0;
  if (range !== undefined) {
    verdict = (value >= range.min && value <= range.max ? pass : fail) << grossRange;
  }
  if (expected !== undefined && verdict !== fail << grossRange) {
    verdict = (value >= expected.min && value <= expected.max ? pass : suspect) << grossRange;
  }
  if (seasons === undefined) return verdict;
  const month = new Date(time).getUTCMonth() + 1;
  const season = seasons.find(({ months }) => months.includes(month));
  if (season === undefined) return verdict;
  return verdict | ((value >= season.min && value <= season.max ? pass : suspect) << climatology);
}

/** Whether any test of this series needs to remember. */
export function remembers(limits: Limits): boolean {
  const { intervalSeconds, spike: spikes, rate, flat, attenuation, neighbours } = limits;
  return Boolean(intervalSeconds ?? spikes ?? rate ?? flat ?? attenuation ?? neighbours);
}

/**
 * Tests 1, 7, 8 and 10 of a value that is newer than the last. What comes late or out of order has
 * no neighbours to be compared with: those tests are not evaluated for it, and it leaves no trace.
 * The caller has asked `spikeAt` before and calls `remember` after.
 */
export function judgeNext(
  state: SeriesState,
  value: number,
  time: number,
  limits: Limits,
): Verdict {
  const { intervalSeconds, rate, flat, attenuation } = limits;
  let verdict = 0;
  if (intervalSeconds !== undefined && state.like !== undefined) {
    verdict |= time - state.lastTime > intervalSeconds * gapGrace * 1_000 ? missing : pass;
  }
  if (rate) verdict |= judgeStep(state, value, time, rate, limits) << rateOfChange;
  if (flat) verdict |= judgeStill(state, value, time, flat) << flatLine;
  if (!rate && !attenuation) return verdict;
  state.spread ??= emptySpread();
  addTo(state.spread, time, value);
  if (attenuation) {
    verdict |= judgeSpread(state, state.spread, time, attenuation) << attenuatedSignal;
  }
  return verdict;
}

/** What a test returns where it has nothing to say. */
const notEvaluated = 0;

function judgeStep(
  state: SeriesState,
  value: number,
  time: number,
  rate: RateLimits,
  limits: Limits,
): number {
  if (state.spread === undefined || time - state.lastTime > stepMsMax(limits)) return notEvaluated;
  const { count, deviation } = deviationOf(state.spread, time, hoursMax);
  if (count < spreadCountMin || time - state.since < spreadAgeMs) return notEvaluated;
  const allowed = rate.floor + rate.deviations * deviation;
  return Math.abs(value - state.lastValue) > allowed ? suspect : pass;
}

function judgeStill(state: SeriesState, value: number, time: number, flat: FlatLimits): number {
  standStill(state, value, time, flat.tolerance);
  const { rests } = flat;
  if (rests !== undefined && value >= rests.min && value <= rests.max) return notEvaluated;
  const seconds = (time - state.stillSince) / 1_000;
  const before = state.stillCount - 1;
  if (before >= flat.failCount && seconds >= flat.failSeconds) return fail;
  if (before >= flat.suspectCount && seconds >= flat.suspectSeconds) return suspect;
  // A series that has never moved may have been standing still for long: nobody can tell yet.
  const hasMoved = state.like !== undefined && state.stillSince !== state.since;
  return hasMoved ? pass : notEvaluated;
}

function judgeSpread(
  state: SeriesState,
  spread: Spread,
  time: number,
  { hours, suspect: suspectBelow, fail: failBelow }: AttenuationLimits,
): number {
  if (time - state.since < hours * hourMs) return notEvaluated;
  const { count, deviation } = deviationOf(spread, time, hours);
  if (count < spreadCountMin) return notEvaluated;
  if (deviation < failBelow) return fail;
  return deviation < suspectBelow ? suspect : pass;
}

function standStill(state: SeriesState, value: number, time: number, tolerance: number): void {
  if (state.stillCount > 0) {
    const min = Math.min(state.stillMin, value);
    const max = Math.max(state.stillMax, value);
    if (max - min <= tolerance) {
      state.stillMin = min;
      state.stillMax = max;
      state.stillCount += 1;
      return;
    }
  }
  const withLast = state.stillCount > 0 && Math.abs(value - state.lastValue) <= tolerance;
  state.stillSince = withLast ? state.lastTime : time;
  state.stillCount = withLast ? 2 : 1;
  state.stillMin = withLast ? Math.min(state.lastValue, value) : value;
  state.stillMax = withLast ? Math.max(state.lastValue, value) : value;
}

/**
 * Test 6, of the last value, now that the next one is here: 3, 4, 1, or 0 where the neighbours are
 * too far away to tell. Compared in the middle of the two, as the manual has it.
 */
export function spikeAt(state: SeriesState, value: number, time: number, limits: Limits): number {
  const { spike: limit } = limits;
  if (!limit || state.like === undefined) return notEvaluated;
  const stepMax = stepMsMax(limits);
  const isNear = time - state.lastTime <= stepMax && state.lastTime - state.beforeTime <= stepMax;
  if (!isNear) return notEvaluated;
  const off = Math.abs(state.lastValue - (state.beforeValue + value) / 2);
  if (off > limit.fail) return fail;
  return off > limit.suspect ? suspect : pass;
}

/** Makes a value the last one of its series. */
export function remember(state: SeriesState, reading: Reading, value: number, verdict: Verdict) {
  if (state.like === undefined) state.since = reading.time;
  else {
    state.beforeValue = state.lastValue;
    state.beforeTime = state.lastTime;
  }
  // A reading that is held until the next comes costs the collector more than its numbers do.
  if (!isAlike(state.like, reading)) state.like = reading;
  state.lastValue = value;
  state.lastTime = reading.time;
  state.lastSeq = reading.seq;
  state.lastVouchedBy = reading.vouchedBy;
  state.lastVerdict = verdict;
  state.heardAt = reading.receivedAt;
}

/** Device, quantity and channel are those of the series. */
function isAlike(known: Reading | undefined, { area, agency, unit }: Reading): boolean {
  return known?.area === area && known?.agency === agency && known?.unit === unit;
}

/** The last reading again, with another flag; undefined before the first. */
export function lastReading(state: SeriesState, quality: Quality): Reading | undefined {
  if (state.like === undefined) return undefined;
  const { lastTime: time, lastValue: value, lastSeq: seq, lastVouchedBy: vouchedBy } = state;
  return { ...state.like, time, value, seq, vouchedBy, receivedAt: state.heardAt, quality };
}

function stepMsMax({ stepSecondsMax = stepSecondsDefault }: Limits): number {
  return stepSecondsMax * 1_000;
}
