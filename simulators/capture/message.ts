/**
 * One message of a capture and its line in the file; docs/captures.md describes the format. A line
 * that is not understood is refused with its reason: a replay that guesses proves nothing.
 */
export const vias = ['mqtt', 'http', 'udp', 'coap'] as const;
export type Via = (typeof vias)[number];

export interface CapturedMessage {
  /** Epoch milliseconds at which it was received. */
  readonly at: number;
  readonly via: Via;
  /** The MQTT topic, the HTTP or CoAP path with its query, or `semtech-udp/<gateway EUI>`. */
  readonly route: string;
  readonly body: Buffer;
  /** The account that sent it, by name; never a secret. */
  readonly sender?: string;
  /** The device it is of, where that was known. */
  readonly device?: string;
  /** The broker kept it from an earlier time: it was not sent when it was received. */
  readonly isRetained?: boolean;
}

export const captureFormat = 'fieldgate-capture';
export const captureVersion = 1;

export interface CaptureHeader {
  /** RFC 3339. */
  readonly created: string;
  /** What it was recorded from, for people: `ledger`, `mqtt`, `pcap` and the like. */
  readonly source: string;
  readonly isAnonymised?: boolean;
}

export const routeLengthMax = 4_096;
const nameLengthMax = 256;
/** A time beyond it cannot be written as a date. */
const timeMax = 8_640_000_000_000_000;

/** A capture cannot be read on; the sentence is for the operator. */
export class CaptureUnreadable extends Error {
  readonly code = 'CAPTURE_UNREADABLE';
}

export function headerLine(header: CaptureHeader): string {
  const { created, source, isAnonymised } = header;
  const anonymised = isAnonymised === true ? { anonymised: true } : {};
  return JSON.stringify({
    ...{ format: captureFormat, version: captureVersion, created, source },
    ...anonymised,
  });
}

export function parseHeader(line: string): CaptureHeader {
  const fields = fieldsOf(line, 1);
  if (fields['format'] !== captureFormat) throw unreadable(1, 'this is not a capture file');
  if (fields['version'] !== captureVersion) {
    throw unreadable(1, `it is of version ${fields['version']}; ${captureVersion} is read here`);
  }
  const { created, source } = { created: fields['created'], source: fields['source'] };
  if (typeof created !== 'string' || typeof source !== 'string') {
    throw unreadable(1, 'the header has no `created` or no `source`');
  }
  return { created, source, ...(fields['anonymised'] === true ? { isAnonymised: true } : {}) };
}

export function messageLine(message: CapturedMessage): string {
  const { at, via, route, sender, device, isRetained } = message;
  return JSON.stringify({
    ...{ at, via, route },
    ...(sender === undefined ? {} : { sender }),
    ...(device === undefined ? {} : { device }),
    ...(isRetained === true ? { retained: true } : {}),
    ...bodyFields(message.body),
  });
}

/** Text where it is the same bytes again, so that a capture can be read and searched. */
function bodyFields(body: Buffer): { text: string } | { base64: string } {
  const text = body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(body) ? { text } : { base64: body.toString('base64') };
}

/** Unknown fields are passed over: a later writer of this version may add some. */
export function parseMessage(line: string, number: number): CapturedMessage {
  const fields = fieldsOf(line, number);
  const { at, via, route } = { at: fields['at'], via: fields['via'], route: fields['route'] };
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || Math.abs(at) > timeMax) {
    throw unreadable(number, '`at` is not a time in epoch milliseconds');
  }
  const known = vias.find((one) => one === via);
  if (known === undefined) throw unreadable(number, `\`via\` is not one of ${vias.join(', ')}`);
  if (typeof route !== 'string' || route === '' || route.length > routeLengthMax) {
    throw unreadable(number, `\`route\` is not a text of 1 to ${routeLengthMax} characters`);
  }
  return {
    ...{ at, via: known, route, body: bodyOf(fields, number) },
    ...nameOf(fields, 'sender', number),
    ...nameOf(fields, 'device', number),
    ...(fields['retained'] === true ? { isRetained: true } : {}),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function bodyOf(fields: Fields, number: number): Buffer {
  const { text, base64 } = { text: fields['text'], base64: fields['base64'] };
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(text, 'utf8');
  if (typeof base64 !== 'string' || text !== undefined) {
    throw unreadable(number, 'it has neither `text` nor `base64`, or both');
  }
  const body = Buffer.from(base64, 'base64');
  if (body.toString('base64') !== base64) throw unreadable(number, '`base64` is not base64');
  return body;
}

function nameOf<Name extends 'sender' | 'device'>(
  fields: Fields,
  name: Name,
  number: number,
): { sender?: string; device?: string } {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value === 'string' && value !== '' && value.length <= nameLengthMax) {
    return { [name]: value };
  }
  throw unreadable(number, `\`${name}\` is not a text of 1 to ${nameLengthMax} characters`);
}

function fieldsOf(line: string, number: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw unreadable(number, 'it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unreadable(number, 'it is not a JSON object');
  }
  return Object.fromEntries(Object.entries(value));
}

function unreadable(line: number, detail: string): CaptureUnreadable {
  return new CaptureUnreadable(`line ${line} of the capture: ${detail}`);
}
