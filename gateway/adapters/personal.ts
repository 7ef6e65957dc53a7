/** Knows the keys of identifiers that lead to a person: they never become measurements. */

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
export function isPersonalIdentifier(key: string): boolean {
  const spaced = key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  for (const word of spaced.split(/[^a-z]+/)) {
    if (words.has(word) || longSuffix.test(word)) return true;
  }
  return words.has(spaced.replace(/[^a-z]/g, ''));
}

const spelledOut = /^(?:urn:)?(?:gsma:)?(?:imei|imsi|iccid|msisdn|tel)[:= -]/i;

/** True for text that names its own kind: `IMEI:0123456789`, `urn:imei:…`. */
export function isPersonalText(text: string): boolean {
  return spelledOut.test(text);
}
