import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cmac, createCmacKey } from '../../gateway/lorawan/cmac.ts';

// RFC 4493, section 4: one key, four messages.
const rfcKey = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex');
const rfcMessage = Buffer.from(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  'hex',
);
const rfcTags = [
  [0, 'bb1d6929e95937287fa37d129b756746'],
  [16, '070a16b46b4d4144f79bdd9dd04a287c'],
  [40, 'dfa66747de9ae63030ca32611497c827'],
  [64, '51f0bebf7e3b9d92fc49741779363cfe'],
] as const;

const none = Buffer.alloc(0);
const key16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((key) => Buffer.from(key));
const message = fc.uint8Array({ maxLength: 300 }).map((part) => Buffer.from(part));

describe('AES-CMAC', () => {
  it.each(rfcTags)('gives the tag of RFC 4493 for its %i-byte message', (length, tag) => {
    const key = createCmacKey(rfcKey);
    expect(cmac(key, none, rfcMessage.subarray(0, length)).toString('hex')).toBe(tag);
  });

  it('keeps no state of earlier messages in its open cipher', () => {
    const key = createCmacKey(rfcKey);
    for (const [length, tag] of [...rfcTags, ...rfcTags.toReversed()]) {
      expect(cmac(key, none, rfcMessage.subarray(0, length)).toString('hex')).toBe(tag);
    }
  });

  it('gives one tag wherever a message is cut into head and body', () => {
    fc.assert(
      fc.property(key16, message, fc.nat(300), (key, whole, cut) => {
        const at = Math.min(cut, whole.length);
        const kept = createCmacKey(key);
        const tag = cmac(kept, whole.subarray(0, at), whole.subarray(at));
        expect(tag).toEqual(cmac(createCmacKey(key), none, whole));
      }),
    );
  });

  it('is plain CBC-MAC with the subkey added for messages of whole blocks', () => {
    fc.assert(
      fc.property(key16, fc.integer({ min: 1, max: 8 }), (key, blocks) => {
        const body = Buffer.alloc(blocks * 16, 0x5a);
        const kept = createCmacKey(key);
        const last = body.subarray(-16).map((byte, index) => byte ^ (kept.subkey1[index] ?? 0));
        const cipher = createCipheriv('aes-128-cbc', key, Buffer.alloc(16));
        const tag = cipher.update(Buffer.concat([body.subarray(0, -16), last])).subarray(-16);
        expect(cmac(kept, none, body)).toEqual(tag);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a key that is not of 16 bytes as a programming error', () => {
    expect(() => createCmacKey(Buffer.alloc(15))).toThrow('16 bytes');
  });
});
