/** What Decentlab's devices share: a version, a device number, flags, and a block for each flag. */
import { type ByteReader, type Collector, Unreadable } from '../bytes.ts';

export type Block = (bytes: ByteReader, into: Collector) => void;

const protocolVersion = 2;
const flagBits = 16;

/** `blocks` in the order of their flags, the lowest bit first. */
export function readBlocks(bytes: ByteReader, into: Collector, blocks: readonly Block[]): void {
  const version = bytes.u8();
  if (version !== protocolVersion) {
    throw new Unreadable(
      `The payload is of protocol version ${version}, and this codec reads version ` +
        `${protocolVersion}.`,
    );
  }
  bytes.skip(2);
  const flags = bytes.u16();
  for (let bit = 0; bit < flagBits; bit += 1) {
    if ((flags & (1 << bit)) === 0) continue;
    const block = blocks[bit];
    if (block === undefined) {
      throw new Unreadable(`Flag ${bit} is set, and there is no such block.`);
    }
    block(bytes, into);
  }
  if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
}
