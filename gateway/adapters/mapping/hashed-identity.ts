/**
 * Device ids from what a sender calls its devices. Identifiers that lead to a person (equipment,
 * subscriber, card, phone number) become a keyed hash: without this gateway's key nobody can try
 * out the few billions there are. Names with blanks and the like become ids that stay unlike.
 */
import { createHash, createHmac } from 'node:crypto';
import { isDeviceId } from '../../model/device.ts';
import { type PersonalKind, personalKindOf } from '../personal.ts';

const idLengthMax = 64;
const digestDigits = 16;
const nameDigits = 8;
/** Names are hashed: a longer one is refused before. */
export const nameLengthMax = 256;

/** Fewer digits are no identifier of these kinds but a mistake in the mapping. */
const digitsMin = 8;
/** Type and serial number: the rest of an IMEI is a check digit, of an IMEISV a version. */
const imeiDigits = 14;

/** `imei-<16 hex digits>`; undefined for text without the digits of such an identifier. */
export function hashedIdentity(kind: PersonalKind, text: string, key: Buffer): string | undefined {
  const digits = text.replace(/\D/g, '');
  if (digits.length < digitsMin) return undefined;
  const own = kind === 'imei' ? digits.slice(0, imeiDigits) : digits;
  const digest = createHmac('sha256', key).update(`${kind}:${own}`).digest('hex');
  return `${kind}-${digest.slice(0, digestDigits)}`;
}

/** As it is where it may be; else with `_` for what may not, and a hash that tells it apart. */
export function deviceIdOfName(name: string): string | undefined {
  if (isDeviceId(name)) return name;
  if (name.trim() === '' || name.length > nameLengthMax) return undefined;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, nameDigits);
  const plain = name.trim().replace(/[^A-Za-z0-9_.:-]+/g, '_');
  return `${plain.slice(0, idLengthMax - nameDigits - 1)}-${digest}`;
}

/** Hashes what is, or looks like, a personal identifier; undefined for what can be no id. */
export function deviceIdOf(
  text: string,
  { kind, key }: { readonly kind: PersonalKind | undefined; readonly key: Buffer },
): string | undefined {
  const personal = kind ?? personalKindOf(text);
  return personal === undefined ? deviceIdOfName(text) : hashedIdentity(personal, text, key);
}
