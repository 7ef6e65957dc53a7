/** A program that marks what it writes: by programs of a few instructions, run for real. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createWasmReader, signed, unsigned } from '../../gateway/codecs/wasm-bytes.ts';
import { blockBytes, markWrites } from '../../gateway/codecs/write-marks.ts';

const stackTop = 5_242_880;
const pages = 96;
const blocks = (pages * 65_536) / blockBytes;

const i32 = 0x7f;
const end = 0x0b;
const section = (id: number, content: readonly number[]) => [
  ...[id, ...unsigned(content.length)],
  ...content,
];
const name = (text: string) => [text.length, ...Buffer.from(text)];

/** A function `run` of so many 32-bit numbers, with a memory from outside and a stack pointer. */
function program(parameters: number, instructions: readonly number[]): Buffer {
  const body = [1, 1, i32, ...instructions, end];
  return Buffer.from([
    ...Buffer.from('0061736d01000000', 'hex'),
    ...section(1, [1, 0x60, parameters, ...new Array<number>(parameters).fill(i32), 0]),
    ...section(2, [1, ...name('m'), ...name('m'), 2, 1, ...unsigned(pages), ...unsigned(pages)]),
    ...section(3, [1, 0]),
    ...section(6, [1, i32, 1, 0x41, ...signed(stackTop), end]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** Runs it with marks, and without: the memory of both, and the numbers of the marked blocks. */
function run(wasm: Buffer, ...values: readonly number[]) {
  const marking = markWrites(wasm);
  const memories = [wasm, marking.wasm].map((bytes) => {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      m: { m: memory },
    });
    exports['run']?.(...values);
    return Buffer.from(memory.buffer);
  });
  const [plain = Buffer.alloc(0), marked = Buffer.alloc(0)] = memories;
  const table = marked.subarray(marking.marksAt, marking.marksAt + blocks);
  const found = [...table.entries()].flatMap(([block, mark]) => (mark === 1 ? block : []));
  table.fill(0);
  return { isSame: plain.equals(marked), found };
}

const get = (local: number) => [0x20, local];
const blocksOf = (at: number, bytes: number) => {
  const [first, last] = [Math.floor(at / blockBytes), Math.floor((at + bytes - 1) / blockBytes)];
  return bytes === 0 ? [] : Array.from({ length: last - first + 1 }, (_, place) => first + place);
};

/** Value instructions that make another type of a 32-bit number. */
const toI64 = 0xac;
const toF32 = 0xb2;
const toF64 = 0xb7;
const stores = [
  { opcode: 0x36, convert: [], bytes: 4, words: 'i32.store' },
  { opcode: 0x37, convert: [toI64], bytes: 8, words: 'i64.store' },
  { opcode: 0x38, convert: [toF32], bytes: 4, words: 'f32.store' },
  { opcode: 0x39, convert: [toF64], bytes: 8, words: 'f64.store' },
  { opcode: 0x3a, convert: [], bytes: 1, words: 'i32.store8' },
  { opcode: 0x3b, convert: [], bytes: 2, words: 'i32.store16' },
  { opcode: 0x3c, convert: [toI64], bytes: 1, words: 'i64.store8' },
  { opcode: 0x3d, convert: [toI64], bytes: 2, words: 'i64.store16' },
  { opcode: 0x3e, convert: [toI64], bytes: 4, words: 'i64.store32' },
] as const;

describe('A program that marks what it writes', () => {
  it.each(stores)('marks the block, or both, of $words', ({ opcode, convert, bytes }) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(100_000),
          fc.nat(200).map((block) => (block + 1) * blockBytes - 3),
        ),
        fc.constantFrom(0, 1, 505, 70_000),
        (at, offset) => {
          const wasm = program(2, [
            ...get(0),
            ...get(1),
            ...convert,
            opcode,
            0,
            ...unsigned(offset),
          ]);
          const written = blocksOf(at + offset, bytes);
          const { isSame, found } = run(wasm, at, 77);
          expect({ isSame, found }).toEqual({ isSame: true, found: [...new Set(written)] });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('marks one block of a store whose address is aligned', () => {
    const wasm = program(2, [...get(0), ...get(1), 0x36, 2, 4]);
    expect(run(wasm, blockBytes - 8, 5)).toEqual({ isSame: true, found: [0] });
    expect(run(wasm, blockBytes - 4, 5)).toEqual({ isSame: true, found: [1] });
  });

  it.each([
    { words: 'memory.fill', instructions: [0xfc, 11, 0], source: 200 },
    { words: 'memory.copy', instructions: [0xfc, 10, 0, 0], source: 3_000_000 },
  ])('marks every block of $words', ({ instructions, source }) => {
    const wasm = program(3, [...get(0), ...get(1), ...get(2), ...instructions]);
    fc.assert(
      fc.property(fc.nat(50_000), fc.integer({ min: 1, max: 5_000 }), (at, length) => {
        const { isSame, found } = run(wasm, at, source, length);
        expect({ isSame, found }).toEqual({ isSame: true, found: blocksOf(at, length) });
      }),
      { numRuns: 25 },
    );
  });

  it('marks nothing beyond its own block for a fill of nothing', () => {
    const wasm = program(3, [...get(0), ...get(1), ...get(2), 0xfc, 11, 0]);
    expect(run(wasm, 5 * blockBytes, 1, 0)).toEqual({ isSame: true, found: [] });
  });

  it('marks a store in a loop, and does not lose the way in nested blocks', () => {
    const { loop, instructions } = { loop: 0x03, instructions: { brIf: 0x0d, sub: 0x6b } };
    const countDown = [...get(1), 0x41, 1, instructions.sub, 0x22, 1, instructions.brIf, 0];
    const step = [...get(0), ...get(1), 0x41, ...signed(blockBytes), 0x6c, 0x6a];
    const wasm = program(2, [loop, 0x40, ...step, ...get(1), 0x3a, 0, 0, ...countDown, end]);
    expect(run(wasm, 100, 4)).toEqual({ isSame: true, found: [1, 2, 3, 4] });
  });

  it('leaves a function that writes nothing as it is', () => {
    const wasm = program(1, [...get(0), 0x1a]);
    expect(Buffer.from(markWrites(wasm).wasm).equals(wasm)).toBe(true);
  });

  it.each([
    ['a vector instruction', program(0, [0xfd, 12, ...new Array<number>(16).fill(0), 0x1a])],
    ['memory.init', program(0, [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 0, 0])],
    ['a file that is no program', Buffer.from('<html></html>')],
    [
      'a program that ends too early',
      program(2, [...get(0), ...get(1), 0x36, 2, 4]).subarray(0, -3),
    ],
  ])('refuses %s', (_, wasm) => {
    expect(() => markWrites(wasm)).toThrow();
  });
});

describe('Numbers of a program', () => {
  it('are read as they were written [WebAssembly Core 1.0, §5.2.2]', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(0xffff_ffff), (number, natural) => {
        expect(createWasmReader(Buffer.from(signed(number))).signed()).toBe(number);
        expect(createWasmReader(Buffer.from(unsigned(natural))).unsigned()).toBe(natural);
      }),
    );
  });
});
