/** What was written to comes back, and what was written to without a word is noticed. */
import { describe, expect, it } from '@jest/globals';
import { createMemoryImages } from '../../gateway/codecs/memory-image.ts';
import { blockBytes } from '../../gateway/codecs/write-marks.ts';

/** As the engine's: data from 0, six mebibytes of stack, a heap above. */
const layout = { marksAt: 1_048_576, stackTop: 6_291_456 + 32 };
const heapBytes = 3 * 4_096;

function engineMemory() {
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 128 });
  const bytes = Buffer.from(memory.buffer);
  bytes.fill(7, 0, 8_192).fill(9, layout.stackTop, layout.stackTop + heapBytes);
  const images = createMemoryImages(memory, layout);
  const write = (at: number, value: number) => {
    bytes[at] = value;
    images.noteWrite(at, 1);
  };
  return { bytes, images, write };
}

describe('Memory images', () => {
  it('put back what was written to, in the first block and the last', () => {
    const { bytes, images, write } = engineMemory();
    const image = images.take();
    const last = layout.stackTop + heapBytes - 1;
    for (const at of [0, blockBytes - 1, 8_191, layout.stackTop, layout.stackTop + 600, last]) {
      write(at, 200);
    }
    images.putBack(image);
    expect([bytes[0], bytes[511], bytes[8_191]]).toEqual([7, 7, 7]);
    expect([bytes[layout.stackTop], bytes[layout.stackTop + 600], bytes[last]]).toEqual([9, 9, 9]);
    expect(images.isAsTaken(image)).toBe(true);
  });

  it('go from one image to another, whatever was written in between', () => {
    const { bytes, images, write } = engineMemory();
    const first = images.take();
    write(layout.stackTop + 1_000, 1);
    const second = images.take();
    write(layout.stackTop + 2_000, 2);
    images.putBack(first);
    expect([...bytes.subarray(layout.stackTop + 1_000, layout.stackTop + 1_001)]).toEqual([9]);
    images.putBack(second);
    expect(bytes[layout.stackTop + 1_000]).toBe(1);
    expect(bytes[layout.stackTop + 2_000]).toBe(9);
    expect([images.isAsTaken(first), images.isAsTaken(second)]).toEqual([true, true]);
  });

  it('are put back, too, where they are too large to lie in the memory twice', () => {
    const { bytes, images, write } = engineMemory();
    const end = layout.stackTop + layout.marksAt;
    write(end, 5);
    const image = images.take();
    for (const at of [0, layout.stackTop + 600, end]) write(at, 200);
    images.putBack(image);
    expect([bytes[0], bytes[layout.stackTop + 600], bytes[end]]).toEqual([7, 9, 5]);
    expect(images.isAsTaken(image)).toBe(true);
  });

  it('leave blocks alone that nobody has written to', () => {
    const { bytes, images, write } = engineMemory();
    const image = images.take();
    const first = layout.stackTop + 2 * blockBytes;
    for (const at of [first, first + 9 * blockBytes]) write(at, 200);
    const between = first + 4 * blockBytes;
    bytes[between] = 3;
    images.putBack(image);
    expect([bytes[first], bytes[first + 9 * blockBytes]]).toEqual([9, 9]);
    expect(bytes[between]).toBe(3);
  });

  it('notice a write that bears no mark, and put back everything from then on', () => {
    const { bytes, images } = engineMemory();
    const image = images.take();
    images.putBack(image);
    bytes[layout.stackTop + 5_000] = 1;
    expect(images.isAsTaken(image)).toBe(false);
    bytes[layout.stackTop + 5_000] = 1;
    bytes[100] = 1;
    expect(images.isAsTaken(image)).toBe(true);
    expect([bytes[layout.stackTop + 5_000], bytes[100]]).toEqual([9, 7]);
  });

  it('are refused for a memory without a stack of that size', () => {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 });
    expect(() => createMemoryImages(memory, undefined)).toThrow('another memory layout');
  });
});
