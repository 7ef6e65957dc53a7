/** Devices that go on publishing at QoS 1, each at its pace, whatever else happens. */
import type { Socket } from 'node:net';
import { inParallel, openIdle } from '../test/transports/abuse-clients.ts';
import { publishPacket } from '../test/transports/mqtt-wire.ts';

export interface OrdinaryTraffic {
  /** Milliseconds from PUBLISH to PUBACK, as they came. */
  readonly latenciesMs: readonly number[];
  /** Ends it; rejects when a connection was not left alone. */
  stop(): void;
}

export interface TrafficPlan {
  readonly port: number;
  readonly devices: number;
  /** Of all together. */
  readonly messagesPerSecond: number;
}

export async function startTraffic(plan: TrafficPlan): Promise<OrdinaryTraffic> {
  const latenciesMs: number[] = [];
  const sockets: Socket[] = [];
  let cut = 0;
  await inParallel({ count: plan.devices, atOnce: 50 }, async (index) => {
    const socket = await openIdle(plan.port, `device-${index}`);
    socket.removeAllListeners('close').once('close', () => {
      cut += 1;
    });
    socket.on('error', () => {});
    sockets.push(socket);
  });
  const timers = sockets.map((socket, index) => publishBy(socket, index, plan, latenciesMs));
  return {
    latenciesMs,
    stop: () => {
      for (const timer of timers) clearInterval(timer);
      const lost = cut;
      for (const socket of sockets) socket.destroy();
      if (lost > 0) throw new Error(`${lost} honest connections were cut`);
    },
  };
}

/** One message at a time; a device whose message is not acknowledged yet leaves its turn out. */
function publishBy(
  socket: Socket,
  index: number,
  { devices, messagesPerSecond }: TrafficPlan,
  latenciesMs: number[],
): NodeJS.Timeout {
  let count = 0;
  let sentAt: number | undefined;
  socket.on('data', () => {
    if (sentAt !== undefined) latenciesMs.push(performance.now() - sentAt);
    sentAt = undefined;
  });
  const everyMs = (devices / messagesPerSecond) * 1_000;
  return setInterval(() => {
    if (sentAt !== undefined) return;
    count += 1;
    sentAt = performance.now();
    const payload = `{"n":${count},"temperature":${20 + (count % 50) / 10}}`;
    socket.write(publishPacket({ topic: `up/device-${index}`, payload, id: (count % 65_535) + 1 }));
  }, everyMs);
}
