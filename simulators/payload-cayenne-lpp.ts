/**
 * Encodes Cayenne LPP (channel, type, big-endian value), with the types of its extended list
 * that towns use. Format: the CayenneLPP library of ElectronicCats and the codec of ChirpStack.
 */
import assert from 'node:assert/strict';

/** Type number, bytes, and how many units one of the quantity makes. */
const fields = {
  digitalInput: { type: 0, length: 1, perUnit: 1, signed: false },
  analogInput: { type: 2, length: 2, perUnit: 100, signed: true },
  illuminance: { type: 101, length: 2, perUnit: 1, signed: false },
  presence: { type: 102, length: 1, perUnit: 1, signed: false },
  /** Cel */
  temperature: { type: 103, length: 2, perUnit: 10, signed: true },
  /** %, in halves */
  humidity: { type: 104, length: 1, perUnit: 2, signed: false },
  /** hPa */
  pressure: { type: 115, length: 2, perUnit: 10, signed: false },
  /** V */
  voltage: { type: 116, length: 2, perUnit: 100, signed: false },
  /** A */
  current: { type: 117, length: 2, perUnit: 1000, signed: false },
  /** % */
  percentage: { type: 120, length: 1, perUnit: 1, signed: false },
  /** ppm */
  concentration: { type: 125, length: 2, perUnit: 1, signed: false },
  /** W */
  power: { type: 128, length: 2, perUnit: 1, signed: false },
  /** m */
  distance: { type: 130, length: 4, perUnit: 1000, signed: false },
  /** kWh */
  energy: { type: 131, length: 4, perUnit: 1000, signed: false },
} as const;

export type CayenneField = keyof typeof fields;

export interface CayenneValue {
  readonly channel: number;
  readonly field: CayenneField;
  readonly value: number;
}

export function encodeCayenneLpp(values: readonly CayenneValue[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

function encodeValue({ channel, field, value }: CayenneValue): Buffer {
  const { type, length, perUnit, signed } = fields[field];
  const raw = Math.round(value * perUnit);
  assert.ok(signed || raw >= 0, `${field} has no sign`);
  const bytes = Buffer.alloc(2 + length);
  bytes.writeUInt8(channel, 0);
  bytes.writeUInt8(type, 1);
  if (signed) bytes.writeIntBE(raw, 2, length);
  else bytes.writeUIntBE(raw, 2, length);
  return bytes;
}
