/**
 * Messages of CoAP [RFC 7252, section 3], as far as a sender of POST requests needs them: the
 * request is written, the head of an answer is read.
 */
import assert from 'node:assert/strict';

/** Numbers of options [RFC 7252, section 5.10; RFC 7959, section 6]. */
export const coapOptions = {
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  block1: 27,
  /** Of the range for experiments: where a gateway of this house looks for a token. */
  token: 65_000,
} as const;

export interface CoapOption {
  readonly number: number;
  readonly value: Buffer;
}

export interface CoapPost {
  readonly messageId: number;
  /** 1 to 8 bytes; the answer bears it. */
  readonly token: Buffer;
  readonly options: readonly CoapOption[];
  readonly payload: Buffer;
}

const version = 0x40;
const types = ['confirmable', 'non-confirmable', 'acknowledgement', 'reset'] as const;
const postCode = 0x02;
const payloadMarker = 0xff;
const headerBytes = 4;

export function writeCoapPost({ messageId, token, options, payload }: CoapPost): Buffer {
  assert.ok(token.length >= 1 && token.length <= 8, 'a token has 1 to 8 bytes');
  const header = Buffer.of(version | token.length, postCode, messageId >> 8, messageId & 0xff);
  const parts = [header, token];
  let last = 0;
  // Each is written by its distance from the one before [RFC 7252, section 3.1].
  for (const { number, value } of [...options].sort((left, right) => left.number - right.number)) {
    const [delta, length] = [extended(number - last), extended(value.length)];
    parts.push(Buffer.of((delta.nibble << 4) | length.nibble), delta.more, length.more, value);
    last = number;
  }
  return Buffer.concat([...parts, Buffer.of(payloadMarker), payload]);
}

function extended(value: number): { nibble: number; more: Buffer } {
  if (value < 13) return { nibble: value, more: Buffer.alloc(0) };
  if (value < 269) return { nibble: 13, more: Buffer.of(value - 13) };
  const more = Buffer.alloc(2);
  more.writeUInt16BE(value - 269);
  return { nibble: 14, more };
}

export interface CoapAnswer {
  readonly type: (typeof types)[number];
  /** `2.04`; `0.00` of an empty message. */
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  /** Seconds; only where the answer says so. */
  readonly maxAge?: number;
}

/** Undefined for what is no message of this version. */
export function readCoapAnswer(datagram: Buffer): CoapAnswer | undefined {
  const [first = 0, code = 0] = datagram;
  const length = first & 0x0f;
  const type = types[(first >> 4) & 3];
  const isWhole = datagram.length >= headerBytes + length && length <= 8;
  if (!isWhole || first >> 6 !== 1 || type === undefined) return undefined;
  const maxAge = readMaxAge(datagram.subarray(headerBytes + length));
  return {
    type,
    code: `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`,
    messageId: datagram.readUInt16BE(2),
    token: datagram.subarray(headerBytes, headerBytes + length),
    ...(maxAge === undefined ? {} : { maxAge }),
  };
}

/** Options beyond it do not matter here, so their longest form is not read. */
function readMaxAge(options: Buffer): number | undefined {
  let [at, number] = [0, 0];
  while (at < options.length && options[at] !== payloadMarker && number < coapOptions.maxAge) {
    const [delta, length] = [(options[at] ?? 0) >> 4, (options[at] ?? 0) & 0x0f];
    if (delta > 13 || length > 12) return undefined;
    number += delta < 13 ? delta : 13 + (options[at + 1] ?? 0);
    at += delta < 13 ? 1 : 2;
    if (at + length > options.length) return undefined;
    if (number === coapOptions.maxAge && length <= 4) {
      return length === 0 ? 0 : options.readUIntBE(at, length);
    }
    at += length;
  }
  return undefined;
}

/** An empty message: how an answer that came on its own is acknowledged. */
export function coapAcknowledgement(messageId: number): Buffer {
  return Buffer.of(
    version | (types.indexOf('acknowledgement') << 4),
    0,
    messageId >> 8,
    messageId & 0xff,
  );
}

/** Block1 of a request: which part, whether more follow, 1024 bytes each [RFC 7959, section 2.2]. */
export function block1(part: number, { isLast }: { isLast: boolean }): CoapOption {
  const value = Buffer.alloc(3);
  value.writeUIntBE((part << 4) | (isLast ? 0 : 8) | blockSizeExponent, 0, 3);
  // Zeros in front are left out [RFC 7252, section 3.2].
  const start = value.findIndex((byte) => byte !== 0);
  return { number: coapOptions.block1, value: value.subarray(start) };
}

export const blockBytes = 1_024;
/** 2 ** (6 + 4) bytes. */
const blockSizeExponent = 6;
