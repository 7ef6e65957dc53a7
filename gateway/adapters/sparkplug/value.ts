/** What the value of a metric means, by its data type (the enumeration of sparkplug_b.proto). */
import type { WireValue } from './payload.ts';

const int8 = 1;
const int16 = 2;
const int32 = 3;
const int64 = 4;
const uint8 = 5;
const uint16 = 6;
const uint32 = 7;
const uint64 = 8;
const boolean = 11;
const dateTime = 13;

export type Plain = number | string | boolean;

/** The last millisecond that RFC 3339 can write. */
const timeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * True for an integer without its type: as unsigned, -1 would be 4,294,967,295. Floats, flags and
 * texts tell on the wire what they are.
 */
export function needsType(value: WireValue, dataType: number): boolean {
  return value.kind === 'integer' && dataType === 0;
}

/** Undefined for what is no single value, or none at all. */
export function plainValue(value: WireValue, dataType: number): Plain | undefined {
  switch (value.kind) {
    case 'integer':
      return readInteger(value.unsigned, value.signed, dataType);
    case 'number':
      return Number.isFinite(value.number) ? value.number : undefined;
    case 'flag':
      return value.flag;
    case 'text':
      return value.text;
    case 'compound':
      return undefined;
  }
}

/**
 * Negative numbers come as two's complement in unsigned fields, of 16, 32 or 64 bits for the same
 * type, depending on the sender: only the bits of the type count.
 */
function readInteger(unsigned: number, signed: number, dataType: number): Plain | undefined {
  switch (dataType) {
    case int8:
      return (signed << 24) >> 24;
    case int16:
      return (signed << 16) >> 16;
    case int32:
      return signed | 0;
    case int64:
      return signed;
    case uint8:
      return signed & 0xff;
    case uint16:
      return signed & 0xffff;
    case uint32:
      return signed >>> 0;
    case uint64:
      return unsigned;
    case boolean:
      return unsigned !== 0;
    case dateTime:
      return unsigned <= timeMax ? new Date(unsigned).toISOString() : undefined;
    default:
      return undefined;
  }
}
