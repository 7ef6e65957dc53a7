/**
 * Copies marked blocks within one WebAssembly memory and takes their marks away, by a program of
 * its own [WebAssembly Core 2.0, §5; `memory.copy`]: a call of JavaScript for each of some fifty
 * blocks takes longer than the codec between.
 */
import { signed, unsigned, writeSections } from './wasm-bytes.ts';
import { blockBits, blockBytes } from './write-marks.ts';

/** Blocks by number, from `first` to before `end`; each comes from `shift` bytes further on. */
export type BlockCopier = (first: number, end: number, shift: number) => void;

const i32 = 0x7f;
const sectionIds = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
/** Structured instructions without a result. */
const open = { block: [0x02, 0x40], loop: [0x03, 0x40], if: [0x04, 0x40] } as const;
const end = 0x0b;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];
const constant = (value: number) => [0x41, ...signed(value)];
const [load64, load8, store8] = [0x29, 0x2d, 0x3a];
const [notBelow, isZero64, add, shiftLeft] = [0x4f, 0x50, 0x6a, 0x74];
const copyMemory = [0xfc, 10, 0, 0];
/** Marks looked at together, where none is set. */
const marksPerLook = 8;

/** For a memory of exactly `pages` pages with its marks at `marksAt`; see write-marks.ts. */
export function createBlockCopier(memory: WebAssembly.Memory, marksAt: number): BlockCopier {
  const pages = memory.buffer.byteLength / 65_536;
  const module = new WebAssembly.Module(programOf(pages, marksAt));
  const { copy } = new WebAssembly.Instance(module, { host: { memory } }).exports;
  return (first, last, shift) => void copy?.(first, last, shift);
}

function programOf(pages: number, marksAt: number): Uint8Array {
  const limits = [1, ...unsigned(pages), ...unsigned(pages)];
  const parameters = [3, i32, i32, i32];
  const code = [...[1, 1, i32], ...bodyOf(marksAt), end];
  return writeSections([
    { id: sectionIds.type, bytes: Uint8Array.from([1, 0x60, ...parameters, 0]) },
    {
      id: sectionIds.import,
      bytes: Uint8Array.from([1, ...text('host'), ...text('memory'), 2, ...limits]),
    },
    { id: sectionIds.function, bytes: Uint8Array.from([1, 0]) },
    { id: sectionIds.export, bytes: Uint8Array.from([1, ...text('copy'), 0, 0]) },
    { id: sectionIds.code, bytes: Uint8Array.from([1, ...unsigned(code.length), ...code]) },
  ]);
}

function bodyOf(marksAt: number): number[] {
  const [block, last, shift, address] = [0, 1, 2, 3];
  const at = unsigned(marksAt);
  const advance = (count: number) => [...get(block), ...constant(count), add, ...set(block)];
  return [
    ...[...open.block, ...open.loop],
    ...[...get(block), ...get(last), notBelow, ...branchIf(1)],
    // Eight marks that are all zero.
    ...[...get(block), load64, 0, ...at, isZero64, ...open.if],
    ...[...advance(marksPerLook), ...branch(1), end],
    // One that is not.
    ...[...get(block), load8, 0, ...at, ...open.if],
    ...[...get(block), ...constant(blockBits), shiftLeft, ...tee(address)],
    ...[...get(address), ...get(shift), add, ...constant(blockBytes), ...copyMemory],
    ...[...get(block), ...constant(0), store8, 0, ...at, end],
    ...[...advance(1), ...branch(0), end, end],
  ];
}

function text(name: string): number[] {
  return [name.length, ...Buffer.from(name)];
}
