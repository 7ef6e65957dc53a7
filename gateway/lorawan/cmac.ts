/** AES-CMAC [RFC 4493] on node:crypto; key schedule and subkeys are kept between calls. */
import assert from 'node:assert/strict';
import { type Cipher, createCipheriv } from 'node:crypto';

export const blockBytes = 16;
const zeroBlock = Buffer.alloc(blockBytes);

export interface CmacKey {
  /**
   * AES-128-CBC, kept open. CBC adds its last output to the next block; adding that output once
   * more cancels it, so each message starts from zero without the price of a new cipher (2 µs
   * against 0.5 µs).
   */
  readonly cipher: Cipher;
  /** The cipher's last output block. */
  readonly chain: Buffer;
  readonly subkey1: Buffer;
  readonly subkey2: Buffer;
}

export function createCmacKey(key: Buffer): CmacKey {
  assert.equal(key.length, blockBytes, 'AES-128 takes a key of 16 bytes');
  const cipher = createCipheriv('aes-128-cbc', key, zeroBlock);
  const chain = cipher.update(zeroBlock);
  const subkey1 = doubled(chain);
  return { cipher, chain, subkey1, subkey2: doubled(subkey1) };
}

/** The 16-byte tag of head and body, joined: a LoRaWAN MIC has a block before the frame. */
export function cmac(key: CmacKey, head: Buffer, body: Buffer): Buffer {
  const length = head.length + body.length;
  const paddedLength = Math.max(blockBytes, Math.ceil(length / blockBytes) * blockBytes);
  // From the pool: a buffer of its own for each message would keep the garbage collector busy.
  const message = Buffer.allocUnsafe(paddedLength).fill(0, length);
  message.set(head, 0);
  message.set(body, head.length);
  const isWhole = length === paddedLength;
  if (!isWhole) message[length] = 0x80;
  xorInto(message, paddedLength - blockBytes, isWhole ? key.subkey1 : key.subkey2);
  xorInto(message, 0, key.chain);
  const tag = key.cipher.update(message).subarray(-blockBytes);
  key.chain.set(tag);
  return tag;
}

/** Doubling in GF(2^128) with the polynomial's constant 0x87. */
function doubled(block: Buffer): Buffer {
  const result = Buffer.alloc(blockBytes);
  let carry = 0;
  for (let index = blockBytes - 1; index >= 0; index -= 1) {
    const shifted = (block.readUInt8(index) << 1) | carry;
    result[index] = shifted & 0xff;
    carry = shifted >> 8;
  }
  result[blockBytes - 1] = result.readUInt8(blockBytes - 1) ^ (carry * 0x87);
  return result;
}

/** Adds one block to `target` at `offset`, in place. */
function xorInto(target: Buffer, offset: number, block: Buffer): void {
  for (let index = 0; index < blockBytes; index += 4) {
    const sum = target.readInt32LE(offset + index) ^ block.readInt32LE(index);
    target.writeInt32LE(sum, offset + index);
  }
}
