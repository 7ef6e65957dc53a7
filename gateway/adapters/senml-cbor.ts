/** SenML packs in CBOR [RFC 8428 section 6], turned into what the same packs are in JSON. */
import { type DecodeOptions, decode, Tokenizer } from 'cborg';
import type { Fault } from '../model/fault.ts';
import { bodyBytesMax, malformed } from './document.ts';
import { recordsMax } from './senml.ts';

/**
 * The decoder recurses, so what it may open is counted: the pack, its records, and a few more that
 * an extension field may hold.
 */
const containersMax = recordsMax + 64;
const arrayType = 4;
const mapType = 5;
const exponentMax = 400;

/** The integers that stand for the names of fields [RFC 8428 table 6]. */
const labels = new Map<unknown, string>([
  [-1, 'bver'],
  [-2, 'bn'],
  [-3, 'bt'],
  [-4, 'bu'],
  [-5, 'bv'],
  [-6, 'bs'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
]);

const options: DecodeOptions = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowBigInt: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  // Decimal fractions are the only tag that SenML knows.
  tags: { 4: (content) => decimalFraction(content()) },
};

/** True for a CBOR array, by a first byte with which no JSON text can begin. */
export function isCborPack(body: Buffer): boolean {
  const [first] = body;
  return first !== undefined && first >> 5 === arrayType;
}

/** The records with the names of JSON, for `resolve` in senml.ts. Never throws. */
export function openCborPack(body: Buffer): readonly unknown[] | Fault {
  if (body.length > bodyBytesMax) return malformed(`the body has more than ${bodyBytesMax} bytes`);
  let pack: unknown;
  try {
    pack = decode(body, { ...options, tokenizer: countingTokenizer(body) });
  } catch {
    // The decoder's own words may quote the payload.
    return malformed('the body is not CBOR of a SenML pack');
  }
  return Array.isArray(pack) ? pack.map(recordOf) : malformed('the body is not an array');
}

function countingTokenizer(body: Buffer): NonNullable<DecodeOptions['tokenizer']> {
  const tokenizer = new Tokenizer(body, options);
  let containers = 0;
  return {
    done: () => tokenizer.done(),
    pos: () => tokenizer.pos(),
    next: () => {
      const token = tokenizer.next();
      const { major } = token.type;
      if (major === arrayType || major === mapType) containers += 1;
      if (containers > containersMax) throw new RangeError('too many containers');
      return token;
    },
  };
}

/** Unknown integers are extensions that a reader may pass over; names ending in `_` are kept. */
function recordOf(record: unknown): unknown {
  if (!(record instanceof Map)) return record;
  const fields: Record<string, unknown> = {};
  for (const [key, value] of record) {
    const name = typeof key === 'string' ? key : labels.get(key);
    if (name !== undefined && name !== '__proto__') fields[name] = plain(value);
  }
  return fields;
}

/** Data values stand in JSON as base64url without padding. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value;
}

/** [exponent, mantissa] of base 10, by way of text, which rounds once and rightly. */
function decimalFraction(content: unknown): number {
  const [exponent, mantissa]: unknown[] = Array.isArray(content) ? content : [];
  if (!Number.isInteger(exponent) || !Number.isSafeInteger(mantissa)) {
    throw new TypeError('no decimal fraction');
  }
  const number = Number(`${mantissa}e${exponent}`);
  if (!Number.isFinite(number) || Math.abs(Number(exponent)) > exponentMax) {
    throw new RangeError('no number');
  }
  return number;
}
