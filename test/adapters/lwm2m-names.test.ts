import { describe, expect, it } from '@jest/globals';
import { mapField } from '../../decoders/mapping.ts';
import { createCollection } from '../../gateway/adapters/measurements.ts';
import { resolve } from '../../gateway/adapters/senml.ts';
import { collectRecords } from '../../gateway/adapters/senml-measurements.ts';

const now = 1_790_000_000_000;

function measured(pack: readonly unknown[]) {
  const complaints: string[] = [];
  const collection = createCollection();
  collectRecords(resolve(pack, { now, complaints }), collection);
  expect(complaints).toEqual([]);
  return collection.measurements;
}

const inBrief = (pack: readonly unknown[]) =>
  measured(pack).map(({ name, value, unit, channel }) => [name, value, unit, channel]);

describe('LwM2M resources in SenML [OMA LwM2M Core 1.1, 7.4.4]', () => {
  it('begin with a slash, or do without, and are named for what they measure', () => {
    const named = [['temperature', 21.5, 'Cel', undefined]];
    expect(inBrief([{ bn: '/3303/0/', n: '5700', v: 21.5 }])).toEqual(named);
    expect(inBrief([{ bn: '/', n: '3303/0/5700', v: 21.5 }])).toEqual(named);
    expect(inBrief([{ n: '/3303/0/5700', v: 21.5 }])).toEqual(named);
    expect(inBrief([{ bn: '3303/0/', n: '5700', v: 21.5 }])).toEqual(named);
  });

  it('have the unit of the record, else that beside them in their object, else their own', () => {
    const pack = [
      { bn: '/3303/0/', n: '5700', v: 70.7, u: '[degF]' },
      { n: '5701', vs: 'Cel' },
      { bn: '/3315/0/', n: '5700', v: 101_325 },
      { n: '5701', vs: 'Pa' },
      { bn: '/3304/0/', n: '5700', v: 40 },
    ];
    expect(inBrief(pack)).toEqual([
      ['temperature', 70.7, '[degF]', undefined],
      ['pressure', 101_325, 'Pa', undefined],
      ['humidity', 40, '%RH', undefined],
    ]);
    expect(mapField('pressure', 101_325, 'Pa')).toMatchObject({ value: 1013.25, unit: 'hPa' });
  });

  it('of several instances are told apart by channel', () => {
    const pack = [
      { bn: '/3303/0/', n: '5700', v: 20 },
      { bn: '/3303/1/', n: '5700', v: 30 },
    ];
    expect(inBrief(pack)).toEqual([
      ['temperature', 20, 'Cel', undefined],
      ['temperature', 30, 'Cel', '1'],
    ]);
  });

  it('of the objects of the device and its place have their names', () => {
    const pack = [
      { bn: '/3/0/', n: '9', v: 87 },
      { bn: '/6/0/', n: '0', v: 40.4 },
      { n: '1', v: 49.87 },
    ];
    expect(inBrief(pack)).toEqual([
      ['battery_level', 87, '%', undefined],
      ['latitude', 40.4, 'deg', undefined],
      ['longitude', 49.87, 'deg', undefined],
    ]);
  });

  it('whose unit or object nobody knows keep their number', () => {
    // A pressure without a unit, a concentration of some substance.
    const pack = [
      { bn: '/3315/0/', n: '5700', v: 1013 },
      { bn: '/3325/2/', n: '5700', v: 412, u: 'ppm' },
    ];
    expect(inBrief(pack)).toEqual([
      ['3315.5700', 1013, undefined, undefined],
      ['3325.5700', 412, 'ppm', '2'],
    ]);
    expect(mapField('3315.5700', 1013)?.quantity).toMatch(/^x_/);
  });

  it('are not seen in names of another kind', () => {
    const pack = [
      { n: 'a/3303/0/5700', v: 1 },
      { n: '1/2/3', v: 2 },
      { n: '3303/0', v: 3 },
      // A latitude it would be with a slash before it.
      { n: '6/0/0', v: 4 },
    ];
    const names = ['a/3303/0/5700', '1/2/3', '3303/0', '6/0/0'];
    expect(inBrief(pack).map(([name]) => name)).toEqual(names);
  });

  it.each(['/temperature', '//3303', '/'])('do not let any name begin with a slash: %p', (n) => {
    const complaints: string[] = [];
    resolve([{ n, v: 1 }], { now, complaints });
    expect(complaints).toHaveLength(1);
  });
});
