/**
 * Device ids from what a sender calls its devices. Identifiers that lead to a person (equipment,
 * subscriber, card, phone number) become a keyed hash: without this gateway's key nobody can try
 * out the few billions there are.
 */
import { createHmac } from 'node:crypto';
import { deviceIdOfName } from '../device-name.ts';
import { type PersonalKind, personalKindOf } from '../personal.ts';

const digestDigits = 16;

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

/** Hashes what is, or looks like, a personal identifier; undefined for what can be no id. */
export function deviceIdOf(
  text: string,
  { kind, key }: { readonly kind: PersonalKind | undefined; readonly key: Buffer },
): string | undefined {
  const personal = kind ?? personalKindOf(text);
  return personal === undefined ? deviceIdOfName(text) : hashedIdentity(personal, text, key);
}
