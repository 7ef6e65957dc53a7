/**
 * Who may publish, subscribe and receive what, over the wire and in every place that could leak.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connect, connectAsync } from 'mqtt';
import { compileAcl, fillTemplate } from '../../../gateway/transports/acl.ts';
import { createTopicTrie } from '../../../gateway/transports/mqtt/sessions/topic-trie.ts';
import {
  compileFilter,
  coversFilter,
  isTopicFilter,
  matchesTopic,
} from '../../../gateway/transports/topic-filter.ts';
import type { MqttBench } from './bench.ts';
import { city, modem, startBench } from './bench.ts';
import { connack, connectRaw, puback, publishPacket, subscribePacket } from './wire.ts';

const asModem = { clientId: 'm1', username: 'modem-1', password: 'secret one' };
const asCity = { clientId: 'c1', username: 'city', password: 'secret two' };

let bench: MqttBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.stop());

describe('Publish ACL', () => {
  it('writes a forbidden message down, acknowledges it and hands it to nobody', async () => {
    const reader = await connectAsync({ port: bench.port, host: '127.0.0.1', ...asCity });
    const seen: string[] = [];
    reader.on('message', (topic) => seen.push(topic));
    await reader.subscribeAsync('up/#', { qos: 1 });
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-8', payload: 'not mine', id: 4, retain: true }));
    expect(await client.bytes(8)).toBe(connack(0) + puback(4));
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'mine', id: 5 }));
    await client.bytes(12);
    await until(() => seen.length > 0);
    expect(seen).toEqual(['up/pump-7']);
    expect(bench.forbidden.map(({ route }) => route)).toEqual(['up/pump-8']);
    expect(bench.broker.counts().retained).toBe(0);
    await reader.endAsync();
  });

  it('closes the connection on $SYS, which belongs to the broker', async () => {
    const open = await startBench({ anonymous: true });
    for (const topic of ['$SYS/x', '$SYS', '$SYS/withheld']) {
      const client = await connectRaw(open.port, { clientId: 'x' });
      client.send(publishPacket({ topic, id: 4 }));
      expect(await client.closed()).toBe(connack(0));
    }
    expect(open.received).toEqual([]);
    expect(open.forbidden).toEqual([]);
    await open.stop();
  });

  it('takes a topic beyond the configured depth or length as forbidden', async () => {
    const open = await startBench({ anonymous: true });
    const client = await connectRaw(open.port, { clientId: 'x' });
    client.send(publishPacket({ topic: 'a/'.repeat(40), id: 1 }));
    client.send(publishPacket({ topic: 'a'.repeat(2_000), id: 2 }));
    expect(await client.bytes(12)).toBe(connack(0) + puback(1) + puback(2));
    expect(open.received).toEqual([]);
    expect(open.forbidden).toHaveLength(2);
    await open.stop();
  });
});

describe('Subscribe ACL', () => {
  it('answers each filter of a SUBSCRIBE for itself [MQTT-3.9.3-1]', async () => {
    const client = await connectRaw(bench.port, asModem);
    client.send(
      subscribePacket(['down/pump-7/+', 'down/#', '#', '+/pump-7/x', '$SYS/#', 'down/pump-7/#']),
    );
    const suback = '9008' + '0007' + '01' + '80' + '80' + '80' + '80' + '01';
    expect(await client.bytes(14)).toBe(connack(0) + suback);
  });

  it('refuses shared subscriptions with 0x80 instead of granting a literal', async () => {
    const open = await startBench({ anonymous: true });
    const client = await connectRaw(open.port, { clientId: 'x' });
    client.send(subscribePacket(['$share/group/up/#', '$share/a/b', 'up/#']));
    expect(await client.bytes(11)).toBe(`${connack(0)}90050007808001`);
    await open.stop();
  });

  it('closes on a filter that is none [MQTT-4.7.1-2] [MQTT-4.7.1-3]', async () => {
    for (const filter of ['a/#/b', 'a#', 'a+', '+a/b', 'a/b+', '\u0000']) {
      const client = await connectRaw(bench.port, asCity);
      client.send(subscribePacket([filter]));
      expect(await client.closed()).toBe(connack(0));
    }
  });

  it('grants no more subscriptions than the limit', async () => {
    const small = await startBench({ anonymous: true, limits: { subscriptionsPerClientMax: 2 } });
    const client = await connectRaw(small.port, { clientId: 'x' });
    client.send(subscribePacket(['a', 'b', 'c', 'a']));
    expect(await client.bytes(11)).toBe(`${connack(0)}90050007010180`);
    await small.stop();
  });
});

describe('Delivery ACL', () => {
  it('never sends a message outside the ACL, whatever a lasting session asked for', async () => {
    const options = { port: bench.port, host: '127.0.0.1', ...asModem, clean: false };
    const first = await connectAsync(options);
    const asked = ['down/pump-7/#', 'down/pump-8/#', 'up/#'];
    await first.subscribeAsync(asked, { qos: 1 }).catch(() => undefined);
    await first.endAsync();
    const sender = await connectAsync({ port: bench.port, host: '127.0.0.1', ...asCity });
    for (const topic of ['down/pump-8/set', 'up/pump-8', 'down/pump-7/set']) {
      await sender.publishAsync(topic, topic, { qos: 1 });
    }
    const seen: string[] = [];
    const second = connect({ ...options, reconnectPeriod: 0 });
    second.on('message', (topic) => seen.push(topic));
    await until(() => seen.length > 0);
    await sender.publishAsync('down/pump-8/late', 'x', { qos: 1 });
    await sender.publishAsync('down/pump-7/late', 'x', { qos: 1 });
    await until(() => seen.length > 1);
    expect(seen).toEqual(['down/pump-7/set', 'down/pump-7/late']);
    await Promise.all([second.endAsync(), sender.endAsync()]);
  });

  it('hides what the profile hides although # covers it', async () => {
    const profile = { publish: ['#'], subscribe: ['#'], hide: ['secret/#'] };
    const open = await startBench({ anonymous: profile });
    const client = await connectRaw(open.port, { clientId: 'x' });
    client.send(subscribePacket(['secret/a', 'secret/#', '#'], 0));
    await client.bytes(11);
    client.send(
      publishPacket({ topic: 'secret/a', qos: 0 }),
      publishPacket({ topic: 'b', qos: 0 }),
    );
    expect(await client.bytes(16)).toBe(`${connack(0)}900500078080003003000162`);
    await open.stop();
  });
});

describe('Retained messages', () => {
  it('are kept only where the account may retain; elsewhere the flag is cleared', async () => {
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'u', id: 1, retain: true }));
    client.send(publishPacket({ topic: 'state/pump-7/door', payload: 's', id: 2, retain: true }));
    await client.bytes(12);
    expect(bench.broker.counts().retained).toBe(1);
    const reader = await connectRaw(bench.port, asCity);
    reader.send(subscribePacket(['up/#', 'state/#'], 0));
    const retained = `3114${Buffer.from('\u0000\u0011state/pump-7/doors').toString('hex')}`;
    expect(await reader.bytes(32)).toBe(`${connack(0)}900400070000${retained}`);
  });

  it('are deleted by an empty payload [MQTT-3.3.1-10]', async () => {
    const client = await connectRaw(bench.port, asModem);
    const topic = 'state/pump-7/door';
    client.send(publishPacket({ topic, payload: 's', id: 1, retain: true }));
    client.send(publishPacket({ topic, payload: '', id: 2, retain: true }));
    await client.bytes(12);
    expect(bench.broker.counts().retained).toBe(0);
  });
});

describe('ACL templates', () => {
  const filters = { publish: ['up/{clientId}/#'], subscribe: [], retain: [], hide: [] };

  it('allow nothing when a name would widen the filter', () => {
    for (const clientId of ['+', '#', 'a/b', 'a+', '']) {
      const acl = compileAcl(filters, { username: 'u', clientId });
      expect(acl.mayPublish(`up/${clientId}/x`)).toBe(false);
      expect(acl.mayPublish('up/other/x')).toBe(false);
    }
  });

  it('allow nothing when the account has no device', () => {
    expect(fillTemplate('up/{deviceId}', { username: 'u', clientId: 'c' })).toBeUndefined();
    expect(fillTemplate('up/{username}/{clientId}', { username: 'u', clientId: 'c' })).toBe(
      'up/u/c',
    );
    expect(modem.publish[0]).toBe('up/{deviceId}');
    expect(city.publish).not.toContain('#');
  });
});

describe('Topic filters', () => {
  const level = fc.constantFrom('a', 'b', '', '$a', '+');
  const topicLevel = fc.constantFrom('a', 'b', '', '$a');
  const filterArb = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, hasRest]) => [...levels, ...(hasRest ? ['#'] : [])].join('/'))
    .filter(isTopicFilter);
  const topicArb = fc
    .array(topicLevel, { minLength: 1, maxLength: 5 })
    .map((levels) => levels.join('/'))
    .filter((topic) => topic.length > 0);

  it('match by the examples of the specification [MQTT-4.7.1-2, 4.7.1-3, 4.7.2-1]', () => {
    const rows: readonly [string, string, boolean][] = [
      ['sport/tennis/player1/#', 'sport/tennis/player1', true],
      ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
      ['sport/#', 'sport', true],
      ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
      ['sport/+', 'sport', false],
      ['sport/+', 'sport/', true],
      ['+/+', '/finance', true],
      ['/+', '/finance', true],
      ['+', '/finance', false],
      ['#', '$SYS/broker', false],
      ['+/monitor/Clients', '$SYS/monitor/Clients', false],
      ['$SYS/#', '$SYS/', true],
      ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ];
    for (const [filter, topic, expected] of rows) {
      expect([filter, topic, matchesTopic(compileFilter(filter), topic)]).toEqual([
        filter,
        topic,
        expected,
      ]);
    }
  });

  it('cover another filter only if they match all that it matches', () => {
    fc.assert(
      fc.property(filterArb, filterArb, topicArb, (allowed, requested, topic) => {
        const isCovered = coversFilter(compileFilter(allowed), requested);
        const isLeaked =
          matchesTopic(compileFilter(requested), topic) &&
          !matchesTopic(compileFilter(allowed), topic);
        expect(isCovered && isLeaked).toBe(false);
      }),
    );
  });

  it('are found in the trie exactly when they match', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filterArb, { maxLength: 8 }), topicArb, (filters, topic) => {
        const trie = createTopicTrie<string>();
        for (const filter of filters) trie.add(filter, filter);
        const expected = filters.filter((filter) => matchesTopic(compileFilter(filter), topic));
        expect([...trie.match(topic)].sort()).toEqual(expected.sort());
        for (const filter of filters) trie.remove(filter, filter);
        expect(trie.isEmpty()).toBe(true);
      }),
    );
  });
});

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}
