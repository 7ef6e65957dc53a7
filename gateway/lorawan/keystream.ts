/**
 * LoRaWAN's payload encryption: AES-128 over counter blocks, added to the bytes. Encrypting and
 * decrypting are the same act.
 */
import { type Cipher, createCipheriv } from 'node:crypto';
import { blockBytes } from './cmac.ts';
import type { DataFrame } from './frame.ts';

/** ECB keeps no state between blocks, so that one open cipher serves a session for ever. */
export function createKeystreamKey(key: Buffer): Cipher {
  return createCipheriv('aes-128-ecb', key, null);
}

export interface KeystreamPosition {
  readonly direction: 'up' | 'down';
  /** 8 hex digits. */
  readonly devAddr: string;
  /** All 32 bits. */
  readonly fCnt: number;
}

/** FRMPayload, with AppSKey, or on FPort 0 with NwkSEncKey (NwkSKey in LoRaWAN 1.0). */
export function cryptFrmPayload(key: Cipher, position: KeystreamPosition, bytes: Buffer): Buffer {
  const blockCount = Math.ceil(bytes.length / blockBytes);
  const blocks = Buffer.allocUnsafe(blockCount * blockBytes).fill(0);
  for (let block = 0; block < blockCount; block += 1) {
    writeCounterBlock(blocks, block * blockBytes, position);
    blocks[block * blockBytes + 15] = block + 1;
  }
  return xor(bytes, key.update(blocks));
}

/** LoRaWAN 1.1 FOpts, with NwkSEncKey; `counter` says which frame counter the frame uses. */
export function cryptFOpts(
  key: Cipher,
  position: KeystreamPosition & { readonly counter: 'FCntUp' | 'NFCntDown' | 'AFCntDown' },
  bytes: Buffer,
): Buffer {
  const block = Buffer.alloc(blockBytes);
  writeCounterBlock(block, 0, position);
  block[4] = position.counter === 'AFCntDown' ? 2 : 1;
  block[15] = 1;
  return xor(bytes, key.update(block));
}

/** Which counter a 1.1 frame uses: only downlinks on an application port have the application's. */
export function counterOf(frame: DataFrame): 'FCntUp' | 'NFCntDown' | 'AFCntDown' {
  if (frame.direction === 'up') return 'FCntUp';
  return frame.fPort !== undefined && frame.fPort > 0 ? 'AFCntDown' : 'NFCntDown';
}

function writeCounterBlock(target: Buffer, offset: number, position: KeystreamPosition): void {
  target[offset] = 0x01;
  target[offset + 5] = position.direction === 'up' ? 0 : 1;
  target.writeUInt32LE(Number.parseInt(position.devAddr, 16), offset + 6);
  target.writeUInt32LE(position.fCnt, offset + 10);
}

function xor(bytes: Buffer, keystream: Buffer): Buffer {
  const result = Buffer.allocUnsafe(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) {
    result[index] = bytes.readUInt8(index) ^ keystream.readUInt8(index);
  }
  return result;
}
