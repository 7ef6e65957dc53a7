/**
 * AES key wrap [RFC 3394], and session keys as they travel beside a payload: wrapped with a key
 * that network server and application share.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { WrappedKey } from '../model/wrapped-key.ts';

const keyBytes = 16;
const cbcIv = Buffer.alloc(keyBytes);
/** [RFC 3394, 2.2.3.1] */
const wrapIv = Buffer.alloc(8, 0xa6);
/** [RFC 3394, 2] The key to be wrapped is at least two blocks of 64 bits. */
const blockBytes = 8;
const wrappedBytesMin = 3 * blockBytes;

/** Each length of a wrapping key has a cipher of its own. */
const wrapCiphers = new Map([
  [16, 'id-aes128-wrap'],
  [24, 'id-aes192-wrap'],
  [32, 'id-aes256-wrap'],
]);

/** The wrapping key under a label; undefined when there is none. */
export type KekOf = (label: string) => Buffer | undefined;

export interface LabelledKey {
  readonly label: string;
  /** 16, 24 or 32 bytes in hex. */
  readonly key: string;
}

/** The one place of named wrapping keys, from the configuration's list. */
export function createKekBook(keys: readonly LabelledKey[]): KekOf {
  const byLabel = new Map(keys.map(({ label, key }) => [label, Buffer.from(key, 'hex')]));
  return (label) => byLabel.get(label);
}

/** The key in 8 bytes more; both lengths must be ones that RFC 3394 knows. */
export function wrapAes(key: Buffer, wrappingKey: Buffer): Buffer {
  const name = wrapCiphers.get(wrappingKey.length);
  assert(name !== undefined, 'a wrapping key has 16, 24 or 32 bytes');
  assert(key.length >= 2 * blockBytes, 'a key to be wrapped has two blocks or more');
  assert(key.length % blockBytes === 0, 'a key to be wrapped has whole blocks');
  const cipher = createCipheriv(name, wrappingKey, wrapIv);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

/** Undefined when the check value does not fit: altered, or wrapped with another key. */
export function unwrapAes(wrapped: Buffer, wrappingKey: Buffer): Buffer | undefined {
  const name = wrapCiphers.get(wrappingKey.length);
  if (name === undefined || wrapped.length < wrappedBytesMin) return undefined;
  if (wrapped.length % blockBytes !== 0) return undefined;
  try {
    const decipher = createDecipheriv(name, wrappingKey, wrapIv);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return undefined;
  }
}

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
  if (wrap === 'aes-cbc') return openCbc(bytes, wrappingKey);
  const key = unwrapAes(bytes, wrappingKey);
  return key?.length === keyBytes ? key : undefined;
}

function openCbc(bytes: Buffer, wrappingKey: Buffer): Buffer | undefined {
  if (bytes.length !== keyBytes || wrappingKey.length !== keyBytes) return undefined;
  const decipher = createDecipheriv('aes-128-cbc', wrappingKey, cbcIv).setAutoPadding(false);
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}
