/**
 * From the names that devices and network servers give their values to the vocabulary. What has no
 * place in it, or comes in a unit that does not fit, is kept as `x_<name>`: a value is never
 * dropped for its name, and never given a meaning or a unit that its sender did not mean.
 */
import { clarify } from './ambiguous-names.ts';
import type { DecodedValue } from './codec.ts';
import { channelOf, type FoundField, readPath } from './field-path.ts';
import { flatten, isPlain, type Leaf, type Plain } from './flatten.ts';
import { quantityOf, roundToResolution, type StateQuantity } from './quantity.ts';
import { convertUnit, parseUnit } from './unit-conversion.ts';

export interface MappedField {
  readonly quantity: string;
  readonly value: number | string;
  /** UCUM; empty for states, pure numbers and `x_…`. */
  readonly unit: string;
  readonly channel?: string;
}

export const nameLengthMax = 64;
/** Longer texts are cut: a reading is a state, not a document. */
export const textLengthMax = 64;

/** The UCUM unit of a quantity; empty for states, pure numbers and `x_…`. */
export function unitOf(quantity: string): string {
  return quantityOf(quantity)?.unit ?? '';
}

/**
 * Maps one named value; null for a number that is none and for what is no number, text or boolean.
 * `name` may be a path with dots, colons or slashes, as SenML and gateways of meters have them.
 */
export function mapField(name: string, value: unknown, unit?: string): MappedField | null {
  const path = readPath([name]).found === undefined ? pathOf(name) : [name];
  return isPlain(value) ? mapPlain({ path, value, ...(unit === undefined ? {} : { unit }) }) : null;
}

/** In a URN only the last part can be a name; those before it name the device. */
function pathOf(name: string): string[] {
  const parts = name.split(/[./:]/);
  return parts[0] === 'urn' ? parts.slice(-1) : parts;
}

/** Maps every plain value in a decoded object; two values never share quantity and channel. */
export function mapObject(object: object): DecodedValue[] {
  const taken = new Set<string>();
  return flatten(object).map((leaf) => withOwnChannel(mapPlain(leaf), leaf.path, taken));
}

/**
 * A device that reports one thing under two names keeps both: the second in a channel of its name.
 */
function withOwnChannel(field: MappedField, path: readonly string[], taken: Set<string>) {
  const { quantity, value } = field;
  const series = (channel = '') => `${quantity} ${channel}`;
  const named = channelOf(readPath(path).tokens).channel;
  let channel = taken.has(series(field.channel)) ? named : field.channel;
  for (let count = 2; taken.has(series(channel)); count += 1) channel = `value_${count}`;
  taken.add(series(channel));
  return { quantity, value, ...channelOf([channel]) };
}

function mapPlain({ path, value, unit }: Leaf): MappedField {
  const plain = typeof value === 'number' ? value + 0 : value;
  const { tokens, found } = readPath(path);
  const field = found ?? fieldOfUnit(unit);
  const settled = field === undefined ? undefined : settle(withUnit(field, unit), plain);
  return settled ?? unmapped(tokens, plain);
}

/** SenML units that stand for one quantity alone: with them a name that says nothing is no loss. */
const quantityOfUnit: ReadonlyMap<string, string> = new Map([
  ['%RH', 'relative_humidity'],
  ['%EL', 'battery_level'],
  ['lat', 'latitude'],
  ['lon', 'longitude'],
  ['lx', 'illuminance'],
]);

function fieldOfUnit(unit: string | undefined): FoundField | undefined {
  const quantity = unit === undefined ? undefined : quantityOfUnit.get(unit);
  return quantity === undefined ? undefined : { name: quantity, quantity };
}

/** The sender's unit goes before the one in the name; one that nobody knows fits no quantity. */
function withUnit(field: FoundField, unit: string | undefined): FoundField {
  if (unit === undefined || unit.trim() === '') return field;
  return { ...field, unit: parseUnit(unit) ?? 'unknown' };
}

function settle(field: FoundField, plain: Plain): MappedField | undefined {
  const number = numberOf(plain);
  const clear = number === undefined ? field : clarify(field, number);
  const quantity = clear === undefined ? undefined : quantityOf(clear.quantity);
  if (clear === undefined || quantity === undefined) return undefined;
  const value = quantity.kind === 'state' ? wordOf(quantity, plain) : measured(clear, plain);
  if (value === undefined) return undefined;
  return { quantity: clear.quantity, value, unit: quantity.unit, ...channelOf([clear.channel]) };
}

const decimal = /^[+-]?\d{1,15}(?:\.\d{1,15})?$/;

/** Codecs often make text of numbers, to round them. */
function numberOf(plain: Plain): number | undefined {
  if (typeof plain === 'number') return plain;
  return typeof plain === 'string' && decimal.test(plain.trim()) ? Number(plain) : undefined;
}

/** True and false are 1 and 0 for an input or a count; of a temperature they say nothing. */
function measured({ quantity, unit }: FoundField, plain: Plain): number | undefined {
  const own = unitOf(quantity);
  if (typeof plain === 'boolean') return own === '' ? Number(plain) : undefined;
  const number = numberOf(plain);
  const converted = number === undefined ? undefined : convertUnit(number, unit ?? own, own);
  if (converted === undefined || !Number.isFinite(converted)) return undefined;
  return roundToResolution(quantity, converted);
}

function wordOf({ states, whenTrue, whenFalse }: StateQuantity, plain: Plain): string | undefined {
  const text = String(plain).trim().toLowerCase();
  if (text === 'true' || text === '1') return whenTrue;
  if (text === 'false' || text === '0') return whenFalse;
  const matching = Object.entries(states).find(
    ([word, { spellings }]) => word === text || spellings?.includes(text),
  );
  return matching?.[0];
}

function unmapped(tokens: readonly string[], plain: Plain): MappedField {
  const name = tokens.filter(Boolean).join('_') || 'unnamed';
  const value = typeof plain === 'string' ? plain.slice(0, textLengthMax) : Number(plain);
  return { quantity: `x_${name}`.slice(0, nameLengthMax), value, unit: '' };
}
