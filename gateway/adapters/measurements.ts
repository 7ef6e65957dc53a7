/** Turns an object of named values into measurements and the modem's radio state, within limits. */
import type { Measurement, Radio } from '../model/uplink.ts';
import { isObject, type JsonObject } from './document.ts';
import { isPersonalIdentifier, isPersonalText } from './personal.ts';
import { toNumber } from './place.ts';
import { isRadioGroup, type RadioFields, radioFieldOf, readRadio } from './radio.ts';
import { radioTextOf, readRadioText } from './radio-lines.ts';

/** A message with more values is a file transfer, not telemetry. */
export const measurementsMax = 1_000;
export const nameLengthMax = 128;

/**
 * Longer text is a document or a picture: it stays in the ledger, but it is no state of anything.
 */
export const textLengthMax = 256;

/** Keys that are looked at, also those that give no measurement: this runs on the ingest thread. */
export const keysMax = 4 * measurementsMax;

/** What one message holds, filled while it is read. */
export interface Collection {
  readonly measurements: Measurement[];
  readonly radioFields: RadioFields;
  keysSeen: number;
  complaint?: { readonly name: string; readonly expected: string };
}

export function createCollection(): Collection {
  return { measurements: [], radioFields: new Map(), keysSeen: 0 };
}

export function radioOf(collection: Collection): Radio | undefined {
  return readRadio(collection.radioFields);
}

/**
 * Reads every value below `values`, named by its path with dots. Personal identifiers of the
 * subscriber are left out, and radio fields at the top or in a group for them become the radio.
 */
export function readValues(
  values: JsonObject,
  time: number | undefined,
  collection: Collection,
): void {
  const top = { prefix: '', time, isRadioGroup: true, isInArray: false };
  readGroup(values, top, collection);
}

interface Group {
  readonly prefix: string;
  readonly time: number | undefined;
  readonly isRadioGroup: boolean;
  /** Cells in an array are neighbours: none of them is the cell that serves. */
  readonly isInArray: boolean;
}

function readGroup(values: JsonObject, group: Group, collection: Collection): void {
  const keys = Object.keys(values);
  collection.keysSeen += keys.length;
  if (collection.keysSeen > keysMax) {
    collection.complaint = { name: 'the body', expected: `within ${keysMax} keys` };
  }
  for (const key of keys) {
    if (collection.complaint !== undefined) return;
    if (key.length > nameLengthMax) refuseName(key, collection);
    else if (!isPersonalIdentifier(key)) readKey(key, values[key], group, collection);
  }
}

function readKey(key: string, value: unknown, group: Group, collection: Collection): void {
  const radioField = group.isRadioGroup ? radioFieldOf(key, value) : undefined;
  if (radioField !== undefined) {
    collection.radioFields.set(radioField, value);
    return;
  }
  const answer = group.isInArray ? undefined : radioTextOf(key, value);
  if (answer !== undefined) readRadioText(answer, collection.radioFields);
  else readValue(key, value, group, collection);
}

/** Documents nest no deeper than document.ts allows, so the recursion ends. */
function readValue(key: string, value: unknown, group: Group, collection: Collection): void {
  const name = group.prefix === '' ? key : `${group.prefix}.${key}`;
  if (isObject(value)) {
    const isRadio = !group.isInArray && isRadioGroup(key, value);
    readGroup(value, { ...group, prefix: name, isRadioGroup: isRadio }, collection);
  } else if (Array.isArray(value)) {
    const inside = { ...group, prefix: name, isRadioGroup: false, isInArray: true };
    readGroup({ ...value.slice(0, keysMax + 1) }, inside, collection);
  } else {
    const plain = plainValue(value);
    if (plain === undefined) return;
    const { time } = group;
    add(time === undefined ? { name, value: plain } : { name, value: plain, time }, collection);
  }
}

/** Adds one measurement, or notes why the message goes beyond its limits. */
export function add(measurement: Measurement, collection: Collection): void {
  const { name } = measurement;
  if (name.length > nameLengthMax) {
    refuseName(name, collection);
  } else if (collection.measurements.length >= measurementsMax) {
    collection.complaint = { name: 'the body', expected: `within ${measurementsMax} values` };
  } else {
    collection.measurements.push(measurement);
  }
}

function refuseName(name: string, collection: Collection): void {
  const shown = `${name.slice(0, 20)}…`;
  collection.complaint = { name: shown, expected: `a name of up to ${nameLengthMax} characters` };
}

const quotedNumber = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/;

/** Many modems quote their numbers. Text with a leading zero is an identifier and stays text. */
export function plainValue(value: unknown): number | string | boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return toNumber(value);
  if (typeof value !== 'string' || value === '' || value.length > textLengthMax) return undefined;
  if (isPersonalText(value)) return undefined;
  return quotedNumber.test(value) ? Number(value) : value;
}
