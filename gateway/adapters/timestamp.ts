/**
 * Times from outside as epoch milliseconds. Written by hand, because Date.parse also takes what is
 * no date.
 */

const zero = 0x30;

/**
 * [RFC 3339] date-time with any number of fractional digits, cut to milliseconds; undefined for
 * anything else, for a date that does not exist and for a time without a zone.
 */
export function parseTimestamp(text: string): number | undefined {
  const { length } = text;
  if (length < 20 || length > 40 || !hasSeparators(text)) return undefined;
  const day = parseDay(text);
  const clock = parseClock(text);
  if (day === undefined || clock === undefined) return undefined;
  const end = text[19] === '.' ? endOfDigits(text, 20) : 19;
  if (end === 20) return undefined;
  const milliseconds = end === 19 ? 0 : Number(text.slice(20, Math.min(end, 23)).padEnd(3, '0'));
  const offset = parseOffset(text, end);
  return offset === undefined ? undefined : day + clock + milliseconds - offset;
}

/** `2022-07-18T09:34:15`; the RFC allows small letters, and a blank in place of the T. */
function hasSeparators(text: string): boolean {
  const between = text[10];
  return (
    text[4] === '-' &&
    text[7] === '-' &&
    (between === 'T' || between === 't' || between === ' ') &&
    text[13] === ':' &&
    text[16] === ':'
  );
}

function parseDay(text: string): number | undefined {
  const century = pairAt(text, 0);
  const years = pairAt(text, 2);
  const month = pairAt(text, 5);
  const day = pairAt(text, 8);
  if (century < 1 || years < 0 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const time = Date.UTC(century * 100 + years, month - 1, day);
  // The 31st of a short month rolls over into the next one.
  return day > 28 && new Date(time).getUTCDate() !== day ? undefined : time;
}

function parseClock(text: string): number | undefined {
  const hours = pairAt(text, 11);
  const minutes = pairAt(text, 14);
  const seconds = pairAt(text, 17);
  // Second 60 is a leap second; it becomes the first one of the next minute.
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
    return undefined;
  }
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

/**
 * `Z`, `+hh:mm`, or `+hhmm` as C and Java write it, from `at` to the end of the text, in
 * milliseconds.
 */
function parseOffset(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : undefined;
  const minutesAt = text[at + 3] === ':' ? at + 4 : at + 3;
  if ((sign !== '+' && sign !== '-') || text.length !== minutesAt + 2) return undefined;
  const hours = pairAt(text, at + 1);
  const minutes = pairAt(text, minutesAt);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60_000;
  return sign === '+' ? offset : -offset;
}

/** Two digits as a number; negative when one of them is none. */
function pairAt(text: string, at: number): number {
  const tens = digitAt(text, at);
  const ones = digitAt(text, at + 1);
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (digitAt(text, at) >= 0) at += 1;
  return at;
}

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - zero;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

const deviceTimeMin = Date.UTC(2000, 0, 1);
const deviceTimeMax = Date.UTC(2100, 0, 1);

/**
 * A device's own time of unknown form: seconds, milliseconds or RFC 3339, as number or text. The
 * two units cannot be mistaken between the years 2000 and 2100; anything else is no time.
 */
export function parseDeviceTime(value: unknown): number | undefined {
  if (typeof value === 'string' && value.length >= 20) return parseTimestamp(value);
  const isNumeric = typeof value === 'string' && /^\d{9,13}(?:\.\d{1,9})?$/.test(value);
  const number = isNumeric ? Number(value) : value;
  if (typeof number !== 'number') return undefined;
  if (isDeviceTime(number)) return Math.round(number);
  const milliseconds = Math.round(number * 1_000);
  return isDeviceTime(milliseconds) ? milliseconds : undefined;
}

function isDeviceTime(milliseconds: number): boolean {
  return milliseconds >= deviceTimeMin && milliseconds < deviceTimeMax;
}
