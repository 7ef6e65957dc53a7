/**
 * Hexadecimal payloads without guessing: Buffer.from stops at the first character it does not know.
 */
import type { Place } from './document.ts';
import { complain, readText } from './place.ts';

const digits = /^(?:[0-9a-fA-F]{2})*$/;

/** Undefined for an odd number of digits and for any other character. */
export function decodeHex(text: string): Buffer | undefined {
  return digits.test(text) ? Buffer.from(text, 'hex') : undefined;
}

/** Bytes from hexadecimal text; empty text is no bytes. */
export function readHex(place: Place, key: string): Buffer | undefined {
  const text = readText(place, key);
  if (text === undefined) return undefined;
  return decodeHex(text) ?? complain(place, key, 'hexadecimal');
}
