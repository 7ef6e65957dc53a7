/** Where the keys of the devices are guarded, and which keys are shared with other servers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { type KeyProtection, secretProtection } from '../lorawan/key-protection.ts';
import type { KeyPlace } from '../lorawan/key-ring.ts';
import { createKekBook, type KekOf } from '../lorawan/key-wrap.ts';
import { pkcs11Protection } from '../lorawan/pkcs11-token.ts';

export function keyPlaceOf(config: Config, dataDir: string): KeyPlace {
  return {
    path: config.keyFile ?? join(dataDir, 'device-keys.kek'),
    protection: protectionOf(config.keys.protection),
  };
}

/** For commands on keys that are there: a file made anew would open none of them. */
export function existingKeyPlaceOf(config: Config, dataDir: string): KeyPlace {
  const place = keyPlaceOf(config, dataDir);
  if (existsSync(place.path)) return place;
  throw new Error(`there is no key file ${place.path} yet`);
}

function protectionOf(wanted: Config['keys']['protection']): KeyProtection | undefined {
  if (wanted.kind === 'file') return undefined;
  return wanted.kind === 'secret' ? secretProtection(wanted.secret) : pkcs11Protection(wanted);
}

/** From both places where they may be written: the cross-check has seen each label once. */
export function kekOf({ keys, ingest }: Config): KekOf {
  return createKekBook([...keys.keks, ...ingest.appSKeyWraps]);
}
