/**
 * Typed readers of one field each. Absent and null are undefined, because senders leave out or
 * null what has its default value. So is what stands for nothing in languages and formats on the
 * way: an empty XML element or template variable is empty text, PHP writes an empty object as [],
 * Lua an empty list as {}. A wrong type is noted once with its path and makes the message a fault.
 */
import { decodeBase64 } from './base64.ts';
import { isObject, type JsonObject, type Place } from './document.ts';
import { parseTimestamp } from './timestamp.ts';

/** Optional fields of an uplink are set one by one while it is read; afterwards it is readonly. */
export type Draft<T> = { -readonly [Field in keyof T]: T[Field] };

/** Longest text that is taken for a number: longer than any double needs. */
const numberTextMax = 40;
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

export function complain(place: Place, key: string, expected: string): undefined {
  if (place.complaints.length === 0) {
    place.complaints.push(`${pathOf(place, key)} is not ${expected}`);
  }
  return undefined;
}

export function readText(place: Place, key: string): string | undefined {
  const value = place.object[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : complain(place, key, 'text');
}

/** A finite number, also from numeric text: several servers quote theirs. */
export function readNumber(place: Place, key: string): number | undefined {
  const value = place.object[key];
  if (value === undefined || value === null || value === '') return undefined;
  return toNumber(value) ?? complain(place, key, 'a number');
}

export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > numberTextMax) return undefined;
  if (!decimal.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** An integer from 0 to `max`, both included. */
export function readCount(place: Place, key: string, max: number): number | undefined {
  const value = place.object[key];
  if (value === undefined || value === null || value === '') return undefined;
  const number = toNumber(value);
  if (number === undefined || !Number.isInteger(number) || number < 0 || number > max) {
    return complain(place, key, `an integer from 0 to ${max}`);
  }
  return number;
}

export function readFlag(place: Place, key: string): boolean | undefined {
  const value = place.object[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'boolean' ? value : complain(place, key, 'true or false');
}

export function readObject(place: Place, key: string): JsonObject | undefined {
  const value = place.object[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return isObject(value) ? value : complain(place, key, 'an object');
}

/** As readObject, to read on inside it. */
export function readPlace(place: Place, key: string): Place | undefined {
  const object = readObject(place, key);
  if (object === undefined) return undefined;
  return { object, path: pathOf(place, key), complaints: place.complaints };
}

export function readArray(place: Place, key: string): readonly unknown[] {
  const value = place.object[key];
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value;
  if (isObject(value) && Object.keys(value).length === 0) return [];
  complain(place, key, 'an array');
  return [];
}

/** The objects of an array, at most `max` of them; what is null in it is passed over. */
export function readPlaces(place: Place, key: string, max: number): Place[] {
  const array = readArray(place, key);
  const places: Place[] = [];
  for (let index = 0; index < array.length && index < max; index += 1) {
    const object = array[index];
    if (isObject(object)) {
      const path = `${pathOf(place, key)}[${index}]`;
      places.push({ object, path, complaints: place.complaints });
    } else if (object !== null) {
      complain(place, `${key}[${index}]`, 'an object');
    }
  }
  return places;
}

/** Bytes from base64; empty text is no bytes. */
export function readBytes(place: Place, key: string): Buffer | undefined {
  const text = readText(place, key);
  if (text === undefined) return undefined;
  return decodeBase64(text) ?? complain(place, key, 'base64');
}

/** RFC 3339 text as epoch milliseconds; empty text is a default value and so absent. */
export function readTime(place: Place, key: string): number | undefined {
  const text = readText(place, key);
  if (text === undefined || text === '') return undefined;
  return parseTimestamp(text) ?? complain(place, key, 'an RFC 3339 time');
}

function pathOf(place: Place, key: string): string {
  return place.path === '' ? key : `${place.path}.${key}`;
}
