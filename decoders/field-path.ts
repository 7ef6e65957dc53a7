/**
 * Finds, in the path of a decoded value, the name that the vocabulary knows; what is left is a
 * channel.
 */
import { type FieldName, fieldNames, unitSuffixes } from './field-names.ts';
import { quantityOf } from './quantity.ts';

export interface FoundField extends FieldName {
  /** The part of the path that was recognised. */
  readonly name: string;
}

export const channelLengthMax = 32;

/** Longer names are cut before they are looked at. */
const rawNameLengthMax = 256;

/** Outer names that say nothing of the value. */
const transparent = new Set(
  (
    'data payload decoded decoded_payload object value values measurement measurements telemetry ' +
    'sensor sensors reading readings air gps gps_location position location environment env ' +
    'result results params metrics uplink body message messages fields action metering status'
  ).split(' '),
);

/** Outer names that say that the value is none of now: a stored one, a limit, a setting. */
const setAside = new Set(
  (
    'history histories datalog log min max minimum maximum threshold thresholds limit limits alarm ' +
    'alarms config configuration setting settings setpoint target calibration offset previous'
  ).split(' '),
);

export interface ReadPath {
  /** The path in snake_case. */
  readonly tokens: readonly string[];
  /** Absent where the vocabulary has no place for it. */
  readonly found?: FoundField;
}

/**
 * Devices send the same few names for ever, and reading one takes longer than all the rest of the
 * mapping. Emptied when full, so that a sender of ever new names costs time but no memory.
 */
const readPaths = new Map<string, ReadPath>();
const readPathsMax = 4096;

/** Longer paths are read, but not remembered. */
const rememberedLengthMax = 128;

/** Between two names of a key; a path with this character in a name is read but not remembered. */
const separator = '\u0000';

/** What a path says: always the same for the same path. */
export function readPath(path: readonly string[]): ReadPath {
  const key = path.join(separator);
  const isOwnKey = !path.some((name) => name.includes(separator));
  const known = isOwnKey ? readPaths.get(key) : undefined;
  if (known !== undefined) return known;
  const tokens = tokensOf(path);
  const found = findField(tokens);
  const read = found === undefined ? { tokens } : { tokens, found };
  if (isOwnKey && key.length <= rememberedLengthMax) remember(key, read);
  return read;
}

function remember(key: string, read: ReadPath): void {
  if (readPaths.size >= readPathsMax) readPaths.clear();
  readPaths.set(key, read);
}

/** `TempC_SHT` → `temp_c_sht`; letters outside a to z by code point, so that names stay apart. */
function tokensOf(path: readonly string[]): string[] {
  return path.map((name) =>
    name
      .slice(0, rawNameLengthMax)
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
      .toLowerCase()
      .replace(/[^\p{ASCII}]/gu, (letter) => `u${letter.codePointAt(0)?.toString(16)}`)
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, ''),
  );
}

/** Tries the whole path first, then less and less of it from the left. */
function findField(tokens: readonly string[]): FoundField | undefined {
  if (tokens.slice(0, -1).some((token) => setAside.has(token))) return undefined;
  for (const start of tokens.keys()) {
    const field = findWhole(tokens.slice(start));
    if (field !== undefined) {
      const outer = tokens.slice(0, start).filter((token) => !transparent.has(token));
      return { ...field, ...channelOf([...outer, field.channel]) };
    }
  }
  return undefined;
}

/** The parts that are not empty as one channel name; no channel at all without any. */
export function channelOf(parts: readonly (string | undefined)[]): { readonly channel?: string } {
  const channel = parts.filter(Boolean).join('_').slice(0, channelLengthMax);
  return channel === '' ? {} : { channel };
}

/**
 * As it stands, then without the numbers at the end of its names: `gps_1.latitude` is
 * `gps_latitude`.
 */
function findWhole(tokens: readonly string[]): FoundField | undefined {
  const whole = lookUp(tokens.join('_'));
  if (whole !== undefined) return whole;
  const parts = tokens.map(splitNumber);
  const field = lookUp(parts.flatMap(({ word }) => word || []).join('_'));
  if (field === undefined) return undefined;
  return { ...field, ...channelOf([...parts.map(({ number }) => number), field.channel]) };
}

function splitNumber(token: string): { readonly word: string; readonly number: string } {
  const number = /\d{1,3}$/.exec(token)?.[0] ?? '';
  const word = token.slice(0, token.length - number.length).replace(/_$/, '');
  return { word, number };
}

/** The name itself, or the name with its unit at the end: `distance_mm`. */
function lookUp(name: string): FoundField | undefined {
  const field = fieldOf(name);
  if (field !== undefined) return field;
  for (let at = name.indexOf('_'); at > 0; at = name.indexOf('_', at + 1)) {
    const unit = unitSuffixes.get(name.slice(at + 1));
    const bare = unit === undefined ? undefined : fieldOf(name.slice(0, at));
    if (unit !== undefined && bare !== undefined) return { ...bare, unit };
  }
  return undefined;
}

function fieldOf(name: string): FoundField | undefined {
  const field = fieldNames.get(name);
  if (field !== undefined) return { name, ...field };
  return quantityOf(name) === undefined ? undefined : { name, quantity: name };
}
