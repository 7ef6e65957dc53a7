/**
 * Damaged and dishonest packets at scale: whatever strangers send, the broker stays up and goes on
 * acknowledging the messages of everybody else. Times and memory are in the benchmark.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AbuseBench, startAbuseBench, tick } from './abuse-bench.ts';
import { sendMutated } from './abuse-clients.ts';
import {
  connack,
  connectPacket,
  connectRaw,
  openRaw,
  packet,
  publishPacket,
  subscribePacket,
  text,
} from './wire.ts';

let bench: AbuseBench;

async function start(options: Parameters<typeof startAbuseBench>[0] = {}): Promise<void> {
  bench = await startAbuseBench(options);
}

afterEach(() => bench.stop());

describe('A hundred thousand damaged packets', () => {
  beforeEach(() => start());

  it('end their connections and nothing else', async () => {
    const sent = await sendMutated(bench.port, { packets: 100_000, seed: 4, atOnce: 400 });
    expect(sent.packets).toBeGreaterThanOrEqual(100_000);
    await bench.served();
    expect(await bench.alone()).toEqual(['witness']);
    // Not all damage is at the door: some of it came to be read as messages.
    const others = bench.received.filter(({ route }) => route !== 'up/witness');
    expect(others.length).toBeGreaterThan(1_000);
    expect(bench.logged.filter(({ level }) => level === 'error')).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    const { sessions, retained } = bench.broker.counts();
    expect(sessions).toBeLessThanOrEqual(12_000);
    expect(retained).toBeLessThanOrEqual(10_000);
  }, 120_000);
});

describe('A declared length of 256 MiB', () => {
  beforeEach(() => start());
  const longest = Buffer.from([0xff, 0xff, 0xff, 0x7f]);

  it('cuts the sender at the first bytes, in whatever packet it is', async () => {
    for (const type of [0x10, 0x30, 0x32, 0x34, 0x62, 0x82, 0xa2, 0xc0]) {
      const isFirst = type === 0x10;
      const client = isFirst
        ? await openRaw(bench.port)
        : await connectRaw(bench.port, { clientId: 'big' });
      client.send(Buffer.concat([Buffer.from([type]), longest, Buffer.alloc(1_000_000)]));
      expect(await client.closed()).toBe(isFirst ? '' : connack(0));
    }
    await bench.served();
    expect(await bench.alone()).toEqual(['witness']);
    expect(bench.tooLarge).toHaveLength(8);
  });
});

describe('Text that is no honest text', () => {
  beforeEach(() => start());
  const slashes = '/'.repeat(65_400);
  const raw = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  };
  const subscribe = (filter: Buffer) => packet(0x82, Buffer.from([0, 1]), filter, Buffer.from([0]));
  const cases: readonly [string, Buffer][] = [
    ['65,400 slashes in a SUBSCRIBE', subscribe(text(slashes))],
    ['65,400 slashes in an UNSUBSCRIBE', packet(0xa2, Buffer.from([0, 1]), text(slashes))],
    ['bad UTF-8 in a SUBSCRIBE', subscribe(raw('61c080'))],
    ['a lone surrogate in a SUBSCRIBE', subscribe(raw('eda080'))],
    ['U+0000 in a SUBSCRIBE', subscribe(text('a\u0000'))],
    ['a zero-length topic at QoS 0', publishPacket({ topic: '', qos: 0 })],
    ['a zero-length topic at QoS 2', publishPacket({ topic: '', qos: 2 })],
    ['65,400 slashes at QoS 2', publishPacket({ topic: slashes, qos: 2 })],
  ];

  it.each(cases)('closes the connection: %s', async (_name, bytes) => {
    const client = await connectRaw(bench.port, { clientId: 'bad' });
    client.send(bytes);
    expect(await client.closed()).toBe(connack(0));
    await bench.served();
  });

  it('as a will or an identifier closes the connection before CONNACK', async () => {
    for (const topic of ['', 'a/#', '$SYS/x', 'a\u0000b']) {
      const client = await openRaw(bench.port);
      client.send(connectPacket({ clientId: 'w', will: { topic, payload: 'x' } }));
      expect(await client.closed()).toBe('');
    }
    const nul = await openRaw(bench.port);
    nul.send(connectPacket({ clientId: 'a\u0000b' }));
    expect(await nul.closed()).toBe('');
    await bench.served();
    expect(await bench.alone()).toEqual(['witness']);
  });

  it('names clients, topics and filters like parts of an object without touching one', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'valueOf'];
    for (const name of names) {
      const client = await connectRaw(bench.port, { clientId: name, clean: false });
      client.send(
        subscribePacket([name, `${name}/#`], 2),
        publishPacket({ topic: name, payload: name, id: 3, retain: true }),
        publishPacket({ topic: `${name}/${name}`, payload: name, qos: 2, id: 4 }),
        packet(0x62, Buffer.from([0, 4])),
        packet(0xa2, Buffer.from([0, 5]), text(name)),
      );
      while (!client.received().includes('b0020005')) await tick();
      client.socket.destroy();
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(Object.getOwnPropertyNames({})).toEqual([]);
    const others = bench.received.map(({ route }) => route).filter((name) => name !== 'up/witness');
    expect(others).toEqual(names.flatMap((name) => [name, `${name}/${name}`]));
    await bench.served();
  });
});
