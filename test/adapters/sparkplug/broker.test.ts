/**
 * An edge node of its own, over a real socket: it is seen, asked for its birth, and seen to die.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import type { Parsed } from '../../../gateway/adapters/adapter.ts';
import { createSparkplug, type Sparkplug } from '../../../gateway/doors/sparkplug.ts';
import { createMqttBroker, type MqttBroker } from '../../../gateway/transports/mqtt/broker.ts';
import { inboundOf } from '../inbound.ts';
import { bdSeq, payloadOf } from './node.ts';

const clock = { now: () => 1_700_000_000_000 };
const root = 'spBv1.0/water';
const level = { name: 'level', alias: 1, datatype: 10, doubleValue: 1.5 };

interface Line {
  readonly topic: string;
  readonly parsed: Parsed;
}

const noRemote = { answer: async () => false };

let broker: MqttBroker;
let sparkplug: Sparkplug;
let port: number;
let lines: Line[];
let warnings: unknown[];
const clients: MqttClient[] = [];

beforeEach(async () => {
  lines = [];
  warnings = [];
  const log = { warn: (fields: unknown) => warnings.push(fields), info: () => {}, error: () => {} };
  const brokers = { own: () => broker, remote: () => noRemote };
  sparkplug = createSparkplug({ hostId: 'city' }, brokers, { log, clock });
  const receive = async (inbound: Parameters<Sparkplug['adapter']['parse']>[0]) => {
    lines.push({ topic: inbound.route, parsed: sparkplug.adapter.parse(inbound) });
  };
  broker = createMqttBroker(
    { clients: [], anonymous: true, tcp: { host: '127.0.0.1', port: 0 } },
    receive,
    { onForbidden: async () => {}, onTooLarge: () => {}, log, clock },
  );
  const [address] = await broker.start();
  port = address?.port ?? 0;
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  await broker.stop();
});

async function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise((resolve) => setImmediate(resolve));
}

describe('The Sparkplug host on its broker', () => {
  it('asks a node for its birth, reads it, and notes the death that the broker tells', async () => {
    const will = { topic: `${root}/NDEATH/pump`, payload: payloadOf({ metrics: [bdSeq(1)] }) };
    const node = await connect({ will: { ...will, qos: 1, retain: false } });
    await node.subscribeAsync(`${root}/NCMD/pump`);
    const command = new Promise<Buffer>((resolve) => {
      node.on('message', (_, payload) => resolve(payload));
    });
    const data = { seq: 7, metrics: [{ alias: 1, doubleValue: 2 }] };
    await node.publishAsync(`${root}/NDATA/pump`, payloadOf(data));
    expect((await command).toString('latin1')).toContain('Node Control/Rebirth');
    const birth = { seq: 0, metrics: [bdSeq(1), level] };
    await node.publishAsync(`${root}/NBIRTH/pump`, payloadOf(birth));
    await node.publishAsync(`${root}/NDATA/pump`, payloadOf({ ...data, seq: 1 }));
    await until(() => lines.length === 3);
    node.stream.destroy();
    await until(() => lines.length === 4);
    expect(lines.map(({ parsed }) => parsed)).toMatchObject([
      [{ type: 'metrics-unnamed', deviceId: 'water:pump' }],
      [{ type: 'nbirth' }, { measurements: [{ name: 'level', value: 1.5 }] }],
      [{ measurements: [{ name: 'level', value: 2 }] }],
      [{ type: 'ndeath', deviceId: 'water:pump' }],
    ]);
  });

  it('tells those who come later that it is there, and at its end that it goes', async () => {
    await sparkplug.goOnline();
    await sparkplug.goOnline();
    const node = await connect();
    const seen: [string, unknown, boolean][] = [];
    node.on('message', (topic, payload, { retain }) => {
      seen.push([topic, JSON.parse(payload.toString()), retain]);
    });
    await node.subscribeAsync('spBv1.0/STATE/city');
    await until(() => seen.length === 1);
    await sparkplug.goOffline();
    await until(() => seen.length === 2);
    const timestamp = clock.now();
    expect(seen).toEqual([
      ['spBv1.0/STATE/city', { online: true, timestamp }, true],
      ['spBv1.0/STATE/city', { online: false, timestamp }, false],
    ]);
    expect(lines).toEqual([]);
  });

  it('says nothing without a name, nor when it never came', async () => {
    const nameless = createSparkplug(
      { hostId: null },
      {
        own: () => {
          throw new Error('nothing is said');
        },
        remote: () => noRemote,
      },
      { log: { warn: () => {} }, clock },
    );
    await nameless.goOnline();
    await sparkplug.goOffline();
    expect(broker.counts().retained).toBe(0);
  });

  it('logs that nobody was told when the broker does not take it', async () => {
    const log = { warn: (fields: unknown) => warnings.push(fields) };
    const refused = { publish: () => Promise.reject(new Error('closed')) };
    const brokers = { own: () => refused, remote: () => noRemote };
    const alone = createSparkplug({ hostId: 'city' }, brokers, { log, clock });
    await alone.goOnline();
    expect(warnings).toMatchObject([{ event: 'sparkplug-not-told', topic: 'spBv1.0/STATE/city' }]);
  });

  it('asks a node where it was heard, and our own broker nothing then', async () => {
    const answered: [string, string][] = [];
    const remote = {
      answer: async (connection: string, { topic }: { readonly topic: string }) => {
        answered.push([connection, topic]);
        return true;
      },
    };
    const own = { publish: () => Promise.reject(new Error('it is not there')) };
    const brokers = { own: () => own, remote: () => remote };
    const log = { warn: (fields: unknown) => warnings.push(fields) };
    const { adapter } = createSparkplug({ hostId: 'city' }, brokers, { log, clock });
    const data = payloadOf({ seq: 7, metrics: [{ alias: 1, doubleValue: 2 }] });
    const heard = inboundOf(`${root}/NDATA/pump`, data);
    adapter.parse({ ...heard, sender: { ...heard.sender, connection: 'far-1' } });
    await until(() => answered.length === 1);
    expect(answered).toEqual([['far-1', `${root}/NCMD/pump`]]);
    expect(warnings).toEqual([]);
  });
});
