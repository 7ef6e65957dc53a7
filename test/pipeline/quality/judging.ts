/** Series of readings for the tests of quality control, and a lane that judges them. */
import type { Device } from '../../../gateway/model/device.ts';
import type { Quality, Reading } from '../../../gateway/model/reading.ts';
import type { Unjudged } from '../../../gateway/pipeline/quality/judge.ts';
import { createLane, type Lane } from '../../../gateway/pipeline/quality/lane.ts';
import type { LimitRule } from '../../../gateway/pipeline/quality/limits.ts';
import { explain, type Test } from '../../../gateway/pipeline/quality/verdict.ts';

export const hourMs = 3_600_000;
/** 2026-06-01T00:00:00Z */
export const start = 1_780_272_000_000;

export function readingOf(part: Partial<Reading> = {}): Unjudged {
  const time = part.time ?? start;
  return {
    device: 'gauge-1',
    quantity: 'water_level',
    value: 1,
    unit: 'm',
    time,
    receivedAt: time,
    quality: 2,
    vouchedBy: 'mic',
    seq: 1,
    ...part,
  };
}

export function laneOf(rules: readonly LimitRule[] = [], device?: Device, seriesMax = 1_000): Lane {
  return createLane({ limits: { rules, seriesMax }, deviceOf: () => device });
}

export interface Judged {
  readonly quality: Quality;
  readonly tests: Record<Test, Quality>;
  /** Readings that this one has shown to be worse. */
  readonly amended: readonly Reading[];
}

/** Judges the readings as one uplink. */
export function judgeTogether(lane: Lane, readings: Unjudged[], device?: Device): Judged[] {
  const verdicts: number[] = [];
  const amended: Reading[] = [];
  lane.judge(readings, device, verdicts, amended);
  return readings.map(({ quality }, at) => ({
    quality,
    tests: explain(verdicts[at] ?? 0),
    amended,
  }));
}

export function judgeOne(lane: Lane, reading: Unjudged, device?: Device): Judged {
  const [judged] = judgeTogether(lane, [reading], device);
  if (judged === undefined) throw new Error('one reading has one verdict');
  return judged;
}

export interface Sample {
  readonly time: number;
  readonly value: number;
}

/** Judges a series value by value; what is found of a spike later is put in its place. */
export function judgeSeries(
  lane: Lane,
  quantity: string,
  samples: readonly Sample[],
  device?: Device,
) {
  const places = new Map(samples.map(({ time }, place) => [time, place]));
  const flags: Quality[] = [];
  const found: Record<Test, Quality>[] = [];
  for (const [place, { time, value }] of samples.entries()) {
    const reading = readingOf({ quantity, time, value, seq: place + 1 });
    const { quality, tests, amended } = judgeOne(lane, reading, device);
    flags.push(quality);
    found.push(tests);
    for (const late of amended) {
      const at = places.get(late.time) ?? -1;
      flags[at] = late.quality;
    }
  }
  return { flags, found };
}

/** One value an hour from `start`. */
export function hourly(values: readonly number[]): Sample[] {
  return values.map((value, hour) => ({ time: start + hour * hourMs, value }));
}
