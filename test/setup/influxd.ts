/** Runs the real InfluxDB 1.x for a test, apart from any other on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Influxd {
  readonly url: string;
  readonly port: number;
  /** Ends the process and keeps its data, for an outage. */
  pause(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  resume(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

export interface InfluxdOptions {
  /** For the process, beside what it needs, such as `GOGC` for Go's collector. */
  readonly environment?: Readonly<Record<string, string>>;
}

const startTimeoutMs = 20_000;

export async function startInfluxd({ environment }: InfluxdOptions = {}): Promise<Influxd> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-influxd-'));
  const [port, rpcPort] = await freePorts();
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'influxdb.conf');
  // Its query language looks for a home directory, which service accounts do not always have.
  await mkdir(join(directory, 'home'));
  await writeFile(config, configText({ directory, port, rpcPort }));
  const options = { config, url, directory, environment };
  let child = await launch(options);
  return {
    url,
    port,
    pause: () => end(child),
    async resume() {
      child = await launch(options);
    },
    async stop() {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function configText(options: { directory: string; port: number; rpcPort: number }): string {
  const { directory, port, rpcPort } = options;
  return `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = ${JSON.stringify(join(directory, 'meta'))}
[data]
  dir = ${JSON.stringify(join(directory, 'data'))}
  wal-dir = ${JSON.stringify(join(directory, 'wal'))}
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[ifql]
  enabled = false
`;
}

interface LaunchOptions {
  readonly config: string;
  readonly url: string;
  readonly directory: string;
  readonly environment: InfluxdOptions['environment'];
}

async function launch(options: LaunchOptions): Promise<ChildProcess> {
  const child = spawn('influxd', ['run', '-config', options.config], {
    env: {
      ...options.environment,
      PATH: process.env['PATH'],
      HOME: join(options.directory, 'home'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    lastWords = (lastWords + bytes.toString()).slice(-2_000);
  });
  const deadline = Date.now() + startTimeoutMs;
  while (!(await answersPing(options.url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child);
      throw new Error(`influxd did not start: ${lastWords}`);
    }
    await sleep(50);
  }
  return child;
}

async function answersPing(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).status === 204;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await closed;
  clearTimeout(timer);
}

/** influxd cannot be asked which port it took for 0, so both are taken and let go first. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    ports.push(address.port);
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  const [first, second] = ports;
  if (first === undefined || second === undefined) throw new Error('no free ports');
  return [first, second];
}
