/**
 * Keys as network and join servers hand them on: in clear, or under a key-encryption key that both
 * sides know by a label.
 */

/** A session key under a key that network server and application share. */
export interface WrappedKey {
  /** AES-CBC with an IV of zeros (ThingPark), AES key wrap [RFC 3394], or in clear. */
  readonly wrap: 'aes-cbc' | 'aes-kw' | 'none';
  /** Which key it is wrapped with, by the sender's name for it; may be empty. */
  readonly label: string;
  readonly bytes: Buffer;
}

const clearBytes = 16;
const wrappedBytes = 24;
const labelLengthMax = 64;

/** By its length: AES key wrap adds 8 bytes. Undefined for what is no key. */
export function wrappedKeyOf(label: string, bytes: Buffer | undefined): WrappedKey | undefined {
  if (bytes === undefined || label.length > labelLengthMax) return undefined;
  if (bytes.length === clearBytes) return { wrap: 'none', label, bytes };
  return bytes.length === wrappedBytes ? { wrap: 'aes-kw', label, bytes } : undefined;
}

/** Base64 as protobuf's JSON has it, or hex; undefined for neither. */
export function keyBytesOf(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  if (/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48})$/.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{22,32}={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

export function labelOf(text: unknown): string {
  return typeof text === 'string' ? text : '';
}
