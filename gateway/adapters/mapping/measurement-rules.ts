/** Measurements that a mapping names one by one, each with its type, scale, unit and time. */
import type { MeasurementSpec, Scalar } from '../../../config/mapping-schema.ts';
import { compileScale } from '../../../decoders/scale.ts';
import type { Measurement } from '../../model/uplink.ts';
import {
  add,
  type Collection,
  measurementsMax,
  plainValue,
  textLengthMax,
} from '../measurements.ts';
import { isPersonalIdentifier, isPersonalText } from '../personal.ts';
import { type Draft, toNumber } from '../place.ts';
import { type Context, complain, inside, type Read, report, type Scope } from './context.ts';
import { flagOf } from './fields.ts';
import { compilePlaceholders, isAbsent, parseHex } from './numbers.ts';
import { compileOpenSource } from './source.ts';
import { compileOptional, compileTemplate } from './template.ts';
import { compileTime } from './times.ts';

/** Adds what it finds. `time` is that of the rule, for what has none of its own. */
export type Collect = (context: Context, collection: Collection, time: number | undefined) => void;

type Plain = number | string | boolean;

export function compileMeasurement(spec: MeasurementSpec, outer: Scope): Collect {
  const { from, list = false } = spec;
  const scope = list ? { ...outer, hasElement: true } : outer;
  const read = compileOpenSource(from, inside(outer, 'from'));
  const addOne = compileOne(spec, scope);
  if (!list)
    return (context, collection, time) => addOne(read(context), { context, collection, time });
  return (context, collection, time) => {
    const elements = read(context);
    if (isAbsent(elements)) return;
    if (!Array.isArray(elements) || elements.length > measurementsMax) {
      complain(context, from, `an array of up to ${measurementsMax} elements`);
      return;
    }
    elements.forEach((element: unknown, index) => {
      addOne(element, { context: { ...context, element, index }, collection, time });
      if (element !== null) context.hasContent = true;
    });
  };
}

interface Place {
  readonly context: Context;
  readonly collection: Collection;
  readonly time: number | undefined;
}

function compileOne(spec: MeasurementSpec, scope: Scope): (raw: unknown, place: Place) => void {
  const { from, required = false } = spec;
  const name = compileTemplate(spec.name, inside(scope, 'name'));
  if (name.constant !== undefined && isPersonalIdentifier(name.constant)) {
    report(inside(scope, 'name'), 'names a personal identifier, which is no measurement');
  }
  const channel = compileOptional(spec.channel, scope, 'channel');
  const unit = compileOptional(spec.unit, scope, 'unit');
  const ownTime =
    spec.time === undefined ? undefined : compileTime(spec.time, inside(scope, 'time'));
  const convert = compileConversion(spec, scope);
  return (raw, { context, collection, time }) => {
    if (isAbsent(raw)) {
      if (required) complain(context, from, 'there');
      return;
    }
    context.hasContent = true;
    const value = convert(raw, context);
    const called = value === undefined ? undefined : name.fill(context);
    if (value === undefined || called === undefined || isPersonal(name.constant, called, value)) {
      return;
    }
    const measurement: Draft<Measurement> = { name: called, value };
    const when = ownTime?.(context) ?? time;
    const ownUnit = unit?.fill(context);
    const ownChannel = channel?.fill(context);
    if (ownUnit !== undefined) measurement.unit = ownUnit;
    if (when !== undefined) measurement.time = when;
    if (ownChannel !== undefined) measurement.channel = ownChannel;
    add(measurement, collection);
  };
}

/** A constant name was checked when the mapping was read. */
function isPersonal(constant: string | undefined, name: string, value: Plain): boolean {
  if (constant === undefined && isPersonalIdentifier(name)) return true;
  return typeof value === 'string' && isPersonalText(value);
}

type Conversion = (raw: unknown, context: Context) => Plain | undefined;

/** Parts, then placeholders and words, then the type, then the scale of numbers. */
function compileConversion(spec: MeasurementSpec, scope: Scope): Conversion {
  const { from, part, type = 'auto' } = spec;
  const isPlaceholder = compilePlaceholders(spec.placeholders);
  const words = wordsOf(spec.words);
  const scale = compileScale(spec);
  const parse = parsers[type];
  const isScaled = spec.scale !== undefined || spec.offset !== undefined;
  if (isScaled && (type === 'text' || type === 'boolean')) {
    report(scope, `a ${type} has no scale or offset`);
  }
  return (whole, context) => {
    const raw = part === undefined ? whole : partOf(whole, part);
    if (isAbsent(raw) || isPlaceholder(raw)) return undefined;
    const word = words.get(String(raw));
    if (word === null) return undefined;
    const value = parse(word ?? raw);
    if (value === undefined) {
      return type === 'auto' ? undefined : complain(context, from, nouns[type]);
    }
    if (typeof value !== 'number') return value;
    return isPlaceholder(value) ? undefined : scale(value);
  };
}

function wordsOf(words: MeasurementSpec['words']): ReadonlyMap<string, Scalar> {
  return new Map(Object.entries(words ?? {}));
}

function partOf(whole: unknown, { separator, index }: NonNullable<MeasurementSpec['part']>) {
  return typeof whole === 'string' ? whole.split(separator, index + 1)[index]?.trim() : undefined;
}

const parsers = {
  auto: plainValue,
  number: toNumber,
  hex: parseHex,
  boolean: flagOf,
  text: (raw: unknown) => {
    const text = typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw;
    return typeof text === 'string' && text.length <= textLengthMax ? text : undefined;
  },
};

const nouns = {
  number: 'a number',
  hex: 'a number in hex',
  boolean: 'true or false',
  text: `text of up to ${textLengthMax} characters`,
};

/** For readers of other parts, which take no measurement but note that something was there. */
export function noteContent<T>(read: Read<T>): Read<T> {
  return (context) => {
    const value = read(context);
    if (value !== undefined) context.hasContent = true;
    return value;
  };
}
