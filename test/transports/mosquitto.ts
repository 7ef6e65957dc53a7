/** A real Mosquitto broker on a free port, with accounts and a persistent store of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Mosquitto {
  readonly port: number;
  /** Ends the process; `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;

export async function startMosquitto(lines: readonly string[] = []): Promise<Mosquitto> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-mosquitto-'));
  const port = await freePort();
  const file = join(directory, 'mosquitto.conf');
  const base = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_inflight_messages 100'];
  await writeFile(file, [...base, ...lines, ''].join('\n'));
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const started = spawn('mosquitto', ['-c', file], { stdio: 'ignore', cwd: directory });
    child = started;
    const deadline = performance.now() + startTimeoutMs;
    while (!(await isListening(port))) {
      if (started.exitCode !== null || performance.now() > deadline) {
        throw new Error(`mosquitto did not start: ${started.exitCode}`);
      }
      await sleep(20);
    }
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  await start();
  return {
    port,
    start,
    kill,
    stop: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
