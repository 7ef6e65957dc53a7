import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKekBook, unwrapAes, unwrapKey, wrapAes } from '../../gateway/lorawan/key-wrap.ts';

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

const kek = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const data = '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f';

describe('AES key wrap', () => {
  // [RFC 3394, 4.1 to 4.6]: bytes of the wrapping key, bytes of the key, what comes of it.
  const wrapped: [number, number, string][] = [
    [16, 16, '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
    [24, 16, '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'],
    [32, 16, '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
    [24, 24, '031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2'],
    [32, 24, 'a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1'],
    [32, 32, '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'],
  ];

  it.each(wrapped)('under %i bytes, of %i bytes, is that of RFC 3394', (kekBytes, bytes, text) => {
    const [wrappingKey, key] = [hex(kek).subarray(0, kekBytes), hex(data).subarray(0, bytes)];
    expect(wrapAes(key, wrappingKey).toString('hex')).toBe(text);
    expect(unwrapAes(hex(text), wrappingKey)).toEqual(key);
  });

  it.each(wrapped)(
    'under %i bytes, of %i bytes, opens with no bit flipped',
    (kekBytes, _, text) => {
      const wrappingKey = hex(kek).subarray(0, kekBytes);
      for (let bit = 0; bit < hex(text).length * 8; bit += 1) {
        const flipped = hex(text);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (0x80 >> (bit & 7)), bit >> 3);
        expect(unwrapAes(flipped, wrappingKey)).toBeUndefined();
      }
    },
  );

  it('has no key of other lengths', () => {
    const [, , text] = wrapped[0] ?? [0, 0, ''];
    for (const length of [0, 8, 15, 17, 23]) {
      expect(unwrapAes(hex(text).subarray(0, length), hex(kek).subarray(0, 16))).toBeUndefined();
    }
    expect(unwrapAes(hex(text), hex(kek).subarray(0, 20))).toBeUndefined();
    expect(() => wrapAes(Buffer.alloc(16), Buffer.alloc(20))).toThrow('16, 24 or 32 bytes');
    expect(() => wrapAes(Buffer.alloc(8), Buffer.alloc(16))).toThrow('two blocks');
    expect(() => wrapAes(Buffer.alloc(17), Buffer.alloc(16))).toThrow('whole blocks');
  });

  it('opens what it has wrapped, whatever it is, and finds its key by the label', () => {
    const bytes = (length: number) =>
      fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
    const keys = fc.constantFrom(16, 24, 32).chain(bytes);
    fc.assert(
      fc.property(keys, keys, (key, wrappingKey) => {
        const kekOf = createKekBook([{ label: 'town', key: wrappingKey.toString('hex') }]);
        expect(kekOf('village')).toBeUndefined();
        const found = kekOf('town') ?? Buffer.alloc(0);
        expect(unwrapAes(wrapAes(key, wrappingKey), found)).toEqual(key);
      }),
      { numRuns: 50 },
    );
  });
});
