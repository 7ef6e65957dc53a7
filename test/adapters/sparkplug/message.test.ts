import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventOf, faultOf, payloadOf as uplinkOf } from '../inbound.ts';
import { birthOf, type HostBench, kindsOf, level, startHost, time } from './host-bench.ts';
import { type MetricFields, payloadOf } from './node.ts';

let host: HostBench;

beforeEach(() => {
  host = startHost();
});

describe('A metric', () => {
  const only = (metric: MetricFields) => host.send('g/NDATA/n', { seq: 1, metrics: [metric] });

  it.each([
    [{ datatype: 1, intValue: 0x9f }, -97],
    [{ datatype: 1, intValue: 0xffff_ff9f }, -97],
    [{ datatype: 2, intValue: 0xff9f }, -97],
    [{ datatype: 3, intValue: 0xffff_ff9f }, -97],
    [{ datatype: 3, longValue: -97 }, -97],
    [{ datatype: 4, longValue: -1_700_000_000_000 }, -1_700_000_000_000],
    [{ datatype: 5, intValue: 255 }, 255],
    [{ datatype: 6, intValue: 65_535 }, 65_535],
    [{ datatype: 7, longValue: 4_294_967_295 }, 4_294_967_295],
    [{ datatype: 8, longValue: 9_007_199_254_740_991 }, 9_007_199_254_740_991],
    [{ datatype: 9, floatValue: 9.2 }, 9.2],
    [{ datatype: 10, doubleValue: -0.1 }, -0.1],
    [{ datatype: 11, booleanValue: false }, false],
    [{ datatype: 11, intValue: 1 }, true],
    [{ datatype: 12, stringValue: 'açıq' }, 'açıq'],
    [{ datatype: 13, longValue: 1_700_000_000_000 }, '2023-11-14T22:13:20.000Z'],
    [{ floatValue: 0.5 }, 0.5],
  ])('of %j has the value %j', (fields, value) => {
    expect(uplinkOf(only({ name: 'x', ...fields })).measurements).toEqual([{ name: 'x', value }]);
  });

  it.each([
    { datatype: 16, datasetValue: '' },
    { datatype: 17, bytesValue: 'AQI=' },
    { datatype: 19, templateValue: '' },
    { datatype: 99, extensionValue: '' },
    { datatype: 22, bytesValue: 'AQI=' },
    { datatype: 99, intValue: 1 },
    { datatype: 13, longValue: 9_007_199_254_740_991 },
    { datatype: 10, doubleValue: Number.NaN },
    { datatype: 12, stringValue: 'x'.repeat(257) },
    { name: 'x'.repeat(129), datatype: 10, doubleValue: 1 },
  ])('of %j is no measurement, and counted', (fields) => {
    expect(eventOf(only({ name: 'x', ...fields })).type).toBe('metrics-skipped');
    expect(host.counts()).toMatchObject({ skipped: 1, unnamed: 0 });
  });

  it.each([
    { name: 'x', isNull: true, datatype: 10 },
    { name: 'x', isNull: true, datatype: 10, doubleValue: 1 },
    { name: 'Node Control/Reboot', datatype: 11, booleanValue: false },
    { name: 'Device Control/Rebirth', datatype: 11, booleanValue: false },
    { name: 'modem/imei', datatype: 12, stringValue: '490154203237518' },
    { name: 'x', datatype: 12, stringValue: 'imei:490154203237518' },
    { name: 'x', metadata: '' },
  ])('%j gives nothing', (fields) => {
    expect(eventOf(only(fields)).type).toBe('ndata');
    expect(host.counts()).toMatchObject({ skipped: 0, unnamed: 0 });
  });

  it('outside of a radio group is a measurement, as an older value of one is', () => {
    const metrics = [
      { name: 'pump/mode', datatype: 12, stringValue: 'LTE' },
      { name: 'modem/rsrp', datatype: 3, intValue: -90, isHistorical: true },
      { name: 'rsrp', datatype: 3, intValue: -95 },
    ];
    expect(uplinkOf(host.send('g/NDATA/n', { seq: 1, metrics }))).toMatchObject({
      measurements: [
        { name: 'pump/mode', value: 'LTE' },
        { name: 'modem/rsrp', value: -90 },
      ],
      radio: { rsrp: -95 },
    });
  });
});

describe('The device id', () => {
  const idOf = (topic: string) => eventOf(host.send(topic, {})).deviceId;

  it('is made of the names where they are plain', () => {
    expect(idOf('water/NDATA/pump-1')).toBe('water:pump-1');
    expect(idOf('water/DDATA/pump-1/level_2')).toBe('water:pump-1:level_2');
  });

  it('of other names is valid, and never that of another origin', () => {
    const part = fc.oneof(
      fc.constantFrom('a', 'b', 'a:b', 'a b', 'ə', ':', '::', 'x'.repeat(40), 'x'.repeat(70)),
      fc.string({ minLength: 1, maxLength: 5 }).filter((text) => !/[/+#\0]/.test(text)),
    );
    const origin = fc.tuple(part, part, fc.option(part)).filter(([group]) => group !== 'STATE');
    const topicOf = ([group, node, device]: readonly [string, string, string | null]) =>
      device === null ? `${group}/NDATA/${node}` : `${group}/DDATA/${node}/${device}`;
    fc.assert(
      fc.property(origin, origin, (one, other) => {
        const id = idOf(topicOf(one));
        expect(id).toMatch(/^[A-Za-z0-9_.:-]{1,64}$/);
        expect(id === idOf(topicOf(other))).toBe(topicOf(one) === topicOf(other));
      }),
      { numRuns: 200 },
    );
  });
});

const tooMany = Array.from({ length: 5_001 }, () => ({}));

describe('Another message', () => {
  it.each(['NCMD/n', 'DCMD/n/d'])('%s is a command, and its values are no telemetry', (topic) => {
    const parsed = host.send(`g/${topic}`, { metrics: [{ name: 'valve', booleanValue: true }] });
    expect(eventOf(parsed).type).toBe(topic.slice(0, 4).toLowerCase());
    expect(host.asked).toEqual([]);
  });

  it.each([
    [{ online: true, timestamp: time }, 'host-online'],
    [{ online: false, timestamp: time }, 'host-offline'],
  ])('%j tells the state of a host', (body, type) => {
    const parsed = host.parse('spBv1.0/STATE/scada', body);
    expect(parsed).toEqual([{ kind: 'event', adapter: 'sparkplug-b', type, time }]);
  });

  it('without a time tells the state of a host too', () => {
    const parsed = host.parse('spBv1.0/STATE/scada', {});
    expect(eventOf(parsed)).not.toHaveProperty('time');
  });

  it.each([
    [Buffer.from('OFFLINE'), 'the body is not JSON'],
    [{ online: 1 }, 'online is not true or false'],
  ])('of a host is malformed with %j', (body, detail) => {
    const parsed = host.parse('spBv1.0/STATE/scada', body);
    expect(faultOf(parsed).detail).toContain(detail);
  });

  it.each([
    'spBv1.0/g/NDATA',
    'spBv1.0/g/NDATA/n/d',
    'spBv1.0/g/DDATA/n',
    'spBv1.0/g/XDATA/n',
    'spBv1.0/g/DDATA/n/',
    'spBv1.0/g/DDATA/n/d/e',
    'spBv1.0//NDATA/n',
    'spBv1.0/g/NDATA/',
    'spBv1.0/STATE/',
    'spBv1.0/STATE',
    'spBv1.0',
    'spAv1.0/g/NDATA/n',
  ])('on %s is refused', (route) => {
    const parsed = host.parse(route, payloadOf({}));
    expect(faultOf(parsed).detail).toBe('the topic is none of Sparkplug B');
  });

  it.each([
    ['a large number', { seq: 256 }, 'seq is not an integer from 0 to 255'],
    [
      'a large alias',
      { metrics: [{ alias: 2 ** 53 }] },
      'metric.alias is not an integer below 2^53',
    ],
    [
      'a compressed body',
      { uuid: 'SPBV1.0_COMPRESSED', body: '' },
      'body is not sent without compression',
    ],
    ['too many metrics', { metrics: tooMany }, 'metrics is not a list of up to 5000'],
  ])('with %s is malformed', (_, fields, detail) => {
    expect(faultOf(host.send('g/NDATA/n', fields))).toEqual({
      kind: 'fault',
      code: 'INBOUND_MALFORMED',
      detail,
    });
  });

  it('keeps its values beside a payload of no known identifier', () => {
    expect(
      kindsOf(host.send('g/NBIRTH/n', { ...birthOf(level), uuid: 'x', body: 'AQ==' })),
    ).toEqual(['nbirth', 'payload']);
  });
});

describe('Any bytes', () => {
  const topics = ['g/NBIRTH/n', 'g/NDATA/n', 'g/DBIRTH/n/d', 'g/DDATA/n/d', 'g/NDEATH/n'];
  const topic = fc.constantFrom(...topics, 'STATE/h');

  function check(route: string, body: Buffer): void {
    const parsed = host.parse(`spBv1.0/${route}`, body);
    const isSound = 'code' in parsed ? parsed.detail !== '' : parsed.length > 0;
    if (!isSound) throw new Error(`nothing for ${body.toString('hex')}`);
  }

  it('are survived in any order, with memory within its limits', () => {
    host = startHost({ metricsMax: 50, nodesMax: 3 });
    const birth = payloadOf(birthOf(level, { name: 'a', alias: 2, datatype: 3, intValue: 4 }));
    const change = fc.tuple(topic, fc.nat(), fc.nat(255), fc.nat(birth.length));
    fc.assert(
      fc.property(change, fc.uint8Array({ maxLength: 60 }), ([route, pick, byte, cut], bytes) => {
        const changed = Buffer.from(birth);
        changed[pick % changed.length] = byte;
        check(route, changed);
        check(route, birth.subarray(0, cut));
        check(route, Buffer.from(bytes));
        expect(host.counts().nodes).toBeLessThanOrEqual(3);
        expect(host.counts().metrics).toBeLessThanOrEqual(50);
      }),
      { numRuns: 300 },
    );
  });
});
