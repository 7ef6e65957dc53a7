/** Device ids from names that a gateway gives its devices, with blanks and any letters. */
import { createHash } from 'node:crypto';
import { isDeviceId } from '../model/device.ts';

const idLengthMax = 64;
const digestDigits = 8;
/** Names are hashed: a longer one is refused before. */
const nameLengthMax = 256;

/**
 * The name itself where it may be an id; else with `_` for what may not stand in one, and a hash
 * behind it, so that two names never become one id. Undefined for a name of blanks or of more than
 * 256 characters.
 */
export function deviceIdOfName(name: string): string | undefined {
  if (isDeviceId(name)) return name;
  if (name.trim() === '' || name.length > nameLengthMax) return undefined;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, digestDigits);
  const plain = name.trim().replace(/[^A-Za-z0-9_.:-]+/g, '_');
  return `${plain.slice(0, idLengthMax - digestDigits - 1)}-${digest}`;
}
