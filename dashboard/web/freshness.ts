/**
 * How old a value may be before it is called late or silent. Silence is normal for some devices,
 * so the measure is the device's own interval, learned from the gaps between its measurements;
 * a fixed limit would be wrong for most.
 */

export type Freshness = 'fresh' | 'late' | 'silent' | 'none';

/** What is assumed of a device until enough of its gaps were seen. */
export const intervalDefaultMs = 30 * 60_000;
/** Under this a little jitter of the network would already read as "late". */
export const intervalMinMs = 20_000;
const intervalMaxMs = 48 * 3_600_000;
/** Gaps remembered for one device, and how many make an interval. */
const gapsMax = 8;
export const gapsNeeded = 3;

const lateRatio = 1.5;
const silentRatio = 3;

/** The times between a device's last measurements, oldest first; at most `gapsMax`. */
export interface Rhythm {
  readonly lastTime: number | undefined;
  readonly gapsMs: readonly number[];
}

export const noRhythm: Rhythm = { lastTime: undefined, gapsMs: [] };

/** Takes in the time of one measurement; several values of one uplink share theirs. */
export function noteTime(rhythm: Rhythm, time: number): Rhythm {
  if (rhythm.lastTime === undefined) return { lastTime: time, gapsMs: rhythm.gapsMs };
  if (time <= rhythm.lastTime) return rhythm;
  const gapsMs = [...rhythm.gapsMs, time - rhythm.lastTime].slice(-gapsMax);
  return { lastTime: time, gapsMs };
}

/** The median gap, so that one night of silence does not count as the rhythm. */
export function intervalOf(rhythm: Rhythm): number {
  if (rhythm.gapsMs.length < gapsNeeded) return intervalDefaultMs;
  const sorted = [...rhythm.gapsMs].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? intervalDefaultMs;
  return Math.min(intervalMaxMs, Math.max(intervalMinMs, median));
}

export function freshnessOf(rhythm: Rhythm, now: number): Freshness {
  if (rhythm.lastTime === undefined) return 'none';
  const ratio = (now - rhythm.lastTime) / intervalOf(rhythm);
  if (ratio <= lateRatio) return 'fresh';
  return ratio <= silentRatio ? 'late' : 'silent';
}

/** A pause longer than this is a gap, and no line is drawn across it. */
export function gapLimitMs(intervalMs: number): number {
  return silentRatio * intervalMs;
}
