/**
 * google.protobuf.Struct, the form in which ChirpStack writes a decoded object, as plain values.
 */
import { nestingDepthMax } from '../document.ts';
import type { WireReader } from './wire-reader.ts';

type Fields = Record<string, unknown>;

export function readStruct(reader: WireReader, name: string): Fields {
  return readFields(reader, name, 1);
}

function readFields(reader: WireReader, name: string, depth: number): Fields {
  const fields: Fields = {};
  if (depth > nestingDepthMax) {
    reader.complain(name, `within ${nestingDepthMax} levels`);
    return fields;
  }
  const outer = reader.enter(name);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) readEntry(reader, { name, depth }, fields);
    else reader.skip();
  }
  reader.leave(outer);
  return fields;
}

interface Inside {
  readonly name: string;
  readonly depth: number;
}

function readEntry(reader: WireReader, inside: Inside, fields: Fields): void {
  let key = '';
  let value: unknown = null;
  const outer = reader.enter(inside.name);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.text(inside.name);
    else if (field === 2) value = readValue(reader, inside);
    else reader.skip();
  }
  reader.leave(outer);
  if (!mayTouchPrototype(key, value)) fields[key] = value;
}

/** The keys that document.ts takes out of JSON. */
function mayTouchPrototype(key: string, value: unknown): boolean {
  return key === '__proto__' || (key === 'constructor' && typeof value === 'object');
}

/** Of a `oneof`, the last one written counts; none at all is null. */
function readValue(reader: WireReader, { name, depth }: Inside): unknown {
  let value: unknown = null;
  const outer = reader.enter(name);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) value = readNumber(reader, name);
    else if (field === 3) value = reader.text(name);
    else if (field === 4) value = reader.flag(name);
    else if (field === 5) value = readFields(reader, name, depth + 1);
    else if (field === 6) value = readList(reader, { name, depth: depth + 1 });
    else {
      value = null;
      reader.skip();
    }
  }
  reader.leave(outer);
  return value;
}

/** JSON knows neither NaN nor infinity. */
function readNumber(reader: WireReader, name: string): number | null {
  const number = reader.double(name);
  return Number.isFinite(number) ? number : null;
}

function readList(reader: WireReader, inside: Inside): unknown[] {
  const values: unknown[] = [];
  if (inside.depth > nestingDepthMax) {
    reader.complain(inside.name, `within ${nestingDepthMax} levels`);
    return values;
  }
  const outer = reader.enter(inside.name);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) values.push(readValue(reader, inside));
    else reader.skip();
  }
  reader.leave(outer);
  return values;
}
