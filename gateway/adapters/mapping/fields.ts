/** The single fields of an uplink: who sent it, its payload, flags and text. */
import type { DeviceIdSpec, PayloadSpec, TextSpec } from '../../../config/mapping-schema.ts';
import { parseDevAddr, parseEui64 } from '../../model/eui.ts';
import { decodeBase64 } from '../base64.ts';
import { remembered } from '../remembered.ts';
import { complain, inside, type Read, type Scope } from './context.ts';
import { deviceIdOf } from './hashed-identity.ts';
import { isAbsent } from './numbers.ts';
import { compileOpenSource, compileSource } from './source.ts';

export const textLengthMax = 256;
/** More is a file, not a frame; LoRaWAN ends at 242 bytes and NB-IoT at 1,600. */
export const payloadBytesMax = 16_384;

/** Text, or a number as text. */
export function compileText({ from, required = false }: TextSpec, scope: Scope): Read<string> {
  const read = compileOpenSource(from, inside(scope, 'from'));
  return (context) => {
    const raw = read(context);
    if (isAbsent(raw)) return required ? complain(context, from, 'there') : undefined;
    const text = typeof raw === 'number' ? String(raw) : raw;
    if (typeof text === 'string' && text.length <= textLengthMax) return text;
    return complain(context, from, 'a short text');
  };
}

export function compileFlag({ from, required = false }: TextSpec, scope: Scope): Read<boolean> {
  const read = compileOpenSource(from, inside(scope, 'from'));
  return (context) => {
    const raw = read(context);
    if (isAbsent(raw)) return required ? complain(context, from, 'there') : undefined;
    return flagOf(raw) ?? complain(context, from, 'true or false');
  };
}

const flags = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
]);

export function flagOf(raw: unknown): boolean | undefined {
  return flags.get(typeof raw === 'string' ? raw.toLowerCase() : raw);
}

/** Hashing an id costs as much as reading its message. */
const devicesRememberedMax = 16_384;

/** An id that may stand anywhere; a personal identifier never comes out in clear. */
export function compileDeviceId(spec: DeviceIdSpec, scope: Scope): Read<string> {
  const { from, withoutPrefix = '' } = spec;
  const read = compileSource(from, inside(scope, 'from'));
  const identity = { kind: spec.kind, key: scope.identityKey };
  const idOf = remembered((text) => deviceIdOf(text, identity), devicesRememberedMax);
  return (context) => {
    const raw = read(context);
    const text = typeof raw === 'number' ? String(raw) : raw;
    if (typeof text !== 'string') return complain(context, from, 'the id of a device');
    const own = text.startsWith(withoutPrefix) ? text.slice(withoutPrefix.length) : text;
    return idOf(own) ?? complain(context, from, 'the id of a device');
  };
}

/** Hex in every spelling, or base64: 16 lower-case hex digits. */
export function compileDevEui(spec: TextSpec, scope: Scope): Read<string> {
  return compileDigits(spec, scope, { parse: parseEui64, bytes: 8, expected: 'an EUI-64' });
}

export function compileDevAddr(spec: TextSpec, scope: Scope): Read<string> {
  return compileDigits(spec, scope, { parse: parseDevAddr, bytes: 4, expected: 'a DevAddr' });
}

interface Digits {
  readonly parse: (text: string) => string | undefined;
  readonly bytes: number;
  readonly expected: string;
}

function compileDigits(spec: TextSpec, scope: Scope, digits: Digits): Read<string> {
  const read = compileText(spec, scope);
  return (context) => {
    const text = read(context);
    if (text === undefined) return undefined;
    const parsed = digits.parse(text) ?? fromBase64(text, digits.bytes);
    return parsed ?? complain(context, spec.from, digits.expected);
  };
}

function fromBase64(text: string, length: number): string | undefined {
  const bytes = decodeBase64(text);
  return bytes?.length === length ? bytes.toString('hex') : undefined;
}

export function compilePayload(spec: PayloadSpec, scope: Scope): Read<Buffer> {
  const { from, encoding, required = false } = spec;
  const read = compileOpenSource(from, inside(scope, 'from'));
  const decode = decoders[encoding];
  return (context) => {
    const raw = read(context);
    if (raw === undefined || raw === null) {
      return required ? complain(context, from, 'there') : undefined;
    }
    const bytes = typeof raw === 'string' ? decode(raw) : undefined;
    if (bytes === undefined) return complain(context, from, `bytes in ${encoding}`);
    if (bytes.length <= payloadBytesMax) return bytes;
    return complain(context, from, `within ${payloadBytesMax} bytes`);
  };
}

const hexBytes = /^(?:[0-9a-f]{2})*$/i;

const decoders: Readonly<Record<PayloadSpec['encoding'], (text: string) => Buffer | undefined>> = {
  hex: (text) => {
    const digits = text.replace(/^0x|[\s:-]/gi, '');
    return hexBytes.test(digits) ? Buffer.from(digits, 'hex') : undefined;
  },
  base64: decodeBase64,
  text: (text) => Buffer.from(text, 'utf8'),
};
