/**
 * JSON.parse makes 64-bit integers of the nearest double; here they come through digit by digit.
 */

/** A double holds every integer of up to 15 digits. */
const exactDigitsMax = 15;

/**
 * Puts quotes around every integer of 16 digits and more, so that it is read as text. What is no
 * JSON stays none.
 */
export function quoteLongIntegers(json: string): string {
  if (!/\d{16}/.test(json)) return json;
  return json.replace(tokens, (token) => (isLongInteger(token) ? `"${token}"` : token));
}

/**
 * Whole strings, so that digits within them are left alone, or whole numbers. A string that never
 * ends is taken to the end of the text: else each quote in it would be tried as a start of its own.
 */
const tokens = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*/gs;

function isLongInteger(token: string): boolean {
  return /^-?\d+$/.test(token) && token.replace('-', '').length > exactDigitsMax;
}
