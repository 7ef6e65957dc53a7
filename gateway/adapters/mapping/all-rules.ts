/** `all`: every value below an object, by its path, without listing them one by one. */
import type { AllSpec } from '../../../config/mapping-schema.ts';
import type { Measurement } from '../../model/uplink.ts';
import { isObject } from '../document.ts';
import { add, createCollection, readValues } from '../measurements.ts';
import { complain, inside, type Scope } from './context.ts';
import type { Collect } from './measurement-rules.ts';
import { isAbsent } from './numbers.ts';
import { compileOpenSource } from './source.ts';
import { compileOptional } from './template.ts';

/** Radio fields among the values become the radio state; what `radio` names goes before them. */
export function compileAll(spec: AllSpec, scope: Scope): Collect {
  const { from, prefix = '', suffix = '' } = spec;
  const read = compileOpenSource(from, inside(scope, 'from'));
  const isTaken = compileFilter(spec);
  const channel = compileOptional(spec.channel, scope, 'channel');
  return (context, collection, time) => {
    const values = read(context);
    if (isAbsent(values)) return;
    if (!isObject(values)) {
      complain(context, from, 'an object');
      return;
    }
    context.hasContent = true;
    const inner = createCollection();
    readValues(values, time, inner);
    const own = channel?.fill(context);
    for (const measurement of inner.measurements) {
      if (!isTaken(measurement.name)) continue;
      const name = `${prefix}${measurement.name}${suffix}`;
      add(withChannel({ ...measurement, name }, own), collection);
    }
    for (const [field, value] of inner.radioFields) collection.radioFields.set(field, value);
    if (inner.complaint !== undefined) collection.complaint ??= inner.complaint;
  };
}

function withChannel(measurement: Measurement, channel: string | undefined): Measurement {
  return channel === undefined ? measurement : { ...measurement, channel };
}

function compileFilter({ include, exclude }: AllSpec): (name: string) => boolean {
  const isIncluded = include === undefined ? () => true : compileGlobs(include);
  const isExcluded = compileGlobs(exclude ?? []);
  return (name) => isIncluded(name) && !isExcluded(name);
}

/** `*` stands for any characters. Names are walked from both ends, so no pattern runs away. */
function compileGlobs(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const globs = patterns.filter((pattern) => pattern.includes('*')).map((text) => text.split('*'));
  return (name) => exact.has(name) || globs.some((pieces) => fits(pieces, name));
}

function fits(pieces: readonly string[], name: string): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
