/** Copies of an engine's memory, without its untouched stack, and the way back to them. */
import assert from 'node:assert/strict';

/** The static data and the heap as they were. */
export interface MemoryImage {
  readonly data: Uint8Array;
  readonly heap: Uint8Array;
}

export interface MemoryImages {
  take(): MemoryImage;
  /** What lies above the image stays: no allocator looks at memory it has not been given. */
  putBack(image: MemoryImage): void;
  /** Puts back and zeroes the rest, so that the next image is no larger than it must be. */
  wipe(image: MemoryImage): void;
}

/** Statically allocated zeros stand between the data and the stack; some 3 kB in this engine. */
const zeroDataBytes = 16_384;
const stackBytesMin = 4_194_304;
const pageBytes = 4_096;

/** To be made while the engine is new: its largest run of zeros is then the stack not used yet. */
export function createMemoryImages(memory: WebAssembly.Memory): MemoryImages {
  const bytes = Buffer.from(memory.buffer);
  const stack = largestZeros(bytes, usedBytes(bytes));
  assert.ok(stack.end - stack.start >= stackBytesMin, 'the engine has another memory layout');
  const dataEnd = stack.start + zeroDataBytes;
  const heapStart = stack.end;

  function putBack({ data, heap }: MemoryImage): void {
    bytes.set(data, 0);
    bytes.set(heap, heapStart);
  }

  return {
    take: () => ({
      data: Uint8Array.prototype.slice.call(bytes, 0, dataEnd),
      heap: Uint8Array.prototype.slice.call(bytes, heapStart, usedBytes(bytes)),
    }),
    putBack,
    wipe(image) {
      putBack(image);
      bytes.fill(0, heapStart + image.heap.length, usedBytes(bytes));
    },
  };
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
