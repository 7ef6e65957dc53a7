/**
 * Writes a capture file: NDJSON, packed with gzip unless its name says otherwise. What was added is
 * flushed about once a second, so that a recorder that is killed leaves a file that can be read.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';
import { type CapturedMessage, type CaptureHeader, headerLine, messageLine } from './message.ts';

const flushPeriodMs = 1_000;

export interface CaptureWriter {
  /** Resolves when there is room for more. Rejects when the file cannot be written. */
  add(message: CapturedMessage): Promise<void>;
  /** Resolves when everything is in the file. */
  close(): Promise<void>;
}

/**
 * Only its owner may read it, since messages tell where people are. Rejects when the file is there
 * already: a recording is not written over.
 */
export async function createCaptureFile(
  file: string,
  header: CaptureHeader,
): Promise<CaptureWriter> {
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await once(target, 'open');
  const packer = file.endsWith('.gz') ? createGzip() : undefined;
  const entry = packer ?? target;
  packer?.pipe(target);
  const done = finished(target);
  // The failure is thrown by the call that meets it; until then nobody waits for it.
  done.catch(() => entry.destroy());
  packer?.on('error', () => undefined);
  const timer = setInterval(() => flush(packer), flushPeriodMs);
  timer.unref();
  const write = async (line: string): Promise<void> => {
    if (target.errored !== null) throw target.errored;
    if (!entry.write(`${line}\n`)) await Promise.race([once(entry, 'drain'), done]);
  };
  await write(headerLine(header));
  return {
    add: (message) => write(messageLine(message)),
    async close() {
      clearInterval(timer);
      entry.end();
      await done;
    },
  };
}

function flush(packer: Gzip | undefined): void {
  packer?.flush(constants.Z_SYNC_FLUSH);
}
