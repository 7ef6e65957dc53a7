import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { measurementsMax } from '../../../gateway/adapters/measurements.ts';
import { inboundOf, payloadOf } from '../inbound.ts';
import { ruleOf } from './mapping-of.ts';

const named = { deviceId: { from: 'topic:name' } };

/** What a rule reads from a body, or why not. */
function read(rule: object, body: unknown) {
  const parsed = ruleOf({ ...named, ...rule }).parse(inboundOf('test/pump', body));
  return 'code' in parsed ? parsed.detail : payloadOf(parsed);
}

function measured(spec: object, v: unknown): unknown {
  const uplink = read({ measurements: [{ from: '/v', name: 'x', ...spec }] }, { v });
  return typeof uplink === 'string' ? uplink : uplink.measurements?.[0]?.value;
}

describe('A measurement', () => {
  it.each([
    [{}, 21.5, 21.5],
    [{}, '21.5', 21.5],
    [{}, '007', '007'],
    [{}, true, true],
    [{}, 'on', 'on'],
    [{}, {}, undefined],
    [{ type: 'number' }, '-30.0', -30],
    [{ type: 'number' }, '1e3', 1_000],
    [{ type: 'hex' }, '9C8D', 0x9c8d],
    [{ type: 'hex' }, '0x0f', 15],
    [{ type: 'hex' }, 1240, 0x1240],
    [{ type: 'text' }, 5, '5'],
    [{ type: 'text' }, true, 'true'],
    [{ type: 'boolean' }, 'False', false],
    [{ type: 'boolean' }, 1, true],
    [{ type: 'number', scale: 0.1 }, -822, -82.2],
    [{ type: 'number', scale: 0.001 }, 4_121, 4.121],
    [{ type: 'number', scale: 10 }, '2.5', 25],
    [{ type: 'number', scale: 0.3 }, 10, 3],
    [{ type: 'number', scale: 0 }, 10, 0],
    [{ scale: 0.1, offset: -273.15 }, 2_981, 24.95],
    [{ offset: 1 }, 5e9, 5e9 + 1],
    [{ placeholders: [-32_768, '-'] }, -32_768, undefined],
    [{ placeholders: [-32_768, '-'] }, '-32768', undefined],
    [{ placeholders: [-32_768, '-'] }, '-', undefined],
    [{ words: { on: 1, off: 0, none: null } }, 'off', 0],
    [{ words: { on: 1, off: 0, none: null } }, 'none', undefined],
    [{ words: { on: 1, off: 0, none: null } }, 'half', 'half'],
    [{ words: { 3: 'alarm' } }, 3, 'alarm'],
    [{ part: { separator: ' ', index: 2 } }, '141 464 313 24', 313],
    [{ part: { separator: ' ', index: 4 } }, '141 464 313 24', undefined],
    [{ part: { separator: ';', index: 0 } }, 5, undefined],
  ])('as %j of %p is %p', (spec, value, expected) => {
    expect(measured(spec, value)).toBe(expected);
  });

  it.each([
    [{ type: 'number' }, 'x', '/v is not a number'],
    [{ type: 'number' }, {}, '/v is not a number'],
    [{ type: 'hex' }, 'xyz', '/v is not a number in hex'],
    [{ type: 'hex' }, '12345678901234', '/v is not a number in hex'],
    [{ type: 'boolean' }, 'x', '/v is not true or false'],
    [{ type: 'text' }, [], '/v is not text of up to 256 characters'],
    [{ required: true }, null, '/v is not there'],
    [{ list: true }, 5, `/v is not an array of up to ${measurementsMax} elements`],
    [{ time: { from: '/v', unit: 's' } }, 'x', '/v is not a time (s)'],
  ])('as %j of %p is a fault', (spec, value, detail) => {
    expect(measured(spec, value)).toBe(detail);
  });

  it('is never personal text', () => {
    expect(measured({}, 'IMEI:0123456789')).toBeUndefined();
    expect(measured({ type: 'text' }, '352656101397613')).toBeUndefined();
  });

  it('has a unit, channel and time where the mapping says so', () => {
    const spec = {
      from: '/v',
      name: 'level',
      unit: '{/u}',
      channel: '{/c}',
      time: { from: '/t', unit: 's' },
    };
    expect(read({ measurements: [spec] }, { v: 5, u: 'm', c: 2, t: 60 })).toMatchObject({
      measurements: [{ name: 'level', value: 5, unit: 'm', channel: '2', time: 60_000 }],
    });
    expect(read({ measurements: [spec] }, { v: 5 })).toMatchObject({
      measurements: [{ name: 'level', value: 5 }],
    });
  });

  it('may be each element of an array, by its place', () => {
    const spec = { from: '/v', name: 'temperature', channel: '{position}', list: true };
    expect(read({ measurements: [spec] }, { v: [21, null, 23] })).toMatchObject({
      measurements: [
        { name: 'temperature', value: 21, channel: '1' },
        { name: 'temperature', value: 23, channel: '3' },
      ],
    });
    const inner = { ...spec, from: '/v', name: '{./n}', time: { from: './t', unit: 's' } };
    expect(read({ measurements: [inner], all: [{ from: '' }] }, { w: 1 })).toMatchObject({
      measurements: [{ name: 'w', value: 1 }],
    });
  });

  it('keeps tenths exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_000, max: 2_000 }), (tenths) => {
        const expected = tenths === 0 ? 0 : Number(`${tenths}e-1`);
        expect(measured({ type: 'number', scale: 0.1 }, tenths)).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe('All values of an object', () => {
  const namesOf = (all: object, body: unknown) => {
    const uplink = read({ all: [{ from: '/d', ...all }] }, body);
    return typeof uplink === 'string'
      ? uplink
      : (uplink.measurements ?? []).map(({ name }) => name);
  };
  const body = {
    d: { temp: 1, temp_max: 2, air: { hum: 3, pm: { 10: 4 } }, imei: '352656101397613' },
  };

  it.each([
    [{}, ['temp', 'temp_max', 'air.hum', 'air.pm.10']],
    [{ include: ['temp*'] }, ['temp', 'temp_max']],
    [{ include: ['*'], exclude: ['air.*'] }, ['temp', 'temp_max']],
    [{ include: ['a*.*m*0'] }, ['air.pm.10']],
    [{ include: ['*m*x'] }, ['temp_max']],
    [{ include: ['temp*temp'] }, []],
    [{ include: ['*zz*'] }, []],
    [{ include: ['temp'], prefix: 'out_', suffix: '_1' }, ['out_temp_1']],
  ])('as %j are %j', (all, names) => {
    expect(namesOf(all, body)).toEqual(names);
  });

  it('are none where there is no object, and a fault where there is something else', () => {
    expect(namesOf({}, {})).toBe('the body is not a message that carries what the mapping reads');
    expect(namesOf({}, { d: [] })).toBe('/d is not an object');
  });

  it('are limited', () => {
    const many = Object.fromEntries(
      Array.from({ length: measurementsMax + 1 }, (_, at) => [`v${at}`, at]),
    );
    expect(namesOf({}, { d: many })).toBe(`the body is not within ${measurementsMax} values`);
    const long = { from: '', prefix: 'p'.repeat(60), suffix: 's'.repeat(60) };
    expect(read({ all: [long] }, { a_long_name: 1 })).toContain('a name of up to 128 characters');
  });

  it('take a channel, and give up the radio state among them', () => {
    expect(
      read({ all: [{ from: '', channel: '{/d}' }] }, { d: 'a', rsrp: -90, t: 1 }),
    ).toMatchObject({
      measurements: [
        { name: 'd', value: 'a', channel: 'a' },
        { name: 't', value: 1, channel: 'a' },
      ],
      radio: { rsrp: -90 },
    });
  });
});

describe('The radio of a mapping', () => {
  const radioOf = (radio: object, body: unknown) => {
    const uplink = read({ radio }, body);
    return typeof uplink === 'string' ? uplink : uplink.radio;
  };

  it('is read field by field, with scales, hex, forms and placeholders', () => {
    const radio = {
      rat: { from: '/net' },
      rsrp: { from: '/a', scale: 0.1 },
      rsrq: { from: '/b', form: 'cesq' },
      sinr: { from: '/c', form: 'nr', placeholders: [255] },
      rssi: { from: '/d', form: 'csq' },
      band: { from: '/e' },
      arfcn: { from: '/f' },
      pci: { from: '/g', placeholders: ['-'] },
      tac: { from: '/h', parse: 'hex' },
      cellId: { from: '/i', parse: 'hex' },
      plmn: { from: '/j' },
    };
    const body = {
      net: '4G',
      a: -822,
      b: 31,
      c: 255,
      d: 19,
      e: 20,
      f: '1240',
      g: '-',
      h: '9C8D',
      i: '0856831D',
      j: '40004',
    };
    expect(radioOf(radio, body)).toEqual({
      rat: 'LTE',
      rsrp: -82.2,
      rsrq: -4,
      rssi: -75,
      band: 20,
      arfcn: 1_240,
      tac: 0x9c8d,
      cellId: 0x856831d,
      mcc: '400',
      mnc: '04',
    });
  });

  it('is read from an object that says what its keys are, or from an answer', () => {
    expect(radioOf({ known: { from: '/cell' } }, { cell: { RSRP: -90, name: 'x' } })).toEqual({
      rsrp: -90,
    });
    expect(radioOf({ line: { from: '/at' } }, { at: '+CSQ: 19,99' })).toEqual({ rssi: -75 });
    expect(
      radioOf({ known: { from: '/cell' }, line: { from: '/at' } }, { cell: 5, at: 5 }),
    ).toBeUndefined();
  });

  it('is a fault where a number is none', () => {
    expect(radioOf({ rsrp: { from: '/a' } }, { a: 'far' })).toBe('/a is not a number');
    expect(radioOf({ rsrp: { from: '/a', required: true } }, {})).toBe('/a is not there');
  });
});
