/**
 * The sending side of the end-to-end benchmark, a process of its own: ChirpStack v4 uplinks of many
 * devices over several MQTT connections at QoS 1, hand-framed so that it costs little of the two
 * cores it shares. Prints one JSON line with what was acknowledged and how long that took.
 */
import { connect, type Socket } from 'node:net';
import { connectPacket } from '../test/transports/mqtt/wire.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { uplinkPackets } from './uplink-packets.ts';

const latenciesMax = 200_000;

interface Progress {
  next: number;
  sent: number;
  acknowledged: number;
  readonly latencies: number[];
}

async function run(plan: LoadPlan): Promise<LoadResult> {
  const progress: Progress = { next: plan.first, sent: 0, acknowledged: 0, latencies: [] };
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, (_, index) => open(plan, index)),
  );
  const started = performance.now();
  await Promise.all(sockets.map((socket) => pump(socket, plan, progress, started)));
  const seconds = (performance.now() - started) / 1_000;
  for (const socket of sockets) socket.end(Buffer.from([0xe0, 0]));
  const sorted = progress.latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const { sent, acknowledged } = progress;
  return { sent, acknowledged, seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function open({ port, username, password }: LoadPlan, index: number): Promise<Socket> {
  const clientId = `load-${process.pid}-${index}`;
  const greeting = connectPacket({ clientId, username, password, keepalive: 60 });
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => socket.write(greeting));
    socket.once('data', (answer) => {
      if (answer[0] === 0x20 && answer[3] === 0) resolve(socket);
      else reject(new Error(`CONNACK ${answer.toString('hex')}`));
    });
  });
}

/** Sends this connection's share and resolves when the last of it is acknowledged. */
function pump(socket: Socket, plan: LoadPlan, progress: Progress, started: number): Promise<void> {
  const sentAt = new Map<number, number>();
  const last = plan.first + plan.messages;
  let packetId = 0;
  let held = Buffer.alloc(0);

  function due(): number {
    if (plan.rate === 0) return last;
    return plan.first + Math.floor(((performance.now() - started) / 1_000) * plan.rate);
  }

  function send(): void {
    const limit = Math.min(last, due());
    const count = Math.min(plan.window - sentAt.size, limit - progress.next);
    if (count <= 0) return;
    const now = performance.now();
    const packetIds: number[] = [];
    for (let added = 0; added < count; added += 1) {
      packetId = (packetId % 65_535) + 1;
      packetIds.push(packetId);
      sentAt.set(packetId, now);
    }
    socket.write(uplinkPackets(progress.next, packetIds, plan.devices));
    progress.next += count;
    progress.sent += count;
  }

  return new Promise((resolve, reject) => {
    /** A connection may have nothing under way when another one sends the last message. */
    const turn = () => {
      send();
      if (progress.next < last || sentAt.size > 0) return;
      clearInterval(pacing);
      socket.removeAllListeners('close');
      resolve();
    };
    const pacing = setInterval(turn, plan.rate === 0 ? 100 : 2);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      const bytes = Buffer.concat([held, chunk]);
      const now = performance.now();
      let at = 0;
      for (; at + 4 <= bytes.length; at += 4) {
        const id = bytes.readUInt16BE(at + 2);
        const since = sentAt.get(id);
        if (bytes[at] !== 0x40 || since === undefined) {
          reject(new Error('not a PUBACK of ours'));
          return;
        }
        sentAt.delete(id);
        progress.acknowledged += 1;
        if (progress.latencies.length < latenciesMax) progress.latencies.push(now - since);
      }
      held = bytes.subarray(at);
      turn();
    });
    turn();
  });
}

const plan: LoadPlan = JSON.parse(process.argv[2] ?? '');
process.stdout.write(`${JSON.stringify(await run(plan))}\n`);
