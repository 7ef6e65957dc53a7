/** Times of a mapping as epoch milliseconds: since 1970, RFC 3339, or clock faces in a zone. */
import type { TimeSpec } from '../../../config/mapping-schema.ts';
import { toNumber } from '../place.ts';
import { parseDeviceTime, parseTimestamp } from '../timestamp.ts';
import { complain, inside, type Read, report, type Scope } from './context.ts';
import { openZone, parseClockFace, type Zone } from './local-time.ts';
import { compilePlaceholders, isAbsent } from './numbers.ts';
import { compileOpenSource } from './source.ts';

/** The last day that a Date can be. */
const timeMax = 8.64e15;

/** Absent, null, empty and placeholders are undefined; what is no time is a complaint. */
export function compileTime(spec: TimeSpec, scope: Scope): Read<number> {
  const { from, unit, required = false } = spec;
  const read = compileEither(spec, scope);
  const isPlaceholder = compilePlaceholders(spec.placeholders);
  const parse = compileParse(unit, zoneOf(spec, scope));
  return (context) => {
    const raw = read(context);
    if (isAbsent(raw) || isPlaceholder(raw)) {
      return required ? complain(context, from, 'there') : undefined;
    }
    return parse(raw) ?? complain(context, from, `a time (${unit})`);
  };
}

function compileEither({ from, orFrom }: TimeSpec, scope: Scope): Read<unknown> {
  const first = compileOpenSource(from, inside(scope, 'from'));
  if (orFrom === undefined) return first;
  const second = compileOpenSource(orFrom, inside(scope, 'orFrom'));
  return (context) => first(context) ?? second(context);
}

function zoneOf(spec: TimeSpec, scope: Scope): Zone | undefined {
  const name = spec.zone ?? scope.zone;
  if (name === undefined) {
    if (spec.unit === 'local') report(scope, 'has no zone: name one, or one for the mapping');
    return undefined;
  }
  const zone = openZone(name);
  return zone ?? report(scope, `${name} is no IANA time zone, such as Asia/Baku`);
}

function compileParse(
  unit: TimeSpec['unit'],
  zone: Zone | undefined,
): (raw: unknown) => number | undefined {
  switch (unit) {
    case 's':
      return (raw) => bounded(toNumber(raw), 1_000);
    case 'ms':
      return (raw) => bounded(toNumber(raw), 1);
    case 'us':
      return (raw) => bounded(toNumber(raw), 0.001);
    case 'iso':
      return (raw) => parseIso(raw, zone);
    case 'local':
      return (raw) => parseLocal(raw, zone);
    case 'auto':
      return (raw) => parseDeviceTime(raw) ?? parseIso(raw, zone);
  }
}

function bounded(value: number | undefined, factor: number): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = Math.round(value * factor);
  return Math.abs(milliseconds) <= timeMax ? milliseconds : undefined;
}

/** Text that leaves out its zone is a clock face in the mapping's. */
function parseIso(raw: unknown, zone: Zone | undefined): number | undefined {
  if (typeof raw !== 'string') return undefined;
  return parseTimestamp(raw) ?? parseLocal(raw, zone);
}

function parseLocal(raw: unknown, zone: Zone | undefined): number | undefined {
  if (typeof raw !== 'string' || zone === undefined) return undefined;
  const face = parseClockFace(raw);
  return face === undefined ? undefined : zone(face);
}
