/** The gateway as a client of a real Mosquitto: PUBACK means that the receiver has resolved. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import {
  createRemoteBrokers,
  type RemoteBrokers,
  type RemoteBrokersOptions,
} from '../../../gateway/transports/remote/remote-broker.ts';
import type { RemoteBroker } from '../../../gateway/transports/remote/remote-options.ts';
import { until } from '../../setup/gateway-process.ts';
import { describeWith } from '../../setup/tools.ts';
import { type Mosquitto, startMosquitto } from '../mosquitto.ts';
import { createGate } from '../mqtt/bench.ts';
import { createReceiver, type Receiver } from '../transport-bench.ts';

const limits = {
  packetBytesMax: 10_000,
  inFlightMax: 50,
  keepaliveSeconds: 30,
  connectTimeoutMs: 5_000,
  sessionExpirySeconds: 3_600,
  firstRetryMs: 20,
  retryMsMax: 100,
  stopTimeoutMs: 5_000,
};

let clientCount = 0;

function brokerAt(port: number, change: Partial<RemoteBroker> = {}): RemoteBroker {
  clientCount += 1;
  return {
    name: 'remote',
    url: `mqtt://127.0.0.1:${port}`,
    clientId: `gateway-${clientCount}`,
    subscribe: ['up/#'],
    protocolVersion: '3.1.1',
    vouches: 'network-server',
    ...change,
  };
}

const running: RemoteBrokers[] = [];

async function run(
  receiver: Receiver,
  brokers: readonly RemoteBroker[],
  change: Partial<RemoteBrokersOptions> = {},
): Promise<RemoteBrokers> {
  const transport = createRemoteBrokers(
    { brokers, limits, random: () => 0, ...change },
    receiver.receive,
    receiver.hooks,
  );
  running.push(transport);
  expect(await transport.start()).toEqual([]);
  return transport;
}

const isUp = (transport: RemoteBrokers, name = 'remote') =>
  until(`${name} is connected`, () => transport.states().get(name));

afterEach(async () => {
  for (const transport of running.splice(0)) await transport.stop();
});

const textsOf = ({ received }: Receiver) => received.map(({ body }) => body.toString());

describeWith('mosquitto', 'A remote Mosquitto', () => {
  let mosquitto: Mosquitto;
  let publisher: MqttClient;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    publisher = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`);
  });
  afterAll(async () => {
    await publisher.endAsync(true);
    await mosquitto.stop();
  });

  const publish = (topic: string, text: string, qos: 0 | 1 = 1) =>
    publisher.publishAsync(topic, text, { qos });

  it.each(['3.1.1', '5'] as const)('hands over messages in MQTT %s', async (protocolVersion) => {
    const receiver = createReceiver();
    const transport = await run(receiver, [
      brokerAt(mosquitto.port, { protocolVersion, deviceId: 'pump-7' }),
    ]);
    await isUp(transport);
    await publish('up/a', 'one');
    await publish('up/b', 'two', 0);
    const [first, second] = await receiver.receipts(2);
    expect(first).toMatchObject({
      transport: 'mqtt',
      route: 'up/a',
      body: Buffer.from('one'),
      sender: { credential: 'remote', vouches: 'network-server', deviceId: 'pump-7' },
      dup: false,
      messageId: expect.any(Number),
    });
    expect(second).toMatchObject({ route: 'up/b', dup: false });
    expect(second).not.toHaveProperty('messageId');
  });

  it('takes what is said back on the connection that a message came by', async () => {
    const receiver = createReceiver();
    const transport = await run(receiver, [brokerAt(mosquitto.port)]);
    await isUp(transport);
    const heard: string[] = [];
    const node = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`);
    node.on('message', (topic, payload, { qos }) => heard.push(`${topic} ${payload} ${qos}`));
    await node.subscribeAsync('down/#', { qos: 1 });
    await publish('up/a', 'one');
    const [message] = await receiver.receipts(1);
    const connection = message?.sender.connection ?? '';
    const payload = Buffer.from('who are you?');
    expect(await transport.answer(connection, { topic: 'down/a', payload })).toBe(true);
    expect(await transport.answer('another', { topic: 'down/b', payload })).toBe(false);
    await transport.publish('remote', { topic: 'down/c', payload });
    await until('both are heard', () => heard.length === 2);
    expect(heard).toEqual(['down/a who are you? 0', 'down/c who are you? 0']);
    await expect(transport.publish('nobody', { topic: 'x', payload })).rejects.toThrow(
      'nobody is not connected',
    );
    await transport.stop();
    expect(await transport.answer(connection, { topic: 'down/d', payload })).toBe(false);
    await node.endAsync();
  });

  it('gets its PUBACK only after the receiver has resolved, and sends again without it', async () => {
    const receiver = createReceiver();
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const broker = brokerAt(mosquitto.port);
    const first = await run(receiver, [broker]);
    await isUp(first);
    for (const text of ['1', '2', '3']) await publish('up/a', text);
    await receiver.receipts(3);
    gate.fail(new Error('disk full'));
    receiver.receiveBy(async () => {});
    // The connection is ended, and the next one brings all three again.
    const again = await receiver.receipts(6);
    expect(textsOf(receiver)).toEqual(['1', '2', '3', '1', '2', '3']);
    expect(again.slice(3).every(({ dup }) => dup)).toBe(true);
    const connections = new Set(again.map(({ sender }) => sender.connection));
    expect(connections.size).toBe(2);
    await first.stop();
    // What was acknowledged does not come a third time; what came meanwhile was kept.
    await publish('up/a', '4');
    await run(receiver, [broker]);
    await receiver.receipts(7);
    expect(textsOf(receiver).slice(6)).toEqual(['4']);
  });

  it('shares one flush of the disk among many messages, in order', async () => {
    const receiver = createReceiver();
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const transport = await run(receiver, [brokerAt(mosquitto.port)]);
    await isUp(transport);
    const texts = Array.from({ length: 120 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => publish('up/a', text)));
    await receiver.receipts(limits.inFlightMax);
    await publish('other', 'x');
    expect(receiver.received).toHaveLength(limits.inFlightMax);
    gate.open();
    await receiver.receipts(texts.length);
    expect(textsOf(receiver)).toEqual(texts);
  });

  it('keeps the receipts in flight of a stop, and nothing after it', async () => {
    const receiver = createReceiver();
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const broker = brokerAt(mosquitto.port);
    const transport = await run(receiver, [broker]);
    await isUp(transport);
    await publish('up/a', '1');
    await receiver.receipts(1);
    const stopped = transport.stop();
    await publish('up/a', '2');
    gate.open();
    await stopped;
    await run(receiver, [broker]);
    await receiver.receipts(2);
    expect(textsOf(receiver)).toEqual(['1', '2']);
  });

  it('splits a shared subscription between two gateways, each message to one', async () => {
    const receivers = [createReceiver(), createReceiver()];
    const gateways: RemoteBrokers[] = [];
    for (const receiver of receivers) {
      const broker = brokerAt(mosquitto.port, { subscribe: ['$share/town/split/#'] });
      gateways.push(await run(receiver, [broker]));
    }
    for (const gateway of gateways) await isUp(gateway);
    const texts = Array.from({ length: 40 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => publish('split/a', text)));
    const all = () => receivers.flatMap(textsOf);
    await until('all have come', () => all().length >= texts.length);
    expect(all().toSorted()).toEqual(texts.toSorted());
    for (const receiver of receivers) expect(receiver.received.length).toBeGreaterThan(0);
  });

  it('is one of several at once, and one that is away keeps none from working', async () => {
    const other = await startMosquitto();
    const receiver = createReceiver();
    const transport = await run(receiver, [
      brokerAt(mosquitto.port),
      brokerAt(other.port, { name: 'other', protocolVersion: '5' }),
      brokerAt(1, { name: 'away' }),
    ]);
    await isUp(transport);
    await isUp(transport, 'other');
    expect(transport.states().get('away')).toBe(false);
    await publish('up/a', '1');
    const second = await connectAsync(`mqtt://127.0.0.1:${other.port}`);
    await second.publishAsync('up/a', '2', { qos: 1 });
    await receiver.receipts(2);
    expect(receiver.received.map(({ sender }) => sender.credential).toSorted()).toEqual([
      'other',
      'remote',
    ]);
    await second.endAsync(true);
    await other.kill();
    await until('it is noticed', () => transport.states().get('other') === false);
    await other.start();
    await isUp(transport, 'other');
    await other.stop();
  });

  it('is tried again, ever later, while it refuses', async () => {
    const receiver = createReceiver();
    const waits: unknown[] = [];
    const hooks = {
      ...receiver.hooks,
      log: {
        ...receiver.hooks.log,
        warn: (fields: Readonly<Record<string, unknown>>) => waits.push(fields['retryMs']),
      },
    };
    const transport = await run({ ...receiver, hooks }, [brokerAt(1)], { random: () => 1 });
    await until('five attempts', () => waits.length >= 5);
    await transport.stop();
    expect(waits.slice(0, 5)).toEqual([20, 40, 80, 100, 100]);
  });
});

describe('A hostile broker', () => {
  const connack = '20020000';
  let attempts = 0;

  /** Answers CONNECT with these bytes, and counts how often somebody comes. */
  async function startHostile(answer: string, { answersSubscribe = true } = {}) {
    attempts = 0;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      attempts += 1;
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        // A SUBSCRIBE is refused under its own packet identifier.
        const refusal = Buffer.from([0x90, 3, bytes[2] ?? 0, bytes[3] ?? 0, 0x80]);
        if (bytes[0] !== 0x82) socket.write(Buffer.from(answer, 'hex'));
        else if (answersSubscribe) socket.write(refusal);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return {
      port: typeof address === 'object' && address !== null ? address.port : 0,
      stop: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  }

  it.each([
    ['declares a packet of 256 MB', `${connack}30ffffff7f`],
    ['declares a length of five bytes', `${connack}30ffffffff7f`],
    ['sends bytes that are no MQTT', '48545450'],
    ['refuses the account', '20020005'],
    ['sends a topic that ends early', `${connack}3203000961`],
    ['refuses the subscription', connack],
  ])('is left, and tried again, when it %s', async (_name, answer) => {
    const hostile = await startHostile(answer);
    const receiver = createReceiver();
    await run(receiver, [brokerAt(hostile.port)], {
      limits: { ...limits, connectTimeoutMs: 300 },
    });
    await until('two attempts', () => attempts >= 2);
    expect(receiver.received).toEqual([]);
    hostile.stop();
  });

  it('that takes the connection and no subscription is left in time', async () => {
    const hostile = await startHostile(connack, { answersSubscribe: false });
    const receiver = createReceiver();
    const transport = await run(receiver, [brokerAt(hostile.port)], {
      limits: { ...limits, connectTimeoutMs: 50 },
    });
    await until('two attempts', () => attempts >= 2);
    expect(transport.states().get('remote')).toBe(false);
    hostile.stop();
  });

  it('that says nothing is left in time', async () => {
    const hostile = await startHostile('');
    const receiver = createReceiver();
    await run(receiver, [brokerAt(hostile.port)], {
      limits: { ...limits, connectTimeoutMs: 50 },
    });
    await until('two attempts', () => attempts >= 2);
    hostile.stop();
  });
});
