/** The capture file: what is written is read again, and what is unsound is refused in words. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openCapture } from '../../simulators/capture/file-reader.ts';
import { createCaptureFile } from '../../simulators/capture/file-writer.ts';
import {
  type CapturedMessage,
  messageLine,
  parseMessage,
  vias,
} from '../../simulators/capture/message.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-capture-'));
});
afterAll(() => rm(directory, { recursive: true }));

const header =
  '{"format":"fieldgate-capture","version":1,"created":"2026-01-01T00:00:00Z","source":"test"}';
const line = '{"at":1,"via":"mqtt","route":"up/a","text":"{}"}';

async function readAll(file: string) {
  const capture = await openCapture(file);
  const messages: CapturedMessage[] = [];
  for await (const message of capture.messages) messages.push(message);
  return { header: capture.header, messages, isCut: capture.isCut() };
}

async function fileOf(name: string, text: string | Buffer): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

const anyMessage: fc.Arbitrary<CapturedMessage> = fc
  .record({
    at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    via: fc.constantFrom(...vias),
    route: fc.string({ minLength: 1, maxLength: 40 }),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    ),
    sender: fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: undefined }),
    isRetained: fc.constantFrom(true, undefined),
  })
  .map(({ sender, isRetained, ...message }) => ({
    ...message,
    ...(sender === undefined ? {} : { sender }),
    ...(isRetained === undefined ? {} : { isRetained }),
  }));

describe('A line of a capture', () => {
  it('gives any message again, byte for byte', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(parseMessage(messageLine(message), 2)).toEqual(message);
      }),
    );
  });

  it('holds text as text and anything else as base64', () => {
    const message = { at: 1, via: 'udp', route: 'x' } as const;
    expect(messageLine({ ...message, body: Buffer.from('ağ') })).toContain('"text":"ağ"');
    expect(messageLine({ ...message, body: Buffer.of(0xff) })).toContain('"base64":"/w=="');
  });

  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    ['{"via":"mqtt","route":"a","text":""}', '`at` is not a time'],
    ['{"at":1.5,"via":"mqtt","route":"a","text":""}', '`at` is not a time'],
    ['{"at":1,"via":"smoke","route":"a","text":""}', '`via` is not one of'],
    ['{"at":1,"via":"mqtt","route":"","text":""}', '`route` is not a text'],
    ['{"at":1,"via":"mqtt","route":"a"}', 'neither `text` nor `base64`'],
    ['{"at":1,"via":"mqtt","route":"a","text":"","base64":""}', 'or both'],
    ['{"at":1,"via":"mqtt","route":"a","base64":"?"}', '`base64` is not base64'],
    ['{"at":1,"via":"mqtt","route":"a","text":"","sender":7}', '`sender` is not a text'],
  ])('is refused when it is %s', (text, sentence) => {
    expect(() => parseMessage(text, 7)).toThrow('line 7 of the capture: ');
    expect(() => parseMessage(text, 7)).toThrow(sentence);
  });
});

describe('A capture file', () => {
  const messages = fc.sample(anyMessage, { seed: 7, numRuns: 300 });

  it.each(['packed.ndjson.gz', 'plain.ndjson'])('is read as it was written: %s', async (name) => {
    const file = join(directory, name);
    const writer = await createCaptureFile(file, {
      created: '2026-01-01T00:00:00Z',
      source: 'test',
      isAnonymised: true,
    });
    for (const message of messages) await writer.add(message);
    await writer.close();
    const read = await readAll(file);
    expect(read.messages).toEqual(messages);
    expect(read.header.isAnonymised).toBe(true);
    expect(read.isCut).toBe(false);
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it('is not written over', async () => {
    const file = await fileOf('there.ndjson', 'mine');
    await expect(createCaptureFile(file, { created: '', source: '' })).rejects.toThrow('EEXIST');
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it('is read up to where it was cut off', async () => {
    const lines = Array.from({ length: 500 }, (_, at) => line.replace('"at":1', `"at":${at}`));
    const packed = gzipSync([header, ...lines, ''].join('\n'));
    const read = await readAll(await fileOf('cut.gz', packed.subarray(0, packed.length - 20)));
    expect(read.isCut).toBe(true);
    expect(read.messages.length).toBeGreaterThan(0);
    const plain = await readAll(await fileOf('cut', `${header}\n${line}\n${line.slice(0, 20)}`));
    expect([plain.messages.length, plain.isCut]).toEqual([1, true]);
  });

  it('may be of several packed parts, with blank lines', async () => {
    const parts = Buffer.concat([gzipSync(`${header}\n\n`), gzipSync(`${line}\n`)]);
    expect(gunzipSync(parts).toString()).toContain(line);
    expect((await readAll(await fileOf('parts.gz', parts))).messages).toHaveLength(1);
  });

  it.each([
    ['', 'is empty'],
    ['{"format":"other"}\n', 'this is not a capture file'],
    ['{"format":"fieldgate-capture","version":2}\n', 'it is of version 2; 1 is read here'],
    ['{"format":"fieldgate-capture","version":1}\n', 'no `created`'],
    ['temperature,humidity\n', 'it is not JSON'],
  ])('is refused when it begins with %j', async (text, sentence) => {
    await expect(readAll(await fileOf('odd', text))).rejects.toThrow(sentence);
  });

  it('is refused when a packed byte is wrong', async () => {
    const packed = gzipSync(`${header}\n${`${line}\n`.repeat(200)}`);
    packed[packed.length >> 1] = (packed[packed.length >> 1] ?? 0) ^ 0xff;
    await expect(readAll(await fileOf('wrong.gz', packed))).rejects.toThrow();
  });
});
