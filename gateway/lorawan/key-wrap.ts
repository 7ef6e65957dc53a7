/**
 * Session keys as they travel beside a payload: wrapped with a key that network server and
 * application share.
 */
import { createDecipheriv } from 'node:crypto';
import type { WrappedKey } from '../model/uplink.ts';

const keyBytes = 16;
const cbcIv = Buffer.alloc(keyBytes);
/** [RFC 3394, 2.2.3.1] */
const wrapIv = Buffer.alloc(8, 0xa6);

/** Each length of a wrapping key has a cipher of its own. */
const wrapCiphers = new Map([
  [16, 'id-aes128-wrap'],
  [24, 'id-aes192-wrap'],
  [32, 'id-aes256-wrap'],
]);

/**
 * The session key in clear, 16 bytes; undefined when the lengths do not fit or, where the wrap can
 * tell, when the wrapping key is another one. CBC cannot tell: it gives 16 bytes in any case.
 */
export function unwrapKey(
  { wrap, bytes }: WrappedKey,
  wrappingKey: Buffer | undefined,
): Buffer | undefined {
  if (wrap === 'none') return bytes.length === keyBytes ? bytes : undefined;
  if (wrappingKey === undefined) return undefined;
  return wrap === 'aes-cbc' ? openCbc(bytes, wrappingKey) : openKeyWrap(bytes, wrappingKey);
}

function openCbc(bytes: Buffer, wrappingKey: Buffer): Buffer | undefined {
  if (bytes.length !== keyBytes || wrappingKey.length !== keyBytes) return undefined;
  const decipher = createDecipheriv('aes-128-cbc', wrappingKey, cbcIv).setAutoPadding(false);
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}

function openKeyWrap(bytes: Buffer, wrappingKey: Buffer): Buffer | undefined {
  const cipher = wrapCiphers.get(wrappingKey.length);
  if (cipher === undefined || bytes.length !== keyBytes + wrapIv.length) return undefined;
  try {
    const decipher = createDecipheriv(cipher, wrappingKey, wrapIv);
    return Buffer.concat([decipher.update(bytes), decipher.final()]);
  } catch {
    // Its check value does not fit: it was wrapped with another key.
    return undefined;
  }
}
