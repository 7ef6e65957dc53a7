/** One example of a codec, whatever repository it comes from. */
import { memberOf } from '../decoded-result.ts';

export type ExampleKind = 'uplink' | 'encode' | 'downlink';

export interface Example {
  readonly kind: ExampleKind;
  readonly description: string;
  /** The file that it stands in and the script that it is of, from the directory checked. */
  readonly file: string;
  readonly script: string;
  readonly input: ExampleInput;
  readonly expected: Expected;
  /** Why it is not to be run. */
  readonly skip?: string;
}

export interface ExampleInput {
  readonly bytes: readonly number[];
  readonly fPort: number;
  /** Epoch milliseconds, where the outcome hangs on it. */
  readonly recvTime?: number;
  readonly data?: unknown;
  readonly variables: unknown;
  /** All that the example gives: some encoders are given more than data. */
  readonly more: unknown;
}

export interface Expected {
  readonly data?: unknown;
  readonly bytes?: unknown;
  readonly fPort?: unknown;
  readonly errors?: unknown;
  readonly warnings?: unknown;
  /** What `normalizeUplink` makes of it: `{ data }`. */
  readonly normalized?: unknown;
}

/** Reads `{ description, input, output }`; text says what is wrong with it. */
export function readExample(
  given: unknown,
  place: Pick<Example, 'kind' | 'file' | 'script'>,
): Example | string {
  const input = memberOf(given, 'input');
  const output = memberOf(given, 'output') ?? memberOf(given, 'expected');
  const bytes = bytesOf(memberOf(input, 'bytes'));
  const data = memberOf(input, 'data');
  if (bytes === undefined) return 'the input bytes are no list of numbers from 0 to 255';
  if (typeof output !== 'object' || output === null) return 'it has no output';
  const recvTime = Date.parse(String(memberOf(input, 'recvTime')));
  const fPort = memberOf(input, 'fPort');
  return {
    ...place,
    description: String(memberOf(given, 'description') ?? memberOf(given, 'name') ?? ''),
    input: {
      bytes,
      data,
      fPort: typeof fPort === 'number' ? fPort : 1,
      variables: memberOf(input, 'variables') ?? {},
      more: input,
      ...(Number.isNaN(recvTime) ? {} : { recvTime }),
    },
    expected: { ...output, normalized: memberOf(given, 'normalizedOutput') },
  };
}

/** A list, hex digits, or none at all for encoders. */
function bytesOf(given: unknown): number[] | undefined {
  if (given === undefined || given === null) return [];
  if (typeof given === 'string') {
    const digits = given.replace(/^0x|[\s:-]/gi, '');
    return /^(?:[0-9a-f]{2})*$/i.test(digits) ? [...Buffer.from(digits, 'hex')] : undefined;
  }
  const isList = Array.isArray(given) && given.every(isByte);
  return isList ? given : undefined;
}

function isByte(given: unknown): given is number {
  return typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= 255;
}
