/**
 * The closed vocabulary: what a reading can be of, in which UCUM unit, within which plausible range
 * and under which name in Azerbaijani, Russian and English. Everything that has no place here is
 * kept as `x_<name>` without a unit.
 */
import { air } from './vocabulary/air.ts';
import { city } from './vocabulary/city.ts';
import type { Measure, State } from './vocabulary/definition.ts';
import { device } from './vocabulary/device.ts';
import { energy } from './vocabulary/energy.ts';
import { states } from './vocabulary/states.ts';
import { water } from './vocabulary/water.ts';
import { weather } from './vocabulary/weather.ts';

export interface NumberQuantity extends Measure {
  readonly kind: 'number';
}

/** Its value is one of the words in `states`; it has no unit. */
export interface StateQuantity extends State {
  readonly kind: 'state';
  readonly unit: '';
}

export type Quantity = NumberQuantity | StateQuantity;

const measures = { ...air, ...weather, ...water, ...energy, ...city, ...device };

/** Every quantity by its name, in the order in which a reader wants them. */
export const quantities: ReadonlyMap<string, Quantity> = new Map([
  ...Object.entries(measures).map(([name, measure]): [string, Quantity] => [
    name,
    { kind: 'number', ...measure },
  ]),
  ...Object.entries(states).map(([name, state]): [string, Quantity] => [
    name,
    { kind: 'state', unit: '', ...state },
  ]),
]);

/** Safe for any text: `x_…`, `__proto__` and misspellings are undefined. */
export function quantityOf(name: string): Quantity | undefined {
  return quantities.get(name);
}

/**
 * Whether the value is plausible: a number within the range, or one of the state's words. A name
 * outside the vocabulary has no range, so nothing is in it: ask `quantityOf` first where "not
 * evaluated" and "implausible" must be told apart.
 */
export function isInRange(name: string, value: number | string): boolean {
  const quantity = quantities.get(name);
  if (quantity === undefined) return false;
  if (quantity.kind === 'state') {
    return typeof value === 'string' && Object.hasOwn(quantity.states, value);
  }
  return typeof value === 'number' && value >= quantity.min && value <= quantity.max;
}

/**
 * Steps per unit, a whole number: dividing by it gives the shortest decimal, multiplying would not.
 */
const stepsPerUnit: ReadonlyMap<string, number> = new Map(
  Object.entries(measures).map(([name, { resolution }]) => [name, Math.round(1 / resolution)]),
);

/**
 * The number rounded to the quantity's resolution; unchanged for states and `x_…`. Never minus
 * zero.
 */
export function roundToResolution(name: string, value: number): number {
  const steps = stepsPerUnit.get(name);
  if (steps === undefined || Math.abs(value) * steps > Number.MAX_SAFE_INTEGER) return value;
  return Math.round(value * steps) / steps + 0;
}
