import { describe, expect, it } from '@jest/globals';
import {
  bodyBytesMax,
  nestingDepthMax,
  openDocument,
  openObject,
} from '../../gateway/adapters/document.ts';

function open(text: string) {
  return openDocument(Buffer.from(text));
}

describe('Opening a body', () => {
  it('gives the value of sound JSON, also beyond ASCII', () => {
    expect(open('{"şəhər":"Bakı","n":[1,{"b":null}]}')).toEqual({
      value: { şəhər: 'Bakı', n: [1, { b: null }] },
      complaints: [],
    });
  });

  it.each([
    ['{"t":NaN,"u":[nan, -Infinity,inf],"v":1}', { t: null, u: [null, null, null], v: 1 }],
    ['{"a":"NaN, \\" nan","b":NaN}', { a: 'NaN, " nan', b: null }],
  ])('takes what is no number in %s for null', (text, value) => {
    expect(open(text)).toEqual({ value, complaints: [] });
  });

  it.each([
    ['a word beside a NaN', '{"t":NaN,"u":none}'],
    ['a NaN in place of a name', '{NaN:1}'],
    ['a longer word', '{"t":nano}'],
    ['a NaN at its cut end', '{"t":NaN'],
    ['nothing', ''],
    ['cut JSON', '{"a":'],
    ['two documents', '{} {}'],
    ['an open string', '"abc\\'],
  ])('refuses %s without quoting it', (_, text) => {
    expect(open(text)).toMatchObject({
      code: 'INBOUND_MALFORMED',
      detail: expect.stringMatching(/^the body is not JSON(?: at character \d+)?$/),
    });
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ])('refuses %s as UTF-8', (_, bytes) => {
    const detail = 'the body is not UTF-8';
    expect(openDocument(Buffer.from(bytes))).toMatchObject({ detail });
  });

  it('takes the deepest allowed nesting and refuses one level more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(open(nested(nestingDepthMax))).toHaveProperty('value');
    expect(open(nested(nestingDepthMax + 1))).toHaveProperty('code', 'INBOUND_MALFORMED');
    expect(open('{"a":'.repeat(40_000))).toHaveProperty('code', 'INBOUND_MALFORMED');
  });

  it('does not count brackets inside of strings', () => {
    const text = `["${'['.repeat(100)}", "\\"${'{'.repeat(100)}"]`;
    expect(open(text)).toHaveProperty('value');
  });

  it('refuses a body above the limit before it reads it', () => {
    const large = openDocument(Buffer.alloc(bodyBytesMax + 1, 0x20));
    expect(large).toHaveProperty('code', 'INBOUND_TOO_LARGE');
  });

  it.each([
    '{"a":[{"__proto__":{"isAdmin":true}}]}',
    '{"a":[{"\\u005f_proto__":{"isAdmin":true}}]}',
    '{"a":[{"constructor":{"prototype":{"isAdmin":true}}}]}',
  ])('removes the keys through which %s could reach a prototype', (text) => {
    expect(JSON.stringify(open(text))).toBe('{"value":{"a":[{}]},"complaints":[]}');
  });

  it('keeps a constructor that is no object', () => {
    expect(open('{"constructor":"Arup"}')).toHaveProperty('value.constructor', 'Arup');
  });

  it.each(['[]', '5', 'null', '"text"'])('finds that %s is not an object', (text) => {
    expect(openObject(Buffer.from(text))).toMatchObject({
      detail: 'the body is not a JSON object',
    });
  });
});
