import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDeviceTime, parseTimestamp } from '../../gateway/adapters/timestamp.ts';

describe('RFC 3339 times', () => {
  it.each([
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2022-07-18T09:34:15.775023242+00:00', '2022-07-18T09:34:15.775Z'],
    ['2024-02-29t00:00:00z', '2024-02-29T00:00:00.000Z'],
    ['2024-02-29 00:00:00.9999Z', '2024-02-29T00:00:00.999Z'],
  ])('%s is %s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(Date.parse(expected));
  });

  it('are read back for every time that Date can write', () => {
    const years = { min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(years), (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
      }),
    );
  });

  it.each([
    '2022-07-18T09:34:15',
    '2022-07-18T09:34:15.Z',
    '2022-07-18T09:34:15.1',
    '2022-07-18T09:34:15Zx',
    '2022-07-18T09:34:15+0000',
    '2022-07-18T09:34:15+24:00',
    '2022-07-18T09:34:15+00:60',
    '2022-07-18T09:34:15*00:00',
    '2022-13-18T09:34:15Z',
    '2023-02-29T09:34:15Z',
    '2022-04-31T09:34:15Z',
    '2022-00-10T09:34:15Z',
    '2022-01-00T09:34:15Z',
    '2022-01-32T09:34:15Z',
    '0022-01-02T09:34:15Z',
    '2x22-01-02T09:34:15Z',
    '20x2-01-02T09:34:15Z',
    '2022-07-18T24:34:15Z',
    '2022-07-18T09:60:15Z',
    '2022-07-18T09:34:61Z',
    '2022-07-18T0x:34:15Z',
    '2022-07-18T09:x4:15Z',
    '2022-07-18T09:34:x5Z',
    '2022/07/18T09:34:15Z',
    '2022-07/18T09:34:15Z',
    '2022-07-18X09:34:15Z',
    '2022-07-18T09.34:15Z',
    '2022-07-18T09:34.15Z',
    'Mon, 18 Jul 2022 09:34',
    `2022-07-18T09:34:15.${'1'.repeat(40)}Z`,
  ])('%s is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});

describe("A device's own time", () => {
  it.each([
    [1_700_000_000, 1_700_000_000_000],
    [1_700_000_000.5, 1_700_000_000_500],
    [1_700_000_000_123, 1_700_000_000_123],
    ['1700000000', 1_700_000_000_000],
    ['1700000000123', 1_700_000_000_123],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000],
  ])('is read from %p', (value, expected) => {
    expect(parseDeviceTime(value)).toBe(expected);
  });

  it.each([0, -1, 12_345, 315_964_800, 5e12, '12:34', '2019-01-02 12:34:56', '1e12', null, true])(
    'is not read from %p',
    (value) => {
      expect(parseDeviceTime(value)).toBeUndefined();
    },
  );
});
