/** WebAssembly programs as bytes: sections, LEB128 numbers, lists [WebAssembly Core 1.0, §5]. */
import assert from 'node:assert/strict';

export interface Section {
  readonly id: number;
  readonly bytes: Uint8Array;
}

export interface WasmReader {
  isAtEnd(): boolean;
  byte(): number;
  /** An unsigned number of up to 32 bits. */
  unsigned(): number;
  /** A signed number of up to 32 bits. */
  signed(): number;
  bytes(length: number): Uint8Array;
  /** Where the reader is. */
  at(): number;
  /** What has been read since it was there. */
  since(at: number): Uint8Array;
}

const headBytes = 8;
const magic = Buffer.from('0061736d01000000', 'hex');

export function readSections(wasm: Uint8Array): Section[] {
  assert.ok(magic.equals(wasm.subarray(0, headBytes)), 'no WebAssembly program of version 1');
  const reader = createWasmReader(wasm.subarray(headBytes));
  const sections: Section[] = [];
  while (!reader.isAtEnd()) {
    const id = reader.byte();
    sections.push({ id, bytes: reader.bytes(reader.unsigned()) });
  }
  return sections;
}

export function writeSections(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const parts = sections.flatMap(({ id, bytes }) => [
    Uint8Array.from([id, ...unsigned(bytes.length)]),
    bytes,
  ]);
  return Uint8Array.from(Buffer.concat([magic, ...parts]));
}

export function createWasmReader(bytes: Uint8Array): WasmReader {
  let at = 0;

  function byte(): number {
    const value = bytes[at];
    assert.ok(value !== undefined, 'the program ends too early');
    at += 1;
    return value;
  }

  /** Of up to 64 bits, of which only the lower 32 are kept. */
  function number(isSigned: boolean): number {
    let value = 0;
    let shift = 0;
    let last = 0;
    do {
      last = byte();
      if (shift < 32) value |= (last & 0x7f) << shift;
      shift += 7;
    } while (last >= 0x80);
    const isNegative = isSigned && (last & 0x40) !== 0 && shift < 32;
    return isNegative ? value | (-1 << shift) : value;
  }

  return {
    isAtEnd: () => at >= bytes.length,
    byte,
    unsigned: () => number(false) >>> 0,
    signed: () => number(true),
    bytes(length) {
      at += length;
      assert.ok(at <= bytes.length, 'the program ends too early');
      return bytes.subarray(at - length, at);
    },
    at: () => at,
    since: (start) => bytes.subarray(start, at),
  };
}

export function readList<Item>(bytes: Uint8Array, read: (reader: WasmReader) => Item): Item[] {
  const reader = createWasmReader(bytes);
  return Array.from({ length: reader.unsigned() }, () => read(reader));
}

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = rest === ((low & 0x40) === 0 ? 0 : -1);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}
