/**
 * Judges a value by itself, by the gross range test of QARTOD. What other values say of it, and
 * what the configuration says, is in the folder quality/.
 */
import { isInRange, quantityOf } from '../../decoders/quantity.ts';
import type { Quality, Reading } from '../model/reading.ts';
import type { Unjudged } from './quality/judge.ts';

/**
 * 1 inside the quantity's plausible range, 4 outside; 2 where no range is known or it is a state.
 */
export function judge(quantity: string, value: number | string): Quality {
  const known = quantityOf(quantity);
  if (known === undefined || typeof value === 'string') return 2;
  return isInRange(quantity, value) ? 1 : 4;
}

/** The worse of two flags, where "not evaluated" says nothing against a value. */
export function worse(one: Quality, other: Quality): Quality {
  const weight = (flag: Quality) => (flag === 2 ? 0 : flag);
  return weight(one) >= weight(other) ? one : other;
}

/** A `Judge` that remembers nothing. */
export function judgeByItself(readings: readonly Unjudged[]): readonly Reading[] {
  for (const reading of readings) {
    reading.quality = worse(judge(reading.quantity, reading.value), reading.quality);
  }
  return [];
}
