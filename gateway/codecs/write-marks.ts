/**
 * Makes a WebAssembly program mark what it writes: after each store, a byte in a table says that
 * the block of memory at its address has changed. Whoever puts memory back then copies what was
 * changed and nothing else, and knows that this is all.
 *
 * The table lies in the program's own memory, in the lower part of its stack, of which a program
 * as this one, whose interpreter limits its recursion, uses a small part.
 */
import assert from 'node:assert/strict';
import {
  createWasmReader,
  readList,
  readSections,
  type Section,
  signed,
  unsigned,
  type WasmReader,
  writeSections,
} from './wasm-bytes.ts';
import {
  type MemoryWrite,
  readInstruction,
  type StoreInstruction,
  type ValueType,
} from './wasm-instructions.ts';

/** Where the marks are: one byte a block, 0 for blocks that nobody has written to. */
export interface MarkLayout {
  readonly marksAt: number;
  /** Where the stack begins, which grows downwards. */
  readonly stackTop: number;
}

export interface MarkingProgram extends MarkLayout {
  readonly wasm: Uint8Array<ArrayBuffer>;
}

export const blockBits = 9;
/** What one mark stands for. A smaller block means less to put back, but more pieces. */
export const blockBytes = 1 << blockBits;
/** What the stack keeps of its 5 MiB: a script gets half of that at most. */
const stackBytes = 2_097_152;

const sectionIds = { type: 1, function: 3, global: 6, code: 10 } as const;
const op = {
  ...{ localGet: 0x20, localSet: 0x21, localTee: 0x22, store8: 0x3a, i32Const: 0x41 },
  ...{ add: 0x6a, subtract: 0x6b, shiftRight: 0x76, prefix: 0xfc, fill: 11 },
} as const;
const typeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
};
const functionType = 0x60;

/** Throws on a program that it does not understand. */
export function markWrites(wasm: Uint8Array): MarkingProgram {
  const sections = readSections(wasm);
  const bytesOf = (id: number) => sections.find((each) => each.id === id)?.bytes ?? Buffer.of(0);
  const stackTop = readStackTop(bytesOf(sectionIds.global));
  const marksAt = stackTop - stackBytes;
  assert.ok(marksAt > 0, 'the stack is too small for the marks');
  const parameterCounts = readList(bytesOf(sectionIds.type), readParameterCount);
  const types = readList(bytesOf(sectionIds.function), (reader) => reader.unsigned());
  const bodies = readList(bytesOf(sectionIds.code), (reader) => reader.bytes(reader.unsigned()));
  const marking = bodies.map((body, place) => {
    const parameters = parameterCounts[types[place] ?? -1] ?? 0;
    const marked = markBody(body, parameters, marksAt);
    return Buffer.concat([Buffer.from(unsigned(marked.length)), marked]);
  });
  const code = Buffer.concat([Buffer.from(unsigned(bodies.length)), ...marking]);
  const all = sections.map(
    (each): Section => (each.id === sectionIds.code ? { ...each, bytes: code } : each),
  );
  return { wasm: writeSections(all), marksAt, stackTop };
}

/** By the convention of its compiler the first global is the stack pointer. */
function readStackTop(globals: Uint8Array): number {
  const reader = createWasmReader(globals);
  assert.ok(reader.unsigned() > 0 && reader.byte() === typeCodes.i32, 'no stack pointer');
  assert.ok(reader.byte() === 1 && reader.byte() === op.i32Const, 'no stack pointer');
  return reader.signed();
}

function readParameterCount(reader: WasmReader): number {
  assert.equal(reader.byte(), functionType);
  const count = reader.unsigned();
  reader.bytes(count);
  reader.bytes(reader.unsigned());
  return count;
}

/** Locals that a function gets in addition, to hold what stands on the stack for a moment. */
interface Spare {
  readonly address: number;
  readonly length: number;
  readonly values: Readonly<Record<ValueType, number>>;
}

const spareTypes = ['i32', 'i32', 'i32', 'i64', 'f32', 'f64'] as const;

function markBody(body: Uint8Array, parameters: number, marksAt: number): Uint8Array {
  const reader = createWasmReader(body);
  const groups = reader.unsigned();
  const groupsAt = reader.at();
  let locals = parameters;
  for (let left = groups; left > 0; left -= 1) {
    locals += reader.unsigned();
    reader.byte();
  }
  const declared = reader.since(groupsAt);
  const spare = spareFrom(locals);
  const parts: Uint8Array[] = [];
  let copiedTo = reader.at();
  while (!reader.isAtEnd()) {
    const at = reader.at();
    const write = readInstruction(reader);
    if (write === undefined) continue;
    const { before, after } = marksOf(write, spare, marksAt);
    parts.push(body.subarray(copiedTo, at), Buffer.from(before), reader.since(at));
    parts.push(Buffer.from(after));
    copiedTo = reader.at();
  }
  if (parts.length === 0) return body;
  const added = spareTypes.flatMap((type) => [1, typeCodes[type]]);
  const head = [Buffer.from(unsigned(groups + spareTypes.length)), declared, Buffer.from(added)];
  return Buffer.concat([...head, ...parts, body.subarray(copiedTo)]);
}

function spareFrom(first: number): Spare {
  const [address, length, i32, i64, f32, f64] = spareTypes.map((_, place) => first + place);
  assert.ok(address !== undefined && length !== undefined && i32 !== undefined);
  assert.ok(i64 !== undefined && f32 !== undefined && f64 !== undefined);
  return { address, length, values: { i32, i64, f32, f64 } };
}

interface Instructions {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function marksOf(write: MemoryWrite, spare: Spare, marksAt: number): Instructions {
  const get = (local: number) => [op.localGet, ...unsigned(local)];
  const set = (local: number) => [op.localSet, ...unsigned(local)];
  const tee = (local: number) => [op.localTee, ...unsigned(local)];
  const { address, length, values } = spare;
  if (write.kind === 'store') {
    const value = values[write.type];
    const before = [...set(value), ...tee(address), ...get(value)];
    return {
      before,
      after: placesOf(write).flatMap((place) => mark(get(address), place, marksAt)),
    };
  }
  const source = values.i32;
  const before = [...set(length), ...set(source), ...tee(address), ...get(source), ...get(length)];
  const start = [...get(address), ...block];
  const end = [...get(address), ...get(length), op.add, ...plus(blockBytes - 1), ...block];
  const tableAt = [...start, ...plus(marksAt)];
  const count = [...end, ...start, op.subtract];
  const after = [...tableAt, ...constant(1), ...count, op.prefix, op.fill, 0];
  return { before, after };
}

/** Relative to the address: where the store begins, and where it ends if it may cross a block. */
function placesOf({ bytes, alignment, offset }: StoreInstruction): number[] {
  return alignment >= bytes ? [offset] : [offset, offset + bytes - 1];
}

function mark(address: readonly number[], place: number, marksAt: number): number[] {
  const blockOf = [...address, ...(place === 0 ? [] : plus(place)), ...block];
  return [...blockOf, ...constant(1), op.store8, 0, ...unsigned(marksAt)];
}

function constant(value: number): number[] {
  return [op.i32Const, ...signed(value)];
}

function plus(value: number): number[] {
  return [...constant(value), op.add];
}

/** The number of the block in which an address lies. */
const block = [...constant(blockBits), op.shiftRight];
