/**
 * A key in its envelope: wrapped by RFC 3394 with a key-encryption key that both sides know by its
 * label. Written as join servers do, `KEKLabel` and `AESKey` in hex, as ChirpStack does, `kekLabel`
 * and `aesKey`, and as The Things Stack does, `kek_label` and `encrypted_key` in base64.
 */
import { keyBytesOf, labelOf, wrappedKeyOf } from '../model/wrapped-key.ts';
import { type KekOf, unwrapKey, wrapAes } from './key-wrap.ts';

export interface KeyEnvelope {
  readonly KEKLabel: string;
  /** In hex, 8 bytes more than the key has. */
  readonly AESKey: string;
}

const keyFields = ['AESKey', 'aesKey', 'aes_key', 'encrypted_key', 'encryptedKey'] as const;
const labelFields = ['KEKLabel', 'kekLabel', 'kek_label'] as const;
const labelPattern = /^[\w.:-]{1,64}$/;

export function sealEnvelope(key: Buffer, label: string, kek: Buffer): KeyEnvelope {
  return { KEKLabel: label, AESKey: wrapAes(key, kek).toString('hex') };
}

/**
 * The key in hex; undefined for what is no envelope, and for one that no key here opens. Without a
 * label what is in it is in clear.
 */
export function openEnvelope(value: unknown, kekOf: KekOf): string | undefined {
  const fields = fieldsOf(value);
  const text = first(fields, keyFields);
  if (text === undefined) return undefined;
  const label = labelOf(first(fields, labelFields));
  const wrapped = wrappedKeyOf(label, keyBytesOf(text));
  if (wrapped === undefined || (wrapped.wrap === 'none') !== (label === '')) return undefined;
  return unwrapKey(wrapped, kekOf(label))?.toString('hex');
}

/** The label on an envelope that is closed; undefined for what is none. */
export function envelopeLabel(value: unknown): string | undefined {
  const fields = fieldsOf(value);
  if (first(fields, keyFields) === undefined) return undefined;
  const label = labelOf(first(fields, labelFields));
  return labelPattern.test(label) ? label : '';
}

/** A device as it is written here, with those of its keys in clear whose envelopes open. */
export function withOpenKeys(row: unknown, kekOf: KekOf): unknown {
  const keys = fieldsOf(fieldsOf(row)?.['keys']);
  if (keys === undefined) return row;
  const names = Object.keys(keys).filter((name) => envelopeLabel(keys[name]) !== undefined);
  if (names.length === 0) return row;
  const opened = names.map((name) => [name, openEnvelope(keys[name], kekOf) ?? keys[name]]);
  return { ...fieldsOf(row), keys: { ...keys, ...Object.fromEntries(opened) } };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}

function first(
  fields: Readonly<Record<string, unknown>> | undefined,
  names: readonly string[],
): string | undefined {
  const texts = names.map((name) => fields?.[name]);
  return texts.find((text): text is string => typeof text === 'string' && text !== '');
}
