/**
 * The honest devices of the benchmark of abuse. Prints a line when they are connected, and one for
 * each that it reads, with the times since; ends when its standard input does.
 */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { inParallel, openIdle } from '../test/transports/mqtt/abuse-clients.ts';
import { publishPacket } from '../test/transports/mqtt/wire.ts';
import type { TrafficAnswer, TrafficPlan } from './ordinary-traffic.ts';

let latenciesMs: number[] = [];
let cut = 0;

async function connectAll({ port, devices }: TrafficPlan): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  await inParallel({ count: devices, atOnce: 50 }, async (index) => {
    const socket = await openIdle(port, `device-${index}`);
    socket.removeAllListeners('close').once('close', () => {
      cut += 1;
    });
    socket.on('error', () => {});
    sockets.push(socket);
  });
  return sockets;
}

/** One message at a time; a device whose message is not acknowledged yet leaves its turn out. */
function publishBy(
  socket: Socket,
  index: number,
  { devices, messagesPerSecond }: TrafficPlan,
): void {
  let count = 0;
  let sentAt: number | undefined;
  socket.on('data', () => {
    if (sentAt !== undefined) latenciesMs.push(performance.now() - sentAt);
    sentAt = undefined;
  });
  const publish = () => {
    if (sentAt !== undefined) return;
    count += 1;
    sentAt = performance.now();
    const payload = `{"n":${count},"temperature":${20 + (count % 50) / 10}}`;
    socket.write(publishPacket({ topic: `up/device-${index}`, payload, id: (count % 65_535) + 1 }));
  };
  const everyMs = (devices / messagesPerSecond) * 1_000;
  // Spread over the interval: devices do not all speak in the same millisecond.
  setTimeout(() => setInterval(publish, everyMs), (index / devices) * everyMs);
}

function tell(): void {
  const answer: TrafficAnswer = { latenciesMs, cut };
  latenciesMs = [];
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const plan: TrafficPlan = JSON.parse(process.argv[2] ?? '');
const sockets = await connectAll(plan);
for (const [index, socket] of sockets.entries()) publishBy(socket, index, plan);
tell();
for await (const _line of createInterface({ input: process.stdin })) tell();
process.exit(0);
