/**
 * The rules of the manual once more, as plainly as they can be said: over a whole series at once,
 * with nothing remembered. What the lane finds value by value is held against it.
 */
import { hourMs, type Sample } from './judging.ts';

export interface ManualLimits {
  readonly range: readonly [number, number];
  readonly expected: readonly [number, number];
  readonly spike: readonly [number, number];
  readonly rate: { readonly deviations: number; readonly floor: number };
  readonly flat: {
    readonly tolerance: number;
    readonly suspect: readonly [count: number, seconds: number];
    readonly fail: readonly [count: number, seconds: number];
  };
  readonly stepHoursMax: number;
  /** Test 5: months (1 to 12) with their span. */
  readonly seasons?: readonly (readonly [months: readonly number[], low: number, high: number])[];
  /** Test 10: hours, and the standard deviations below which a value is suspect and fails. */
  readonly attenuation?: readonly [hours: number, suspect: number, fail: number];
}

export interface ManualFlags {
  readonly grossRange: number[];
  readonly spike: number[];
  readonly rateOfChange: number[];
  readonly flatLine: number[];
  readonly climatology: number[];
  readonly attenuated: number[];
}

export function byTheManual(all: readonly Sample[], limits: ManualLimits): ManualFlags {
  const within = (value: number, [low, high]: readonly [number, number]) =>
    value >= low && value <= high;
  const grossRange = all.map(({ value }) =>
    within(value, limits.range) ? (within(value, limits.expected) ? 1 : 3) : 4,
  );
  const samples = all.filter((_sample, at) => grossRange[at] !== 4);
  const spread = (flags: number[]) => {
    const left = [...flags];
    return grossRange.map((flag) => (flag === 4 ? 2 : (left.shift() ?? 2)));
  };
  return {
    grossRange,
    spike: spread(samples.map((_sample, at) => spikeOf(samples, at, limits))),
    rateOfChange: spread(samples.map((_sample, at) => rateOf(samples, at, limits))),
    flatLine: spread(samples.map((_sample, at) => flatOf(samples, at, limits))),
    climatology: all.map((sample) => seasonOf(sample, limits)),
    attenuated: spread(samples.map((_sample, at) => attenuatedAt(samples, at, limits))),
  };
}

/** A series that was silent for 48 hours begins anew. */
function startOf(samples: readonly Sample[], at: number): number {
  let start = at;
  for (; start > 0; start -= 1) {
    const [before, here] = [samples[start - 1], samples[start]];
    if (before === undefined || here === undefined) break;
    if (here.time - before.time > 48 * hourMs) break;
  }
  return start;
}

function near(one: Sample, other: Sample, { stepHoursMax }: ManualLimits): boolean {
  return Math.abs(one.time - other.time) <= stepHoursMax * hourMs;
}

function spikeOf(samples: readonly Sample[], at: number, limits: ManualLimits): number {
  const [before, here, after] = [samples[at - 1], samples[at], samples[at + 1]];
  if (before === undefined || here === undefined || after === undefined) return 2;
  if (!near(before, here, limits) || !near(here, after, limits)) return 2;
  const off = Math.abs(here.value - (before.value + after.value) / 2);
  const [low, high] = limits.spike;
  return off > high ? 4 : off > low ? 3 : 1;
}

function rateOf(samples: readonly Sample[], at: number, limits: ManualLimits): number {
  const start = startOf(samples, at);
  const [before, here, first] = [samples[at - 1], samples[at], samples[start]];
  if (before === undefined || here === undefined || first === undefined) return 2;
  const hour = Math.floor(here.time / hourMs) * hourMs;
  const window = samples.slice(start, at).filter(({ time }) => time >= hour - 25 * hourMs);
  if (window.length < 8 || here.time - first.time < 12 * hourMs) return 2;
  if (!near(before, here, limits)) return 2;
  const mean = window.reduce((sum, { value }) => sum + value, 0) / window.length;
  const squares = window.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / window.length);
  const allowed = limits.rate.floor + limits.rate.deviations * deviation;
  return Math.abs(here.value - before.value) > allowed ? 3 : 1;
}

/** How many values before are equal, and since when. */
function flatOf(samples: readonly Sample[], at: number, { flat }: ManualLimits): number {
  const here = samples[at];
  if (here === undefined) return 2;
  const start = startOf(samples, at);
  let from = at;
  for (let one = at - 1; one >= start; one -= 1) {
    const value = samples[one]?.value ?? Number.NaN;
    if (Math.abs(value - here.value) > flat.tolerance) break;
    from = one;
  }
  const seconds = (here.time - (samples[from]?.time ?? here.time)) / 1_000;
  const lasts = ([count, least]: readonly [number, number]) =>
    at - from >= count && seconds >= least;
  if (lasts(flat.fail)) return 4;
  if (lasts(flat.suspect)) return 3;
  return from === start ? 2 : 1;
}

/** The manual has no fail flag for it: local knowledge makes a value suspect. */
function seasonOf({ time, value }: Sample, { seasons = [] }: ManualLimits): number {
  const month = Number(new Date(time).toISOString().slice(5, 7));
  const [, low, high] = seasons.find(([months]) => months.includes(month)) ?? [];
  if (low === undefined || high === undefined) return 2;
  return value < low || value > high ? 3 : 1;
}

/** Of the last hours up to the value itself, in two passes over them. */
function attenuatedAt(samples: readonly Sample[], at: number, limits: ManualLimits): number {
  const here = samples[at];
  if (limits.attenuation === undefined || here === undefined) return 2;
  const [hours, suspect, fail] = limits.attenuation;
  const start = startOf(samples, at);
  const first = samples[start]?.time ?? here.time;
  const begin = (Math.floor(here.time / hourMs) - hours) * hourMs;
  const window = samples.slice(start, at + 1).filter(({ time }) => time >= begin);
  if (here.time - first < hours * hourMs || window.length < 8) return 2;
  const mean = window.reduce((sum, { value }) => sum + value, 0) / window.length;
  const squares = window.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / window.length);
  return deviation < fail ? 4 : deviation < suspect ? 3 : 1;
}
