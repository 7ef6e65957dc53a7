/**
 * Resolved SenML records as measurements of one device: short names, the sender's units and times.
 */
import type { Measurement } from '../model/uplink.ts';
import { type ResourceName, resourceNames } from './lwm2m-names.ts';
import { add, type Collection, textLengthMax } from './measurements.ts';
import { isPersonalIdentifier, isPersonalText } from './personal.ts';
import type { Draft } from './place.ts';
import type { ResolvedRecord } from './senml.ts';

/** A record that is named after its device alone is told by its unit [RFC 8428]. */
const namesByUnit = new Map<string, string>(
  Object.entries({
    Cel: 'temperature',
    '%RH': 'humidity',
    lat: 'latitude',
    lon: 'longitude',
    '%EL': 'battery_level',
    V: 'voltage',
    A: 'current',
    W: 'power',
    Pa: 'pressure',
    lx: 'illuminance',
    m: 'distance',
  }),
);

/** The device's own URN in front of a name says nothing: the topic names the device. */
const deviceUrn = /^urn:(?:dev:(?:ow|mac):[0-9a-f]+|(?:gsma:)?imei:[0-9-]+)[:/_.]?/i;

export function collectRecords(records: readonly ResolvedRecord[], collection: Collection): void {
  const hasOneBase = records.every(({ baseName }) => baseName === records[0]?.baseName);
  const resourceOf = resourceNames(records);
  for (const record of records) {
    if (collection.complaint !== undefined) return;
    const resource = resourceOf(record);
    if (resource === null) continue;
    if (resource !== undefined) {
      collectRecord(unitOf(record, resource), resource, collection);
      continue;
    }
    const name = nameOf(record);
    if (isPersonalIdentifier(name)) continue;
    const channel = hasOneBase || isPersonalText(record.baseName) ? '' : channelOf(record);
    collectRecord(record, { name, channel }, collection);
  }
}

function unitOf(record: ResolvedRecord, { unit }: ResourceName): ResolvedRecord {
  return unit === undefined ? record : { ...record, unit };
}

function channelOf({ baseName }: ResolvedRecord): string {
  return baseName.replace(/[:/_.-]+$/, '');
}

/** A value and a sum over time are two measurements; the sum's unit is the unit times seconds. */
function collectRecord(
  { value, sum, unit, time }: ResolvedRecord,
  { name, channel }: Pick<Found, 'name' | 'channel'>,
  collection: Collection,
): void {
  if (value !== undefined && isKept(value)) {
    add(measurementOf({ name, value, unit, time, channel }), collection);
  }
  if (sum === undefined) return;
  const sumUnit = unit === undefined ? undefined : `${unit}.s`;
  add(measurementOf({ name: `${name}.sum`, value: sum, unit: sumUnit, time, channel }), collection);
}

function isKept(value: number | string | boolean): boolean {
  return typeof value !== 'string' || (value.length <= textLengthMax && !isPersonalText(value));
}

interface Found {
  readonly name: string;
  readonly value: number | string | boolean;
  readonly unit: string | undefined;
  readonly time: number;
  /** Empty for none. */
  readonly channel: string;
}

/** Field by field: this runs for every record, and spreading objects costs more. */
function measurementOf({ name, value, unit, time, channel }: Found): Measurement {
  const measurement: Draft<Measurement> = { name, value, time };
  if (unit !== undefined) measurement.unit = unit;
  if (channel !== '') measurement.channel = channel;
  return measurement;
}

/** Several base names give equal names below them, so they become channels; see collectRecords. */
function nameOf({ name, baseName, unit }: ResolvedRecord): string {
  const own = name.slice(baseName.length);
  const short = own.startsWith('u') || own.startsWith('U') ? own.replace(deviceUrn, '') : own;
  if (short !== '') return short;
  return unit === undefined ? 'value' : (namesByUnit.get(unit) ?? unit);
}
