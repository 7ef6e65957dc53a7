/**
 * What the keys in the key file are wrapped with, so that whoever has the file has nothing: a
 * secret that the gateway is started with, or (pkcs11-token.ts) a key that never leaves its token.
 */
import { hkdfSync } from 'node:crypto';
import { unwrapAes, wrapAes } from './key-wrap.ts';

export interface KeyProtection {
  /** Stands in the key file, so that it can be said what opens it. */
  readonly kind: 'secret' | 'pkcs11';
  /** Both throw, with the remedy. What `wrap` returns has been seen to open. */
  wrap(key: Buffer): Buffer;
  unwrap(wrapped: Buffer): Buffer;
}

export const protectionNames = {
  secret: 'a secret (keys.protection.kind: secret)',
  pkcs11: 'a PKCS#11 token (keys.protection.kind: pkcs11)',
} as const;

const purpose = 'fieldgate key file';

/** `secret` is 32 random bytes in hex; what is wrapped with it, by RFC 3394, tells it from others. */
export function secretProtection(secret: string): KeyProtection {
  const bytes = Buffer.from(secret, 'hex');
  const wrappingKey = Buffer.from(hkdfSync('sha256', bytes, '', purpose, bytes.length));
  return {
    kind: 'secret',
    wrap: (key) => wrapAes(key, wrappingKey),
    unwrap(wrapped) {
      const key = unwrapAes(wrapped, wrappingKey);
      if (key !== undefined) return key;
      throw new Error(
        'The key file was wrapped with another secret than keys.protection.secret: ' +
          'give that one, or restore the file from its backup.',
      );
    },
  };
}
