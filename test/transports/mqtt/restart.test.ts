/** What the broker still knows after its process has ended without a word. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RootDatabase } from 'lmdb';
import { connect, connectAsync, type IClientOptions } from 'mqtt';
import { openStateJournal } from '../../../gateway/holdings/state-journal.ts';
import { openState } from '../../../gateway/ledger/lmdb-files.ts';
import type { MqttBrokerOptions } from '../../../gateway/transports/mqtt/options.ts';
import type { MqttSessionStore } from '../../../gateway/transports/mqtt/sessions/session-store.ts';
import { createGate, type MqttBench, startBench } from './bench.ts';
import { connack, connectRaw, puback, publishPacket, subscribePacket } from './wire.ts';

const packetOf = (type: number, id: string) => Buffer.from([type, 2, ...Buffer.from(id, 'hex')]);

let directory: string;
let state: RootDatabase<unknown, string>;
let benches: MqttBench[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-sessions-'));
  state = openState({ directory });
  benches = [];
});
afterEach(async () => {
  for (const bench of benches) await bench.stop();
  await state.close();
  await rm(directory, { recursive: true, force: true });
});

function openJournal(): MqttSessionStore {
  return openStateJournal(state, 'mqtt-sessions', { error: () => undefined });
}

/** A broker on what is on disk now; the one before it, if any, is left as a kill leaves it. */
async function start(options: Partial<MqttBrokerOptions> = {}): Promise<MqttBench> {
  const bench = await startBench({ anonymous: true, store: openJournal(), ...options });
  benches.push(bench);
  return bench;
}

const at = (bench: MqttBench, options: IClientOptions): IClientOptions => ({
  host: '127.0.0.1',
  port: bench.port,
  reconnectPeriod: 0,
  ...options,
});

async function subscribe(bench: MqttBench, filter: string, qos: 0 | 1 | 2 = 1): Promise<void> {
  const client = await connectAsync(at(bench, { clientId: 's', clean: false }));
  await client.subscribeAsync(filter, { qos });
  await client.endAsync();
}

async function publish(bench: MqttBench, topic: string, payloads: readonly string[], qos = 1) {
  const sender = await connectRaw(bench.port, { clientId: 'sender' });
  sender.send(
    ...payloads.map((payload, index) =>
      publishPacket({ topic, payload, qos: qos === 2 ? 2 : 1, id: index + 1 }),
    ),
  );
  await sender.bytes(4 + 4 * payloads.length);
  return sender;
}

/** The messages that wait for the client `s`, as it gets them. */
async function messagesFor(bench: MqttBench, count: number): Promise<string[]> {
  const seen: string[] = [];
  const client = connect(at(bench, { clientId: 's', clean: false }));
  client.on('message', (topic, payload, { qos }) => seen.push(`${topic} ${payload} ${qos}`));
  await until(() => seen.length >= count);
  await client.endAsync();
  return seen;
}

describe('Subscription', () => {
  it('is on disk when its SUBACK comes, and the next process knows it', async () => {
    await subscribe(await start(), 'out/#', 2);
    const next = await start();
    expect(next.broker.counts().sessions).toBe(1);
    await publish(next, 'out/x', ['later']);
    expect(await messagesFor(next, 1)).toEqual(['out/x later 1']);
  });

  it('is gone for the next process once UNSUBACK has come', async () => {
    const first = await start();
    await subscribe(first, 'out/#');
    const client = await connectAsync(at(first, { clientId: 's', clean: false }));
    await client.subscribeAsync('kept', { qos: 1 });
    await client.unsubscribeAsync('out/#');
    await client.endAsync();
    const next = await start();
    await publish(next, 'out/x', ['no']);
    await publish(next, 'kept', ['yes']);
    expect(await messagesFor(next, 1)).toEqual(['kept yes 1']);
  });

  it('of a clean session is not kept', async () => {
    const first = await start();
    const client = await connectAsync(at(first, { clientId: 's' }));
    await client.subscribeAsync('out/#', { qos: 1 });
    expect((await start()).broker.counts().sessions).toBe(0);
    expect([...openJournal().entries('')]).toEqual([]);
    await client.endAsync();
  });

  it('is taken from a session whose client may not have it any more', async () => {
    const account = {
      username: 'reader',
      password: 'a password',
      vouches: 'credential' as const,
      publish: ['#'],
      subscribe: ['out/#', 'other'],
    };
    const login = { username: 'reader', password: 'a password' };
    const first = await start({ clients: [account] });
    const client = await connectAsync(at(first, { clientId: 's', clean: false, ...login }));
    await client.subscribeAsync(['out/#', 'other'], { qos: 1 });
    await client.endAsync();
    await publish(first, 'out/x', ['secret']);
    await publish(first, 'other', ['open']);
    const next = await start({ clients: [{ ...account, subscribe: ['other'] }] });
    const raw = await connectRaw(next.port, { clientId: 's', clean: false, ...login });
    expect(await raw.bytes(4 + 15)).toMatch(/^200201003[2a]0d00056f74686572....6f70656e$/);
    raw.socket.destroy();
    await until(() => next.broker.clients().length === 0);
    await until(() => [...openJournal().entries('f:')].length === 1);
  });
});

describe('Message that waits for an absent client', () => {
  it('is on disk when its PUBACK or PUBREC comes, and comes once, in order', async () => {
    const first = await start();
    await subscribe(first, 'out/#', 2);
    await publish(first, 'out/x', ['a', 'b']);
    await publish(first, 'out/x', ['c'], 2);
    const next = await start();
    expect(await messagesFor(next, 3)).toEqual(['out/x a 1', 'out/x b 1', 'out/x c 2']);
    await until(() => [...openJournal().entries('')].every(({ key }) => /^[sf]:/.test(key)));
    const third = await start();
    await publish(third, 'out/x', ['d']);
    expect(await messagesFor(third, 1)).toEqual(['out/x d 1']);
  });

  it('is not acknowledged while the disk refuses it', async () => {
    const journal = openJournal();
    const gate = createGate();
    const store = { ...journal, flushed: () => gate.opened.then(() => journal.flushed()) };
    const bench = await start({ store });
    gate.open();
    await subscribe(bench, 'out/#');
    const shut = createGate();
    const failing = { ...journal, flushed: () => shut.opened };
    const next = await start({ store: failing });
    const sender = await connectRaw(next.port, { clientId: 'sender' });
    sender.send(publishPacket({ topic: 'nobody/waits', id: 1 }));
    await sender.bytes(8);
    sender.send(publishPacket({ topic: 'out/x', id: 2 }), publishPacket({ topic: 'a', id: 3 }));
    await next.receipts(3);
    shut.fail(new Error('no space'));
    expect(await sender.closed()).toBe(`${connack(0)}${puback(1)}`);
  });

  it('is kept once on disk for however many it waits', async () => {
    const bench = await start();
    for (const clientId of ['1', '2', '3']) {
      const client = await connectAsync(at(bench, { clientId, clean: false }));
      await client.subscribeAsync('out/#', { qos: 1 });
      await client.endAsync();
    }
    await publish(bench, 'out/x', ['a']);
    const letters = [...openJournal().entries('')].map(({ key }) => key[0]).join('');
    expect(letters).toBe('cccfffmsss');
    const again = await start();
    for (const clientId of ['1', '2', '3']) {
      const clean = await connectRaw(again.port, { clientId, clean: true });
      clean.socket.destroy();
    }
    await until(() => [...openJournal().entries('')].length === 0);
  });

  it('costs the store nothing when nobody waits for it', async () => {
    const touched: string[] = [];
    const store: MqttSessionStore = {
      entries: () => [],
      put: (key) => touched.push(key),
      remove: (key) => touched.push(key),
      flushed: () => {
        touched.push('flushed');
        return Promise.resolve();
      },
    };
    const bench = await start({ store });
    const client = await connectAsync(at(bench, { clientId: 'p', clean: false }));
    for (const qos of [0, 1] as const) await client.publishAsync('up/x', 'm', { qos });
    await client.endAsync();
    const quick = await connectAsync(at(bench, { clientId: 'q' }));
    await quick.publishAsync('up/x', 'm', { qos: 2 });
    await quick.endAsync();
    expect(touched).toEqual([]);
  });
});

describe('QoS 2 across a restart', () => {
  it('takes a message that comes again for the one it has [MQTT-4.3.3-2]', async () => {
    const first = await start();
    await subscribe(first, 'out/#', 2);
    const sender = await connectRaw(first.port, { clientId: 'sender', clean: false });
    sender.send(publishPacket({ topic: 'out/x', payload: 'once', qos: 2, id: 9 }));
    expect((await sender.bytes(8)).slice(8)).toBe('50020009');
    const next = await start();
    const again = await connectRaw(next.port, { clientId: 'sender', clean: false });
    again.send(publishPacket({ topic: 'out/x', payload: 'once', qos: 2, id: 9, dup: true }));
    expect((await again.bytes(8)).slice(8)).toBe('50020009');
    again.send(packetOf(0x62, '0009'));
    expect((await again.bytes(12)).slice(16)).toBe('70020009');
    const third = await start();
    expect([...openJournal().entries('i:')]).toEqual([]);
    const fresh = await connectRaw(third.port, { clientId: 'sender', clean: false });
    fresh.send(publishPacket({ topic: 'out/x', payload: 'new', qos: 2, id: 9 }));
    await fresh.bytes(8);
    expect(await messagesFor(third, 2)).toEqual(['out/x once 2', 'out/x new 2']);
  });

  it('goes on with a delivery where it was [MQTT-4.4.0-1]', async () => {
    const first = await start();
    const reader = await connectRaw(first.port, { clientId: 's', clean: false });
    reader.send(subscribePacket(['out/x'], 2));
    await reader.bytes(9);
    await publish(first, 'out/x', ['a', 'b'], 2);
    const sent = (await reader.bytes(9 + 24)).slice(18);
    const [idA = '', idB = ''] = [sent.slice(18, 22), sent.slice(42, 46)];
    reader.send(packetOf(0x50, idA));
    await reader.bytes(9 + 24 + 4);
    const next = await start();
    const again = await connectRaw(next.port, { clientId: 's', clean: false });
    const expected = `${connack(0, 1)}6202${idA}3c0a00056f75742f78${idB}62`;
    expect(await again.bytes(4 + 4 + 12)).toBe(expected);
    again.send(packetOf(0x70, idA), packetOf(0x50, idB));
    await again.bytes(4 + 4 + 12 + 4);
    again.send(packetOf(0x70, idB));
    await until(() => [...openJournal().entries('')].every(({ key }) => /^[sf]:/.test(key)));
  });
});

describe('Retained message', () => {
  it('is there for subscribers of the next process, until it is cleared', async () => {
    const first = await start();
    const client = await connectAsync(at(first, { clientId: 'p' }));
    for (const qos of [0, 1, 2] as const) {
      await client.publishAsync(`state/${qos}`, `v${qos}`, { qos, retain: true });
    }
    await client.publishAsync('state/1', '', { qos: 1, retain: true });
    const next = await start();
    const seen: string[] = [];
    const reader = await connectAsync(at(next, { clientId: 'r' }));
    reader.on('message', (topic, payload, { retain }) =>
      seen.push(`${topic} ${payload} ${retain}`),
    );
    await reader.subscribeAsync('state/#', { qos: 0 });
    await until(() => seen.length === 2);
    expect(seen.sort()).toEqual(['state/0 v0 true', 'state/2 v2 true']);
    await Promise.all([client.endAsync(), reader.endAsync()]);
  });

  it('is forgotten when the limits of the next process are smaller', async () => {
    const first = await start();
    for (const topic of ['a', 'b', 'c']) await first.broker.publish(topic, 'x', { retain: true });
    const next = await start({ limits: { retainedMessagesMax: 2 } });
    expect(next.broker.counts().retained).toBe(2);
    await until(() => [...openJournal().entries('r:')].length === 2);
  });
});

describe('Session that is not sound on disk', () => {
  it('is left out, and the rest is read', async () => {
    await subscribe(await start(), 'out/#');
    const journal = openJournal();
    const wrong = ['s:x', 'f:y:z', 'i:y:1', 'c:y:0000000001', 'm:0000000002', 'm:?', 'r:q'];
    for (const key of wrong) journal.put(key, Buffer.from('{'));
    await journal.flushed();
    const next = await start();
    expect(next.broker.counts()).toMatchObject({ sessions: 1, retained: 0 });
    await until(() => [...openJournal().entries('')].length === 2);
  });
});

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}
