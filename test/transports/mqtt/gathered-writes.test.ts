import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gatherWrites } from '../../../gateway/transports/mqtt/gathered-writes.ts';

/** Takes down each chunk that reaches the other side. */
function recorder(): { readonly stream: Duplex; readonly chunks: Buffer[] } {
  const chunks: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  gatherWrites(stream);
  return { stream, chunks };
}

/** A PUBACK as mqtt-packet writes it: type, length and identifier each by itself. */
function acknowledge(stream: Duplex, messageId: number): void {
  stream.cork();
  process.nextTick(() => stream.uncork());
  stream.write(Buffer.from([0x40]));
  stream.write(Buffer.from([2]));
  stream.write(Buffer.from([messageId >> 8, messageId & 255]));
}

describe('Gathered writes', () => {
  it('make one write of the acknowledgements of a turn', async () => {
    const { stream, chunks } = recorder();
    for (let id = 1; id <= 100; id += 1) acknowledge(stream, id);
    await new Promise(setImmediate);
    expect(chunks.map((chunk) => chunk.length)).toEqual([400]);
    expect(chunks[0]?.subarray(396)).toEqual(Buffer.from([0x40, 2, 0, 100]));
  });

  it('write a page when it is full', async () => {
    const { stream, chunks } = recorder();
    for (let id = 1; id <= 600; id += 1) acknowledge(stream, id);
    await new Promise(setImmediate);
    const whole = Buffer.concat(chunks);
    expect(whole).toHaveLength(2_400);
    expect(chunks).toHaveLength(3);
    expect(whole.readUInt16BE(2_398)).toBe(600);
  });

  it('write at once what is not corked', () => {
    const { stream, chunks } = recorder();
    stream.write(Buffer.from([1]));
    expect(chunks).toEqual([Buffer.from([1])]);
  });

  it('call back for the writes that ask for it', async () => {
    const { stream, chunks } = recorder();
    stream.cork();
    stream.write(Buffer.from([1]));
    const written = new Promise((resolve) => stream.write(Buffer.from([2]), resolve));
    stream.uncork();
    await written;
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([1, 2]));
  });

  it('write what waits before the end', async () => {
    const { stream, chunks } = recorder();
    stream.cork();
    stream.write(Buffer.from([1]));
    stream.end(Buffer.from('the end of it, in more than sixteen bytes'));
    await once(stream, 'finish');
    expect(Buffer.concat(chunks)[0]).toBe(1);
    expect(Buffer.concat(chunks)).toHaveLength(42);
  });

  it('hold nothing back of a stream that is destroyed', async () => {
    const { stream, chunks } = recorder();
    stream.on('error', () => {});
    stream.cork();
    stream.write(Buffer.from([1]));
    stream.destroy();
    stream.write(Buffer.from([2]));
    stream.uncork();
    await new Promise(setImmediate);
    expect(chunks).toEqual([]);
  });

  it('say when the other side is slower, and when it has caught up', async () => {
    const waiting: (() => void)[] = [];
    const stream = new Duplex({
      read() {},
      writableHighWaterMark: 4_096,
      write: (_chunk, _encoding, done) => waiting.push(done),
    });
    gatherWrites(stream);
    stream.cork();
    let bytes = 1;
    while (stream.write(Buffer.from([1]))) bytes += 1;
    expect(bytes).toBe(4_097);
    stream.uncork();
    let isDrained = false;
    stream.once('drain', () => {
      isDrained = true;
    });
    while (!isDrained) {
      waiting.shift()?.();
      await new Promise(setImmediate);
    }
    expect(stream.write(Buffer.from([1]))).toBe(true);
  });

  it('change no byte and no order, whatever is written', async () => {
    const step = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('cork', 'uncork', 'turn'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { stream, chunks } = recorder();
        const written: Uint8Array[] = [];
        for (const one of steps) {
          if (one === 'cork') stream.cork();
          else if (one === 'uncork') stream.uncork();
          else if (one === 'turn') await new Promise(setImmediate);
          else if (typeof one !== 'string') {
            stream.write(Buffer.from(one));
            written.push(one);
          }
        }
        stream.end();
        await once(stream, 'finish');
        expect(Buffer.concat(chunks)).toEqual(Buffer.concat(written));
      }),
      { numRuns: 200 },
    );
  });
});
