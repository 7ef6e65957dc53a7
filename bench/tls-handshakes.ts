/**
 * What a TLS connection costs the gateway's processor: ECDSA and RSA certificates, whole handshakes
 * and resumed sessions. Then so many devices at once that lose their connections and come back.
 *
 *     node dist/bench/tls-handshakes.js [handshakes of each kind] [devices of the storm]
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { startGatewayProcess, usageOf } from '../test/setup/gateway-process.ts';
import { inParallel } from '../test/transports/mqtt/abuse-clients.ts';
import { connectPacket, publishPacket } from '../test/transports/mqtt/wire.ts';

const login = { username: 'load', password: 'load-password' };
const clients = [{ ...login, vouches: 'credential', publish: ['up/+'] }];
const keys = {
  'ECDSA P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  'RSA 2048': ['rsa:2048'],
} as const;
const versions = ['TLSv1.3', 'TLSv1.2'] as const;
/** Connections that are being made at one time. */
const atOnce = 50;

interface Door {
  readonly port: number;
  readonly ca: Buffer;
  readonly version: (typeof versions)[number];
}

/** Connects, is greeted, and has its ticket; TLS 1.3 hands that out after the handshake. */
async function greet({ port, ca, version }: Door, clientId: string, session?: Buffer) {
  const how = { host: '127.0.0.1', port, ca, minVersion: version, maxVersion: version };
  const socket = connect(session === undefined ? how : { ...how, session });
  let ticket: Buffer | undefined;
  socket.on('session', (given: Buffer) => {
    ticket = given;
  });
  socket.write(connectPacket({ clientId, ...login, keepalive: 3_600 }));
  const [answer] = await once(socket, 'data');
  if (!Buffer.isBuffer(answer) || answer[3] !== 0) throw new Error(`${clientId} was not let in`);
  const isResumed = socket.isSessionReused();
  return { socket, isResumed, ticket: () => ticket };
}

/** Seconds of all threads of a process, without what it does by itself meanwhile. */
async function processorSeconds(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await usageOf(pid);
  await work();
  return (await usageOf(pid)).cpuSeconds - before.cpuSeconds;
}

async function startDoor(key: keyof typeof keys, directory: string) {
  const [keyFile, certFile] = [join(directory, `${key}.key`), join(directory, `${key}.pem`)];
  const names = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['req', '-x509', '-nodes', '-newkey', ...keys[key], ...names, '-days', '2'];
  execFileSync('openssl', [...made, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  const tls = { host: '127.0.0.1', port: 0, certFile, keyFile };
  // Each comes back more often than a device would.
  const limits = { connectsPerMinuteMax: 1_000 };
  const gateway = await startGatewayProcess({ config: { mqtt: { clients, tls, limits } } });
  return { gateway, port: gateway.port('mqtts'), ca: readFileSync(certFile) };
}

/** Milliseconds of the gateway's processor time for each connection, MQTT and audit log included. */
async function measureHandshakes(count: number, directory: string): Promise<void> {
  for (const key of ['ECDSA P-256', 'RSA 2048'] as const) {
    const { gateway, port, ca } = await startDoor(key, directory);
    for (const version of versions) {
      const door = { port, ca, version };
      const first = await greet(door, 'first');
      while (first.ticket() === undefined) await once(first.socket, 'session');
      first.socket.destroy();
      for (const session of [undefined, first.ticket()]) {
        let resumed = 0;
        const run = async (index: number) => {
          const { socket, isResumed } = await greet(door, `device-${index}`, session);
          if (isResumed) resumed += 1;
          socket.destroy();
        };
        await inParallel({ count: 200, atOnce }, run);
        resumed = 0;
        const seconds = await processorSeconds(gateway.pid, () =>
          inParallel({ count, atOnce }, run),
        );
        const kind = `${key}, ${version}, ${session === undefined ? 'whole' : 'resumed'}`;
        const each = ((seconds * 1_000) / count).toFixed(2);
        process.stdout.write(`${kind}: ${each} ms each, ${resumed} of ${count} resumed\n`);
      }
    }
    await gateway.stop();
  }
}

/** All devices lose their connections at once; each comes back and has a message acknowledged. */
async function measureStorm(devices: number, directory: string): Promise<void> {
  const { gateway, port, ca } = await startDoor('ECDSA P-256', directory);
  const door = { port, ca, version: 'TLSv1.3' } as const;
  const sockets: TLSSocket[] = [];
  const tickets = new Map<number, Buffer>();
  for (const round of ['first connection', 'storm, whole handshakes', 'storm, resumed']) {
    for (const socket of sockets.splice(0)) socket.destroy();
    const isResuming = round.endsWith('resumed');
    const started = performance.now();
    let acknowledged = 0;
    const seconds = await processorSeconds(gateway.pid, () =>
      inParallel({ count: devices, atOnce }, async (index) => {
        const session = isResuming ? tickets.get(index) : undefined;
        const { socket, ticket } = await greet(door, `device-${index}`, session);
        sockets.push(socket);
        const payload = `{"n":${index}}`;
        socket.write(publishPacket({ topic: `up/device-${index}`, payload, id: 1 }));
        await once(socket, 'data');
        acknowledged += 1;
        const given = ticket();
        if (given !== undefined) tickets.set(index, given);
      }),
    );
    const wall = ((performance.now() - started) / 1_000).toFixed(1);
    const each = ((seconds * 1_000) / devices).toFixed(2);
    process.stdout.write(
      `${devices} devices, ${round}: ${wall} s, ${acknowledged} acknowledged, ${each} ms each\n`,
    );
  }
  for (const socket of sockets) socket.destroy();
  await gateway.stop();
}

const [handshakes = 1_000, devices = 1_000] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
try {
  process.stdout.write(`${cpus()[0]?.model}, ${cpus().length} threads, Node ${process.version}\n`);
  if (handshakes > 0) await measureHandshakes(handshakes, directory);
  if (devices > 0) await measureStorm(devices, directory);
} finally {
  rmSync(directory, { recursive: true });
}
