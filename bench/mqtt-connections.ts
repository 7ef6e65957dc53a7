/**
 * Many devices on the compiled gateway over TLS: what an idle connection costs in memory, and
 * whether a reconnect of all of them at once loses what was acknowledged.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayProcess } from '../test/setup/gateway-process.ts';
import { inParallel } from '../test/transports/mqtt/abuse-clients.ts';
import { publishPacket } from '../test/transports/mqtt/wire.ts';
import { memoryOf } from './memory-watch.ts';
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
    const before = memoryOf(gateway.pid);
    const connectSeconds = await openAll(async () => {});
    // Until the gateway has noticed that it is quiet and has done with the garbage of handshakes.
    await sleep(40_000);
    const after = memoryOf(gateway.pid);
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
      kilobytesEach: ((after.ownMb - before.ownMb) * 1_024) / count,
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
