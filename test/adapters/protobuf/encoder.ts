/**
 * Writes JSON messages as protobuf, by the field numbers of the published definitions and with a
 * writer that shares nothing with the reader under test.
 */
import { PbfWriter } from 'pbf';

type Write = (writer: PbfWriter, field: number, value: unknown) => void;

/** Field numbers and types of one message, by the names that its JSON form has. */
export interface Schema {
  readonly [name: string]: readonly [field: number, write: Write];
}

export const text: Write = (writer, field, value) => writer.writeStringField(field, String(value));
export const integer: Write = (writer, field, value) =>
  writer.writeVarintField(field, Number(value));
export const flag: Write = (writer, field, value) =>
  writer.writeBooleanField(field, value === true);
export const float: Write = (writer, field, value) => writer.writeFloatField(field, Number(value));
export const double: Write = (writer, field, value) =>
  writer.writeDoubleField(field, Number(value));
export const base64: Write = (writer, field, value) =>
  writer.writeBytesField(field, Buffer.from(String(value), 'base64'));

/** A name of an enumeration as its number. */
export function oneOf(...names: readonly string[]): Write {
  return (writer, field, value) => writer.writeVarintField(field, names.indexOf(String(value)));
}

export function message(schema: Schema): Write {
  return (writer, field, value) => writer.writeBytesField(field, encode(value, schema));
}

export function fullMessage(schema: Schema): Write {
  return (writer, field, value) => writer.writeBytesField(field, encodeAll(value, schema));
}

export function list(write: Write): Write {
  return (writer, field, value) => {
    if (!Array.isArray(value)) throw new Error('not a list');
    for (const element of value) write(writer, field, element);
  };
}

/** `map<string, …>`: an entry for each key. */
export function mapOf(write: Write): Write {
  return (writer, field, value) => {
    for (const [key, inner] of entriesOf(value)) {
      const entry = new PbfWriter();
      entry.writeStringField(1, key);
      write(entry, 2, inner);
      writer.writeBytesField(field, entry.finish());
    }
  };
}

/** `map<uint32, uint32>` */
export const counts: Write = (writer, field, value) => {
  for (const [key, count] of entriesOf(value)) {
    const entry = new PbfWriter();
    entry.writeVarintField(1, Number(key));
    entry.writeVarintField(2, Number(count));
    writer.writeBytesField(field, entry.finish());
  }
};

const anyValue: Write = (writer, field, value) =>
  writer.writeBytesField(field, writtenValue(value));

/** google.protobuf.Value */
function writtenValue(value: unknown): Uint8Array {
  const writer = new PbfWriter();
  if (typeof value === 'number') writer.writeDoubleField(2, value);
  else if (typeof value === 'string') writer.writeStringField(3, value);
  else if (typeof value === 'boolean') writer.writeBooleanField(4, value);
  else if (Array.isArray(value)) {
    const inner = new PbfWriter();
    for (const element of value) anyValue(inner, 1, element);
    writer.writeBytesField(6, inner.finish());
  } else if (value === null) writer.writeVarintField(1, 0);
  else writer.writeBytesField(5, structOf(value));
  return writer.finish();
}

function structOf(value: unknown): Uint8Array {
  const writer = new PbfWriter();
  mapOf(anyValue)(writer, 1, value);
  return writer.finish();
}

export const struct: Write = (writer, field, value) =>
  writer.writeBytesField(field, structOf(value));

/** google.protobuf.Timestamp of RFC 3339 text, with all its digits. */
export const timestamp: Write = (writer, field, value) => {
  const inner = new PbfWriter();
  inner.writeVarintField(1, Math.floor(Date.parse(String(value)) / 1_000));
  const fraction = /\.(\d+)/.exec(String(value))?.[1] ?? '';
  inner.writeVarintField(2, Number(fraction.padEnd(9, '0').slice(0, 9)));
  writer.writeBytesField(field, inner.finish());
};

/** In the order of the field numbers, and without default values, as protobuf 3 encoders write. */
export function encode(value: unknown, schema: Schema): Buffer {
  const set = entriesOf(value).filter(([, inner]) => !isDefault(inner));
  return encodeAll(Object.fromEntries(set), schema);
}

/** With default values, as protobuf 2 encoders write what has been set. */
export function encodeAll(value: unknown, schema: Schema): Buffer {
  const writer = new PbfWriter();
  const fields = entriesOf(value).map(([name, inner]) => {
    const entry = schema[name];
    if (entry === undefined) throw new Error(`no field ${name}`);
    return { inner, field: entry[0], write: entry[1] };
  });
  for (const { inner, field, write } of fields.sort((one, other) => one.field - other.field)) {
    write(writer, field, inner);
  }
  return Buffer.from(writer.finish());
}

function isDefault(value: unknown): boolean {
  return value === 0 || value === '' || value === false || value === null;
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return Object.entries(value);
}
