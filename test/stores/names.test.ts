import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeName,
  encodeName,
  escapeKey,
  fieldNamesOf,
  quantityOfQualityField,
  quoteText,
} from '../../gateway/stores/influx/names.ts';

describe('Names in InfluxDB', () => {
  it.each([
    ['air_temperature', 'air_temperature'],
    ['Nəsimi rayonu', 'Nəsimi\\ rayonu'],
    ['a,b=c', 'a\\,b\\=c'],
    ['ends in \\', 'ends\\ in\\ %5C'],
    ['100%', '100%25'],
    ['two\nlines', 'two%0Alines'],
    ['\u0000\u007f\u0085', '%00%7F%85'],
  ])('writes %j as %j', (name, written) => {
    expect(escapeKey(encodeName(name))).toBe(written);
  });

  it('can be read back whatever they are, and never end a line, a tag or a quote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const encoded = encodeName(name);
        expect(decodeName(encoded)).toBe(name);
        expect(encoded).not.toMatch(/[\\\n\r]/);
        expect(escapeKey(encoded).replaceAll(/\\[,= ]/g, '')).not.toMatch(/[,= \\]/);
      }),
    );
  });

  it('differ for different quantities and fields', () => {
    const word = fc.constantFrom('x_a', '_qc', '_text', 'seq', 'time', '%', 'x_');
    const quantity = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(''));
    fc.assert(
      fc.property(quantity, quantity, (one, other) => {
        const { number, text, quality } = fieldNamesOf(one);
        expect(quantityOfQualityField(quality)).toBe(one);
        expect(quantityOfQualityField(number)).toBeUndefined();
        if (one === other) return;
        const others = Object.values(fieldNamesOf(other));
        for (const name of [number, text, quality]) expect(others).not.toContain(name);
      }),
      { numRuns: 500 },
    );
  });

  it('never let a text out of its quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quoteText(text)).toMatch(/^"(?:[^"\\]|\\["\\])*"$/u);
      }),
    );
  });
});
