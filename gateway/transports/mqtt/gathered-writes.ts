/**
 * Makes one write of the many small ones with which acknowledgements are made: each is three
 * buffers of one or two bytes, and a chunk costs a stream, a socket and TLS as much as a page of
 * them does.
 */
import type { Duplex } from 'node:stream';

/** What is larger is written as it is. */
const gatheredBytesMax = 16;
const pageBytes = 1_024;

/**
 * Wraps what writes: what is small waits while the stream is corked, as it would there.
 * Order is kept, and so is the meaning of what `write` returns.
 */
export function gatherWrites(conn: Duplex): void {
  const write = conn.write.bind(conn);
  const uncork = conn.uncork.bind(conn);
  const end = conn.end.bind(conn);
  let page: Buffer | undefined;
  let length = 0;

  function flush(): boolean {
    if (page === undefined) return true;
    const bytes = page.subarray(0, length);
    page = undefined;
    length = 0;
    return write(bytes);
  }

  function gather(chunk: Buffer): boolean {
    if (length + chunk.length > pageBytes) flush();
    page ??= Buffer.allocUnsafe(pageBytes);
    for (const byte of chunk) {
      page[length] = byte;
      length += 1;
    }
    return !conn.writableNeedDrain;
  }

  conn.write = (chunk: unknown, ...rest: never[]) => {
    const isGathered =
      rest.length === 0 && Buffer.isBuffer(chunk) && chunk.length <= gatheredBytesMax;
    if (isGathered && conn.writableCorked > 0 && !conn.writableEnded && !conn.destroyed) {
      return gather(chunk);
    }
    flush();
    return write(chunk, ...rest);
  };
  conn.uncork = () => {
    if (conn.writableCorked <= 1) flush();
    uncork();
  };
  conn.end = (...last: never[]) => {
    flush();
    return end(...last);
  };
}
