/** Knows the keys of identifiers that lead to a person: they never become measurements. */

import { remembered } from './remembered.ts';

const keysRememberedMax = 4_096;

/** Equipment, subscriber, card and phone number, in 4G and 5G words. */
const words = new Set([
  'imei',
  'imeisv',
  'imsi',
  'iccid',
  'msisdn',
  'eid',
  'supi',
  'suci',
  'gpsi',
  'phone',
  'phonenumber',
  'mobilenumber',
]);
const longSuffix = /(?:imei|imeisv|imsi|iccid|msisdn|phonenumber)$/;

/**
 * True for `imei`, `IMSI1`, `sim_iccid`, `deviceImei`, `subscriber.msisdn`; false for `simSignal`.
 */
export const isPersonalIdentifier = remembered(isPersonalKey, keysRememberedMax);

function isPersonalKey(key: string): boolean {
  const spaced = key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  for (const word of spaced.split(/[^a-z]+/)) {
    if (words.has(word) || longSuffix.test(word)) return true;
  }
  return words.has(spaced.replace(/[^a-z]/g, ''));
}

const spelledOut = /^(?:urn:)?(?:gsma:)?(imei|imsi|iccid|msisdn|tel)[:= -]/i;

/** True for text that names its own kind, `IMEI:0123456789`, `urn:imei:…`, or shows it. */
export function isPersonalText(text: string): boolean {
  return personalKindOf(text) !== undefined;
}

export type PersonalKind = 'imei' | 'imsi' | 'iccid' | 'msisdn';

const kinds = new Map<string, PersonalKind>([
  ['imei', 'imei'],
  ['imsi', 'imsi'],
  ['iccid', 'iccid'],
  ['msisdn', 'msisdn'],
  ['tel', 'msisdn'],
]);

/** A card's number: 89 is telecommunications, a filler digit may end it. */
const cardNumber = /^89\d{16,18}[fF]?$/;
const equipmentNumber = /^\d{15}$/;

/** By the word in front, or by digits that are a card's or pass an equipment number's check. */
export function personalKindOf(text: string): PersonalKind | undefined {
  const word = spelledOut.exec(text)?.[1];
  if (word !== undefined) return kinds.get(word.toLowerCase());
  if (text.length < 15 || text.length > 21) return undefined;
  if (cardNumber.test(text)) return 'iccid';
  return equipmentNumber.test(text) && hasCheckDigit(text) ? 'imei' : undefined;
}

/** The Luhn check of the fifteenth digit. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(at) - 0x30;
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
