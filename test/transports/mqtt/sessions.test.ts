/** Sessions that outlive their connection, what waits in them, and what operators see and do. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, connectAsync, type IClientOptions, type IPublishPacket } from 'mqtt';
import { mqttLimitDefaults } from '../../../gateway/transports/mqtt/options.ts';
import {
  createSessionQueue,
  type QueuedPacket,
} from '../../../gateway/transports/mqtt/sessions/session-queue.ts';
import { noSessionStore } from '../../../gateway/transports/mqtt/sessions/session-store.ts';
import { createMqttSessions } from '../../../gateway/transports/mqtt/sessions/sessions.ts';
import type { MqttBench } from './bench.ts';
import { now, startBench } from './bench.ts';
import { connack, connectRaw, openRaw, publishPacket, subscribePacket } from './wire.ts';

const pubackBytes = (id: string) => Buffer.from(`4002${id}`, 'hex');

let bench: MqttBench;
beforeEach(async () => {
  bench = await startBench({ anonymous: true });
});
afterEach(() => bench.stop());

const at = (options: IClientOptions): IClientOptions => ({
  host: '127.0.0.1',
  port: bench.port,
  reconnectPeriod: 0,
  ...options,
});

describe('Lasting session', () => {
  it('keeps QoS 1 and 2 messages while its client is away, in order [MQTT-3.1.2-5]', async () => {
    const first = await connectAsync(at({ clientId: 's', clean: false }));
    await first.subscribeAsync('out/#', { qos: 2 });
    await first.endAsync();
    const sender = await connectAsync(at({ clientId: 'sender' }));
    for (const [payload, qos] of [['a', 1] as const, ['lost', 0] as const, ['b', 2] as const]) {
      await sender.publishAsync('out/x', payload, { qos });
    }
    await bench.broker.publish('out/x', 'c');
    const seen: string[] = [];
    const second = connect(at({ clientId: 's', clean: false }));
    second.on('message', (_topic, payload, { qos }) => seen.push(`${payload} ${qos}`));
    await until(() => seen.length >= 3);
    expect(seen).toEqual(['a 1', 'b 2', 'c 1']);
    await Promise.all([second.endAsync(), sender.endAsync()]);
  });

  it('sends what was not acknowledged again, as DUP [MQTT-4.4.0-1] [MQTT-3.3.1-1]', async () => {
    const first = await connectRaw(bench.port, { clientId: 's', clean: false });
    first.send(subscribePacket(['out/x']));
    await first.bytes(9);
    await bench.broker.publish('out/x', 'm');
    const sent = await first.bytes(9 + 12);
    const publish = sent.slice(18);
    expect(publish).toMatch(/^320a00056f75742f78....6d$/);
    first.socket.destroy();
    await until(() => bench.broker.clients().length === 0);
    const second = await connectRaw(bench.port, { clientId: 's', clean: false });
    expect(await second.bytes(4 + 12)).toBe(`${connack(0, 1)}3a${publish.slice(2)}`);
    second.send(pubackBytes(publish.slice(18, 22)));
    second.socket.end();
    await until(() => bench.broker.clients().length === 0);
    const third = await connectRaw(bench.port, { clientId: 's', clean: false });
    third.send(Buffer.from([0xc0, 0]));
    expect(await third.bytes(6)).toBe(`${connack(0, 1)}d000`);
  });

  it('repeats PUBREL, not PUBLISH, once the client has the message [MQTT-4.3.3-1]', async () => {
    const first = await connectRaw(bench.port, { clientId: 's', clean: false });
    first.send(subscribePacket(['out/x'], 2));
    await first.bytes(9);
    const sender = await connectAsync(at({ clientId: 'sender' }));
    await sender.publishAsync('out/x', 'm', { qos: 2 });
    const id = (await first.bytes(9 + 12)).slice(36, 40);
    first.send(Buffer.from(`5002${id}`, 'hex'));
    await first.bytes(9 + 12 + 4);
    first.socket.destroy();
    await until(() => bench.broker.clients().length === 1);
    const second = await connectRaw(bench.port, { clientId: 's', clean: false });
    expect(await second.bytes(8)).toBe(`${connack(0, 1)}6202${id}`);
    await sender.endAsync();
  });

  it('ends when its client connects with clean session 1 [MQTT-3.1.2-6]', async () => {
    const first = await connectRaw(bench.port, { clientId: 's', clean: false });
    first.send(subscribePacket(['out/#']));
    await first.bytes(9);
    first.socket.destroy();
    await until(() => bench.broker.clients().length === 0);
    await bench.broker.publish('out/x', 'm');
    const clean = await connectRaw(bench.port, { clientId: 's' });
    expect(clean.received()).toBe(connack(0, 0));
    clean.socket.destroy();
    await until(() => bench.broker.counts().sessions === 0);
    const again = await connectRaw(bench.port, { clientId: 's', clean: false });
    expect(again.received()).toBe(connack(0, 0));
  });
});

describe('Delivery', () => {
  it('uses the lower of both QoS, with wildcards too [MQTT-3.8.4-6]', async () => {
    const seen: IPublishPacket[] = [];
    const reader = await connectAsync(at({ clientId: 'r' }));
    reader.on('message', (_topic, _payload, received) => seen.push(received));
    await reader.subscribeAsync('a/+', { qos: 1 });
    const sender = await connectAsync(at({ clientId: 'sender' }));
    for (const qos of [0, 1, 2] as const) await sender.publishAsync('a/b', 'x', { qos });
    await until(() => seen.length === 3);
    expect(seen.map(({ qos }) => qos)).toEqual([0, 1, 1]);
    await Promise.all([reader.endAsync(), sender.endAsync()]);
  });

  it('clears DUP that the sender had set [MQTT-3.3.1-3]', async () => {
    const reader = await connectRaw(bench.port, { clientId: 'r' });
    reader.send(subscribePacket(['a'], 0));
    await reader.bytes(9);
    const sender = await connectRaw(bench.port, { clientId: 'sender' });
    sender.send(publishPacket({ topic: 'a', id: 1, dup: true }));
    expect((await reader.bytes(14)).slice(18)).toBe('3003000161');
  });

  it('ends with UNSUBSCRIBE [MQTT-3.10.4-2]', async () => {
    const reader = await connectAsync(at({ clientId: 'r' }));
    const seen: string[] = [];
    reader.on('message', (topic) => seen.push(topic));
    await reader.subscribeAsync(['a', 'b'], { qos: 1 });
    await reader.unsubscribeAsync('a');
    await bench.broker.publish('a', 'x');
    await bench.broker.publish('b', 'x');
    await until(() => seen.length > 0);
    expect(seen).toEqual(['b']);
    await reader.endAsync();
  });

  it('of the broker’s own messages never comes back as an uplink', async () => {
    const reader = await connectAsync(at({ clientId: 'r' }));
    const seen: string[] = [];
    reader.on('message', (topic, payload) => seen.push(`${topic} ${payload}`));
    await reader.subscribeAsync('out/#', { qos: 0 });
    await bench.broker.publish('out/port/pump-7/water_level', '{"value":1}');
    await until(() => seen.length > 0);
    expect(seen).toEqual(['out/port/pump-7/water_level {"value":1}']);
    expect(bench.received).toEqual([]);
    await reader.endAsync();
  });

  it('keeps the order of mixed QoS and loses none', async () => {
    const reader = await connectAsync(at({ clientId: 'r' }));
    const seen: number[] = [];
    reader.on('message', (_topic, payload) => seen.push(Number(payload.toString())));
    await reader.subscribeAsync('up', { qos: 2 });
    let resolveAll = (): void => {};
    const all = new Promise<void>((resolve) => {
      resolveAll = resolve;
    });
    // One receipt for all, as a group commit gives it.
    bench.receiveBy(() => all);
    const sender = await connectRaw(bench.port, { clientId: 'sender' });
    const numbers = Array.from({ length: 120 }, (_, n) => n);
    const qosOf = [0, 2, 1] as const;
    sender.send(
      ...numbers.map((n) =>
        publishPacket({ topic: 'up', payload: String(n), qos: qosOf[n % 3] ?? 0, id: n + 1 }),
      ),
    );
    await bench.receipts(100);
    resolveAll();
    await until(() => seen.length === 120);
    expect([...seen].sort((a, b) => a - b)).toEqual(numbers);
    await reader.endAsync();
  });
});

describe('Operators', () => {
  it('see who is connected, and can end a connection', async () => {
    const client = await connectRaw(bench.port, { clientId: 'x' });
    expect(bench.broker.clients()).toMatchObject([
      {
        username: 'anonymous',
        clientId: 'x',
        address: '127.0.0.1',
        listener: 'mqtt',
        since: now,
      },
    ]);
    expect(bench.broker.disconnect('nobody')).toBe(false);
    expect(bench.broker.disconnect('x')).toBe(true);
    await client.closed();
    await until(() => bench.broker.clients().length === 0);
    const silent = await openRaw(bench.port);
    await until(() => bench.broker.counts().connections === 1);
    expect(bench.broker.clients()).toEqual([]);
    silent.socket.destroy();
  });
});

describe('Session limits', () => {
  const holder = { owner: 'o', clean: false, acl: { maySubscribe: () => true } };
  const limits = { ...mqttLimitDefaults, sessionExpirySeconds: 60, sessionsMax: 3 };
  const create = (clock: { nowMs: number }) =>
    createMqttSessions({
      limits,
      monotonicMs: () => clock.nowMs,
      now: () => clock.nowMs,
      store: noSessionStore,
      maySubscribe: () => true,
      connectionOf: () => undefined,
    });
  const addSubscription = async (sessions: ReturnType<typeof create>, id: string) => {
    const { persistence } = sessions;
    if (!('addSubscriptions' in persistence)) throw new Error('no persistence');
    if (typeof persistence.addSubscriptions !== 'function') throw new Error('no persistence');
    await persistence.addSubscriptions({ id }, [{ topic: 'a', qos: 1 }]);
  };

  it('forget the session of a client that is away for too long, or when there are too many', async () => {
    const clock = { nowMs: 1_000_000 };
    const sessions = create(clock);
    for (const id of ['1', '2', '3']) {
      sessions.claim(id, { ...holder, connection: id });
      await addSubscription(sessions, id);
      sessions.release(id, { connection: id, clean: false });
      clock.nowMs += 10_000;
    }
    expect(sessions.counts().sessions).toBe(3);
    sessions.claim('4', { ...holder, connection: '4' });
    expect(sessions.ownerOf('1')).toBeUndefined();
    clock.nowMs += 45_000;
    sessions.expire();
    expect([sessions.ownerOf('2'), sessions.ownerOf('3')]).toEqual([undefined, 'o']);
    clock.nowMs += 60_000;
    sessions.expire();
    expect(sessions.counts().sessions).toBe(1);
    expect(sessions.ownerOf('4')).toBe('o');
  });

  it('bound a queue by messages and by bytes', () => {
    const queue = createSessionQueue({ offlineMessagesMax: 3, offlineBytesMax: 20 });
    const message = (brokerCounter: number, length: number): QueuedPacket => ({
      cmd: 'publish',
      brokerId: 'b',
      brokerCounter,
      topic: 't',
      payload: Buffer.alloc(length),
      qos: 2,
      retain: false,
      dup: false,
      messageId: undefined,
      keptAt: now,
      stored: undefined,
    });
    expect(queue.add(message(1, 10))).toBe(true);
    expect(queue.add(message(2, 10))).toBe(false);
    expect(queue.add(message(3, 1))).toBe(true);
    expect(queue.add(message(4, 1))).toBe(true);
    expect(queue.add(message(5, 0))).toBe(false);
    queue.markSent(1, 77);
    queue.release(77);
    expect(queue.list().map(({ cmd, dup }) => [cmd, dup])).toEqual([
      ['pubrel', false],
      ['publish', false],
      ['publish', false],
    ]);
    expect(queue.remove(77)?.brokerCounter).toBe(1);
    expect(queue.remove(77)).toBeUndefined();
    expect(queue.add(message(6, 14))).toBe(true);
    expect(queue.list().map(({ brokerCounter }) => brokerCounter)).toEqual([3, 4, 6]);
  });
});

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}
