import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openZone, parseClockFace } from '../../../gateway/adapters/mapping/local-time.ts';
import { inboundOf, payloadOf } from '../inbound.ts';
import { problemsOf, ruleOf } from './mapping-of.ts';

function utcOf(text: string, zone: string): string | undefined {
  const face = parseClockFace(text);
  const open = openZone(zone);
  if (face === undefined || open === undefined) return undefined;
  return new Date(open(face)).toISOString();
}

describe('A clock face', () => {
  it.each([
    ['2019-01-02 12:34:56', '2019-01-02T12:34:56.000Z'],
    ['2019/01/02 12:34', '2019-01-02T12:34:00.000Z'],
    ['2019.01.02 12:34:56,5', '2019-01-02T12:34:56.500Z'],
    ['2020-02-29T23:59:59.999999', '2020-02-29T23:59:59.999Z'],
  ])('%s is read', (text, utc) => {
    expect(utcOf(text, 'UTC')).toBe(utc);
  });

  it.each([
    '',
    '2019-02-29 00:00:00',
    '2019-13-01 00:00:00',
    '2019-00-01 00:00:00',
    '2019-01-02 24:00:00',
    '2019-01-02 12:60:00',
    '2019-01-02 12:00:60',
    '2019-01/02 12:00:00',
    '0019-01-02 12:00:00',
    '2019-01-02',
    '2019-01-02 12:34:56Z',
    '2019-01-02 12:34:56.1234567890123456',
    `2019-01-02 12:34:56.${'0'.repeat(40)}`,
  ])('%p is no clock face', (text) => {
    expect(parseClockFace(text)).toBeUndefined();
  });
});

describe('A zone', () => {
  it.each([
    ['2019-01-02 12:34:56', 'Asia/Baku', '2019-01-02T08:34:56.000Z'],
    // Baku had summer time until 2015.
    ['2015-07-01 12:00:00', 'Asia/Baku', '2015-07-01T07:00:00.000Z'],
    ['2016-07-01 12:00:00', 'Asia/Baku', '2016-07-01T08:00:00.000Z'],
    ['2024-03-31 01:59:59', 'Europe/Berlin', '2024-03-31T00:59:59.000Z'],
    ['2024-03-31 03:00:00', 'Europe/Berlin', '2024-03-31T01:00:00.000Z'],
    ['2024-10-27 01:59:59', 'Europe/Berlin', '2024-10-26T23:59:59.000Z'],
    ['2024-10-27 03:00:00', 'Europe/Berlin', '2024-10-27T02:00:00.000Z'],
    ['2024-03-10 01:30:00', 'America/New_York', '2024-03-10T06:30:00.000Z'],
    ['2024-01-01 00:00:00', 'Asia/Kathmandu', '2023-12-31T18:15:00.000Z'],
    ['2024-01-01 00:00:00', 'Australia/Lord_Howe', '2023-12-31T13:00:00.000Z'],
  ])('puts %s in %s at %s', (text, zone, utc) => {
    expect(utcOf(text, zone)).toBe(utc);
  });

  it('takes the first of an hour that comes twice', () => {
    expect(utcOf('2024-10-27 02:30:00', 'Europe/Berlin')).toBe('2024-10-27T00:30:00.000Z');
  });

  it('counts on through an hour that is left out', () => {
    expect(utcOf('2024-03-31 02:30:00', 'Europe/Berlin')).toBe('2024-03-31T01:30:00.000Z');
  });

  it('is unknown by any other name', () => {
    expect(openZone('Mars/Olympus')).toBeUndefined();
  });

  it('gives back the clock face of every instant but the second of two', () => {
    const zone = openZone('Europe/Berlin');
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/Berlin',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const seconds = fc.integer({ min: Date.UTC(2000, 0) / 1_000, max: Date.UTC(2037, 0) / 1_000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const face = parseClockFace(format.format(second * 1_000));
        const back = face === undefined ? undefined : zone?.(face);
        expect([second * 1_000, (second - 3_600) * 1_000]).toContain(back);
      }),
      { numRuns: 300 },
    );
  });
});

describe('The time of a mapping', () => {
  const timeOf = (value: unknown, time: object, others: object = {}) => {
    const adapter = ruleOf(
      {
        deviceId: { from: 'topic:name' },
        time: { from: '/t', ...time },
        measurements: [{ from: '/v', name: 'v' }],
      },
      others,
    );
    const parsed = adapter.parse(inboundOf('test/a', { t: value, v: 1 }));
    return 'code' in parsed ? parsed.detail : payloadOf(parsed).measurements?.[0]?.time;
  };
  const instant = 1_546_432_496_000;

  it.each([
    [1_546_432_496, { unit: 's' }],
    ['1546432496.000', { unit: 's' }],
    [1_546_432_496_000, { unit: 'ms' }],
    ['1546432496000', { unit: 'ms' }],
    [1_546_432_496_000_000, { unit: 'us' }],
    ['2019-01-02T12:34:56Z', { unit: 'iso' }],
    ['2019-01-02T16:34:56+04:00', { unit: 'iso' }],
    ['2019-01-02T16:34:56', { unit: 'iso', zone: 'Asia/Baku' }],
    ['2019-01-02 16:34:56', { unit: 'local', zone: 'Asia/Baku' }],
    [1_546_432_496, { unit: 'auto' }],
    ['1546432496000', { unit: 'auto' }],
    ['2019-01-02T12:34:56Z', { unit: 'auto' }],
    ['2019-01-02 16:34:56', { unit: 'auto', zone: 'Asia/Baku' }],
  ])('%p is read as %j', (value, time) => {
    expect(timeOf(value, time)).toBe(instant);
  });

  it('takes the zone of the mapping where it has none itself', () => {
    expect(timeOf('2019-01-02 16:34:56', { unit: 'local' }, { zone: 'Asia/Baku' })).toBe(instant);
  });

  it('may stand in another place', () => {
    expect(timeOf(null, { unit: 's', orFrom: '/v' })).toBe(1_000);
  });

  it.each([
    ['later', { unit: 's' }, '/t is not a time (s)'],
    [9e15, { unit: 's' }, '/t is not a time (s)'],
    ['2019-01-02T16:34:56', { unit: 'iso' }, '/t is not a time (iso)'],
    [5, { unit: 'iso' }, '/t is not a time (iso)'],
    [5, { unit: 'local', zone: 'UTC' }, '/t is not a time (local)'],
    ['soon', { unit: 'local', zone: 'UTC' }, '/t is not a time (local)'],
    [undefined, { unit: 's', required: true }, '/t is not there'],
  ])('%p is a fault as %j', (value, time, detail) => {
    expect(timeOf(value, time)).toBe(detail);
  });

  it('is absent for a placeholder and where it may be', () => {
    expect(timeOf(0, { unit: 's', placeholders: [0] })).toBeUndefined();
    expect(timeOf('', { unit: 's' })).toBeUndefined();
  });

  it('needs a zone that exists', () => {
    const rule = { event: 'x', time: { from: '/t', unit: 'local' } };
    const of = (others: object) =>
      problemsOf({ name: 't', topics: ['a'], rules: [rule], ...others });
    expect(of({})).toEqual(['0.rules.0.time: has no zone: name one, or one for the mapping']);
    expect(of({ zone: 'Mars' })).toEqual(['0.zone: Mars is no IANA time zone, such as Asia/Baku']);
    const wrong = { event: 'x', time: { from: '/t', unit: 'local', zone: 'Mars' } };
    expect(problemsOf({ name: 't', topics: ['a'], rules: [wrong] })).toEqual([
      '0.rules.0.time: Mars is no IANA time zone, such as Asia/Baku',
    ]);
  });
});
