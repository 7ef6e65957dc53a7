/**
 * What strangers and broken clients can do to the broker: nothing but lose their own connection.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import { createRateLimit } from '../../../gateway/transports/mqtt/rate-limit.ts';
import { createPacketScanner } from '../../../gateway/transports/packet-guard.ts';
import type { MqttBench } from './bench.ts';
import { startBench } from './bench.ts';
import type { RawClient } from './wire.ts';
import {
  connack,
  connectPacket,
  connectRaw,
  openRaw,
  packet,
  pingreq,
  puback,
  publishPacket,
  subscribePacket,
  text,
} from './wire.ts';

let bench: MqttBench;
beforeEach(async () => {
  bench = await startBench({ anonymous: true });
});
afterEach(() => bench.stop());

/** A client that was there before still gets its receipt. */
async function expectServed(witness: RawClient, id: number): Promise<void> {
  const before = witness.received().length / 2;
  witness.send(publishPacket({ topic: 'up/witness', payload: 'here', id }));
  expect((await witness.bytes(before + 4)).endsWith(puback(id))).toBe(true);
}

describe('Packet size', () => {
  it('cuts a first packet above its limit while other clients go on', async () => {
    const witness = await connectRaw(bench.port, { clientId: 'witness' });
    const client = await openRaw(bench.port);
    client.send(connectPacket({ clientId: 'x'.repeat(5_000) }));
    expect(await client.closed()).toBe('');
    expect(bench.tooLarge).toEqual([{ address: '127.0.0.1', declaredBytes: 5_015 }]);
    await expectServed(witness, 1);
  });

  it('cuts a later packet by its declared length, before its bytes have come', async () => {
    const witness = await connectRaw(bench.port, { clientId: 'witness' });
    const client = await connectRaw(bench.port, { clientId: 'big' });
    client.send(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]));
    expect(await client.closed()).toBe(connack(0));
    expect(bench.tooLarge).toEqual([
      {
        address: '127.0.0.1',
        credential: 'anonymous',
        clientId: 'big',
        declaredBytes: 268_435_460,
      },
    ]);
    await expectServed(witness, 1);
  });

  it('takes a packet of exactly the limit', async () => {
    const client = await connectRaw(bench.port, { clientId: 'big' });
    const payload = Buffer.alloc(262_144 - 4 - 2 - 2 - 2);
    client.send(publishPacket({ topic: 'up', payload, id: 1 }));
    expect(await client.bytes(8)).toBe(connack(0) + puback(1));
    client.send(publishPacket({ topic: 'up', payload: Buffer.alloc(payload.length + 1), id: 2 }));
    expect(await client.closed()).toBe(connack(0) + puback(1));
  });

  it('is followed through any division of the stream into chunks', () => {
    const small = fc.uint8Array({ maxLength: 300 }).map((body) => packet(0x32, Buffer.from(body)));
    fc.assert(
      fc.property(
        fc.array(small, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (packets, sizes) => {
          const limits = { firstPacketBytesMax: 100, packetBytesMax: 303 };
          const scan = createPacketScanner(limits);
          const stream = Buffer.concat([
            connectPacket(),
            ...packets,
            packet(0x32, Buffer.alloc(400)),
          ]);
          const findings = [];
          for (let at = 0, n = 0; at < stream.length; n += 1) {
            const size = sizes[n % sizes.length] ?? 1;
            const finding = scan(stream.subarray(at, at + size));
            if (finding !== undefined) findings.push(finding);
            if (finding !== undefined) break;
            at += size;
          }
          const limit = 'packetBytesMax';
          expect(findings).toEqual([{ kind: 'too-large', declaredBytes: 403, limit }]);
        },
      ),
    );
  });
});

describe('CONNECT', () => {
  const answer = async (...packets: readonly Buffer[]) => {
    const client = await openRaw(bench.port);
    client.send(...packets);
    return client.closed();
  };

  it('of MQTT 5 is answered with 0x01 and closed [MQTT-3.1.2-2]', async () => {
    expect(await answer(connectPacket({ level: 5 }))).toBe(connack(1));
  });

  it.each([0, 2, 6, 127, 134])(
    'of the unknown level %i is answered with 0x01 and closed [MQTT-3.1.2-2]',
    async (level) => {
      const packet = connectPacket({ level });
      expect(await answer(packet)).toBe(connack(1));
      const pieces = [...packet].map((byte) => Buffer.of(byte));
      expect(await answer(...pieces)).toBe(connack(1));
    },
  );

  it('of another protocol is closed without an answer [MQTT-3.1.2-1]', async () => {
    const packet = Buffer.from(connectPacket({ level: 6 }));
    packet.write('MQTX', 4, 'latin1');
    expect(await answer(packet)).toBe('');
  });

  it('without a client id but with clean session 0 gets 0x02 [MQTT-3.1.3-8]', async () => {
    expect(await answer(connectPacket({ clientId: '', clean: false }))).toBe(connack(2));
  });

  it('without a client id and with clean session 1 is given one [MQTT-3.1.3-6]', async () => {
    const client = await connectRaw(bench.port, { clientId: '' });
    expect(client.received()).toBe(connack(0));
    expect(bench.broker.clients()[0]?.clientId).toMatch(/^aedes_/);
  });

  it('with a client id above the limit gets 0x02', async () => {
    expect(await answer(connectPacket({ clientId: 'i'.repeat(129) }))).toBe(connack(2));
  });

  it('that comes twice closes the connection [MQTT-3.1.0-2]', async () => {
    const client = await connectRaw(bench.port);
    client.send(connectPacket());
    expect(await client.closed()).toBe(connack(0));
  });

  it('must be the first packet [MQTT-3.1.0-1]', async () => {
    expect(await answer(publishPacket({ topic: 'up', qos: 0 }))).toBe('');
    expect(await answer(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe('');
    expect(bench.received).toEqual([]);
  });

  it('that does not come in time closes the connection', async () => {
    const hasty = await startBench({ anonymous: true, limits: { connectTimeoutMs: 100 } });
    const silent = await openRaw(hasty.port);
    const slow = await openRaw(hasty.port);
    slow.send(connectPacket().subarray(0, 5));
    expect(await silent.closed()).toBe('');
    expect(await slow.closed()).toBe('');
    await hasty.stop();
  });

  it('with keepalive 0 does not make a silent client immortal', async () => {
    const hasty = await startBench({ anonymous: true, limits: { keepaliveSecondsMax: 0.1 } });
    const client = await connectRaw(hasty.port, { keepalive: 0 });
    expect(await client.closed()).toBe(connack(0));
    await hasty.stop();
  });
});

describe('Malformed packets', () => {
  const topicBytes = (bytes: Buffer) =>
    Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  const corpus: readonly [string, Buffer][] = [
    ['a zero-length topic', publishPacket({ topic: '' })],
    ['101 topic levels', publishPacket({ topic: 'a/'.repeat(100) })],
    ['65,400 slashes', publishPacket({ topic: '/'.repeat(65_400) })],
    ['a wildcard in a topic [MQTT-3.3.2-2]', publishPacket({ topic: 'a/#' })],
    [
      'bad UTF-8 [MQTT-1.5.3-1]',
      publishPacket({ topic: topicBytes(Buffer.from('6180ff', 'hex')) }),
    ],
    [
      'a surrogate in UTF-8 [MQTT-1.5.3-1]',
      publishPacket({ topic: topicBytes(Buffer.from('eda080', 'hex')) }),
    ],
    ['U+0000 [MQTT-1.5.3-2]', publishPacket({ topic: 'a\u0000b' })],
    ['QoS 3 [MQTT-3.3.1-4]', packet(0x36, text('up'), Buffer.from([0, 1]))],
    ['packet identifier 0 [MQTT-2.3.1-1]', publishPacket({ topic: 'up', id: 0 })],
    ['no packet identifier', packet(0x32, text('up'))],
    ['a topic longer than the packet', packet(0x30, Buffer.from([0xff, 0xff, 0x61]))],
    ['a length of five bytes [MQTT-2.2.3]', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
    ['SUBSCRIBE without filters [MQTT-3.8.3-3]', packet(0x82, Buffer.from([0, 1]))],
    ['UNSUBSCRIBE without filters [MQTT-3.10.3-2]', packet(0xa2, Buffer.from([0, 1]))],
    ['SUBSCRIBE with wrong flags [MQTT-3.8.1-1]', packet(0x80, text('a'), Buffer.from([0]))],
    ['SUBSCRIBE to an empty filter', subscribePacket([''])],
    ['a reserved packet type', Buffer.from([0xf0, 0])],
    ['packet type 0', Buffer.from([0x00, 0])],
  ];

  it.each(corpus)('close the connection and nothing else: %s', async (_name, bytes) => {
    const witness = await connectRaw(bench.port, { clientId: 'witness' });
    const client = await connectRaw(bench.port, { clientId: 'bad' });
    client.send(bytes);
    expect(await client.closed()).toBe(connack(0));
    await expectServed(witness, 1);
    expect(bench.received.map(({ route }) => route)).toEqual(['up/witness']);
  });

  it('may name clients like parts of an object without touching one', async () => {
    for (const clientId of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      const client = await connectRaw(bench.port, { clientId, clean: false });
      client.send(subscribePacket([clientId]), publishPacket({ topic: clientId, id: 3 }));
      await client.bytes(4 + 5 + 4);
      client.socket.destroy();
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    const witness = await connectRaw(bench.port, { clientId: 'witness' });
    await expectServed(witness, 1);
  });

  it('by the thousand, mutated at random, leave the broker serving', async () => {
    const witness = await connectRaw(bench.port, { clientId: 'witness' });
    const seeds = [
      connectPacket({ clientId: 'm', will: { topic: 'w', payload: 'p' } }),
      publishPacket({ topic: 'up/x', payload: 'abc', qos: 2, id: 3 }),
      publishPacket({ topic: 'up/x', payload: 'abc', retain: true }),
      subscribePacket(['a/+', '#']),
      packet(0xa2, Buffer.from([0, 1]), text('a/+')),
      packet(0x62, Buffer.from([0, 3])),
      packet(0x50, Buffer.from([0, 3])),
      pingreq,
    ];
    const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const mutated = fc
      .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }))
      .map(([seed, changes]) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    const bursts = fc.sample(fc.tuple(mutated, mutated, mutated), { numRuns: 1_000, seed: 4 });
    for (let at = 0; at < bursts.length; at += 50) {
      const batch = bursts.slice(at, at + 50).map(async (burst, n) => {
        const client = await openRaw(bench.port);
        const isGreeted = n % 4 !== 0;
        if (isGreeted) client.send(connectPacket({ clientId: `m${n}` }));
        client.send(...burst);
        client.socket.end();
        await client.closed();
      });
      await Promise.all(batch);
    }
    await expectServed(witness, 1);
    expect(bench.logged.filter(({ event }) => event === 'mqtt-broker-error')).toEqual([]);
  });
});

describe('Connection limits', () => {
  it('turn the next one away and make room when one leaves', async () => {
    const small = await startBench({ anonymous: true, limits: { connectionsMax: 2 } });
    const first = await connectRaw(small.port, { clientId: '1' });
    await connectRaw(small.port, { clientId: '2' });
    const third = await openRaw(small.port);
    expect(await third.closed()).toBe('');
    first.socket.destroy();
    while (small.broker.counts().connections > 1) await tick();
    const fourth = await connectRaw(small.port, { clientId: '4' });
    expect(fourth.received()).toBe(connack(0));
    await small.stop();
  });

  it('count by address too', async () => {
    const small = await startBench({ anonymous: true, limits: { connectionsPerAddressMax: 1 } });
    await connectRaw(small.port, { clientId: '1' });
    expect(await (await openRaw(small.port)).closed()).toBe('');
    await small.stop();
  });
});

describe('Rate limit', () => {
  it('lets one second’s worth through at once, then as many a second', () => {
    let nowMs = 5_000;
    const rate = createRateLimit(10, () => nowMs);
    const delays = Array.from({ length: 12 }, () => rate.delayMs(1));
    expect(delays).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
    nowMs += 1_200;
    expect(rate.delayMs(1)).toBe(0);
  });

  it('delays the messages of a busy client and loses none', async () => {
    const slow = await startBench({ anonymous: true, limits: { messagesPerSecondMax: 50 } });
    const client = await connectRaw(slow.port);
    const ids = Array.from({ length: 70 }, (_, n) => n + 1);
    client.send(...ids.map((id) => publishPacket({ topic: 'up', id })));
    expect(await client.bytes(4 + 280)).toBe(connack(0) + ids.map(puback).join(''));
    await slow.stop();
  });
});

describe('Waiting receipts', () => {
  it('stop the reading of their client above the limit, and of no other', async () => {
    const small = await startBench({ anonymous: true, limits: { receiveBytesMax: 8_192 } });
    const held: (() => void)[] = [];
    small.receiveBy(({ route }) =>
      route === 'up/witness'
        ? Promise.resolve()
        : new Promise((resolve) => {
            held.push(resolve);
          }),
    );
    const client = await connectRaw(small.port, { clientId: 'flood' });
    const witness = await connectRaw(small.port, { clientId: 'witness' });
    const payload = Buffer.alloc(1_000);
    // One at a time, each after the last was taken, because aedes then reads without waiting.
    for (let id = 1; id <= 6; id += 1) {
      client.send(publishPacket({ topic: 'up/flood', payload, id }));
      if (id <= 5) await small.receipts(id);
    }
    await expectServed(witness, 1);
    await expectServed(witness, 2);
    const taken = small.received.filter(({ route }) => route === 'up/flood').length;
    expect(taken).toBeLessThanOrEqual(6);
    for (let id = 7; id <= 60; id += 1) {
      client.send(publishPacket({ topic: 'up/flood', payload, id }));
    }
    await expectServed(witness, 3);
    expect(held.length).toBeLessThan(60);
    small.receiveBy(async () => {});
    for (const release of held) release();
    await client.bytes(4 + 60 * 4);
    await small.stop();
  });
});

describe('Slow subscriber', () => {
  it('misses QoS 0 messages and stalls nobody', async () => {
    const small = await startBench({ anonymous: true, limits: { sendBytesMax: 100_000 } });
    const lazy = await connectRaw(small.port, { clientId: 'lazy' });
    lazy.send(subscribePacket(['up/#'], 0));
    await lazy.bytes(9);
    lazy.socket.pause();
    const sender = await connectAsync({ port: small.port, host: '127.0.0.1' });
    const payload = Buffer.alloc(100_000);
    while (small.broker.counts().droppedSlow < 5) {
      await sender.publishAsync('up/x', payload, { qos: 1 });
    }
    expect(lazy.socket.destroyed).toBe(false);
    await sender.endAsync();
    await small.stop();
  });

  it('above QoS 0 is cut, and finds its messages again in its session', async () => {
    const small = await startBench({ anonymous: true, limits: { sendBytesMax: 100_000 } });
    const lazy = await connectRaw(small.port, { clientId: 'lazy', clean: false });
    lazy.send(subscribePacket(['up/#'], 1));
    await lazy.bytes(9);
    lazy.socket.pause();
    const sender = await connectAsync({ port: small.port, host: '127.0.0.1' });
    const payload = Buffer.alloc(50_000);
    while (small.broker.clients().some(({ clientId }) => clientId === 'lazy')) {
      await sender.publishAsync('up/x', payload, { qos: 1 });
    }
    const counts = small.broker.counts();
    expect(counts.droppedOffline).toBeGreaterThan(0);
    const again = await connectRaw(small.port, { clientId: 'lazy', clean: false });
    // The queue holds up to 1 MiB: twenty messages of this size and their headers.
    const all = await again.bytes(4 + 20 * 50_010);
    expect(all.startsWith(connack(0, 1))).toBe(true);
    await sender.endAsync();
    await small.stop();
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
