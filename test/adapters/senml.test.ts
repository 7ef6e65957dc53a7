import { describe, expect, it } from '@jest/globals';
import { createCollection } from '../../gateway/adapters/measurements.ts';
import { type ResolvedRecord, recordsMax, resolve } from '../../gateway/adapters/senml.ts';
import { collectRecords } from '../../gateway/adapters/senml-measurements.ts';
import { fixtureText } from './inbound.ts';

const now = 1_498_780_179_000;

function resolved(pack: readonly unknown[], at = now): readonly ResolvedRecord[] {
  const complaints: string[] = [];
  const records = resolve(pack, { now: at, complaints });
  expect(complaints).toEqual([]);
  return records;
}

function complaintOf(pack: readonly unknown[]): string | undefined {
  const complaints: string[] = [];
  resolve(pack, { now, complaints });
  return complaints[0];
}

/** A record as the RFC writes it, in seconds and with its short labels. */
function labelled({ name, time, unit, value, sum }: ResolvedRecord): object {
  const labels = new Map([
    ['number', 'v'],
    ['string', 'vs'],
    ['boolean', 'vb'],
  ]);
  const label = labels.get(typeof value);
  return {
    n: name,
    t: time / 1_000,
    ...(unit === undefined ? {} : { u: unit }),
    ...(label === undefined ? {} : { [label]: value }),
    ...(sum === undefined ? {} : { s: sum }),
  };
}

describe('Resolving SenML', () => {
  it.each([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12])(
    'gives the resolved form of example %i',
    (number) => {
      const pack = JSON.parse(fixtureText(`cellular/senml/ex${number}.json`));
      const expected: object[] = JSON.parse(
        fixtureText(`cellular/senml/ex${number}.resolved.json`),
      );
      // Example 8 carries a link, an extension field that a receiver may ignore.
      const known = expected.map((record) => ({ ...record, l: undefined }));
      expect(resolved(pack).map(labelled)).toEqual(known);
    },
  );

  it('gives example 7 with its data value, which the published form leaves out', () => {
    const pack = JSON.parse(fixtureText('cellular/senml/ex7.json'));
    const expected = JSON.parse(fixtureText('cellular/senml/ex7.resolved.json'));
    const data = { n: 'urn:dev:ow:10e2073a01080063:nfv-reader', t: 1_499_109_309, vs: 'aGkgCg' };
    expect(resolved(pack, 1_499_109_309_000).map(labelled)).toEqual([...expected, data]);
  });

  it('adds relative times to the base time as in example 13', () => {
    const pack = JSON.parse(fixtureText('cellular/senml/ex13.json'));
    expect(resolved(pack).map(({ name, time, value }) => [name, time, value])).toEqual([
      ['2001:db8::3', 1_320_078_429_000, 0.5],
      ['2001:db8::4', 1_320_078_429_000, 0.5],
      ['2001:db8::3', 1_320_078_429_100, 0],
      ['2001:db8::4', 1_320_078_429_100, 0],
    ]);
  });

  it('takes times below 2^28 seconds as relative to now, also past ones', () => {
    const pack = [
      { n: 'a', v: 1, t: -60 },
      { n: 'a', v: 2, t: 2 ** 28 - 1 },
      { n: 'a', v: 3, t: 2 ** 28 },
    ];
    const times = resolved(pack).map(({ value, time }) => [value, time]);
    expect(times).toEqual([
      [1, now - 60_000],
      [2, now + (2 ** 28 - 1) * 1_000],
      [3, 2 ** 28 * 1_000],
    ]);
  });

  it('adds base value and base sum, and lets either stand alone', () => {
    const pack = [
      { bn: 'meter:', bv: 100, bs: 1_000 },
      { n: 'a', v: 5, s: 10 },
      { n: 'b', v: 5 },
      { n: 'c', s: 10 },
      { n: 'd' },
      { n: 'e', vs: 'on' },
    ];
    expect(resolved(pack).map(({ name, value, sum }) => [name, value, sum])).toEqual([
      ['meter:a', 105, 1_010],
      ['meter:b', 105, 1_000],
      ['meter:c', undefined, 1_010],
      ['meter:d', 100, 1_000],
      ['meter:e', 'on', 1_000],
    ]);
  });

  it('has neither base when none is given', () => {
    expect(resolved([{ n: 'a', s: 3 }])).toEqual([{ name: 'a', baseName: '', time: now, sum: 3 }]);
  });

  it('takes the version of the RFC and older ones', () => {
    expect(
      resolved([
        { bver: 10, n: 'a', v: 1 },
        { bver: 10, n: 'b', v: 1 },
      ]),
    ).toHaveLength(2);
  });

  it.each([
    [[{ bver: 11, n: 'a', v: 1 }], '[0].bver is not a version up to 10'],
    [[{ bver: 0, n: 'a', v: 1 }], '[0].bver is not a version up to 10'],
    [
      [
        { bver: 5, n: 'a', v: 1 },
        { bver: 6, n: 'a', v: 1 },
      ],
      '[1].bver is not the version of the first record',
    ],
    [[{ n: 'a', v: 1, extra_: 1 }], '[0].extra_ is not a field that is understood here'],
    [[{ n: 'a', v: 1, vs: 'x' }], '[0].v is not its only value'],
    [[{ n: 'a' }], '[0].v is not there, nor any other value'],
    [[{ n: 'a', v: 'x' }], '[0].v is not a number'],
    [[{ n: 'a', vb: 1 }], '[0].vb is not true or false'],
    [[{ n: 'a', vd: '*' }], '[0].vd is not base64'],
    [[{ n: 'a', vs: 1 }], '[0].vs is not text'],
    [[{ v: 1 }], '[0].n is not a name of the characters that RFC 8428 allows'],
    [[{ n: '_a', v: 1 }], '[0].n is not a name of the characters that RFC 8428 allows'],
    [[{ n: 'a b', v: 1 }], '[0].n is not a name of the characters that RFC 8428 allows'],
    [[{ n: 'a'.repeat(257), v: 1 }], '[0].n is not a name of the characters that RFC 8428 allows'],
    [[5], 'record 0 is not an object'],
    [Array(recordsMax + 1).fill({}), `the pack has more than ${recordsMax} records`],
  ])('refuses %j', (pack, complaint) => {
    expect(complaintOf(pack)).toBe(complaint);
  });
});

describe('SenML measurements', () => {
  function measured(pack: readonly unknown[]) {
    const collection = createCollection();
    collectRecords(resolved(pack), collection);
    return collection;
  }

  it('are named without what names the device', () => {
    const names = (pack: readonly unknown[]) => measured(pack).measurements.map(({ name }) => name);
    expect(names([{ bn: 'urn:dev:ow:10e2073a01080063:', n: 'temp', v: 1 }])).toEqual(['temp']);
    expect(names([{ n: 'urn:dev:mac:0024befffe804ff1_temp', v: 1 }])).toEqual(['temp']);
    expect(names([{ n: 'urn:imei:352656101397613:temp', v: 1 }])).toEqual(['temp']);
  });

  it('are named by their unit when the record names the device alone', () => {
    const pack = [
      { bn: 'urn:dev:ow:10', v: 1, u: 'Cel' },
      { v: 1, u: 'dBW' },
      { v: 1, u: null },
    ];
    expect(measured(pack).measurements.map(({ name }) => name)).toEqual([
      'temperature',
      'dBW',
      'value',
    ]);
  });

  it('have the sum as a second measurement in unit times seconds', () => {
    const pack = [
      { n: 'power', v: 2, u: 'W', s: 100 },
      { n: 'count', s: 3 },
    ];
    expect(measured(pack).measurements).toEqual([
      { name: 'power', value: 2, unit: 'W', time: now },
      { name: 'power.sum', value: 100, unit: 'W.s', time: now },
      { name: 'count.sum', value: 3, time: now },
    ]);
  });

  it('leave out what leads to a person, and text that is a document', () => {
    const pack = [
      { n: 'imei', vs: '352656101397613' },
      { n: 'serial', vs: 'IMEI:352656101397613' },
      { n: 'note', vs: 'x'.repeat(257) },
      { n: 'door', vs: 'open' },
    ];
    expect(measured(pack).measurements.map(({ name }) => name)).toEqual(['door']);
  });

  it('of several base names are told apart by channel, unless that names a subscriber', () => {
    const pack = [
      { bn: 'pump1/', n: 'flow', v: 1 },
      { bn: 'pump2/', n: 'flow', v: 2 },
      { bn: 'urn:imei:352656101397613:', n: 'flow', v: 3 },
    ];
    expect(measured(pack).measurements.map(({ channel, value }) => [channel, value])).toEqual([
      ['pump1', 1],
      ['pump2', 2],
      [undefined, 3],
    ]);
  });

  it('end at the first name that is too long', () => {
    const pack = [
      { n: 'a'.repeat(129), v: 1 },
      { n: 'b', v: 1 },
    ];
    expect(measured(pack)).toMatchObject({
      measurements: [],
      complaint: { expected: 'a name of up to 128 characters' },
    });
  });
});
