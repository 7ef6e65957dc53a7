/** From what a call of a script gave to values of the vocabulary. */
import type { Decoded, DecodedValue } from '../../decoders/codec.ts';
import { mapObject } from '../../decoders/mapping.ts';
import { normalisedValues } from './normalised-fields.ts';

/** Codecs may list hundreds of errors; one line in a list is read. */
const messageLengthMax = 256;

/** `text` as the sandbox gives it: `v` and JSON, or `e` and a message. */
export function decodedOf(text: string): Decoded {
  if (!text.startsWith('v')) return { ok: false, error: text.slice(1, messageLengthMax) };
  const result: unknown = JSON.parse(text.slice(1));
  const errors = wordsIn(result, 'errors');
  if (errors.length > 0) return { ok: false, error: errors.join('; ').slice(0, messageLengthMax) };
  const data = memberOf(result, 'data');
  if (typeof data !== 'object' || data === null) return { ok: false, error: 'returned no data' };
  const warnings = wordsIn(result, 'warnings');
  const values = merge(normalisedValues(memberOf(result, 'normalized')), mapObject(data));
  return { ok: true, values, ...(warnings.length === 0 ? {} : { warnings }) };
}

/**
 * Normalised values have fixed units; of the codec's own fields those stay that they do not cover.
 */
function merge(normalised: readonly DecodedValue[], own: readonly DecodedValue[]): DecodedValue[] {
  const covered = new Set(normalised.map(({ quantity }) => quantity));
  return [...normalised, ...own.filter(({ quantity }) => !covered.has(quantity))];
}

function wordsIn(result: unknown, name: string): string[] {
  const list = memberOf(result, name);
  if (!Array.isArray(list)) return [];
  return list.map((word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word)));
}

/** Own members only: the text is a codec's. */
export function memberOf(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, name))
    return undefined;
  return Reflect.get(object, name);
}
