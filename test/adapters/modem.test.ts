import { describe, expect, it } from '@jest/globals';
import { keysMax, measurementsMax } from '../../gateway/adapters/measurements.ts';
import { modem } from '../../gateway/adapters/modem.ts';
import { devicesMax, samplesMax } from '../../gateway/adapters/thingsboard.ts';
import { isDeviceId } from '../../gateway/model/device.ts';
import { faultOf, inboundOf, payloadOf, receivedAt } from './inbound.ts';

const topic = 'up/field-7';

function parse(body: unknown, route = topic, deviceId?: string) {
  return modem.parse(inboundOf(route, body, deviceId));
}

function valuesOf(body: unknown): unknown {
  return payloadOf(parse(body)).measurements?.map(({ name, value }) => [name, value]);
}

describe('A flat message of a modem', () => {
  it('gives measurements at its own time, and the radio', () => {
    const body = { ts: 1_700_000_000, temperature: 21.5, door: 'open', isOn: true, rsrp: -97 };
    const time = 1_700_000_000_000;
    expect(payloadOf(parse(body))).toEqual({
      kind: 'payload',
      adapter: 'modem-json',
      deviceId: 'field-7',
      rxInfo: [],
      measurements: [
        { name: 'temperature', value: 21.5, time },
        { name: 'door', value: 'open', time },
        { name: 'isOn', value: true, time },
      ],
      radio: { rsrp: -97 },
    });
  });

  it('names nested values with dots and leaves out what is no value', () => {
    const body = { a: { b: { c: 1 } }, list: [1, { d: 2 }], none: null, empty: '', far: {} };
    expect(valuesOf(body)).toEqual([
      ['a.b.c', 1],
      ['list.0', 1],
      ['list.1.d', 2],
    ]);
  });

  it('takes quoted numbers as numbers and codes as text', () => {
    expect(valuesOf({ a: '-30.0', b: '007', c: '1e5', d: '9'.repeat(20) })).toEqual([
      ['a', -30],
      ['b', '007'],
      ['c', '1e5'],
      ['d', '9'.repeat(20)],
    ]);
  });

  it('leaves out numbers beyond all bounds and long text', () => {
    expect(valuesOf(Buffer.from(`{"a":1e999,"b":"${'x'.repeat(257)}","c":1}`))).toEqual([['c', 1]]);
  });

  it('never makes a measurement of a personal identifier', () => {
    const body = {
      imei: '352656101397613',
      sim: { iccid: '8931080019073573173', imsi: '204080813558856', slot: 1 },
      serial: 'IMEI:352656101397613',
      msisdn: '994501234567',
    };
    expect(valuesOf(body)).toEqual([['sim.slot', 1]]);
  });

  it('takes the cell that serves, not its neighbours', () => {
    const body = { cell: { rsrp: -90, pci: 5 }, neighbours: [{ rsrp: -110 }] };
    const uplink = payloadOf(parse(body));
    expect(uplink.radio).toEqual({ rsrp: -90, pci: 5 });
    expect(uplink.measurements).toEqual([{ name: 'neighbours.0.rsrp', value: -110 }]);
  });

  it('takes the first readable time and keeps one that is none', () => {
    const [value] = payloadOf(parse({ time: 1_700_000_001, ts: 12, a: 1 })).measurements ?? [];
    expect(value).toEqual({ name: 'ts', value: 12, time: 1_700_000_001_000 });
    const [other] =
      payloadOf(parse({ time: 1_700_000_001, timestamp: '2024-01-01T00:00:00Z', a: 1 }))
        .measurements ?? [];
    expect(other).toEqual({ name: 'a', value: 1, time: Date.UTC(2024, 0, 1) });
  });

  it('may be empty: a sign of life', () => {
    expect(payloadOf(parse({})).measurements).toEqual([]);
  });

  it('is not changed by prototype keys', () => {
    const body = Buffer.from('{"__proto__":{"a":1},"constructor":{"prototype":{}},"b":1}');
    expect(valuesOf(body)).toEqual([['b', 1]]);
  });

  it.each([
    [{ ['x'.repeat(129)]: 1 }, 'xxxxxxxxxxxxxxxxxxxx… is not a name of up to 128 characters'],
    [
      Object.fromEntries(Array.from({ length: measurementsMax + 2 }, (_, key) => [`k${key}`, key])),
      `the body is not within ${measurementsMax} values`,
    ],
    [{ list: Array(keysMax + 1).fill(null) }, `the body is not within ${keysMax} keys`],
    [5, 'the body is neither an object nor an array'],
    [null, 'the body is neither an object nor an array'],
    [Buffer.from('{"a":'), expect.stringMatching(/^the body is not JSON/)],
  ])('is malformed when it breaks a limit or the form', (body, detail) => {
    expect(faultOf(parse(body))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });
});

describe('The device of a modem message', () => {
  it("is the topic's, else the account's", () => {
    expect(payloadOf(parse({}, '/up/field-8', 'field-7')).deviceId).toBe('field-8');
    expect(payloadOf(parse({}, '/ingest/modem', 'field-7')).deviceId).toBe('field-7');
  });

  it('is needed, and needs a valid id', () => {
    expect(faultOf(parse({}, '/ingest/modem')).detail).toBe(
      'neither the topic nor the account names a device',
    );
    expect(faultOf(parse({}, 'up/field 7')).detail).toBe('the device of the topic is no valid id');
  });
});

describe('The key of a modem message', () => {
  const body = { ts: 1_700_000_000, seq: 7, temperature: 21.5 };

  it('is equal when the same bytes come again', () => {
    const { messageKey } = payloadOf(parse(body));
    expect(messageKey).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(payloadOf(parse(body)).messageKey).toBe(messageKey);
  });

  it('differs when anything differs', () => {
    const { messageKey } = payloadOf(parse(body));
    expect(payloadOf(parse({ ...body, temperature: 21.6 })).messageKey).not.toBe(messageKey);
  });

  it.each([
    { seq: 7, temperature: 21.5 },
    { ts: 1_700_000_000, temperature: 21.5 },
  ])('is absent for %j, which another message may equal', (incomplete) => {
    expect(payloadOf(parse(incomplete))).not.toHaveProperty('messageKey');
  });
});

describe('A SenML pack of a modem', () => {
  it('gives measurements with units and the time of reception', () => {
    expect(
      payloadOf(parse([{ bn: 'field-7:', n: 't', u: 'Cel', v: 1, t: -1 }])).measurements,
    ).toEqual([{ name: 't', value: 1, unit: 'Cel', time: receivedAt - 1_000 }]);
  });

  it.each([
    [[], 'the pack has no record with a value'],
    [[{ bn: 'a' }], 'the pack has no record with a value'],
    [[{ bver: 99 }], '[0].bver is not a version up to 10'],
    [[{ n: 'a'.repeat(130), v: 1 }], 'aaaaaaaaaaaaaaaaaaaa… is not a name of up to 128 characters'],
  ])('is malformed as %j', (pack, detail) => {
    expect(faultOf(parse(pack)).detail).toBe(detail);
  });
});

describe('ThingsBoard telemetry', () => {
  const sample = { ts: 1_451_649_600_512, values: { temperature: 22.5, rsrp: -90 } };
  const measurements = [{ name: 'temperature', value: 22.5, time: 1_451_649_600_512 }];

  it.each(['v1/devices/me/telemetry', 'v2/t', 'v2/telemetry', '/api/v1/token/telemetry'])(
    'is read on %s for the device of the account',
    (route) => {
      expect(payloadOf(parse(sample, route, 'field-7'))).toMatchObject({
        deviceId: 'field-7',
        measurements,
        radio: { rsrp: -90 },
      });
      expect(faultOf(parse(sample, route)).code).toBe('INBOUND_MALFORMED');
    },
  );

  it('is known by its shape on the topic of a device', () => {
    expect(payloadOf(parse(sample)).measurements).toEqual(measurements);
    expect(payloadOf(parse([sample, { humidity: 61 }])).measurements).toEqual([
      ...measurements,
      { name: 'humidity', value: 61 },
    ]);
  });

  it.each([
    [[], 'the array of samples is empty'],
    [Array(samplesMax + 1).fill({}), `it has more than ${samplesMax} samples`],
    [[5], 'a sample is not an object'],
    [5, 'a sample is not an object'],
    [{ ts: 'now', values: {} }, 'the ts of a sample is not a time in milliseconds'],
    [{ ts: 1.5, values: {} }, 'the ts of a sample is not a time in milliseconds'],
    [[{ ['x'.repeat(129)]: 1 }], 'xxxxxxxxxxxxxxxxxxxx… is not a name of up to 128 characters'],
  ])('is malformed as %j', (body, detail) => {
    expect(faultOf(parse(body, 'v2/t', 'field-7')).detail).toBe(detail);
  });

  it('of a gateway is one uplink a device', () => {
    const parsed = parse({ 'pump-1': [sample], 'pump-2': [{ flow: 1 }] }, 'v1/gateway/telemetry');
    expect(parsed).toMatchObject([
      { deviceId: 'pump-1', measurements },
      { deviceId: 'pump-2', measurements: [{ name: 'flow', value: 1 }] },
    ]);
  });

  it.each([
    [{}, 'the body names no device'],
    [[], 'the body is not an object of devices'],
    [{ '  ': [sample] }, 'the name of a device can be no id'],
    [{ ['é'.repeat(257)]: [sample] }, 'the name of a device can be no id'],
    [{ 'pump-1': [5], 'pump-2': [5] }, 'a sample is not an object'],
    [
      Object.fromEntries(Array.from({ length: devicesMax + 1 }, (_, key) => [`d${key}`, [{}]])),
      `the body names more than ${devicesMax} devices`,
    ],
  ])('of a gateway is malformed when it is wrong', (body, detail) => {
    expect(faultOf(parse(body, 'v1/gateway/telemetry')).detail).toBe(detail);
  });

  it('of a gateway makes unlike ids of names that are no ids', () => {
    const names = ['Pump 1', 'Pump_1', 'Pump\t1', 'Насос 1', 'x'.repeat(256)];
    const body = Object.fromEntries(names.map((name) => [name, [sample]]));
    const parsed = parse(body, 'v1/gateway/telemetry');
    if ('code' in parsed) throw new Error(parsed.detail);
    const ids = parsed.map(({ kind, ...item }) => ('deviceId' in item ? item.deviceId : kind));
    expect(ids.slice(0, 2)).toEqual(['Pump_1-903e10f0', 'Pump_1']);
    expect(new Set(ids).size).toBe(names.length);
    expect(ids.every((id) => id !== undefined && isDeviceId(id))).toBe(true);
  });
});
