/**
 * Reads a capture file, gzip or plain, as a stream: a capture may be larger than memory. A file
 * whose end is missing, since its recorder was killed, is read up to there.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import {
  type CapturedMessage,
  type CaptureHeader,
  CaptureUnreadable,
  parseHeader,
  parseMessage,
} from './message.ts';

/** Longer than the largest message that a gateway takes, in base64 with its fields. */
export const lineBytesMax = 32_000_000;

export interface OpenCapture {
  readonly header: CaptureHeader;
  /**
   * In the order of the file. Throws CaptureUnreadable at a line that is no message. To be read
   * once, to its end or until the reader returns from it.
   */
  readonly messages: AsyncGenerator<CapturedMessage, void>;
  /** True once the end was reached and found to be missing. */
  readonly isCut: () => boolean;
}

/** Rejects with CaptureUnreadable when the file is no capture of a version that is known here. */
export async function openCapture(file: string): Promise<OpenCapture> {
  const state = { isCut: false };
  const lines = linesOf(bytesOf(file, await isGzip(file), state), state);
  const first = await lines.next();
  if (first.done === true) throw new CaptureUnreadable(`${file} is empty`);
  const header = parseHeader(first.value);
  return { header, messages: messagesOf(lines), isCut: () => state.isCut };
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await handle.close();
  }
}

interface End {
  isCut: boolean;
}

async function* bytesOf(file: string, isPacked: boolean, end: End): AsyncGenerator<Buffer, void> {
  const source = createReadStream(file);
  const stream = isPacked ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const chunk of stream) yield Buffer.from(chunk);
  } catch (error) {
    if (!isEndMissing(error)) throw new CaptureUnreadable(`${file}: ${wordsOf(error)}`);
    end.isCut = true;
  } finally {
    source.destroy();
  }
}

function isEndMissing(error: unknown): boolean {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'code' in error && error.code === 'Z_BUF_ERROR';
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Lines without their ends; blank ones are left out, as is a last one that was cut off. */
async function* linesOf(chunks: AsyncIterable<Buffer>, end: End): AsyncGenerator<string, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...held, chunk.subarray(start, at)]).toString('utf8');
      [held, heldBytes, start] = [[], 0, at + 1];
      if (line.trim() !== '') yield line;
    }
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > lineBytesMax) {
      throw new CaptureUnreadable(`a line of the capture is longer than ${lineBytesMax} bytes`);
    }
  }
  if (Buffer.concat(held).toString('utf8').trim() !== '') end.isCut = true;
}

async function* messagesOf(lines: AsyncGenerator<string, void>): AsyncGenerator<CapturedMessage> {
  let number = 1;
  for await (const line of lines) {
    number += 1;
    yield parseMessage(line, number);
  }
}
