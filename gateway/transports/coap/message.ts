/**
 * CoAP messages [RFC 7252, section 3] and the Block1 option [RFC 7959]: as much of them as a server
 * needs that takes bodies and answers without one. Strict: a datagram that ends early is no
 * message.
 */
export interface CoapMessage {
  readonly type: (typeof messageTypes)[number];
  /** Class and detail as in 0.02; 0.00 is an empty message. */
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  readonly options: readonly CoapOption[];
  readonly payload: Buffer;
}

export interface CoapOption {
  readonly number: number;
  readonly value: Buffer;
}

/** In the order of their numbers on the wire. */
const messageTypes = ['confirmable', 'non-confirmable', 'acknowledgement', 'reset'] as const;

export const optionNumbers = {
  uriHost: 3,
  uriPort: 7,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
} as const;

export const headerBytes = 4;
const tokenBytesMax = 8;
const payloadMarker = 0xff;
/** More options than this no request needs. */
const optionsMax = 64;

/** Undefined for anything that is no sound message. */
export function readCoapMessage(datagram: Buffer): CoapMessage | undefined {
  const [first, code] = datagram;
  if (first === undefined || code === undefined || datagram.length < headerBytes) return undefined;
  const type = messageTypes[(first >> 4) & 3];
  const tokenEnd = headerBytes + (first & 15);
  const isVersion1 = first >> 6 === 1;
  if (!isVersion1 || type === undefined || tokenEnd > headerBytes + tokenBytesMax) return undefined;
  if (tokenEnd > datagram.length || (code === 0 && datagram.length > headerBytes)) return undefined;
  const rest = readOptions(datagram, tokenEnd);
  if (rest === undefined) return undefined;
  return {
    type,
    code: `${code >> 5}.${String(code & 31).padStart(2, '0')}`,
    messageId: datagram.readUInt16BE(2),
    token: datagram.subarray(headerBytes, tokenEnd),
    ...rest,
  };
}

function readOptions(datagram: Buffer, start: number) {
  const options: CoapOption[] = [];
  let number = 0;
  let at = start;
  while (at < datagram.length && options.length <= optionsMax) {
    const head = datagram[at] ?? 0;
    if (head === payloadMarker) {
      const payload = datagram.subarray(at + 1);
      // A marker with nothing after it is a format error.
      return payload.length === 0 ? undefined : { options, payload };
    }
    const delta = readExtended(datagram, at + 1, head >> 4);
    const length = delta === undefined ? undefined : readExtended(datagram, delta.end, head & 15);
    if (delta === undefined || length === undefined) return undefined;
    at = length.end + length.value;
    if (at > datagram.length) return undefined;
    number += delta.value;
    options.push({ number, value: datagram.subarray(length.end, at) });
  }
  return options.length > optionsMax ? undefined : { options, payload: Buffer.alloc(0) };
}

/** Four bits, or one or two bytes after them. */
function readExtended(datagram: Buffer, at: number, nibble: number) {
  if (nibble < 13) return { value: nibble, end: at };
  const bytes = nibble - 12;
  if (nibble === 15 || at + bytes > datagram.length) return undefined;
  const offset = nibble === 13 ? 13 : 269;
  return { value: offset + datagram.readUIntBE(at, bytes), end: at + bytes };
}

export interface CoapReply {
  readonly type: CoapMessage['type'];
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  /** In ascending order of their numbers, which stay below 269. */
  readonly options?: readonly CoapOption[];
}

export function writeCoapReply({ type, code, messageId, token, options = [] }: CoapReply): Buffer {
  const [codeClass = '0', detail = '0'] = code.split('.');
  const header = Buffer.alloc(headerBytes);
  header[0] = 0x40 | (messageTypes.indexOf(type) << 4) | token.length;
  header[1] = (Number(codeClass) << 5) | Number(detail);
  header.writeUInt16BE(messageId, 2);
  const written: Buffer[] = [header, token];
  let last = 0;
  for (const { number, value } of options) {
    const delta = number - last;
    const head = delta < 13 ? [(delta << 4) | value.length] : [0xd0 | value.length, delta - 13];
    written.push(Buffer.from(head), value);
    last = number;
  }
  return Buffer.concat(written);
}

/** The value of the first option of this number as an unsigned integer; an empty value is 0. */
export function readUintOption(message: CoapMessage, number: number): number | undefined {
  const value = message.options.find((option) => option.number === number)?.value;
  if (value === undefined) return undefined;
  if (value.length > 4) return Number.NaN;
  return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
}

/** An unsigned integer in as few bytes as it takes. */
export function uintOption(number: number, integer: number): CoapOption {
  const hex = integer === 0 ? '' : integer.toString(16);
  return { number, value: Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex') };
}

export interface Block {
  readonly num: number;
  readonly isLast: boolean;
  /** Bytes: 16 to 1024. */
  readonly size: number;
}

/** Undefined where there is none; `bad` for a size that is reserved. */
export function readBlock1(message: CoapMessage): Block | 'bad' | undefined {
  const value = readUintOption(message, optionNumbers.block1);
  if (value === undefined) return undefined;
  const exponent = value & 7;
  if (Number.isNaN(value) || value > 0xff_ff_ff || exponent === 7) return 'bad';
  return { num: value >>> 4, isLast: (value & 8) === 0, size: 2 ** (exponent + 4) };
}

export function block1Option({ num, isLast, size }: Block): CoapOption {
  const value = num * 16 + (isLast ? 0 : 8) + (Math.log2(size) - 4);
  return uintOption(optionNumbers.block1, value);
}
