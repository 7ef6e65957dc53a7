/** AES-CMAC [RFC 4493] on node:crypto, with the subkeys of a key made once. */
import { createCipheriv } from 'node:crypto';

const blockLength = 16;
const zeroBlock = Buffer.alloc(blockLength);

export type Cmac = (message: Uint8Array) => Buffer;

/** The CMAC function of one 16-byte key. */
export function createCmac(key: Buffer): Cmac {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const subkey1 = doubled(cipher.update(zeroBlock));
  const subkey2 = doubled(subkey1);
  return (message) => {
    const blocks = Math.max(1, Math.ceil(message.length / blockLength));
    const padded = Buffer.alloc(blocks * blockLength);
    padded.set(message);
    const isComplete = message.length === padded.length;
    if (!isComplete) padded[message.length] = 0x80;
    xorInto(padded, padded.length - blockLength, isComplete ? subkey1 : subkey2);
    // Block by block with the kept cipher: making one for each frame costs more than using it.
    let sum = cipher.update(padded.subarray(0, blockLength));
    for (let place = blockLength; place < padded.length; place += blockLength) {
      xorInto(padded, place, sum);
      sum = cipher.update(padded.subarray(place, place + blockLength));
    }
    return sum;
  };
}

/** Multiplication by x in GF(2^128) [RFC 4493 2.3]. */
function doubled(block: Buffer): Buffer {
  const result = Buffer.alloc(blockLength);
  let carry = 0;
  for (let index = blockLength - 1; index >= 0; index -= 1) {
    const byte = block.readUInt8(index);
    result[index] = ((byte << 1) & 0xff) | carry;
    carry = byte >>> 7;
  }
  if (carry === 1) result[blockLength - 1] = result.readUInt8(blockLength - 1) ^ 0x87;
  return result;
}

function xorInto(target: Buffer, offset: number, block: Buffer): void {
  for (let index = 0; index < blockLength; index += 1) {
    target[offset + index] = (target[offset + index] ?? 0) ^ (block[index] ?? 0);
  }
}
