import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventOf, fixtureText, payloadOf as uplinkOf } from '../inbound.ts';
import { birthOf, type HostBench, kindsOf, level, startHost, time } from './host-bench.ts';
import { bdSeq } from './node.ts';

let host: HostBench;

beforeEach(() => {
  host = startHost();
});

describe('The published Sparkplug messages', () => {
  const vectors = JSON.parse(fixtureText('cellular/sparkplug-b/generated-vectors.json'));
  const parse = (name: string) =>
    host.parse(vectors[name].topic, Buffer.from(vectors[name].hex, 'hex'));
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
    expect(host.asked).toEqual([]);
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
    host.send('g/NBIRTH/n', birthOf({ name: 'temp', alias: 7, datatype: 2, intValue: 1 }));
    const data = { timestamp: time, seq: 1, metrics: [{ alias: 7, intValue: 0xffff_ff9f }] };
    expect(uplinkOf(host.send('g/NDATA/n', data)).measurements).toEqual([
      { name: 'temp', value: -97, time },
    ]);
  });

  it('without a birth becomes an event, and the birth is asked for', () => {
    const data = { timestamp: time, seq: 9, metrics: [{ alias: 7, intValue: 5 }] };
    expect(eventOf(host.send('g/NDATA/n', data))).toEqual({
      kind: 'event',
      adapter: 'sparkplug-b',
      type: 'metrics-unnamed',
      deviceId: 'g:n',
      time,
    });
    expect(host.counts()).toMatchObject({ unnamed: 1, rebirths: 1 });
    expect(host.asked.map(({ topic }) => topic)).toEqual(['spBv1.0/g/NCMD/n']);
  });

  it('leaves the others their names', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    const metrics = [
      { alias: 1, doubleValue: 2 },
      { alias: 2, doubleValue: 3 },
    ];
    const parsed = host.send('g/NDATA/n', { seq: 1, metrics });
    expect(kindsOf(parsed)).toEqual(['payload', 'metrics-unnamed']);
    expect(host.asked).toHaveLength(1);
  });

  it('of a device is not that of its node', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    const depth = { name: 'depth', alias: 1, datatype: 10, doubleValue: 3 };
    host.send('g/DBIRTH/n/d', { seq: 1, metrics: [depth] });
    const parsed = host.send('g/DDATA/n/d', { seq: 2, metrics: [{ alias: 1, doubleValue: 4 }] });
    expect(uplinkOf(parsed)).toMatchObject({
      deviceId: 'g:n:d',
      measurements: [{ name: 'depth', value: 4 }],
    });
  });

  it('is unnamed again after the death of the node', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    host.send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    host.send('g/NDEATH/n', { metrics: [bdSeq(3)] });
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(host.send('g/DDATA/n/d', { seq: 2, metrics }))).toEqual(['metrics-unnamed']);
  });

  it('is unnamed again after the death of its device', () => {
    host.send('g/NBIRTH/n', birthOf());
    host.send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    expect(eventOf(host.send('g/DDEATH/n/d', { timestamp: time, seq: 2 })).type).toBe('ddeath');
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(host.send('g/DDATA/n/d', { seq: 3, metrics }))).toEqual(['metrics-unnamed']);
  });

  it('keeps its name when the death is one of an earlier session', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    expect(eventOf(host.send('g/NDEATH/n', { metrics: [bdSeq(2)] })).type).toBe('ndeath-late');
    const metrics = [{ alias: 1, doubleValue: 2 }];
    expect(kindsOf(host.send('g/NDATA/n', { seq: 1, metrics }))).toEqual(['payload']);
  });

  it('is unnamed when an integer has no type, since its sign is not known', () => {
    const metrics = [
      { name: 'count', intValue: 5 },
      { name: 'ratio', doubleValue: 0.5 },
    ];
    const parsed = host.send('g/NDATA/n', { seq: 1, metrics });
    expect(kindsOf(parsed)).toEqual(['payload', 'metrics-unnamed']);
  });
});

describe('A sequence number', () => {
  const data = (seq?: number) =>
    host.send('g/NDATA/n', {
      ...(seq === undefined ? {} : { seq }),
      metrics: [{ alias: 1, doubleValue: 2 }],
    });

  it('goes on after 255 with 0', () => {
    host.send('g/NBIRTH/n', { ...birthOf(level), seq: 254 });
    for (const seq of [255, 0, 1]) expect(kindsOf(data(seq))).toEqual(['payload']);
    expect(host.asked).toEqual([]);
  });

  it('may come twice, as a redelivery does', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    for (const seq of [1, 1, 2]) data(seq);
    expect(host.asked).toEqual([]);
  });

  it('with a gap asks for a birth, and the values keep their names', () => {
    host.send('g/NBIRTH/n', birthOf(level));
    expect(kindsOf(data(5))).toEqual(['payload']);
    expect(host.asked).toHaveLength(1);
    host.pass(10_000);
    data(6);
    expect(host.asked).toHaveLength(1);
  });

  it('that is left out is 0 where a 0 is due, and else tells nothing', () => {
    host.send('g/NBIRTH/n', { metrics: [bdSeq(0), level], seq: 255 });
    for (const seq of [undefined, 1, undefined, 2]) data(seq);
    expect(host.asked).toEqual([]);
  });

  it('counts over a node and its devices', () => {
    host.send('g/NBIRTH/n', { metrics: [level] });
    host.send('g/DBIRTH/n/d', { seq: 1, metrics: [level] });
    data(2);
    host.send('g/DDEATH/n/d', { seq: 4 });
    expect(host.asked).toHaveLength(1);
  });
});

describe('A request for a birth', () => {
  const data = { seq: 1, metrics: [{ alias: 1, doubleValue: 2 }] };

  it('sets Node Control/Rebirth, as another reader sees it', () => {
    host.send('Bakı/NDATA/n 1', data);
    const [command] = host.asked;
    expect(command?.topic).toBe('spBv1.0/Bakı/NCMD/n 1');
    const name = Buffer.from('Node Control/Rebirth').toString('hex');
    // 1,700,000,000,000 as a varint is 80d095ffbc31.
    const metric = `0a14${name}1880d095ffbc31200b7001`;
    expect(command?.payload.toString('hex')).toBe(`0880d095ffbc311221${metric}`);
  });

  it('is not repeated before its interval has passed, but then it is', () => {
    for (let second = 0; second < 20; second += 1) {
      host.send('g/NDATA/n', data);
      host.pass(1_000);
    }
    expect(host.asked).toHaveLength(2);
  });

  it('is repeated when the clock was set back', () => {
    host.send('g/NDATA/n', data);
    host.pass(-86_400_000);
    host.send('g/NDATA/n', data);
    expect(host.asked).toHaveLength(2);
  });

  it('goes to so many nodes in a second, and to the others after it', () => {
    host = startHost({ rebirthsPerSecondMax: 3 });
    for (let node = 0; node < 5; node += 1) host.send(`g/NDATA/n${node}`, data);
    expect(host.asked).toHaveLength(3);
    host.pass(1_000);
    host.send('g/NDATA/n4', data);
    expect(host.asked).toHaveLength(4);
    expect(host.counts().rebirths).toBe(4);
  });

  it('is made for a device without a birth of its own', () => {
    host.send('g/NBIRTH/n', birthOf());
    host.send('g/DDATA/n/d', { seq: 1, metrics: [{ name: 'a', doubleValue: 2 }] });
    expect(host.asked).toHaveLength(1);
  });
});

describe('The memory of births', () => {
  it('forgets the node that was silent longest', () => {
    host = startHost({ nodesMax: 2 });
    for (const node of ['a', 'b', 'a', 'c']) host.send(`g/NBIRTH/${node}`, birthOf(level));
    expect(host.counts()).toMatchObject({ nodes: 2, metrics: 4 });
    const data = { seq: 1, metrics: [{ alias: 1, doubleValue: 2 }] };
    expect(kindsOf(host.send('g/NDATA/a', data))).toEqual(['payload']);
    expect(kindsOf(host.send('g/NDATA/b', data))).toEqual(['metrics-unnamed']);
  });

  it('is bounded by the metrics of all nodes, but for those of one message', () => {
    host = startHost({ metricsMax: 5 });
    for (const node of ['a', 'b', 'c']) host.send(`g/NBIRTH/${node}`, birthOf(level));
    expect(host.counts()).toMatchObject({ nodes: 2, metrics: 4 });
    const many = Array.from({ length: 9 }, (_, index) => ({ name: `m${index}`, datatype: 10 }));
    host.send('g/NBIRTH/d', birthOf(...many));
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 10 });
  });

  it('keeps so many devices of a node', () => {
    host = startHost({ devicesPerNodeMax: 2 });
    host.send('g/NBIRTH/n', birthOf());
    for (let device = 0; device < 9; device += 1) {
      host.send(`g/DBIRTH/n/d${device}`, { seq: device + 1, metrics: [level] });
    }
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 3 });
  });

  it('does not grow with births that come again', () => {
    for (let count = 0; count < 5; count += 1) {
      host.send('g/NBIRTH/n', birthOf(level));
      host.send('g/DBIRTH/n/d', { seq: 1, metrics: [level, { alias: 4 }] });
    }
    expect(host.counts()).toMatchObject({ nodes: 1, metrics: 3 });
  });
});
