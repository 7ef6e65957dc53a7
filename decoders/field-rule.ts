/**
 * What a person says of the fields of a codec, a model or a device: which quantity a field is, in
 * which unit it comes, and what its words mean. It goes before what the names say by themselves.
 */
import { readPath } from './field-path.ts';
import { quantityOf } from './quantity.ts';
import { convertUnit, parseUnit } from './unit-conversion.ts';

export interface FieldRule {
  /**
   * The field as its sender writes it, with dots between levels; in any case and with any signs
   * between its words, so that the name in `x_…` is found, too. One `*` stands for any text. Of a
   * built-in codec it is the quantity.
   */
  readonly from: string;
  /** Only where the sender has named this channel. */
  readonly fromChannel?: string;
  /** Of the vocabulary, or `x_…`; null for a field that is no reading. */
  readonly quantity: string | null;
  /** The channel of the reading; `*` is what the star in `from` stood for. */
  readonly channel?: string;
  /**
   * UCUM, or as devices spell it: of the number once it is scaled. If absent, the sender's own for
   * a number that is not scaled, else that of the quantity.
   */
  readonly unit?: string;
  /** The number is multiplied by this, then `offset` is added. */
  readonly scale?: number;
  readonly offset?: number;
  /** Values in the place of the sender's words; null where a word stands for "none". */
  readonly words?: Readonly<Record<string, string | number | null>>;
}

export interface RuleProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface FoundRule {
  readonly rule: FieldRule;
  /** What the rule says of the channel. */
  readonly channel?: string;
}

/** Two characters of an unmapped quantity are its `x_`. */
export const plainNameLengthMax = 62;
const ownName = /^x_[a-z0-9_]{1,62}$/;

/** Names in snake_case as one name: what stands behind the `x_` of a value without a quantity. */
export function plainName(tokens: readonly string[]): string {
  return (tokens.filter(Boolean).join('_') || 'unnamed').slice(0, plainNameLengthMax);
}

interface Entry {
  readonly at: number;
  readonly rule: FieldRule;
}

interface Pattern extends Entry {
  readonly form: RegExp;
}

interface Compiled {
  readonly byName: ReadonlyMap<string, readonly Entry[]>;
  readonly patterns: readonly Pattern[];
}

/** A list of rules is read once; it lives as long as its codec, model or device. */
const compiled = new WeakMap<readonly FieldRule[], Compiled>();

/** The first rule that speaks of the field. */
export function findRule(
  rules: readonly FieldRule[],
  tokens: readonly string[],
  channel: string | undefined,
): FoundRule | undefined {
  const { byName, patterns } = compile(rules);
  const name = plainName(tokens);
  const isMeant = ({ rule }: Entry) =>
    rule.fromChannel === undefined || rule.fromChannel === (channel ?? '');
  const exact = byName.get(name)?.find(isMeant);
  const pattern = patterns.find((one) => isMeant(one) && one.form.test(name));
  if (pattern !== undefined && (exact === undefined || pattern.at < exact.at)) {
    const star = pattern.form.exec(name)?.[1] ?? '';
    return found(pattern.rule, star);
  }
  return exact === undefined ? undefined : found(exact.rule, undefined);
}

function found(rule: FieldRule, star: string | undefined): FoundRule {
  const channel = rule.channel === '*' ? star : rule.channel;
  return channel === undefined ? { rule } : { rule, channel };
}

function compile(rules: readonly FieldRule[]): Compiled {
  const known = compiled.get(rules);
  if (known !== undefined) return known;
  const byName = new Map<string, Entry[]>();
  const patterns: Pattern[] = [];
  for (const [at, rule] of rules.entries()) {
    const [before = '', after] = rule.from.split('*');
    if (after !== undefined) {
      patterns.push({ at, rule, form: formOf(before, after) });
      continue;
    }
    const name = plainName(readPath(rule.from.split('.')).tokens);
    byName.set(name, [...(byName.get(name) ?? []), { at, rule }]);
  }
  const result = { byName, patterns };
  compiled.set(rules, result);
  return result;
}

/** Both parts are letters, digits and underscores by now. */
function formOf(before: string, after: string): RegExp {
  const part = (text: string) => readPath(text.split('.')).tokens.filter(Boolean).join('_');
  return new RegExp(`^${part(before)}_?([a-z0-9_]+?)_?${part(after)}$`);
}

/** What can be wrong with rules whose form is right: names, units and words nobody knows. */
export function ruleProblems(rules: readonly FieldRule[]): RuleProblem[] {
  return rules.flatMap((rule, at) =>
    problemsOf(rule).map(({ path, message }) => ({ path: [at, ...path], message })),
  );
}

function problemsOf({ from, quantity, channel, unit, scale, offset, words }: FieldRule) {
  const problems: RuleProblem[] = [];
  const add = (field: string, message: string) => problems.push({ path: [field], message });
  if (from.split('*').length > 2) add('from', 'has more than one *');
  if (channel === '*' && !from.includes('*')) add('channel', 'is *, but from has none');
  if (quantity === null || ownName.test(quantity)) return problems;
  const known = quantityOf(quantity);
  if (known === undefined) {
    add('quantity', `${quantity} is no quantity: GET /api/v1/quantities lists them; else x_…`);
    return problems;
  }
  if (known.kind === 'state') {
    for (const [name, given] of Object.entries({ unit, scale, offset })) {
      if (given !== undefined) add(name, `${quantity} is a state, which has none`);
    }
    const odd = Object.values(words ?? {}).find(
      (word) => word !== null && !Object.hasOwn(known.states, String(word)),
    );
    const states = Object.keys(known.states).join(', ');
    if (odd !== undefined) add('words', `${odd} is no word of ${quantity}: use ${states}`);
    return problems;
  }
  const code = unit === undefined ? known.unit : parseUnit(unit);
  if (code === undefined) add('unit', `${unit} is no unit that is known here`);
  else if (convertUnit(1, code, known.unit) === undefined) {
    add('unit', `${unit} cannot be made into ${known.unit || 'a pure number'} of ${quantity}`);
  }
  if (Object.values(words ?? {}).some((word) => typeof word === 'string')) {
    add('words', `${quantity} is a number: give numbers, or null for none`);
  }
  return problems;
}
