/**
 * Connections at scale that take, come and go, or do not read: the broker holds what its limits
 * allow and goes on acknowledging the messages of everybody else.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AbuseBench, startAbuseBench } from './abuse-bench.ts';
import { inParallel, openIdle } from './abuse-clients.ts';
import {
  connectPacket,
  connectRaw,
  disconnectPacket,
  openRaw,
  publishPacket,
  subscribePacket,
} from './wire.ts';

let bench: AbuseBench;

async function start(options: Parameters<typeof startAbuseBench>[0] = {}): Promise<void> {
  bench = await startAbuseBench(options);
}

afterEach(() => bench.stop());

describe('Clients that take their time', () => {
  it('are cut however steadily their CONNECT trickles in', async () => {
    await start({ limits: { connectTimeoutMs: 300 } });
    const bytes = connectPacket({ clientId: 'slow'.repeat(30) });
    let cut = 0;
    await inParallel({ count: 500, atOnce: 500 }, async () => {
      const client = await openRaw(bench.port);
      let at = 0;
      const drip = setInterval(() => {
        // All but the last bytes: it would be a sound packet in the end.
        if (at < bytes.length - 2) client.socket.write(bytes.subarray(at, at + 1));
        at += 1;
      }, 20);
      expect(await client.closed()).toBe('');
      clearInterval(drip);
      cut += 1;
    });
    expect(cut).toBe(500);
    await bench.served();
    expect(await bench.alone()).toEqual(['witness']);
  });

  it('are cut in the middle of a WebSocket handshake', async () => {
    const webSocket = { host: '127.0.0.1', port: 0 };
    await start({ webSocket, limits: { connectTimeoutMs: 300 } });
    const port = bench.ports.get('mqtt-websocket') ?? 0;
    await inParallel({ count: 100, atOnce: 400 }, async () => {
      const client = await openRaw(port);
      client.send(Buffer.from('GET /mqtt HTTP/1.1\r\nHost: x\r\nX-Slow: '));
      await client.closed();
    });
    await bench.served();
    expect(await bench.alone()).toEqual(['witness']);
  });
});

/** Both ends of a connection are in this process; the rest of the files is for Jest and others. */
function idleCount(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1_024);
  return Math.min(10_000, Math.floor((files - 1_000) / 2));
}

describe('Idle connections by the thousand', () => {
  beforeEach(() => start());

  it('are held while others are served, and leave nothing behind', async () => {
    const count = idleCount();
    const sockets: Socket[] = [];
    await inParallel({ count, atOnce: 200 }, async (index) => {
      sockets.push(await openIdle(bench.port, `idle-${index}`));
    });
    expect(bench.broker.counts()).toMatchObject({ clients: count + 1, connections: count + 1 });
    await bench.served();
    for (const socket of sockets) socket.destroy();
    expect(await bench.alone()).toEqual(['witness']);
    expect(bench.broker.counts().sessions).toBe(1);
    await bench.served();
  }, 60_000);
});

describe('A client that comes and goes', () => {
  beforeEach(() => start());

  it('a thousand times leaves one connection and one session at most', async () => {
    for (let round = 0; round < 1_000; round += 1) {
      const client = await connectRaw(bench.port, { clientId: 'flapping' });
      if (round % 3 === 0) client.send(disconnectPacket);
      else if (round % 3 === 1) client.socket.resetAndDestroy();
      // Every third stays, to be taken over by the next.
    }
    (await connectRaw(bench.port, { clientId: 'flapping' })).send(disconnectPacket);
    expect(await bench.alone()).toEqual(['witness']);
    expect(bench.broker.counts().sessions).toBe(1);
    await bench.served();
  });
});

describe('Two hundred subscribers that stop reading', () => {
  beforeEach(() => start({ limits: { sendBytesMax: 100_000 } }));

  it('miss messages, or are cut above QoS 0, and stall nobody', async () => {
    const subscribers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = await connectRaw(bench.port, { clientId: `lazy-${index}` });
        client.send(subscribePacket(['state/#'], index % 2));
        await client.bytes(9);
        client.socket.pause();
        return client;
      }),
    );
    const sender = await connectRaw(bench.port, { clientId: 'sender' });
    const payload = Buffer.alloc(20_000);
    const isOver = () => {
      const { clients, droppedSlow } = bench.broker.counts();
      // Half are cut, and the other half has missed some.
      return clients <= 102 && droppedSlow > 1_000;
    };
    let sent = 0;
    while (!isOver()) {
      sent += 1;
      sender.send(publishPacket({ topic: 'state/x', payload, id: (sent % 65_535) + 1 }));
      await sender.bytes(4 + 4 * sent);
    }
    await bench.served();
    expect(bench.broker.counts().clients).toBe(102);
    for (const { socket } of subscribers) socket.destroy();
    sender.socket.destroy();
    expect(await bench.alone()).toEqual(['witness']);
  }, 60_000);
});
