/**
 * An acknowledgement means: the receiver has resolved. Proven with bytes and with a client library.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import type { MqttBench } from './bench.ts';
import { city, createGate, modem, now, startBench } from './bench.ts';
import {
  connack,
  connectPacket,
  connectRaw,
  disconnectPacket,
  openRaw,
  packet,
  pingreq,
  puback,
  publishPacket,
} from './wire.ts';

const pingresp = 'd000';
const asModem = { clientId: 'm1', username: 'modem-1', password: 'secret one' };
const asCity = { clientId: 'c1', username: 'city', password: 'secret two' };

let bench: MqttBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.stop());

describe('What is sent before the CONNACK has come', () => {
  it.each([10, 100_000])(
    'is taken after it, %i bytes, in segments of its own [MQTT-3.1.4-5]',
    async (length) => {
      const client = await openRaw(bench.port);
      client.send(connectPacket(asModem));
      // The login takes some time of its own: each of these arrives while it is under way.
      for (const id of [1, 2, 3]) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        client.send(publishPacket({ topic: 'up/pump-7', payload: 'x'.repeat(length), id }));
      }
      expect(await client.bytes(16)).toBe(connack(0) + puback(1) + puback(2) + puback(3));
    },
  );

  it('is not taken when the login fails', async () => {
    const client = await openRaw(bench.port);
    client.send(connectPacket({ ...asModem, password: 'wrong' }));
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'x', id: 1 }));
    expect(await client.closed()).toBe(connack(4));
    expect(bench.received).toEqual([]);
  });
});

describe('QoS 1 receipt', () => {
  it('sends PUBACK only after the receiver has resolved', async () => {
    const gate = createGate();
    bench.receiveBy(() => gate.opened);
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'a', id: 258 }));
    await bench.receipts(1);
    // The answer to a ping sent afterwards proves that the PUBACK is held back, not slow.
    client.send(pingreq);
    expect(await client.bytes(6)).toBe(connack(0) + pingresp);
    gate.open();
    expect(await client.bytes(10)).toBe(connack(0) + pingresp + puback(258));
  });

  it('closes without PUBACK when the receiver rejects, and acknowledges the resend', async () => {
    bench.receiveBy(() => Promise.reject(new Error('disk full')));
    const first = await connectRaw(bench.port, asModem);
    first.send(publishPacket({ topic: 'up/pump-7', payload: 'a', id: 9 }));
    expect(await first.closed()).toBe(connack(0));
    bench.receiveBy(async () => {});
    const second = await connectRaw(bench.port, asModem);
    second.send(publishPacket({ topic: 'up/pump-7', payload: 'a', id: 9, dup: true }));
    expect(await second.bytes(8)).toBe(connack(0) + puback(9));
    expect(bench.received.map(({ dup }) => dup)).toEqual([false, true]);
    const connections = new Set(bench.received.map(({ sender }) => sender.connection));
    expect(connections.size).toBe(2);
  });

  it('is given in the order of arrival when receipts come out of order [MQTT-4.6.0-2]', async () => {
    const gates = [createGate(), createGate(), createGate()];
    bench.receiveBy(
      (inbound) => gates[Number(inbound.body.toString())]?.opened ?? Promise.reject(),
    );
    const client = await connectRaw(bench.port, asModem);
    for (const id of [1, 2, 3]) {
      client.send(publishPacket({ topic: 'up/pump-7', payload: String(id - 1), id }));
    }
    await bench.receipts(3);
    gates[2]?.open();
    gates[1]?.open();
    // A whole round trip of another client is time enough for an early PUBACK to arrive.
    await connectRaw(bench.port, asCity);
    expect(client.received()).toBe(connack(0));
    gates[0]?.open();
    expect(await client.bytes(16)).toBe(connack(0) + puback(1) + puback(2) + puback(3));
  });

  it('is given for every one of a library client’s messages', async () => {
    const client = await connectAsync({ port: bench.port, host: '127.0.0.1', ...asModem });
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        client.publishAsync('up/pump-7', String(n), { qos: 1 }),
      ),
    );
    expect(bench.received.map(({ body }) => Number(body.toString()))).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    );
    await client.endAsync();
  });
});

describe('Inbound message', () => {
  it('says who sent it, over what and when', async () => {
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'xyz', id: 77 }));
    await client.bytes(8);
    expect(bench.received).toEqual([
      {
        transport: 'mqtt',
        route: 'up/pump-7',
        body: Buffer.from('xyz'),
        receivedAt: now,
        sender: {
          credential: 'modem-1',
          connection: expect.stringMatching(/^[0-9a-f-]{36}$/),
          vouches: 'credential',
          deviceId: 'pump-7',
        },
        dup: false,
        messageId: 77,
      },
    ]);
  });

  it('carries no packet identifier and no DUP at QoS 0 [MQTT-3.3.1-2]', async () => {
    const client = await connectRaw(bench.port, asCity);
    client.send(publishPacket({ topic: 'up/x', payload: 'q0', qos: 0, dup: true }));
    const [inbound] = await bench.receipts(1);
    expect(inbound).toMatchObject({ route: 'up/x', dup: false });
    expect(inbound).not.toHaveProperty('messageId');
    expect(inbound?.sender).toEqual({
      credential: city.username,
      connection: expect.any(String),
      vouches: 'network-server',
    });
  });
});

describe('QoS 2 receipt', () => {
  const pubrec = '50020005';
  const pubcomp = '70020005';
  const pubrel = packet(0x62, Buffer.from([0, 5]));

  it('sends PUBREC only after the receiver has resolved [MQTT-4.3.3-2]', async () => {
    const gate = createGate();
    bench.receiveBy(() => gate.opened);
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'b', qos: 2, id: 5 }));
    await bench.receipts(1);
    client.send(pingreq);
    expect(await client.bytes(6)).toBe(connack(0) + pingresp);
    gate.open();
    await client.bytes(10);
    client.send(pubrel);
    expect(await client.bytes(14)).toBe(connack(0) + pingresp + pubrec + pubcomp);
  });

  it('routes a resend before PUBREL once, and marks it as DUP for the receiver', async () => {
    const reader = await connectAsync({ port: bench.port, host: '127.0.0.1', ...asCity });
    const seen: string[] = [];
    reader.on('message', (_topic, payload) => seen.push(payload.toString()));
    await reader.subscribeAsync('up/#', { qos: 1 });
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'once', qos: 2, id: 5 }));
    await client.bytes(8);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'once', qos: 2, id: 5, dup: true }));
    await client.bytes(12);
    client.send(pubrel, publishPacket({ topic: 'up/pump-7', payload: 'next', qos: 2, id: 5 }));
    expect(await client.bytes(20)).toBe(connack(0) + pubrec + pubrec + pubcomp + pubrec);
    expect(bench.received.map(({ dup }) => dup)).toEqual([false, true, false]);
    await reader.publishAsync('up/last', 'last', { qos: 1 });
    await untilLength(seen, 3);
    expect(seen).toEqual(['once', 'next', 'last']);
    await reader.endAsync();
  });
});

describe('Will', () => {
  it('is received like any message when its client is lost [MQTT-3.1.2-8]', async () => {
    const client = await connectRaw(bench.port, {
      ...asModem,
      will: { topic: 'state/pump-7/link', payload: 'lost' },
    });
    client.socket.resetAndDestroy();
    const [inbound] = await bench.receipts(1);
    expect(inbound).toMatchObject({
      route: 'state/pump-7/link',
      body: Buffer.from('lost'),
      sender: { credential: modem.username, deviceId: 'pump-7' },
    });
  });

  it('is discarded when the client says DISCONNECT [MQTT-3.14.4-3]', async () => {
    const client = await connectRaw(bench.port, {
      ...asModem,
      will: { topic: 'state/pump-7/link', payload: 'lost' },
    });
    client.send(disconnectPacket);
    await client.closed();
    const next = await connectRaw(bench.port, asModem);
    next.send(publishPacket({ topic: 'up/pump-7', payload: 'after', id: 3 }));
    await next.bytes(8);
    expect(bench.received.map(({ body }) => body.toString())).toEqual(['after']);
  });

  it('outside the ACL is written down as forbidden and reaches nobody', async () => {
    const client = await connectRaw(bench.port, {
      ...asModem,
      will: { topic: 'state/pump-8/link', payload: 'lie' },
    });
    client.socket.destroy();
    while (bench.forbidden.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(bench.forbidden[0]).toMatchObject({ route: 'state/pump-8/link' });
    expect(bench.received).toEqual([]);
  });

  it('with a wildcard or on $SYS closes the connection before CONNACK', async () => {
    for (const topic of ['state/+', '$SYS/broker', '']) {
      const client = await openRaw(bench.port);
      client.send(connectPacket({ ...asModem, will: { topic, payload: 'x' } }));
      expect(await client.closed()).toBe('');
    }
  });
});

describe('Stopping', () => {
  it('finishes the receipts in flight and sends their acknowledgements', async () => {
    const gate = createGate();
    bench.receiveBy(() => gate.opened);
    const client = await connectRaw(bench.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'a', id: 21 }));
    await bench.receipts(1);
    const stopped = bench.stop();
    gate.open();
    await stopped;
    expect(await client.closed()).toBe(connack(0) + puback(21));
    await expect(openRaw(bench.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('gives up on a receiver that never resolves after its time-out', async () => {
    const stuck = await startBench({ limits: { stopTimeoutMs: 50 } });
    stuck.receiveBy(() => new Promise(() => undefined));
    const client = await connectRaw(stuck.port, asModem);
    client.send(publishPacket({ topic: 'up/pump-7', payload: 'a', id: 21 }));
    await stuck.receipts(1);
    await stuck.stop();
    expect(await client.closed()).toBe(connack(0));
    expect(stuck.logged).toContainEqual({ level: 'warn', event: 'mqtt-stop-timeout' });
  });
});

async function untilLength(list: readonly unknown[], length: number): Promise<void> {
  while (list.length < length) await new Promise((resolve) => setTimeout(resolve, 5));
}
