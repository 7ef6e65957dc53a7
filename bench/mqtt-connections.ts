/**
 * Many devices on the compiled gateway over TLS: what an idle connection costs in memory, and
 * whether a reconnect of all of them at once loses what was acknowledged. Then strangers come, and
 * one device goes on publishing.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GatewayProcess,
  startGatewayProcess,
  usageOf,
} from '../test/setup/gateway-process.ts';
import {
  inParallel,
  openIdle,
  sendMutated,
  startWitness,
} from '../test/transports/abuse-clients.ts';
import { publishPacket } from '../test/transports/mqtt-wire.ts';
import { createCertificate } from './mqtt-broker.ts';
import { open } from './mqtt-load.ts';

export interface ConnectionFigures {
  readonly connections: number;
  readonly connectSeconds: number;
  readonly kilobytesEach: number;
  /** From the moment all are cut until all are back and have had a message acknowledged. */
  readonly stormSeconds: number;
  readonly lost: number;
}

export interface AbuseFigures {
  readonly packets: number;
  readonly idle: number;
  readonly witnessed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentBeforeMb: number;
  readonly residentAfterMb: number;
}

const login = { username: 'load', password: 'load-password' };
const clients = [{ ...login, vouches: 'credential', publish: ['up/+'] }];
/** Handshakes at once. */
const atOnce = 200;

/** Both processes may open so many files; a thousand are left for everything else. */
export function connectionsPossible(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1_024);
  return Math.min(10_000, files - 1_000);
}

export async function holdConnections(count: number): Promise<ConnectionFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  const { cert, key, ca } = createCertificate(directory);
  const tls = { host: '127.0.0.1', port: 0, certFile: cert, keyFile: key };
  const gateway = await startGatewayProcess({ config: { mqtt: { clients, tls } } });
  const door = { port: gateway.port('mqtts'), ca };
  const sockets: Socket[] = [];
  const openAll = async (use: (socket: Socket, index: number) => Promise<void>) => {
    const started = performance.now();
    await inParallel({ count, atOnce }, async (index) => {
      const socket = await open(door, `device-${index}`);
      sockets.push(socket);
      await use(socket, index);
    });
    return (performance.now() - started) / 1_000;
  };
  try {
    const before = await usageOf(gateway.pid);
    const connectSeconds = await openAll(async () => {});
    // Garbage of the handshakes goes meanwhile, or some of it.
    await sleep(5_000);
    const after = await usageOf(gateway.pid);
    for (const socket of sockets.splice(0)) socket.destroy();
    let acknowledged = 0;
    const stormSeconds = await openAll(async (socket, index) => {
      await publishOne(socket, index);
      acknowledged += 1;
    });
    const written = await gateway.metric('fieldgate_ledger_seq');
    return {
      connections: count,
      connectSeconds,
      kilobytesEach: ((after.residentMb - before.residentMb) * 1_024) / count,
      stormSeconds,
      lost: acknowledged - written,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await gateway.stop();
    rmSync(directory, { recursive: true });
  }
}

function publishOne(socket: Socket, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('cut before it was acknowledged')));
    socket.once('data', () => resolve());
    socket.write(publishPacket({ topic: `up/device-${index}`, payload: `{"n":${index}}`, id: 1 }));
  });
}

export async function abuse(idle: number, packets: number): Promise<AbuseFigures> {
  const config = { mqtt: { anonymous: true } };
  const gateway: GatewayProcess = await startGatewayProcess({ config });
  const port = gateway.mqttPort;
  try {
    const before = await usageOf(gateway.pid);
    const witness = await startWitness(port, { everyMs: 5 });
    const sent = await sendMutated(port, { packets, seed: 4, atOnce: 200 });
    const sockets: Socket[] = [];
    await inParallel({ count: idle, atOnce }, async (index) => {
      sockets.push(await openIdle(port, `idle-${index}`));
    });
    for (const socket of sockets) socket.destroy();
    await sleep(5_000);
    await witness.stop();
    const after = await usageOf(gateway.pid);
    const sorted = witness.latenciesMs.toSorted((left, right) => left - right);
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
    return {
      packets: sent.packets,
      idle,
      witnessed: sorted.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      residentBeforeMb: before.residentMb,
      residentAfterMb: after.residentMb,
    };
  } finally {
    await gateway.stop();
  }
}
