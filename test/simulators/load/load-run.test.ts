/** A load against a broker of the test's own, which can stand still, refuse and hang up. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadClock } from '../../../simulators/load/load-clock.ts';
import { type LoadPlan, type LoadProgress, runLoad } from '../../../simulators/load/load-run.ts';

interface Broker {
  readonly port: number;
  readonly topics: string[];
  readonly bodies: string[];
  readonly clientIds: string[];
  /** Answers nothing until the time has passed. */
  pause(milliseconds: number): void;
  hangUp(): void;
  close(): Promise<void>;
}

const brokers: Broker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

/** Acknowledges in order; `code` is that of its CONNACK, `mute` forgets the first messages. */
async function startBroker({ code = 0, mute = 0 } = {}): Promise<Broker> {
  const sockets = new Set<Socket>();
  const known: Pick<Broker, 'topics' | 'bodies' | 'clientIds'> = {
    ...{ topics: [], bodies: [], clientIds: [] },
  };
  let paused: Promise<unknown> = Promise.resolve();
  let muted = mute;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let held = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      held = Buffer.concat([held, bytes]);
      for (let packet = nextPacket(held); packet !== undefined; packet = nextPacket(held)) {
        held = held.subarray(packet.size);
        const answer = answerTo(packet);
        if (answer !== undefined) void paused.then(() => socket.write(answer));
      }
    });
  });
  function answerTo({ kind, body }: { kind: number; body: Buffer }): Buffer | undefined {
    if (kind === 1) {
      known.clientIds.push(body.toString('utf8', 12, 12 + body.readUInt16BE(10)));
      return Buffer.from([0x20, 2, 0, code]);
    }
    if (kind !== 3) return undefined;
    const topicEnd = 2 + body.readUInt16BE(0);
    known.topics.push(body.toString('utf8', 2, topicEnd));
    known.bodies.push(body.toString('utf8', topicEnd + 2));
    if (muted > 0) {
      muted -= 1;
      return undefined;
    }
    return Buffer.concat([Buffer.from([0x40, 2]), body.subarray(topicEnd, topicEnd + 2)]);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const broker: Broker = {
    ...known,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    pause(milliseconds) {
      paused = new Promise((resolve) => setTimeout(resolve, milliseconds));
    },
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  brokers.push(broker);
  return broker;
}

function nextPacket(bytes: Buffer) {
  let [length, factor, at] = [0, 1, 1];
  for (let byte = 0x80; byte >= 0x80; at += 1, factor *= 128) {
    const next = bytes[at];
    if (next === undefined) return undefined;
    byte = next;
    length += (byte & 0x7f) * factor;
  }
  if (bytes.length < at + length) return undefined;
  return { kind: (bytes[0] ?? 0) >> 4, size: at + length, body: bytes.subarray(at, at + length) };
}

function planFor({ port }: Broker, changes: Partial<LoadPlan> = {}): LoadPlan {
  return {
    ...{ door: { host: '127.0.0.1', port, isTls: false }, account: undefined },
    ...{ connections: 4, devices: 40, rate: 200, forMs: 1_000, arrivals: 'even', rampMs: 20 },
    ...{ drainMs: 10_000, seed: 'test', run: '0badcafe', ...changes },
  };
}

const { signal } = new AbortController();

function run(plan: LoadPlan, changes: Partial<Parameters<typeof runLoad>[0]> = {}) {
  return runLoad({ plan, clock: loadClock, signal, ...changes });
}

describe('A load', () => {
  it('sends every planned message once, and knows that each was acknowledged', async () => {
    const broker = await startBroker();
    const acknowledged: number[] = [];
    const sent: number[] = [];
    const progress = await run(planFor(broker), {
      onSent: ({ number }) => sent.push(number),
      onAcknowledged: (number) => acknowledged.push(number),
    });
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    expect(progress).toMatchObject({ phase: 'done', planned: 200, due: 200, sent: 200 });
    expect(progress).toMatchObject({ acknowledged: 200, resent: 0, lostConnections: 0 });
    expect(progress.puback.count).toBe(200);
    expect(sent.toSorted((a, b) => a - b)).toEqual(numbers);
    expect(acknowledged.toSorted((a, b) => a - b)).toEqual(numbers);
    expect(new Set(broker.topics).size).toBe(40);
    expect(broker.clientIds).toEqual([0, 1, 2, 3].map((index) => `load-0badcafe-${index}`));
  });

  it('has its messages due as planned, even or as by chance, by its seed alone', async () => {
    const gaps = async (changes: Partial<LoadPlan>): Promise<number[]> => {
      const dues: number[] = [];
      await run(planFor(await startBroker(), { forMs: 300, ...changes }), {
        onSent: (_, due) => dues.push(due),
      });
      const sorted = dues.toSorted((a, b) => a - b);
      return sorted.slice(1).map((due, index) => Math.round((due - (sorted[index] ?? 0)) * 100));
    };
    expect(new Set(await gaps({}))).toEqual(new Set([500]));
    const [chance, same, other] = await Promise.all([
      gaps({ arrivals: 'poisson' }),
      gaps({ arrivals: 'poisson' }),
      gaps({ arrivals: 'poisson', seed: 'other' }),
    ]);
    expect(new Set(chance).size).toBeGreaterThan(10);
    expect(same).toEqual(chance);
    expect(other).not.toEqual(chance);
  });

  it('counts a broker that stands still in the latency of all that was due meanwhile', async () => {
    const broker = await startBroker();
    const latencies: number[] = [];
    let isPaused = false;
    const progress = await run(planFor(broker), {
      onSent: ({ number }) => {
        if (isPaused || number < 60) return;
        isPaused = true;
        broker.pause(500);
      },
      onAcknowledged: (_, latencyMs) => latencies.push(latencyMs),
    });
    // 500 ms at 200 a second are 100 messages; those of its first half wait for the second at
    // least. A load that waits for answers would have sent four, one a connection.
    expect(latencies.filter((latency) => latency >= 240).length).toBeGreaterThanOrEqual(50);
    expect(latencies.filter((latency) => latency >= 40).length).toBeGreaterThanOrEqual(90);
    expect(progress.puback.p50Ms).toBeGreaterThan(0);
    expect(progress.puback.maxMs).toBeGreaterThanOrEqual(490);
    expect(progress).toMatchObject({ due: 200, acknowledged: 200 });
  });

  it('sends again what was not acknowledged when its connection ended', async () => {
    const broker = await startBroker({ mute: 3 });
    let isHungUp = false;
    const progress = await run(planFor(broker, { connections: 1 }), {
      onSent: ({ number }) => {
        if (isHungUp || number < 50) return;
        isHungUp = true;
        broker.hangUp();
      },
    });
    expect(progress).toMatchObject({ sent: 200, acknowledged: 200, lostConnections: 1 });
    expect(progress.resent).toBeGreaterThanOrEqual(3);
    const ids = broker.bodies.map((body) => JSON.parse(body).deduplicationId);
    expect(new Set(ids).size).toBe(200);
    expect(ids.length).toBeGreaterThan(200);
    expect(new Set(broker.bodies).size).toBe(200);
  });

  it('counts what was never acknowledged', async () => {
    const broker = await startBroker({ mute: 7 });
    const progress = await run(planFor(broker, { forMs: 200, drainMs: 200 }));
    expect(progress).toMatchObject({ due: 40, sent: 40, acknowledged: 33 });
  });

  it('ends in order at the signal', async () => {
    const broker = await startBroker();
    const end = new AbortController();
    const told: LoadProgress[] = [];
    const progress = await run(planFor(broker, { forMs: 60_000 }), {
      signal: end.signal,
      onSent: ({ number }) => number === 50 && end.abort(),
      onProgress: (now) => told.push(now),
    });
    expect(progress.planned).toBe(12_000);
    expect(progress.due).toBeLessThan(12_000);
    expect(progress.acknowledged).toBe(progress.due);
    expect(told.at(-1)).toEqual(progress);
  });

  it('says why when the broker lets it not in', async () => {
    const refused = run(planFor(await startBroker({ code: 5 })));
    await expect(refused).rejects.toThrow(/does not let the load in: the account may not come in/);
    const broker = await startBroker();
    await broker.close();
    await expect(run(planFor(broker))).rejects.toThrow(/ECONNREFUSED/);
  });
});
