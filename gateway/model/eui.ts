/**
 * EUI-64 identifiers: accepted in every spelling the field uses, kept as 16 lower-case hex digits.
 */

const eui64 = /^[0-9a-f]{16}$/;
const separators = /[-:\s]/g;
const devAddr32 = /^[0-9a-f]{8}$/;

/** Every spelling that `parseEui64` and `parseDevAddr` take, for those who describe them. */
export const eui64Spelling = '^[-:\\s]*([0-9a-fA-F][-:\\s]*){16}$';
export const devAddrSpelling = '^[-:\\s]*([0-9a-fA-F][-:\\s]*){8}$';

/**
 * Accepts upper and lower case, dashes, colons and blanks; undefined when it is not 8 bytes of hex.
 */
export function parseEui64(text: string): string | undefined {
  // At its full length no separator can be in it.
  const digits = (text.length === 16 ? text : text.replace(separators, '')).toLowerCase();
  return eui64.test(digits) ? digits : undefined;
}

/** A DevAddr as 8 lower-case hex digits, most significant byte first. */
export function parseDevAddr(text: string): string | undefined {
  const digits = (text.length === 8 ? text : text.replace(separators, '')).toLowerCase();
  return devAddr32.test(digits) ? digits : undefined;
}
