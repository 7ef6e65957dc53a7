/** Numbers and counts of a mapping: numeric text, hex, scales, and placeholders for "unknown". */
import type { CountSpec, NumberSpec, Scalar } from '../../../config/mapping-schema.ts';
import { compileScale } from '../../../decoders/scale.ts';
import { toNumber } from '../place.ts';
import { complain, inside, type Read, report, type Scope } from './context.ts';
import { compileOpenSource } from './source.ts';

/** Absent, null, empty text and placeholders are undefined; what is no number is a complaint. */
export function compileNumber(spec: NumberSpec, scope: Scope): Read<number> {
  const { from, required = false } = spec;
  const read = compileOpenSource(from, inside(scope, 'from'));
  const isPlaceholder = compilePlaceholders(spec.placeholders);
  const parse = spec.parse === 'hex' ? parseHex : toNumber;
  const scaled = compileScale(spec);
  return (context) => {
    const raw = read(context);
    if (isAbsent(raw) || isPlaceholder(raw)) {
      return required ? complain(context, from, 'there') : undefined;
    }
    const value = parse(raw);
    if (value === undefined) return complain(context, from, 'a number');
    return isPlaceholder(value) ? undefined : scaled(value);
  };
}

export function isAbsent(raw: unknown): boolean {
  return raw === undefined || raw === null || raw === '';
}

/** True for a value that stands for "none", also as a number for one written as text. */
export function compilePlaceholders(
  placeholders: readonly Scalar[] | undefined,
): (value: unknown) => boolean {
  if (placeholders === undefined || placeholders.length === 0) return () => false;
  const known = new Set<unknown>(placeholders);
  return (value) => known.has(value);
}

const hexText = /^(?:0x)?[0-9a-f]{1,13}$/i;

/** JSON without quotes makes a decimal number of hex digits; its digits are still hex. */
export function parseHex(raw: unknown): number | undefined {
  const text = typeof raw === 'number' ? String(raw) : raw;
  return typeof text === 'string' && hexText.test(text) ? Number.parseInt(text, 16) : undefined;
}

export interface CountLimit {
  readonly max: number;
  readonly scope: Scope;
}

/** An integer from 0 to `max`, both included. */
export function compileCount(spec: CountSpec, { max, scope }: CountLimit): Read<number> {
  const { from, value, required = false } = spec;
  if ((from === undefined) === (value === undefined)) {
    report(scope, 'has from or value, not both and not neither');
  }
  if (value !== undefined && value > max) report(scope, `${value} is more than ${max}`);
  if (from === undefined) return () => value;
  const read = compileNumber({ from, required }, scope);
  return (context) => {
    const number = read(context);
    if (number === undefined) return undefined;
    if (Number.isInteger(number) && number >= 0 && number <= max) return number;
    return complain(context, from, `an integer from 0 to ${max}`);
  };
}
