/** Whatever the bytes and whatever the JSON: nothing throws, and nothing but values comes out. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DecodedValue } from '../../decoders/codec.ts';
import { fieldNames } from '../../decoders/field-names.ts';
import { channelLengthMax } from '../../decoders/field-path.ts';
import { leavesMax } from '../../decoders/flatten.ts';
import { mapField, mapObject, nameLengthMax, textLengthMax } from '../../decoders/mapping.ts';
import { quantities, quantityOf } from '../../decoders/quantity.ts';
import { codecs } from '../../decoders/registry.ts';

const payload = fc.uint8Array({ maxLength: 242 });
const port = fc.integer({ min: 0, max: 255 });

/** Bytes that begin as payloads do, since random ones end at their first type. */
const likelyPayload = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        '01',
        '0367',
        '0468',
        '0500',
        '20ce',
        '21ce',
        '0b0d0376',
        '0000',
        '0273',
        '07',
        '15',
        '021b500007',
        '4a010748',
        'ffff221e',
        '077d',
      ),
      fc.uint8Array({ maxLength: 12 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) =>
    Buffer.concat(parts.flatMap(([start, rest]) => [Buffer.from(start, 'hex'), Buffer.from(rest)])),
  );

const words = [
  ...quantities.keys(),
  ...fieldNames.keys(),
  '__proto__',
  'constructor',
  'value',
  'unit',
];
const name = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'grapheme' }));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 6 }),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('value'), { maxKeys: 8 }),
})).object;

function expectSound(values: readonly DecodedValue[]): void {
  for (const { quantity, value, channel } of values) {
    expect(quantity).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(quantity.length).toBeLessThanOrEqual(nameLengthMax);
    expect(quantityOf(quantity) !== undefined || quantity.startsWith('x_')).toBe(true);
    expect(channel ?? 'none').toMatch(/^[a-z0-9_]+$/);
    expect((channel ?? '').length).toBeLessThanOrEqual(channelLengthMax);
    if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
    else expect(value.length).toBeLessThanOrEqual(textLengthMax);
    expectKind(quantity, value);
  }
}

function expectKind(quantity: string, value: number | string): void {
  const known = quantityOf(quantity);
  if (known?.kind === 'number') expect(typeof value).toBe('number');
  if (known?.kind === 'state') expect(Object.keys(known.states)).toContain(value);
}

describe.each(codecs.map((codec) => [codec.name, codec] as const))('Codec %s', (_name, codec) => {
  it('gives sound values of the vocabulary or an error, for any bytes on any port', () => {
    fc.assert(
      fc.property(fc.oneof(payload, likelyPayload), port, (bytes, fPort) => {
        const decoded = codec.decode({ bytes, fPort });
        if (!decoded.ok) {
          expect(decoded.error).toMatch(/^[A-Z].+\.$/);
          expect(decoded.error).not.toContain('codec itself failed');
          return;
        }
        expectSound(decoded.values);
        for (const { quantity } of decoded.values) expect(quantityOf(quantity)).toBeDefined();
      }),
      { numRuns: 150 },
    );
  });

  it('leaves the bytes as they were and decodes them again to the same', () => {
    fc.assert(
      fc.property(likelyPayload, (bytes) => {
        const before = Buffer.from(bytes);
        const first = codec.decode({ bytes, fPort: 2 });
        expect(codec.decode({ bytes, fPort: 2 })).toEqual(first);
        expect(before.equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('Mapping', () => {
  it('gives sound values for any JSON, each in a channel of its own', () => {
    fc.assert(
      fc.property(json, (object) => {
        const values = mapObject(Object(object));
        expectSound(values);
        expect(values.length).toBeLessThanOrEqual(leavesMax);
        const series = values.map(({ quantity, channel }) => `${quantity} ${channel}`);
        expect(new Set(series).size).toBe(series.length);
      }),
      { numRuns: 200 },
    );
  });

  it('gives a sound value or nothing for any name, value and unit', () => {
    const unit = fc.option(fc.oneof(fc.constantFrom('Cel', 'K', '%RH', '/', 'mV'), fc.string()), {
      nil: undefined,
    });
    fc.assert(
      fc.property(name, fc.anything(), unit, (anyName, value, anyUnit) => {
        const field = mapField(anyName, value, anyUnit);
        if (field !== null) expectSound([field]);
      }),
      { numRuns: 200 },
    );
  });
});
