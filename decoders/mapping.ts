/**
 * From the names that devices and network servers give their values to the vocabulary. What has no
 * place in it, or comes in a unit that does not fit, is kept as `x_<name>`: a value is never
 * dropped for its name, and never given a meaning or a unit that its sender did not mean.
 */
import { clarify } from './ambiguous-names.ts';
import type { DecodedValue } from './codec.ts';
import { channelOf, type FoundField, readPath } from './field-path.ts';
import {
  type FieldRule,
  type FoundRule,
  findRule,
  plainName,
  plainNameLengthMax,
} from './field-rule.ts';
import { flatten, isPlain, type Leaf, type Plain } from './flatten.ts';
import { quantityOf, roundToResolution, type StateQuantity } from './quantity.ts';
import { compileScale } from './scale.ts';
import { convertUnit, parseUnit } from './unit-conversion.ts';

export interface MappedField {
  readonly quantity: string;
  readonly value: number | string;
  /** UCUM; empty for states, pure numbers and `x_…`. */
  readonly unit: string;
  readonly channel?: string;
}

/** `x_` and a name. */
export const nameLengthMax = plainNameLengthMax + 2;
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
  return isPlain(value) ? mapPlain(leafOf(name, value, unit)) : null;
}

function leafOf(name: string, value: Plain, unit: string | undefined): Leaf {
  const path = readPath([name]).found === undefined ? pathOf(name) : [name];
  return { path, value, ...(unit === undefined ? {} : { unit }) };
}

/** In a URN only the last part can be a name; those before it name the device. */
function pathOf(name: string): string[] {
  const parts = name.split(/[./:]/);
  return parts[0] === 'urn' ? parts.slice(-1) : parts;
}

export interface NamedValue {
  readonly name: string;
  readonly value: unknown;
  readonly unit?: string | undefined;
  /** What the sender calls the channel; a rule's word goes before it. */
  readonly channel?: string | undefined;
}

/** The same by rules; null as well for what a rule says is no reading. */
export function mapNamed(named: NamedValue, rules: readonly FieldRule[]): MappedField | null {
  const { name, value, unit, channel } = named;
  const ruled = isPlain(value) ? byRule(leafOf(name, value, unit), rules, channel) : undefined;
  if (ruled === null) return null;
  const field = ruled ?? mapField(name, value, unit);
  const own = ruled === undefined ? (channel ?? field?.channel) : (ruled.channel ?? channel);
  return field === null || own === undefined ? field : { ...field, channel: own };
}

/** Values that are in the vocabulary already, by rules that name their quantity. */
export function mapDecoded(
  values: readonly DecodedValue[],
  rules: readonly FieldRule[],
): readonly DecodedValue[] {
  if (rules.length === 0) return values;
  return values.flatMap((given) => {
    const { quantity, value, channel, time } = given;
    const leaf = { path: [quantity], value, unit: unitOf(quantity) };
    const ruled = byRule(leaf, rules, channel);
    if (ruled === undefined) return [given];
    if (ruled === null) return [];
    const own = channelOf([ruled.channel ?? channel]);
    const at = time === undefined ? {} : { time };
    return [{ quantity: ruled.quantity, value: ruled.value, ...own, ...at }];
  });
}

export interface MappedObject {
  /** What a rule has said. */
  readonly ruled: readonly DecodedValue[];
  /** What the names say by themselves. */
  readonly others: readonly DecodedValue[];
}

const noRules: readonly FieldRule[] = [];

/** Maps every plain value in a decoded object; two values never share quantity and channel. */
export function mapObject(object: object, rules = noRules): readonly DecodedValue[] {
  const { ruled, others } = mapObjectByRules(object, rules);
  return ruled.length === 0 ? others : [...ruled, ...others];
}

/** Rules come first: where two values claim one series, it is the other that gets a channel. */
export function mapObjectByRules(object: object, rules: readonly FieldRule[]): MappedObject {
  const taken: Series[] = [];
  const leaves = flatten(object);
  const byName = (leaf: Leaf) => withOwnChannel(mapPlain(leaf), leaf.path, taken);
  if (rules.length === 0) return { ruled: [], others: leaves.map(byName) };
  const fields = leaves.map((leaf) => byRule(leaf, rules, undefined));
  const ruled = fields.flatMap((field, at) =>
    field ? withOwnChannel(field, leaves[at]?.path ?? [], taken) : [],
  );
  const others = leaves.flatMap((leaf, at) => (fields[at] === undefined ? byName(leaf) : []));
  return { ruled, others };
}

/** Undefined where no rule speaks of it, null where one says that it is no reading. */
function byRule(
  { path, value, unit }: Leaf,
  rules: readonly FieldRule[],
  channel: string | undefined,
): MappedField | null | undefined {
  if (rules.length === 0) return undefined;
  const { tokens } = readPath(path);
  const found = findRule(rules, tokens, channel);
  if (found === undefined) return undefined;
  const { quantity, words = {} } = found.rule;
  if (quantity === null) return null;
  const said = wordIn(words, value);
  if (said === null) return null;
  // What the rule cannot read is not dropped: it is seen under its own name.
  return settleBy(found, quantity, { value: said, unit }) ?? unmapped(tokens, value);
}

/** As it is written, else in small letters. */
function wordIn(words: NonNullable<FieldRule['words']>, value: Plain): Plain | null {
  const text = String(value);
  for (const word of [text, text.trim().toLowerCase()]) {
    if (Object.hasOwn(words, word)) return words[word] ?? null;
  }
  return value;
}

function settleBy(
  { rule, channel }: FoundRule,
  quantity: string,
  { value, unit }: { readonly value: Plain; readonly unit: string | undefined },
): MappedField | undefined {
  const known = quantityOf(quantity);
  const own = channelOf([channel]);
  if (known?.kind === 'state') {
    const word = wordOf(known, value);
    return word === undefined ? undefined : { quantity, value: word, unit: '', ...own };
  }
  const number = typeof value === 'boolean' ? Number(value) : numberOf(value);
  if (number === undefined) {
    if (known !== undefined) return undefined;
    return { quantity, value: String(value).slice(0, textLengthMax), unit: '', ...own };
  }
  const scaled = compileScale(rule)(number);
  const target = known?.unit ?? '';
  const converted = known === undefined ? scaled : inUnit(scaled, sourceUnit(rule, unit), target);
  if (converted === undefined || !Number.isFinite(converted)) return undefined;
  return { quantity, value: roundToResolution(quantity, converted), unit: target, ...own };
}

/** The sender's unit is that of its own number: a scale makes another number of it. */
function sourceUnit(rule: FieldRule, unit: string | undefined): string | undefined {
  const isScaled = rule.scale !== undefined || rule.offset !== undefined;
  return rule.unit ?? (isScaled ? undefined : unit);
}

function inUnit(value: number, source: string | undefined, target: string): number | undefined {
  if (source === undefined || source.trim() === '') return value;
  const code = parseUnit(source);
  return code === undefined ? undefined : convertUnit(value, code, target);
}

/** What two values of one object never share. */
interface Series {
  readonly quantity: string;
  readonly channel: string | undefined;
}

/**
 * A device that reports one thing under two names keeps both: the second in a channel of its name.
 */
function withOwnChannel(field: MappedField, path: readonly string[], taken: Series[]) {
  const { quantity, value } = field;
  let { channel } = field;
  if (has(taken, quantity, channel)) channel = channelOf(readPath(path).tokens).channel;
  for (let count = 2; has(taken, quantity, channel); count += 1) channel = `value_${count}`;
  taken.push({ quantity, channel });
  return channel === undefined ? { quantity, value } : { quantity, value, ...channelOf([channel]) };
}

/** There are few of them: looking at each costs less than a key. */
function has(taken: readonly Series[], quantity: string, channel = ''): boolean {
  for (const one of taken) {
    if (one.quantity === quantity && (one.channel ?? '') === channel) return true;
  }
  return false;
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
  const value = typeof plain === 'string' ? plain.slice(0, textLengthMax) : Number(plain);
  return { quantity: `x_${plainName(tokens)}`, value, unit: '' };
}
