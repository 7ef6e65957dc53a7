/**
 * Reads one instruction after the other [WebAssembly Core 2.0, §5.4], to find those that write to
 * memory. Vector, atomic and later instructions are refused: the engine has none.
 */
import assert from 'node:assert/strict';
import type { WasmReader } from './wasm-bytes.ts';

/** What stands on the stack as a store begins: an address, and above it a value of this type. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64';

export type MemoryWrite =
  | StoreInstruction
  /** Address, source or byte, and length stand on the stack. */
  | { readonly kind: 'copy' | 'fill' };

export interface StoreInstruction {
  readonly kind: 'store';
  readonly type: ValueType;
  readonly bytes: number;
  /** Of the address, which is a multiple of it; if less than `bytes`, it may cross blocks. */
  readonly alignment: number;
  readonly offset: number;
}

const stores: Readonly<Record<number, { readonly type: ValueType; readonly bytes: number }>> = {
  54: { type: 'i32', bytes: 4 },
  55: { type: 'i64', bytes: 8 },
  56: { type: 'f32', bytes: 4 },
  57: { type: 'f64', bytes: 8 },
  58: { type: 'i32', bytes: 1 },
  59: { type: 'i32', bytes: 2 },
  60: { type: 'i64', bytes: 1 },
  61: { type: 'i64', bytes: 2 },
  62: { type: 'i64', bytes: 4 },
};

const prefix = 0xfc;
const branchTable = 0x0e;
const typedSelect = 0x1c;
const bulkWrites: Readonly<Record<number, 'copy' | 'fill'>> = { 10: 'copy', 11: 'fill' };
/**
 * How many LEB128 numbers follow an instruction: none, one or two. Pairs are the first and the last
 * of instructions in a row that are alike.
 */
const numbersAfter = [
  ['00-01', '05-05', '0b-0b', '0f-0f', '1a-1b', '45-c4', 'd1-d1'],
  ['02-04', '0c-0d', '10-10', '20-26', '3f-42', 'd0-d0', 'd2-d2'],
  ['11-11', '28-3e'],
] as const;
/** Bytes of a constant. */
const constants: Readonly<Record<number, number>> = { 67: 4, 68: 8 };
/** The same for those behind the prefix, by their second number. */
const prefixed = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1] as const;

const numbersOf = new Map(
  numbersAfter.flatMap((ranges, numbers) =>
    ranges.flatMap(opcodesIn).map((opcode) => [opcode, numbers] as const),
  ),
);

function opcodesIn(range: string): number[] {
  const [first = 0, last = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
  return Array.from({ length: last - first + 1 }, (_, place) => first + place);
}

/** Goes past one instruction; tells of it when it writes to memory. */
export function readInstruction(reader: WasmReader): MemoryWrite | undefined {
  const opcode = reader.byte();
  const store = stores[opcode];
  if (store !== undefined) {
    const alignment = 1 << reader.unsigned();
    return { kind: 'store', ...store, alignment, offset: reader.unsigned() };
  }
  if (opcode === prefix) return readPrefixed(reader);
  if (opcode === branchTable) skip(reader, reader.unsigned() + 1);
  else if (opcode === typedSelect) skip(reader, reader.unsigned());
  else if (constants[opcode] !== undefined) reader.bytes(constants[opcode]);
  else {
    const numbers = numbersOf.get(opcode);
    assert.ok(numbers !== undefined, `an instruction that is not known: ${opcode}`);
    skip(reader, numbers);
  }
  return undefined;
}

function readPrefixed(reader: WasmReader): MemoryWrite | undefined {
  const second = reader.unsigned();
  const numbers = prefixed[second];
  assert.ok(numbers !== undefined, `an instruction that is not known: ${prefix} ${second}`);
  skip(reader, numbers);
  const kind = bulkWrites[second];
  assert.ok(kind !== undefined || second !== 8, 'memory is written by an instruction of its own');
  return kind && { kind };
}

function skip(reader: WasmReader, numbers: number): void {
  for (let left = numbers; left > 0; left -= 1) reader.unsigned();
}
