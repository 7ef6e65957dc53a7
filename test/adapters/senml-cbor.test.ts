import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import { modem } from '../../gateway/adapters/modem.ts';
import { resolve } from '../../gateway/adapters/senml.ts';
import { isCborPack, openCborPack } from '../../gateway/adapters/senml-cbor.ts';
import { faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const now = 1_498_780_179_000;

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/cellular/senml/${name}`, import.meta.url));
}

function recordsOf(body: Buffer) {
  const pack = openCborPack(body);
  if ('code' in pack) throw new Error(pack.detail);
  const complaints: string[] = [];
  const records = resolve(pack, { now, complaints });
  expect(complaints).toEqual([]);
  return records;
}

/** A pack of one record, as labels and values. */
function packOf(...labels: readonly (readonly [number | string, unknown])[]): Buffer {
  return Buffer.from(encode([new Map<unknown, unknown>(labels)]));
}

describe('A SenML pack in CBOR', () => {
  it.each([3, 5])('gives the records of example %i in JSON', (number) => {
    const complaints: string[] = [];
    const json = JSON.parse(fixtureText(`cellular/senml/ex${number}.json`));
    const expected = resolve(json, { now, complaints });
    expect(recordsOf(fixture(`ex${number}.cbor`))).toEqual(expected);
  });

  it.each(['up/field-7', 'v1/devices/me/telemetry', 'ingest/modems'])(
    'is told from JSON by its first byte on %s',
    (route) => {
      const parsed = modem.parse(inboundOf(route, fixture('ex3.cbor'), 'field-7'));
      const { measurements = [] } = payloadOf(parsed);
      expect(measurements.map(({ name, value, unit }) => [name, value, unit])).toEqual([
        ['voltage', 120.1, 'V'],
        ['current', 1.2, 'A'],
        ['current', 1.3, 'A'],
        ['current', 1.4, 'A'],
        ['current', 1.5, 'A'],
        ['current', 1.6, 'A'],
        ['current', 1.7, 'A'],
      ]);
    },
  );

  it('is no JSON: no JSON text begins with such a byte', () => {
    expect(
      ['[', '{', ' ', '\n', '"', '1', '\u{feff}', ''].map((text) => isCborPack(Buffer.from(text))),
    ).toEqual(Array(8).fill(false));
    expect(isCborPack(Buffer.from([0x80]))).toBe(true);
    expect(isCborPack(Buffer.from([0x9f, 0xff]))).toBe(true);
  });

  it('may be of indefinite length, as a stream is', () => {
    const [record] = recordsOf(Buffer.from('9fbf00613102 182aff ff'.replaceAll(' ', ''), 'hex'));
    expect(record).toMatchObject({ name: '1', value: 42 });
  });

  it('carries bytes, which JSON writes as base64url', () => {
    expect(recordsOf(packOf([0, 'nfv'], [8, Buffer.from('hi \n')]))).toMatchObject([
      { name: 'nfv', value: 'aGkgCg' },
    ]);
  });

  it('may write numbers as decimal fractions', () => {
    // [{0: "t", 2: 4([-2, 2731])}]
    const body = Buffer.from('81a200617402c48221190aab', 'hex');
    expect(recordsOf(body)).toMatchObject([{ name: 't', value: 27.31 }]);
  });

  it.each([
    ['an exponent beyond all numbers', '81a200617402c4821a7fffffff01'],
    ['a fraction of text', '81a200617402c48261610a'],
    ['a tag that SenML does not know', '81a200617402c11a5f5e1000'],
    ['one label twice', '81a30061610201 0202'],
    ['bytes after the pack', '81a200617402010a'],
    ['a pack that ends early', '82a20061740201'],
    ['no number', '81a200617402f97e00'],
    ['infinity', '81a200617402f97c00'],
    ['an integer that no double holds', '81a2006174021bffffffffffffffff'],
    ['a pack of 2^32 records that are not there', '9bffffffff00000000'],
  ])('is malformed with %s', (_, hex) => {
    expect(
      faultOf(modem.parse(inboundOf('up/a', Buffer.from(hex.replaceAll(' ', ''), 'hex')))),
    ).toEqual(expect.objectContaining({ code: 'INBOUND_MALFORMED' }));
  });

  it('is malformed when it nests beyond all need, and does not exhaust the stack', () => {
    const deep = Buffer.concat([Buffer.alloc(200_000, 0x81), Buffer.from([0])]);
    expect(faultOf(modem.parse(inboundOf('up/a', deep))).detail).toBe(
      'the body is not CBOR of a SenML pack',
    );
  });

  it('is malformed when it is too large', () => {
    const large = Buffer.alloc(300_000, 0x80);
    expect(faultOf(modem.parse(inboundOf('up/a', large))).detail).toContain('bytes');
  });

  it('passes over labels of later versions, but not over those that must be understood', () => {
    expect(recordsOf(packOf([0, 'a'], [2, 1], [99, 'later'], ['link', '<x>']))).toHaveLength(1);
    const parsed = modem.parse(inboundOf('up/a', packOf([0, 'a'], [2, 1], ['must_', 1])));
    expect(faultOf(parsed).detail).toContain('must_');
  });

  it('is malformed where a record is no map', () => {
    const parsed = modem.parse(inboundOf('up/a', Buffer.from(encode([5]))));
    expect(faultOf(parsed).detail).toBe('record 0 is not an object');
  });

  it('is malformed when it is no array', () => {
    expect(openCborPack(Buffer.from([0xa0]))).toMatchObject({ detail: 'the body is not an array' });
  });

  it('is total on any bytes after the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x80, max: 0x9f }), fc.uint8Array(), (first, rest) => {
        const parsed = modem.parse(inboundOf('up/a', Buffer.from([first, ...rest])));
        expect('code' in parsed || parsed.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
