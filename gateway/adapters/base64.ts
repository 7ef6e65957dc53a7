/**
 * Base64 without guessing: Buffer.from skips what it does not know, and a shortened payload
 * decodes to lies.
 */

const alphabets = /^[A-Za-z0-9+/_-]*$/;

/**
 * Accepts both alphabets of [RFC 4648], padded or not. Undefined for any other character, for a
 * length that no bytes have, for wrong padding and for set bits past the last byte.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.endsWith('=') ? withoutPadding(text) : text;
  if (digits === undefined || digits.length % 4 === 1 || !alphabets.test(digits)) return undefined;
  const bytes = Buffer.from(digits, 'base64');
  return hasZeroRest(digits, bytes) ? bytes : undefined;
}

function withoutPadding(text: string): string | undefined {
  if (text.length % 4 !== 0) return undefined;
  return text.endsWith('==') ? text.slice(0, -2) : text.slice(0, -1);
}

/** The last digit of an odd length carries 2 or 4 bits that belong to no byte. */
function hasZeroRest(digits: string, bytes: Buffer): boolean {
  const rest = digits.length % 4;
  if (rest === 0) return true;
  const last = bytes.toString('base64').replace(/=+$/, '').at(-1);
  return last === digits.at(-1)?.replace('-', '+').replace('_', '/');
}
