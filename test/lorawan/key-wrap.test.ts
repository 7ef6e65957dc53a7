import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrapKey } from '../../gateway/lorawan/key-wrap.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const file = new URL('../fixtures/lorawan/vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8'));
const { keys } = vectors.find(({ id }: { id: string }) => id === 'thingpark-encrypted-appskey');

describe('A session key that comes wrapped', () => {
  it("is ThingPark's published one", () => {
    const bytes = hex(keys.AppSKeyEncrypted);
    const wrapped = { wrap: 'aes-cbc', label: '', bytes } as const;
    expect(unwrapKey(wrapped, hex(keys.ASTK))?.toString('hex')).toBe(keys.AppSKey);
  });

  // [RFC 3394, 4.1 to 4.3]
  it.each([
    ['000102030405060708090a0b0c0d0e0f', '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
    [
      '000102030405060708090a0b0c0d0e0f1011121314151617',
      '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d',
    ],
    [
      '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
      '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7',
    ],
  ])('is that of RFC 3394 under %s, and none under another key', (wrappingKey, text) => {
    const wrapped = { wrap: 'aes-kw', label: 'k', bytes: hex(text) } as const;
    const expected = '00112233445566778899aabbccddeeff';
    expect(unwrapKey(wrapped, hex(wrappingKey))?.toString('hex')).toBe(expected);
    const other = hex(wrappingKey).fill(1, 0, 1);
    expect(unwrapKey(wrapped, other)).toBeUndefined();
    expect(unwrapKey(wrapped, undefined)).toBeUndefined();
    expect(unwrapKey({ ...wrapped, bytes: hex(text.slice(2)) }, hex(wrappingKey))).toBeUndefined();
  });

  it('is itself when it is in clear', () => {
    const bytes = Buffer.alloc(16, 7);
    expect(unwrapKey({ wrap: 'none', label: '', bytes }, undefined)).toEqual(bytes);
    expect(unwrapKey({ wrap: 'none', label: '', bytes: hex('0102') }, undefined)).toBeUndefined();
  });

  it('is 16 bytes or none, whatever comes', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    const wrap = fc.constantFrom('aes-cbc', 'aes-kw', 'none');
    fc.assert(
      fc.property(wrap, bytes, bytes, (how, wrapped, key) => {
        const found = unwrapKey({ wrap: how, label: '', bytes: wrapped }, key);
        expect(found?.length ?? 16).toBe(16);
      }),
    );
  });
});
