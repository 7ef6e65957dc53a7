/** From what a call of a script gave to values of the vocabulary. */
import type { Decoded, DecodedValue, MakerFields } from '../../decoders/codec.ts';
import type { FieldRule } from '../../decoders/field-rule.ts';
import { mapDecoded, mapObjectByRules } from '../../decoders/mapping.ts';
import { normalisedValues } from './normalised-fields.ts';

/** Codecs may list hundreds of errors; one line in a list is read. */
const messageLengthMax = 256;

const noRules: readonly FieldRule[] = [];

/**
 * `text` as a sandbox gives it: `v` and JSON, or `e` or `p` and a message. `rules` are the codec's
 * own.
 */
export function decodedOf(text: string, rules = noRules): Decoded {
  if (!text.startsWith('v')) return { ok: false, error: text.slice(1, messageLengthMax) };
  const result: unknown = JSON.parse(text.slice(1));
  const errors = wordsIn(result, 'errors');
  if (errors.length > 0) return { ok: false, error: errors.join('; ').slice(0, messageLengthMax) };
  const data = memberOf(result, 'data');
  if (typeof data !== 'object' || data === null) return { ok: false, error: 'returned no data' };
  const warnings = wordsIn(result, 'warnings');
  const fields = { data, normalized: memberOf(result, 'normalized'), rules };
  const told = warnings.length === 0 ? {} : { warnings };
  return { ok: true, values: valuesIn(fields, noRules), fields, ...told };
}

/** The values once more, by rules that go before those of the codec. */
export function valuesBy(
  { values, fields }: Extract<Decoded, { ok: true }>,
  rules: readonly FieldRule[],
): readonly DecodedValue[] {
  if (rules.length === 0) return values;
  return fields === undefined ? mapDecoded(values, rules) : valuesIn(fields, rules);
}

/**
 * Rules first, then what the script has normalised, which has fixed units; of its own fields those
 * stay that neither covers.
 */
function valuesIn({ data, normalized, rules }: MakerFields, before: readonly FieldRule[]) {
  const all = before.length === 0 ? rules : joined(before, rules);
  const { ruled, others } = mapObjectByRules(data, all);
  if (ruled.length === 0 && normalized === undefined) return others;
  const normalised = mapDecoded(normalisedValues(normalized), all);
  const left = ruled.length === 0 ? normalised : without(normalised, ruled, seriesOf);
  return [...ruled, ...left, ...without(others, normalised, ({ quantity }) => quantity)];
}

function seriesOf({ quantity, channel = '', time = 0 }: DecodedValue): string {
  return `${quantity} ${channel} ${time}`;
}

function without(
  values: readonly DecodedValue[],
  covering: readonly DecodedValue[],
  keyOf: (value: DecodedValue) => string,
): readonly DecodedValue[] {
  if (covering.length === 0) return values;
  const covered = new Set(covering.map(keyOf));
  return values.filter((value) => !covered.has(keyOf(value)));
}

/** The same list for the same two, since a list is compiled once. */
const joins = new WeakMap<
  readonly FieldRule[],
  WeakMap<readonly FieldRule[], readonly FieldRule[]>
>();

function joined(before: readonly FieldRule[], rules: readonly FieldRule[]): readonly FieldRule[] {
  if (rules.length === 0) return before;
  const known = joins.get(before) ?? new WeakMap<readonly FieldRule[], readonly FieldRule[]>();
  joins.set(before, known);
  const list = known.get(rules) ?? [...before, ...rules];
  known.set(rules, list);
  return list;
}

function wordsIn(result: unknown, name: string): string[] {
  const list = memberOf(result, name);
  if (!Array.isArray(list)) return [];
  return list.map((word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word)));
}

/** Own members only: the text is a codec's. */
export function memberOf(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, name))
    return undefined;
  return Reflect.get(object, name);
}
