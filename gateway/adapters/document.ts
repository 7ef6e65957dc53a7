/**
 * Opens a body as JSON without trusting it: size, UTF-8, nesting and prototype keys are settled
 * here.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { type Fault, fault } from '../model/fault.ts';

/**
 * A body larger than this is refused before it is read; the largest sample of the field is 4 kB.
 */
export const bodyBytesMax = 262_144;

/** Later stages walk documents by recursion, so nesting is bounded before anything is built. */
export const nestingDepthMax = 32;

const byteOrderMark = 0xefbbbf;

export type JsonObject = Readonly<Record<string, unknown>>;

/** An opened body. The readers in place.ts note here what they could not read. */
export interface Document {
  readonly value: unknown;
  readonly complaints: string[];
}

/** An object inside a document, with its path from the root: `rxInfo[0].location`. */
export interface Place {
  readonly object: JsonObject;
  readonly path: string;
  readonly complaints: string[];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(detail: string): Fault {
  return fault('INBOUND_MALFORMED', detail);
}

/** Never throws. */
export function openDocument(body: Buffer): Document | Fault {
  if (body.length > bodyBytesMax) {
    return fault('INBOUND_TOO_LARGE', `the body has more than ${bodyBytesMax} bytes`);
  }
  const text = readUtf8(body);
  if (text === undefined) return malformed('the body is not UTF-8');
  if (!hasFewBrackets(text) && !isShallow(body))
    return malformed(`the body nests deeper than ${nestingDepthMax} levels`);
  try {
    return opened(text);
  } catch (error) {
    return openWithoutNan(text) ?? malformed(syntaxDetail(error));
  }
}

function opened(text: string): Document {
  const value: unknown = JSON.parse(text);
  if (mayTouchPrototype(text)) removePrototypeKeys(value);
  return { value, complaints: [] };
}

/** Texts are passed over whole, so that only bare words are found. */
const textOrNan = /"(?:[^"\\]|\\.)*"|-?\b(?:nan|inf(?:inity)?)\b/gi;

/**
 * Python and C write a number that is none as NaN or inf, which JSON does not know: it says that
 * there is no value, and so does null. Undefined when that was not what is wrong.
 */
function openWithoutNan(text: string): Document | undefined {
  if (!/\b(?:nan|inf)/i.test(text)) return undefined;
  try {
    return opened(text.replace(textOrNan, (found) => (found.startsWith('"') ? found : 'null')));
  } catch {
    return undefined;
  }
}

/** As openDocument, for the formats whose messages are one object. */
export function openObject(body: Buffer): Place | Fault {
  const document = openDocument(body);
  if ('code' in document) return document;
  if (!isObject(document.value)) return malformed('the body is not a JSON object');
  return { object: document.value, path: '', complaints: document.complaints };
}

/**
 * Without what two kinds of senders put around their JSON: Windows a byte order mark before it, C
 * the NUL that ends its strings.
 */
function readUtf8(body: Buffer): string | undefined {
  const hasMark = body.length >= 3 && body.readUIntBE(0, 3) === byteOrderMark;
  let end = body.length;
  while (end > 0 && body[end - 1] === 0) end -= 1;
  const text = hasMark || end < body.length ? body.subarray(hasMark ? 3 : 0, end) : body;
  if (isAscii(text)) return text.toString('latin1');
  return isUtf8(text) ? text.toString('utf8') : undefined;
}

/**
 * So few that they cannot nest too deep, wherever they stand: nearly every message of the field,
 * and ten times faster than looking at each byte.
 */
function hasFewBrackets(text: string): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > nestingDepthMax) return false;
    }
  }
  return true;
}

/** Counts brackets outside of strings; on what is not JSON its answer does not matter. */
function isShallow(body: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === 0x22) {
      at = endOfString(body, at);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > nestingDepthMax) return false;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    }
  }
  return true;
}

function endOfString(body: Buffer, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== 0x22) at += body[at] === 0x5c ? 2 : 1;
  return at;
}

/** A key may hide behind `\u` escapes, so those send the document to the slow check as well. */
function mayTouchPrototype(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/**
 * JSON.parse makes `__proto__` a plain own key, which is harmless until somebody copies it with an
 * assignment or a deep merge. No sender has a use for these keys, so they go before anyone can.
 */
function removePrototypeKeys(value: unknown): void {
  if (Array.isArray(value)) {
    for (const element of value) removePrototypeKeys(element);
  } else if (typeof value === 'object' && value !== null) {
    Reflect.deleteProperty(value, '__proto__');
    if (isObject(Object.getOwnPropertyDescriptor(value, 'constructor')?.value)) {
      Reflect.deleteProperty(value, 'constructor');
    }
    for (const child of Object.values(value)) removePrototypeKeys(child);
  }
}

/**
 * The engine's own message quotes the payload, which may not stand in a fault: only the place is
 * kept.
 */
function syntaxDetail(error: unknown): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  return position === undefined
    ? 'the body is not JSON'
    : `the body is not JSON at character ${position}`;
}
