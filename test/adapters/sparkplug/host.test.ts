import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Parsed } from '../../../gateway/adapters/adapter.ts';
import {
  createSparkplugHost,
  type SparkplugHost,
  type SparkplugLimits,
  sparkplugLimitDefaults,
} from '../../../gateway/adapters/sparkplug/host.ts';
import type { HostMessage } from '../../../gateway/adapters/sparkplug/host-messages.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf as uplinkOf } from '../inbound.ts';
import { bdSeq, type MetricFields, type PayloadFields, payloadOf } from './node.ts';

let now = 0;
let asked: HostMessage[] = [];
let host: SparkplugHost;

function start(limits: Partial<SparkplugLimits> = {}): void {
  now = 1_700_000_000_000;
  asked = [];
  host = createSparkplugHost({
    now: () => now,
    limits: { ...sparkplugLimitDefaults, ...limits },
    requestRebirth: (command) => asked.push(command),
  });
}

beforeEach(() => start());

function send(topic: string, fields: PayloadFields): Parsed {
  return host.adapter.parse(inboundOf(`spBv1.0/${topic}`, payloadOf(fields)));
}

/** What each item is, for messages that give several. */
function kindsOf(parsed: Parsed): string[] {
  if ('code' in parsed) return [parsed.code];
  return parsed.map((item) => (item.kind === 'event' ? item.type : item.kind));
}

const time = 1_700_000_000_000;
const level: MetricFields = { name: 'level', alias: 1, datatype: 10, doubleValue: 1.5 };
const birthOf = (...metrics: MetricFields[]) => ({
  timestamp: time,
  seq: 0,
  metrics: [bdSeq(3), ...metrics],
});

describe('The published Sparkplug messages', () => {
  const vectors = JSON.parse(fixtureText('cellular/sparkplug-b/generated-vectors.json'));
  const parse = (name: string) =>
    host.adapter.parse(inboundOf(vectors[name].topic, Buffer.from(vectors[name].hex, 'hex')));
  const deviceId = 'Municipal:gw-5g-01';

  it('name a modem and its radio in the birth, and go on by alias', () => {
    expect(parse('nbirth')).toEqual([
      { kind: 'event', adapter: 'sparkplug-b', type: 'nbirth', deviceId, time },
      {
        kind: 'payload',
        adapter: 'sparkplug-b',
        deviceId,
        rxInfo: [],
        rxTime: time,
        radio: { rat: 'NR-SA', rsrp: -97, rsrq: -11.5, sinr: 14.5 },
      },
    ]);
    expect(uplinkOf(parse('ndata-alias'))).toEqual({
      kind: 'payload',
      adapter: 'sparkplug-b',
      deviceId,
      rxInfo: [],
      rxTime: time + 60_000,
      radio: { rsrp: -101, sinr: 9.5 },
    });
    expect(asked).toEqual([]);
  });

  it('keep the times of a device, historical values included', () => {
    parse('nbirth');
    parse('ndata-alias');
    const uplink = uplinkOf(parse('ddata'));
    expect(uplink.deviceId).toBe(`${deviceId}:level-7`);
    expect(uplink.rxTime).toBe(time + 61_000);
    expect(uplink.measurements).toEqual([
      { name: 'level', value: 1.234, time: time + 61_000 },
      { name: 'battery', value: 87, time: time + 61_000 },
      { name: 'historical', value: 1.1, time: time + 1_000 },
    ]);
  });

  it('end with a death', () => {
    parse('nbirth');
    expect(eventOf(parse('ndeath'))).toMatchObject({ type: 'ndeath', deviceId, time });
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 0 });
  });
});

describe('A value by alias', () => {
  it('has the name and the type of the birth', () => {
    send('g/NBIRTH/n', birthOf({ name: 'temp', alias: 7, datatype: 2, intValue: 1 }));
    const data = { timestamp: time, seq: 1, metrics: [{ alias: 7, intValue: 0xffff_ff9f }] };
    expect(uplinkOf(send('g/NDATA/n', data)).measurements).toEqual([
      { name: 'temp', value: -97, time },
    ]);
  });

  it('without a birth becomes an event, and the birth is asked for', () => {
    const data = { timestamp: time, seq: 9, metrics: [{ alias: 7, intValue: 5 }] };
    expect(eventOf(send('g/NDATA/n', data))).toEqual({
      kind: 'event',
      adapter: 'sparkplug-b',
      type: 'metrics-unnamed',
      deviceId: 'g:n',
      time,
    });
    expect(host.counts()).toMatchObject({ unnamed: 1, rebirths: 1 });
    expect(asked.map(({ topic }) => topic)).toEqual(['spBv1.0/g/NCMD/n']);
  });

  it('leaves the others their names', () => {
    send('g/NBIRTH/n', birthOf(level));
    const metrics = [
      { alias: 1, doubleValue: 2 },
      { alias: 2, doubleValue: 3 },
    ];
    const parsed = send('g/NDATA/n', { seq: 1, metrics });
    expect(kindsOf(parsed)).toEqual(['payload', 'metrics-unnamed']);
    expect(asked).toHaveLength(1);
  });

  it('of a device is not that of its node', () => {
    send('g/NBIRTH/n', birthOf(level));
    const depth = { name: 'depth', alias: 1, datatype: 10, doubleValue: 3 };
    send('g/DBIRTH/n/d', { seq: 1, metrics: [depth] });
    const parsed = send('g/DDATA/n/d', { seq: 2, metrics: [{ alias: 1, doubleValue: 4 }] });
    expect(uplinkOf(parsed)).toMatchObject({
      deviceId: 'g:n:d',
      measurements: [{ name: 'depth', value: 4 }],
    });
  });

  it('is unnamed again after the death of the node', () => {
    send('g/NBIRTH/n', birthOf(level));
    send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    send('g/NDEATH/n', { metrics: [bdSeq(3)] });
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(send('g/DDATA/n/d', { seq: 2, metrics }))).toEqual(['metrics-unnamed']);
  });

  it('is unnamed again after the death of its device', () => {
    send('g/NBIRTH/n', birthOf());
    send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    expect(eventOf(send('g/DDEATH/n/d', { timestamp: time, seq: 2 })).type).toBe('ddeath');
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(send('g/DDATA/n/d', { seq: 3, metrics }))).toEqual(['metrics-unnamed']);
  });

  it('keeps its name when the death is one of an earlier session', () => {
    send('g/NBIRTH/n', birthOf(level));
    expect(eventOf(send('g/NDEATH/n', { metrics: [bdSeq(2)] })).type).toBe('ndeath-late');
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(send('g/NDATA/n', { seq: 1, metrics }))).toEqual(['payload']);
  });

  it('is unnamed when an integer has no type, since its sign is not known', () => {
    const metrics = [
      { name: 'count', intValue: 5 },
      { name: 'ratio', doubleValue: 0.5 },
    ];
    const parsed = send('g/NDATA/n', { seq: 1, metrics });
    expect(kindsOf(parsed)).toEqual(['payload', 'metrics-unnamed']);
  });
});

describe('A sequence number', () => {
  const data = (seq?: number) =>
    send('g/NDATA/n', {
      ...(seq === undefined ? {} : { seq }),
      metrics: [{ alias: 1, doubleValue: 2 }],
    });

  it('goes on after 255 with 0', () => {
    send('g/NBIRTH/n', { ...birthOf(level), seq: 254 });
    for (const seq of [255, 0, 1]) expect(kindsOf(data(seq))).toEqual(['payload']);
    expect(asked).toEqual([]);
  });

  it('may come twice, as a redelivery does', () => {
    send('g/NBIRTH/n', birthOf(level));
    for (const seq of [1, 1, 2]) data(seq);
    expect(asked).toEqual([]);
  });

  it('with a gap asks for a birth, and the values keep their names', () => {
    send('g/NBIRTH/n', birthOf(level));
    expect(kindsOf(data(5))).toEqual(['payload']);
    expect(asked).toHaveLength(1);
    now += 10_000;
    data(6);
    expect(asked).toHaveLength(1);
  });

  it('that is left out is 0 where a 0 is due, and else tells nothing', () => {
    send('g/NBIRTH/n', { metrics: [bdSeq(0), level], seq: 255 });
    for (const seq of [undefined, 1, undefined, 2]) data(seq);
    expect(asked).toEqual([]);
  });

  it('counts over a node and its devices', () => {
    send('g/NBIRTH/n', { metrics: [level] });
    send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    data(2);
    send('g/DDEATH/n/d', { seq: 4 });
    expect(asked).toHaveLength(1);
  });
});

describe('A request for a birth', () => {
  const data = { seq: 1, metrics: [{ alias: 1, doubleValue: 2 }] };

  it('sets Node Control/Rebirth, as another reader sees it', () => {
    send('Bakı/NDATA/n 1', data);
    const [command] = asked;
    expect(command?.topic).toBe('spBv1.0/Bakı/NCMD/n 1');
    const name = Buffer.from('Node Control/Rebirth').toString('hex');
    // 1,700,000,000,000 as a varint is 80d095ffbc31.
    const metric = `0a14${name}1880d095ffbc31200b7001`;
    expect(command?.payload.toString('hex')).toBe(`0880d095ffbc311221${metric}`);
  });

  it('is not repeated before its interval has passed, but then it is', () => {
    for (let second = 0; second < 20; second += 1) {
      send('g/NDATA/n', data);
      now += 1_000;
    }
    expect(asked).toHaveLength(2);
  });

  it('is repeated when the clock was set back', () => {
    send('g/NDATA/n', data);
    now -= 86_400_000;
    send('g/NDATA/n', data);
    expect(asked).toHaveLength(2);
  });

  it('goes to so many nodes in a second, and to the others after it', () => {
    start({ rebirthsPerSecondMax: 3 });
    for (let node = 0; node < 5; node += 1) send(`g/NDATA/n${node}`, data);
    expect(asked).toHaveLength(3);
    now += 1_000;
    send('g/NDATA/n4', data);
    expect(asked).toHaveLength(4);
    expect(host.counts().rebirths).toBe(4);
  });

  it('is made for a device without a birth of its own', () => {
    send('g/NBIRTH/n', birthOf());
    send('g/DDATA/n/d', { seq: 1, metrics: [{ name: 'a', doubleValue: 2 }] });
    expect(asked).toHaveLength(1);
  });
});

describe('The memory of births', () => {
  it('forgets the node that was silent longest', () => {
    start({ nodesMax: 2 });
    for (const node of ['a', 'b', 'a', 'c']) send(`g/NBIRTH/${node}`, birthOf(level));
    expect(host.counts()).toMatchObject({ nodes: 2, metrics: 4 });
    const data = { seq: 1, metrics: [{ alias: 1, doubleValue: 2 }] };
    expect(kindsOf(send('g/NDATA/a', data))).toEqual(['payload']);
    expect(kindsOf(send('g/NDATA/b', data))).toEqual(['metrics-unnamed']);
  });

  it('is bounded by the metrics of all nodes, but for those of one message', () => {
    start({ metricsMax: 5 });
    for (const node of ['a', 'b', 'c']) send(`g/NBIRTH/${node}`, birthOf(level));
    expect(host.counts()).toMatchObject({ nodes: 2, metrics: 4 });
    const many = Array.from({ length: 9 }, (_, index) => ({ name: `m${index}`, datatype: 10 }));
    send('g/NBIRTH/d', birthOf(...many));
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 10 });
  });

  it('keeps so many devices of a node', () => {
    start({ devicesPerNodeMax: 2 });
    send('g/NBIRTH/n', birthOf());
    for (let device = 0; device < 9; device += 1) {
      send(`g/DBIRTH/n/d${device}`, { seq: device + 1, metrics: [level] });
    }
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 3 });
  });

  it('does not grow with births that come again', () => {
    for (let count = 0; count < 5; count += 1) {
      send('g/NBIRTH/n', birthOf(level));
      send('g/DBIRTH/n/d', { seq: 1, metrics: [level, { alias: 4 }] });
    }
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 3 });
  });
});

describe('A metric', () => {
  const only = (metric: MetricFields) => send('g/NDATA/n', { seq: 1, metrics: [metric] });

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
    expect(uplinkOf(send('g/NDATA/n', { seq: 1, metrics }))).toMatchObject({
      measurements: [
        { name: 'pump/mode', value: 'LTE' },
        { name: 'modem/rsrp', value: -90 },
      ],
      radio: { rsrp: -95 },
    });
  });
});

describe('The device id', () => {
  const idOf = (topic: string) => eventOf(send(topic, {})).deviceId;

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
    const parsed = send(`g/${topic}`, { metrics: [{ name: 'valve', booleanValue: true }] });
    expect(eventOf(parsed).type).toBe(topic.slice(0, 4).toLowerCase());
    expect(asked).toEqual([]);
  });

  it.each([
    [{ online: true, timestamp: time }, 'host-online'],
    [{ online: false, timestamp: time }, 'host-offline'],
  ])('%j tells the state of a host', (body, type) => {
    const parsed = host.adapter.parse(inboundOf('spBv1.0/STATE/scada', body));
    expect(parsed).toEqual([{ kind: 'event', adapter: 'sparkplug-b', type, time }]);
  });

  it('without a time tells the state of a host too', () => {
    const parsed = host.adapter.parse(inboundOf('spBv1.0/STATE/scada', {}));
    expect(eventOf(parsed)).not.toHaveProperty('time');
  });

  it.each([
    [Buffer.from('OFFLINE'), 'the body is not JSON'],
    [{ online: 1 }, 'online is not true or false'],
  ])('of a host is malformed with %j', (body, detail) => {
    const parsed = host.adapter.parse(inboundOf('spBv1.0/STATE/scada', body));
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
    const parsed = host.adapter.parse(inboundOf(route, payloadOf({})));
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
    expect(faultOf(send('g/NDATA/n', fields))).toEqual({
      kind: 'fault',
      code: 'INBOUND_MALFORMED',
      detail,
    });
  });

  it('keeps its values beside a payload of no known identifier', () => {
    expect(kindsOf(send('g/NBIRTH/n', { ...birthOf(level), uuid: 'x', body: 'AQ==' }))).toEqual([
      'nbirth',
      'payload',
    ]);
  });
});

describe('Any bytes', () => {
  const topics = ['g/NBIRTH/n', 'g/NDATA/n', 'g/DBIRTH/n/d', 'g/DDATA/n/d', 'g/NDEATH/n'];
  const topic = fc.constantFrom(...topics, 'STATE/h');

  function check(route: string, body: Buffer): void {
    const parsed = host.adapter.parse(inboundOf(`spBv1.0/${route}`, body));
    const isSound = 'code' in parsed ? parsed.detail !== '' : parsed.length > 0;
    if (!isSound) throw new Error(`nothing for ${body.toString('hex')}`);
  }

  it('are survived in any order, with memory within its limits', () => {
    start({ metricsMax: 50, nodesMax: 3 });
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
