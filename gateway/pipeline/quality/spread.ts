/**
 * The standard deviation of a series over the last hours, in bounded memory: one slot an hour, each
 * with count, mean and sum of squares of its values, kept for 25 hours. The values of a slot depend
 * on nothing before it, so a series that was built again from its last 25 hours is the same one.
 */

const hourMs = 3_600_000;
export const hoursMax = 25;
/** The hour that has just begun stands beside the last 25. */
const slots = hoursMax + 1;
const fields = 4;

/**
 * Hour since 1970, count, mean, sum of squared differences from it; behind the slots the same for
 * all full hours before the newest, since nothing is added to those any more. 864 bytes a series.
 */
export type Spread = Float64Array;

const fullHours = slots * fields;

export function emptySpread(): Spread {
  return new Float64Array(fullHours + fields);
}

/** Welford's way: no difference of large squares. */
export function addTo(spread: Spread, time: number, value: number): void {
  const hour = Math.floor(time / hourMs);
  const at = (hour % slots) * fields;
  if (spread[at] !== hour) {
    spread[at] = hour;
    spread[at + 1] = 1;
    spread[at + 2] = value;
    spread[at + 3] = 0;
    return;
  }
  const count = (spread[at + 1] ?? 0) + 1;
  const mean = spread[at + 2] ?? 0;
  const off = value - mean;
  const moved = mean + off / count;
  spread[at + 1] = count;
  spread[at + 2] = moved;
  spread[at + 3] = (spread[at + 3] ?? 0) + off * (value - moved);
}

export interface Deviation {
  readonly count: number;
  /** Of the whole of the values, not of a sample (divided by their number). */
  readonly deviation: number;
}

/** Of the values in the slots from `hours` before the one that `time` is in, to that one. */
export function deviationOf(spread: Spread, time: number, hours: number): Deviation {
  const last = Math.floor(time / hourMs);
  if (hours !== hoursMax) return summed(spread, last - hours, last);
  if (spread[fullHours] !== last) rememberFullHours(spread, last);
  const before = spread[fullHours + 1] ?? 0;
  const at = (last % slots) * fields;
  const now = spread[at] === last ? (spread[at + 1] ?? 0) : 0;
  const count = before + now;
  if (count === 0) return { count, deviation: 0 };
  const off = (spread[at + 2] ?? 0) - (spread[fullHours + 2] ?? 0);
  const own = now === 0 ? 0 : (spread[at + 3] ?? 0) + (off * off * before * now) / count;
  return { count, deviation: Math.sqrt(((spread[fullHours + 3] ?? 0) + own) / count) };
}

function rememberFullHours(spread: Spread, last: number): void {
  const { count, mean, squares } = merged(spread, last - hoursMax, last - 1);
  spread[fullHours] = last;
  spread[fullHours + 1] = count;
  spread[fullHours + 2] = mean;
  spread[fullHours + 3] = squares;
}

function summed(spread: Spread, first: number, last: number): Deviation {
  const { count, squares } = merged(spread, first, last);
  return { count, deviation: count === 0 ? 0 : Math.sqrt(squares / count) };
}

function merged(spread: Spread, first: number, last: number) {
  let count = 0;
  let sum = 0;
  for (let at = 0; at < fullHours; at += fields) {
    const hour = spread[at] ?? 0;
    if (hour < first || hour > last) continue;
    const inSlot = spread[at + 1] ?? 0;
    count += inSlot;
    sum += inSlot * (spread[at + 2] ?? 0);
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (let at = 0; at < fullHours; at += fields) {
    const hour = spread[at] ?? 0;
    if (hour < first || hour > last) continue;
    const off = (spread[at + 2] ?? 0) - mean;
    squares += (spread[at + 3] ?? 0) + (spread[at + 1] ?? 0) * off * off;
  }
  return { count, mean, squares };
}
