import { describe, expect, it } from '@jest/globals';
import type { Adapter } from '../../../gateway/adapters/adapter.ts';
import { payloadBytesMax } from '../../../gateway/adapters/mapping/fields.ts';
import { elementsMax } from '../../../gateway/adapters/mapping/rule.ts';
import { eventOf, faultOf, inboundOf, payloadOf } from '../inbound.ts';
import { mappingOf, ruleOf } from './mapping-of.ts';

const named = { deviceId: { from: 'topic:name' } };

function parse(adapter: Adapter, body: unknown) {
  return adapter.parse(inboundOf('test/pump', body));
}

function itemsOf(adapter: Adapter, body: unknown) {
  const parsed = parse(adapter, body);
  if ('code' in parsed) throw new Error(parsed.detail);
  return parsed;
}

describe('The rules of a mapping', () => {
  const adapter = mappingOf({
    name: 'test',
    topics: ['test/{name}'],
    rules: [
      { when: [{ from: '/type', equals: 'log' }], event: 'log' },
      { ...named, when: [{ from: '/type', oneOf: ['a', 1, true, null] }], all: [{ from: '/v' }] },
      {
        ...named,
        when: [{ from: '/v', is: 'array' }],
        each: { from: '/v', gives: 'samples' },
        measurements: [{ from: '.', name: 'v' }],
      },
      { ...named, when: [{ from: '/v', is: 'text' }], event: 'text' },
      { ...named, when: [{ from: '/v', is: 'number' }], event: 'number' },
      { ...named, when: [{ from: '/v', is: 'boolean' }], event: 'boolean' },
      {
        ...named,
        when: [
          { from: '/v', exists: false },
          { from: '/w', exists: true },
        ],
        event: 'other',
      },
    ],
  });

  it.each([
    [{ type: 'log' }, 'log'],
    [{ v: 'x' }, 'text'],
    [{ v: 5 }, 'number'],
    [{ v: false }, 'boolean'],
    [{ v: null, w: 0 }, 'other'],
  ])('are tried in their order: %j is an event %s', (body, type) => {
    expect(eventOf(parse(adapter, body)).type).toBe(type);
  });

  it.each([
    [{ type: 'a', v: { t: 1 } }],
    [{ type: 1, v: { t: 1 } }],
    [{ type: null, v: { t: 1 } }],
    [{ v: [1] }],
  ])('read an uplink from %j', (body) => {
    expect(payloadOf(parse(adapter, body)).measurements).toHaveLength(1);
  });

  it('leave a message that none fits to be looked at', () => {
    expect(faultOf(parse(adapter, { x: 1 })).detail).toBe(
      'no rule of the mapping test fits the message',
    );
  });

  it('leave a message that holds nothing of what is read', () => {
    const rule = ruleOf({ ...named, measurements: [{ from: '/v', name: 'v' }] });
    expect(faultOf(parse(rule, { w: 1 })).detail).toBe(
      'the body is not a message that carries what the mapping reads',
    );
  });

  it('leave a body that is no JSON or no text', () => {
    const text = ruleOf({ ...named, measurements: [{ from: '', name: 'v' }] }, { body: 'text' });
    expect(faultOf(parse(adapter, Buffer.from('{'))).code).toBe('INBOUND_MALFORMED');
    expect(faultOf(parse(text, Buffer.from([0xff]))).detail).toBe('the body is not UTF-8');
    expect(faultOf(parse(text, Buffer.alloc(300_000, 0x41))).code).toBe('INBOUND_TOO_LARGE');
    expect(payloadOf(parse(text, Buffer.from(' 21.5\n'))).measurements).toEqual([
      { name: 'v', value: 21.5 },
    ]);
  });
});

describe('Each element of an array', () => {
  const reports = ruleOf({
    each: { from: '/reports', gives: 'uplinks', when: [{ from: './ok', equals: true }] },
    deviceId: { from: './id' },
    rxTime: { from: './t', unit: 's' },
    payload: { from: './data', encoding: 'hex', required: true },
  });

  it('may be an uplink of its own', () => {
    const body = {
      reports: [
        { ok: true, id: 'a', t: 1_700_000_000, data: '0x01 02' },
        { ok: false, id: 'b' },
        { ok: true, id: 'c', data: '' },
      ],
    };
    expect(itemsOf(reports, body)).toMatchObject([
      { deviceId: 'a', rxTime: 1_700_000_000_000, fPort: 1, frmPayload: Buffer.from([1, 2]) },
      { deviceId: 'c', frmPayload: Buffer.alloc(0) },
    ]);
  });

  it('may be a sample of one uplink, with a time of its own', () => {
    const samples = ruleOf({
      ...named,
      each: { from: '', gives: 'samples' },
      time: { from: './t', unit: 's' },
      measurements: [{ from: './v', name: 'temperature', channel: 'probe_{position}' }],
    });
    expect(
      itemsOf(samples, [
        { t: 1, v: 20 },
        { t: 2, v: null },
        { t: 3, v: 22 },
      ]),
    ).toMatchObject([
      {
        measurements: [
          { name: 'temperature', value: 20, time: 1_000, channel: 'probe_1' },
          { name: 'temperature', value: 22, time: 3_000, channel: 'probe_3' },
        ],
      },
    ]);
    expect(itemsOf(samples, { t: 1, v: 20 })).toHaveLength(1);
  });

  it('is named in a complaint by its place', () => {
    const body = {
      reports: [
        { ok: true, id: 'a', data: '01' },
        { ok: true, id: 'a', data: 'x' },
      ],
    };
    expect(faultOf(parse(reports, body)).detail).toBe('./data of element 1 is not bytes in hex');
  });

  it.each([
    [{}, '/reports is not there'],
    [{ reports: null }, '/reports is not there'],
    [{ reports: [] }, 'no element of the message is read'],
    [
      { reports: Array(elementsMax + 1).fill({}) },
      `/reports is not within ${elementsMax} elements`,
    ],
  ])('is missed in a message without them', (body, detail) => {
    expect(faultOf(parse(reports, body)).detail).toBe(detail);
  });
});

describe('The fields of an uplink', () => {
  const fieldOf = (rule: object, body: unknown) => {
    const parsed = parse(
      ruleOf({ ...named, all: [{ from: '', include: ['none'] }], ...rule }),
      body,
    );
    return 'code' in parsed ? parsed.detail : payloadOf(parsed);
  };

  it('are read from text and numbers alike', () => {
    const rule = {
      deviceId: undefined,
      devEui: { from: '/eui' },
      devAddr: { from: '/addr' },
      fPort: { from: '/port' },
      fCnt: { from: '/count' },
      confirmed: { from: '/ack' },
      payload: { from: '/data', encoding: 'base64' },
    };
    const body = {
      eui: '24-E1-24-13-6B-50-22-17',
      addr: '26011BDA',
      port: '85',
      count: 4_294_967_295,
      ack: 'TRUE',
      data: 'A2fq',
    };
    expect(fieldOf(rule, body)).toEqual({
      kind: 'payload',
      adapter: 'test',
      deviceId: '24e124136b502217',
      rxInfo: [],
      devAddr: '26011bda',
      fPort: 85,
      fCnt: 4_294_967_295,
      confirmed: true,
      frmPayload: Buffer.from('0367ea', 'hex'),
    });
  });

  it('may be EUIs and addresses in base64', () => {
    const rule = { deviceId: undefined, devEui: { from: '/eui' }, devAddr: { from: '/addr' } };
    expect(fieldOf(rule, { eui: 'JOEkE2tQIhc=', addr: 'JgEb2g==' })).toMatchObject({
      deviceId: '24e124136b502217',
      devAddr: '26011bda',
    });
  });

  it('may be constants and marks', () => {
    const rule = {
      fPort: { value: 2 },
      payload: { from: '/d', encoding: 'text' },
      encrypted: true,
      simulated: true,
    };
    expect(fieldOf(rule, { d: 'é' })).toMatchObject({
      fPort: 2,
      frmPayload: Buffer.from('é'),
      encrypted: true,
      simulated: true,
    });
  });

  it.each([
    [{ devAddr: { from: '/v' } }, 'x', '/v is not a DevAddr'],
    [{ devAddr: { from: '/v', required: true } }, undefined, '/v is not there'],
    [{ devAddr: { from: '/v' } }, {}, '/v is not a short text'],
    [{ fPort: { from: '/v' } }, 256, '/v is not an integer from 0 to 255'],
    [{ fPort: { from: '/v' } }, 1.5, '/v is not an integer from 0 to 255'],
    [{ fPort: { from: '/v', required: true } }, null, '/v is not there'],
    [{ fCnt: { from: '/v' } }, -1, '/v is not an integer from 0 to 4294967295'],
    [{ fCnt: { from: '/v' } }, 'x', '/v is not a number'],
    [{ confirmed: { from: '/v' } }, 'x', '/v is not true or false'],
    [{ confirmed: { from: '/v', required: true } }, '', '/v is not there'],
    [{ payload: { from: '/v', encoding: 'hex' } }, 'abc', '/v is not bytes in hex'],
    [{ payload: { from: '/v', encoding: 'base64' } }, 'a', '/v is not bytes in base64'],
    [{ payload: { from: '/v', encoding: 'text' } }, 5, '/v is not bytes in text'],
    [{ payload: { from: '/v', encoding: 'text', required: true } }, null, '/v is not there'],
    [
      { payload: { from: '/v', encoding: 'text' } },
      'x'.repeat(payloadBytesMax + 1),
      `/v is not within ${payloadBytesMax} bytes`,
    ],
    [{ deviceId: undefined, devEui: { from: '/v' } }, '1', '/v is not an EUI-64'],
    [{ deviceId: undefined, devEui: { from: '/v' } }, undefined, '/v is not there'],
  ])('%j is a fault for %p', (rule, v, detail) => {
    expect(fieldOf(rule, { v })).toBe(detail);
  });

  it('are left out where they are absent', () => {
    const rule = {
      devAddr: { from: '/a' },
      fPort: { from: '/b' },
      confirmed: { from: '/c' },
      payload: { from: '/d', encoding: 'hex' },
      messageKey: ['/e'],
    };
    expect(fieldOf(rule, {})).toEqual({
      kind: 'payload',
      adapter: 'test',
      deviceId: 'pump',
      rxInfo: [],
    });
  });
});

describe('The key of a message', () => {
  const keyOf = (body: object, messageKey = ['/id', '/t']) =>
    payloadOf(parse(ruleOf({ ...named, messageKey, all: [{ from: '' }] }), body)).messageKey;

  it('is all of its parts, or none', () => {
    expect(keyOf({ id: 'a', t: 5 })).toBe('["a","5"]');
    expect(keyOf({ id: 'a', t: 5 }, ['/id'])).toBe('a');
    expect(keyOf({ id: 'a' })).toBeUndefined();
    expect(keyOf({ id: '', t: 5 })).toBeUndefined();
    expect(keyOf({ id: {}, t: 5 })).toBeUndefined();
  });

  it('is short', () => {
    expect(keyOf({ id: 'x'.repeat(200) }, ['/id'])).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('An event', () => {
  it('carries its device, gateway, time and values', () => {
    const adapter = ruleOf({
      ...named,
      event: 'status',
      time: { from: '/t', unit: 's' },
      gateways: { id: { from: '/gw' } },
      measurements: [{ from: '/v', name: 'battery_level', unit: '%' }],
    });
    expect(eventOf(parse(adapter, { t: 1, gw: '24E124FFFEF54092', v: 80 }))).toEqual({
      kind: 'event',
      adapter: 'test',
      type: 'status',
      deviceId: 'pump',
      gatewayId: '24e124fffef54092',
      time: 1_000,
      measurements: [{ name: 'battery_level', value: 80, unit: '%', time: 1_000 }],
    });
  });

  it('has the time of the network before its own', () => {
    const times = { time: { from: '/t', unit: 's' }, rxTime: { from: '/r', unit: 's' } };
    const adapter = ruleOf({ event: 'x', ...times });
    expect(eventOf(parse(adapter, { t: 1, r: 2 })).time).toBe(2_000);
  });

  it('may be of nobody, and is a fault when it is wrong', () => {
    const adapter = ruleOf({ event: 'x', time: { from: '/t', unit: 's' } });
    expect(eventOf(parse(adapter, {}))).toEqual({ kind: 'event', adapter: 'test', type: 'x' });
    expect(faultOf(parse(adapter, { t: 'x' })).detail).toBe('/t is not a time (s)');
  });
});

describe('Text that is a document', () => {
  const adapter = ruleOf(
    { ...named, all: [{ from: '' }] },
    {
      embedded: [
        { at: '/data', as: 'json' },
        { at: '/deep/nmea', as: 'nmea' },
      ],
    },
  );
  const namesOf = (body: object) =>
    payloadOf(parse(adapter, body)).measurements?.map(({ name }) => name);

  it('is opened in its place', () => {
    expect(namesOf({ data: '{"t":1}', deep: { nmea: '$GPRMC,081836,V' } })).toEqual([
      'data.t',
      'deep.nmea.utc',
    ]);
  });

  it('stays text when it is none', () => {
    expect(namesOf({ data: '21.5', deep: {} })).toEqual(['data']);
    expect(namesOf({ data: '{', deep: 5 })).toEqual(['data', 'deep']);
    expect(namesOf({ data: 5 })).toEqual(['data']);
  });
});
