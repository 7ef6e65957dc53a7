/** Results of named numbers leave the guest as numbers, and read as if they had left it as JSON. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEngine, type Engine } from '../../gateway/codecs/engine.ts';
import { engineModule } from '../../gateway/codecs/engine-module.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { createNumberTexts, type NumberTexts } from '../../gateway/codecs/named-numbers.ts';
import { time, uplinkRequest } from './scripts.ts';

const realNow = Date.now;
const clock = { set() {}, reads: () => 0 };

/** Names of fields for which a result is refused: `docs/codecs.md`. */
const refused = ['__proto__', 'constructor', 'prototype'];

function told(texts: NumberTexts, data: Record<string, number>): string | undefined {
  const names = Object.keys(data).join('\n');
  return texts.textOf(names, names.length, Float64Array.from(Object.values(data)));
}

describe('Named numbers', () => {
  let engine: Engine;

  beforeAll(async () => {
    Date.now = () => time;
    engine = await createEngine(codecLimits, clock, await engineModule());
  });
  afterAll(() => {
    Date.now = realNow;
  });

  /** What the gateway's way of asking gives, and what a request in JSON gives. */
  function bothWays(source: string): { asUplink: string; asRequest: string } {
    const script = engine.load(source, 10_000);
    const uplink = { bytes: '\x01\xff', fPort: 2, time, settings: '' };
    const asUplink = engine.run(script, uplink, 10_000).text;
    const asRequest = engine.run(script, uplinkRequest([1, 255], { fPort: 2 }), 10_000).text;
    return { asUplink, asRequest };
  }

  const decodes = (body: string) => `function decodeUplink(input) { ${body} }`;

  it.each([
    ['numbers', '{ temperature: 22.6, humidity: 41, "a b": -0.1 }'],
    ['a negative zero', '{ a: -0, b: 0 }'],
    ['the largest and the smallest', '{ a: 1.7976931348623157e308, b: 5e-324, c: 1e21, d: 1e-7 }'],
    ['names like places', '{ b: 1, 2: 2, 1: 3 }'],
    [
      'as many as fit',
      'Object.fromEntries(input.bytes.concat(Array(62).fill(0)).map((n, i) => ["f" + i, n]))',
    ],
    ['more than fit', 'Object.fromEntries(Array(65).fill(0).map((n, i) => ["f" + i, i / 10]))'],
    ['an instance of a class', 'new (class { constructor() { this.a = 1 } })()'],
    ['what says itself how it is written', '{ a: 1, __proto__: { toJSON() { return { b: 2 } } } }'],
    ['a getter', '{ get a() { return 3 } }'],
    ['a text among them', '{ a: 1, b: "x" }'],
    ['a Boolean among them', '{ a: 1, b: true }'],
    ['one within another', '{ a: 1, b: { c: 2 } }'],
    ['nothing', '{}'],
    ['a list', '[1, 2]'],
    ['a number in a box', 'new Number(5)'],
    ['bytes', 'new Uint8Array([1, 2])'],
    ['no number', '{ a: 1, b: NaN }'],
    ['an infinite one', '{ a: 1, b: -Infinity }'],
    ['undefined among them', '{ a: 1, b: undefined }'],
    ['no object', '5'],
  ])('reads %s alike', (_what, data) => {
    const { asUplink, asRequest } = bothWays(decodes(`return { data: ${data} }`));
    expect(asUplink).toBe(asRequest);
  });

  it.each([
    ['quotes and backslashes', JSON.stringify('"\\')],
    ['a line feed', JSON.stringify('a\nb')],
    ['a line feed at its end', JSON.stringify('a\n')],
    ['a zero byte', '"a\\u0000b"'],
    ['a character of its own plane', '"\\u{1F321}"'],
    ['half a character', '"\\ud83c"'],
    ['no character', '""'],
    ['the name of a prototype', '"__proto__"'],
    ['the name of a constructor', '"constructor"'],
    ['many characters', '"x".repeat(70_000)'],
  ])('reads a name of %s alike, as the first, the last and the only one', (_what, name) => {
    for (const names of [`[${name}]`, `[${name}, "z"]`, `["z", ${name}]`]) {
      const define = 'Object.defineProperty(data, name, { value: 1.5, enumerable: true })';
      const body = `var data = {}; ${names}.forEach((name) => ${define}); return { data }`;
      const { asUplink, asRequest } = bothWays(decodes(body));
      expect(asUplink).toBe(asRequest);
    }
  });

  it('reads results of all dialects alike', () => {
    for (const source of [
      'function Decode(fPort, bytes) { return { p: fPort, first: bytes[0], second: bytes[1] } }',
      'function Decoder(bytes, port) { return { p: port, count: bytes.length } }',
      'exports.decodeUplink = (i) => ({ data: { t: i.recvTime.getTime(), second: i.bytes[1] } })',
    ]) {
      const { asUplink, asRequest } = bothWays(source);
      expect(asUplink).toMatch(/^v\{"data":\{/u);
      expect(asUplink).toBe(asRequest);
    }
  });

  it('lets empty lists of errors and warnings go, and keeps those that say something', () => {
    const told = (more: string) => bothWays(decodes(`return { data: { a: 1 }, ${more} }`)).asUplink;
    expect(told('errors: [], warnings: []')).toBe('v{"data":{"a":1}}');
    expect(told('warnings: ["w"]')).toBe('v{"data":{"a":1},"warnings":["w"]}');
    expect(told('errors: ["e"]')).toBe('v{"errors":["e"]}');
  });

  it('keeps what a codec normalises beside its numbers', () => {
    const source = `${decodes('return { data: { t: 21.5 } }')}
      function normalizeUplink(input) { return { data: { air: { temperature: input.data.t } } } }`;
    const normalized = { data: { air: { temperature: 21.5 } } };
    expect(bothWays(source).asUplink).toBe(`v${JSON.stringify({ data: { t: 21.5 }, normalized })}`);
  });

  it('gives a codec a list and a date of its own for each call', () => {
    const source = decodes(`input.bytes.push(7); input.recvTime.setTime(1); input.more = 1;
      return { data: { count: input.bytes.length, extra: Object.keys(input).length } }`);
    const script = engine.load(source, 10_000);
    const call = { bytes: '\x01\xff', fPort: 2, time, settings: '' };
    const texts = [1, 2, 3].map(() => engine.run(script, call, 10_000).text);
    expect(new Set(texts)).toEqual(new Set(['v{"data":{"count":3,"extra":5}}']));
    expect(engine.hasHeld(script)).toBe(true);
  });

  it('spoils only the result of a codec that joins names in its own way', () => {
    const joins = `Array.prototype.join = function () { return 'x' };`;
    const spoilt = joins + decodes('return { data: { a: 1, b: 2 } }');
    expect(bothWays(spoilt).asUplink).toBe('v{"data":{"a":1,"b":2}}');
    expect(bothWays(decodes('return { data: { a: 1 } }')).asUplink).toBe('v{"data":{"a":1}}');
  });

  it('spells any finite number as JSON does', () => {
    const texts = createNumberTexts(1_000);
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const spelt = fc.stringMatching(/^[^\n\0\ud800-\udfff]{1,12}$/u);
    const names = fc.uniqueArray(
      spelt.filter((name) => !refused.includes(name)),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(names, finite, (list, value) => {
        const data = Object.fromEntries(list.map((name) => [name, value]));
        expect(told(texts, data)).toBe(`v${JSON.stringify({ data })}`);
      }),
    );
  });

  it.each(refused)('leaves a result with a field of the name %s to the guest', (name) => {
    const texts = createNumberTexts(1_000);
    const data = (second: string) =>
      Object.fromEntries<number>([
        ['a', 1],
        [second, 2],
      ]);
    expect(told(texts, data(name))).toBeUndefined();
    expect(told(texts, data('b'))).toBe('v{"data":{"a":1,"b":2}}');
  });
});
