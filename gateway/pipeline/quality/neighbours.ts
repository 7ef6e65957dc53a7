/**
 * Test 11: a value beside those of the other devices of its area. Only where the configuration asks
 * for it, since only people know which sensors see the same air or water.
 */
import type { NeighbourLimits } from './limits.ts';
import { fail, pass, suspect } from './verdict.ts';

/** The newest good value of each device in an area, by device and channel. */
export type Neighbourhood = Map<string, { readonly time: number; readonly value: number }>;

/** Devices of an area that are compared; those that come after them are, too, but stand for none. */
const membersMax = 256;

/** 0 where too few neighbours have a value of that time. */
export function judgeAmong(
  neighbourhood: Neighbourhood,
  own: { readonly key: string; readonly time: number; readonly value: number },
  limits: NeighbourLimits,
): number {
  const near: number[] = [];
  for (const [key, { time, value }] of neighbourhood) {
    if (key === own.key || Math.abs(time - own.time) > limits.ageSecondsMax * 1_000) continue;
    near.push(value);
  }
  if (near.length < limits.countMin) return 0;
  const mean = near.reduce((sum, value) => sum + value, 0) / near.length;
  const squares = near.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const spread = Math.max(Math.sqrt(squares / near.length), limits.deviationMin);
  const off = Math.abs(own.value - mean) / spread;
  if (off > limits.fail) return fail;
  return off > limits.suspect ? suspect : pass;
}

export function tellNeighbours(
  neighbourhood: Neighbourhood,
  own: { readonly key: string; readonly time: number; readonly value: number },
): void {
  if (!neighbourhood.has(own.key) && neighbourhood.size >= membersMax) return;
  neighbourhood.set(own.key, { time: own.time, value: own.value });
}
