import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64 } from '../../gateway/adapters/base64.ts';

describe('Base64', () => {
  it('is read padded and unpadded, in both alphabets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (array) => {
        const bytes = Buffer.from(array);
        const text = bytes.toString('base64');
        expect(decodeBase64(text)).toEqual(bytes);
        expect(decodeBase64(text.replace(/=/g, ''))).toEqual(bytes);
        expect(decodeBase64(bytes.toString('base64url'))).toEqual(bytes);
      }),
    );
  });

  it.each([
    ['one digit too many', 'AAAAA'],
    ['a blank', 'AA A'],
    ['a line end', 'AAAA\n'],
    ['padding that does not fit', 'AA='],
    ['padding alone', '='],
    ['three padding signs', 'A==='],
    ['padding in the middle', 'AA==AA=='],
    ['bits past the last byte', 'qh=='],
    ['bits past the last byte, unpadded', 'AAF'],
    ['a placeholder', '...'],
  ])('is refused with %s', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
