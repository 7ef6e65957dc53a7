/**
 * Copies of an engine's memory, without its untouched stack, and the way back to them. An engine
 * that marks what it writes (see write-marks.ts) gets back what it has changed and no more: copying
 * all of it costs more than most calls, and drives what other threads work on out of the
 * processor's cache. The image in use then lies a second time in the same memory, where the stack
 * does not reach.
 */
import assert from 'node:assert/strict';
import { createBlockCopier } from './block-copier.ts';
import { blockBytes, type MarkLayout } from './write-marks.ts';

/** The static data and the heap. What lies above is no allocator's yet: none looks at it. */
export type MemoryImage = readonly [data: MemoryArea, heap: MemoryArea];

export interface MemoryArea {
  /** Its address. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

export interface MemoryImages {
  take(): MemoryImage;
  putBack(image: MemoryImage): void;
  /** Puts back and zeroes the rest, so that the next image is no larger than it must be. */
  wipe(image: MemoryImage): void;
  /**
   * Puts back, and compares all of it. False when something was changed without a mark: from then
   * on everything is copied each time.
   */
  isAsTaken(image: MemoryImage): boolean;
  /** For what is written from outside of the engine's program. */
  noteWrite(at: number, length: number): void;
}

/** Statically allocated zeros stand between the data and the stack; some 3 kB in this engine. */
const zeroDataBytes = 16_384;
const stackBytesMin = 4_194_304;
const pageBytes = 4_096;

/** To be made while the engine is new: its largest run of zeros is then the stack not used yet. */
export function createMemoryImages(
  memory: WebAssembly.Memory,
  layout: MarkLayout | undefined,
): MemoryImages {
  const bytes = Buffer.from(memory.buffer);
  const blocks = Math.ceil(bytes.length / blockBytes);
  const marks = bytes.subarray(layout?.marksAt ?? 0, (layout?.marksAt ?? 0) + blocks);
  if (layout !== undefined) marks.fill(0);
  const stack = largestZeros(bytes, usedBytes(bytes));
  assert.ok(stack.end - stack.start >= stackBytesMin, 'the engine has another memory layout');
  const dataEnd = stack.start + zeroDataBytes;
  const heapStart = blockBefore(layout?.stackTop ?? stack.end);
  const room = { start: dataEnd, end: layout?.marksAt ?? dataEnd };
  const copier = layout === undefined ? undefined : createBlockCopier(memory, layout.marksAt);
  let isMarking = layout !== undefined;
  /** What lies in the room, and what all that bears no mark is as in. */
  let current: MemoryImage | undefined;

  function copyOf(start: number, end: number): MemoryArea {
    return { start, bytes: Uint8Array.prototype.slice.call(bytes, start, end) };
  }

  /** The memory is as in this image. */
  function settle(image: MemoryImage): void {
    current = undefined;
    if (!isMarking) return;
    marks.fill(0);
    const [data, heap] = image;
    if (data.bytes.length + heap.bytes.length > room.end - room.start) return;
    bytes.set(data.bytes, room.start);
    bytes.set(heap.bytes, room.start + data.bytes.length);
    current = image;
  }

  function putBack(image: MemoryImage): void {
    if (image === current) {
      let from = room.start;
      for (const { start, bytes: taken } of image) {
        copier?.(start / blockBytes, (start + taken.length) / blockBytes, from - start);
        from += taken.length;
      }
      return;
    }
    for (const area of image) bytes.set(area.bytes, area.start);
    settle(image);
  }

  return {
    take() {
      const image: MemoryImage = [copyOf(0, dataEnd), copyOf(heapStart, usedBytes(bytes))];
      settle(image);
      return image;
    },
    putBack,
    wipe(image) {
      putBack(image);
      const [, heap] = image;
      bytes.fill(0, heap.start + heap.bytes.length, usedBytes(bytes));
    },
    isAsTaken(image) {
      putBack(image);
      const isSame = image.every(
        ({ start, bytes: taken }) =>
          Buffer.compare(taken, bytes.subarray(start, start + taken.length)) === 0,
      );
      if (!isSame) {
        isMarking = false;
        current = undefined;
      }
      return isSame;
    },
    noteWrite(at, length) {
      if (!isMarking) return;
      marks.fill(1, Math.floor(at / blockBytes), Math.ceil((at + length) / blockBytes));
    },
  };
}

/** Images begin and end with whole blocks. */
function blockBefore(at: number): number {
  return Math.floor(at / blockBytes) * blockBytes;
}

/** Up to the last byte that is not zero, in whole pages. */
function usedBytes(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && isZero(bytes, end - pageBytes)) end -= pageBytes;
  return end;
}

function largestZeros(bytes: Buffer, end: number): { start: number; end: number } {
  let largest = { start: 0, end: 0 };
  let start = 0;
  for (let at = 0; at < end; at += pageBytes) {
    if (!isZero(bytes, at)) start = at + pageBytes;
    else if (at + pageBytes - start > largest.end - largest.start) {
      largest = { start, end: at + pageBytes };
    }
  }
  return largest;
}

const zeros = Buffer.alloc(pageBytes);

function isZero(bytes: Buffer, page: number): boolean {
  return bytes.compare(zeros, 0, pageBytes, page, page + pageBytes) === 0;
}
