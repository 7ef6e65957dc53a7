/** SenML packs in JSON [RFC 8428]: base values are applied, so that every record stands alone. */
import { decodeBase64 } from './base64.ts';
import { isObject, type Place } from './document.ts';
import { complain, type Draft, readFlag, readNumber, readText } from './place.ts';

/** The version that RFC 8428 defines; a pack with a newer one must not be used [RFC 8428]. */
const versionMax = 10;
/** Times below this are seconds relative to now [RFC 8428]. */
const absoluteTimeMin = 2 ** 28;
export const recordsMax = 1_000;

/** One record with all base values applied. It has a value, a sum or both. */
export interface ResolvedRecord {
  /** Base name and name together, of the RFC's characters. */
  readonly name: string;
  /** How much of `name` is the base name. */
  readonly baseName: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly unit?: string;
  /** Data values stay text in base64. */
  readonly value?: number | string | boolean;
  readonly sum?: number;
}

interface Base {
  name: string;
  time: number;
  unit: string | undefined;
  value: number | undefined;
  sum: number | undefined;
  version: number | undefined;
}

/**
 * The records in the order of the pack; `now` is epoch milliseconds. What is wrong with the pack is
 * noted in `complaints`, and then the records are not to be used.
 */
export function resolve(
  pack: readonly unknown[],
  { now, complaints }: { readonly now: number; readonly complaints: string[] },
): readonly ResolvedRecord[] {
  const base: Base = {
    name: '',
    time: 0,
    unit: undefined,
    value: undefined,
    sum: undefined,
    version: undefined,
  };
  const records: ResolvedRecord[] = [];
  if (pack.length > recordsMax) complaints.push(`the pack has more than ${recordsMax} records`);
  for (let index = 0; index < pack.length && complaints.length === 0; index += 1) {
    const object = pack[index];
    if (!isObject(object)) {
      complaints.push(`record ${index} is not an object`);
      break;
    }
    const place = { object, path: `[${index}]`, complaints };
    checkFields(place);
    applyBase(place, base);
    const record = resolveRecord(place, base, now);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/**
 * A field that ends in "_" must be understood or the pack refused; other unknown ones are ignored.
 */
function checkFields(place: Place): void {
  for (const key of Object.keys(place.object)) {
    if (key.endsWith('_')) complain(place, key.slice(0, 32), 'a field that is understood here');
  }
}

function applyBase(place: Place, base: Base): void {
  base.name = readText(place, 'bn') ?? base.name;
  base.time = readNumber(place, 'bt') ?? base.time;
  base.unit = readText(place, 'bu') ?? base.unit;
  base.value = readNumber(place, 'bv') ?? base.value;
  base.sum = readNumber(place, 'bs') ?? base.sum;
  const version = readNumber(place, 'bver');
  if (version === undefined) return;
  if (!Number.isInteger(version) || version < 1 || version > versionMax) {
    complain(place, 'bver', `a version up to ${versionMax}`);
  } else if (base.version !== undefined && base.version !== version) {
    complain(place, 'bver', 'the version of the first record');
  }
  base.version = version;
}

/**
 * The set of characters that a resolved name may have [RFC 8428, 4.5.1]. It must not begin with a
 * slash; LwM2M lets its paths do so all the same [OMA LwM2M Core 1.1, 7.4.4].
 */
const resolvedName = /^(?:\/(?=\d))?[A-Za-z0-9][A-Za-z0-9\-:./_]*$/;
const nameLengthMax = 256;

/** Undefined for a record that only sets base values. */
function resolveRecord(place: Place, base: Base, now: number): ResolvedRecord | undefined {
  const own = readText(place, 'n') ?? '';
  const value = readValue(place, base);
  const sum = readNumber(place, 's');
  if (value === undefined && sum === undefined) {
    if (['n', 'u', 't', 'ut'].some((key) => Object.hasOwn(place.object, key))) {
      complain(place, 'v', 'there, nor any other value');
    }
    return undefined;
  }
  const name = base.name + own;
  if (name.length > nameLengthMax || !resolvedName.test(name)) {
    return complain(place, 'n', 'a name of the characters that RFC 8428 allows');
  }
  const unit = readText(place, 'u') ?? base.unit;
  const total =
    sum === undefined && base.sum === undefined ? undefined : (sum ?? 0) + (base.sum ?? 0);
  const time = resolveTime(base.time + (readNumber(place, 't') ?? 0), now);
  // Field by field: this runs for every record, and spreading objects costs more.
  const record: Draft<ResolvedRecord> = { name, baseName: base.name, time };
  if (unit !== undefined) record.unit = unit;
  if (value !== undefined) record.value = value;
  if (total !== undefined) record.sum = total;
  return record;
}

/** Seconds to epoch milliseconds. */
function resolveTime(seconds: number, now: number): number {
  const offset = Math.round(seconds * 1_000);
  return seconds < absoluteTimeMin ? now + offset : offset;
}

/**
 * One value at most. A base value alone counts as the value of a record that is more than base
 * fields.
 */
function readValue(place: Place, base: Base): number | string | boolean | undefined {
  switch (valueKeyOf(place)) {
    case 'several':
      return complain(place, 'v', 'its only value');
    case 'v':
      return withBase(readNumber(place, 'v'), base.value);
    case 'vs':
      return readText(place, 'vs');
    case 'vb':
      return readFlag(place, 'vb');
    case 'vd':
      return readData(place);
    default:
      return isMeasurement(place) ? base.value : undefined;
  }
}

const valueKeys = ['v', 'vs', 'vb', 'vd'] as const;

function valueKeyOf({ object }: Place): (typeof valueKeys)[number] | 'several' | undefined {
  let found: (typeof valueKeys)[number] | undefined;
  for (const key of valueKeys) {
    if (!Object.hasOwn(object, key)) continue;
    if (found !== undefined) return 'several';
    found = key;
  }
  return found;
}

function isMeasurement({ object }: Place): boolean {
  return !Object.hasOwn(object, 's') && ['n', 'u', 't'].some((key) => Object.hasOwn(object, key));
}

function withBase(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined ? undefined : value + (base ?? 0);
}

function readData(place: Place): string | undefined {
  const text = readText(place, 'vd');
  if (text !== undefined && decodeBase64(text) !== undefined) return text;
  return complain(place, 'vd', 'base64');
}
