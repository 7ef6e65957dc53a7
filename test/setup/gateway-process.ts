/**
 * Runs the compiled gateway as a process of its own, as operators do, with a data directory of its
 * own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';

export interface GatewayProcess {
  readonly http: string;
  readonly mqttPort: number;
  /** Of any listener, by the name it is logged with; 0 when there is none. */
  port(name: string): number;
  readonly token: string;
  readonly pid: number;
  readonly directory: string;
  /** Every log line so far. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** GET of the API as an administrator, parsed. */
  get(path: string): Promise<unknown>;
  /** Sum of a metric over its labels; with `labels`, of those samples that carry them. */
  metric(name: string, labels?: string): Promise<number>;
  isRunning(): boolean;
  /** Resolves with the exit code; null when the signal ended it. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface GatewayProcessOptions {
  /** Merged into the smallest configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A directory of an earlier run, to start again on its data. */
  readonly directory?: string;
  readonly mqttPort?: number;
  /** Beside that of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
}

const program = resolve('dist/gateway/cli/fieldgate.js');
const startTimeoutMs = 30_000;
const token = 'test-token-0123456789';

/** Rejects with the process' last words when it does not come up. */
export async function startGatewayProcess(
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'fieldgate-gateway-')));
  const { mqtt, http, ...rest } = options.config ?? {};
  const file = join(directory, 'gateway.yaml');
  const config = {
    version: 1,
    dataDir: join(directory, 'data'),
    http: { port: 0, tokens: [{ name: 'test', role: 'admin', token }], ...objectOf(http) },
    mqtt: { tcp: { host: '127.0.0.1', port: options.mqttPort ?? 0 }, ...objectOf(mqtt) },
    ...rest,
  };
  await writeFile(file, stringify(config));
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=32', program, 'serve', '--config', file],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    },
  );
  const output = watch(child);
  const addresses = await output.listening(startTimeoutMs);
  const port = (name: string) => addresses.find((address) => address.name === name)?.port ?? 0;
  const base = `http://127.0.0.1:${port('http')}`;

  async function kill(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(timer);
    return child.exitCode;
  }

  return {
    http: base,
    mqttPort: port('mqtt'),
    port,
    token,
    pid: child.pid ?? 0,
    directory,
    lines: output.lines,
    async get(path) {
      const response = await fetch(`${base}${path}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      return response.json();
    },
    metric: async (name, labels = '') =>
      sumOf(await (await fetch(`${base}/metrics`)).text(), name, labels),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill,
    async stop() {
      await kill('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

interface Address {
  readonly name: string;
  readonly port: number;
}

function watch(child: ChildProcess) {
  const lines: Record<string, unknown>[] = [];
  let words = '';
  let addresses: readonly Address[] | undefined;
  child.stderr?.on('data', (bytes: Buffer) => {
    words = (words + bytes.toString()).slice(-4_000);
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: unknown = JSON.parse(text);
      if (typeof line !== 'object' || line === null) return;
      lines.push({ ...line });
      if ('addresses' in line && Array.isArray(line.addresses)) addresses = line.addresses;
    });
  }
  return {
    lines,
    async listening(timeoutMs: number): Promise<readonly Address[]> {
      const deadline = performance.now() + timeoutMs;
      while (addresses === undefined) {
        if (child.exitCode !== null || performance.now() > deadline) {
          child.kill('SIGKILL');
          throw new Error(`the gateway did not start: ${words} ${JSON.stringify(lines.slice(-3))}`);
        }
        await sleep(10);
      }
      return addresses;
    },
  };
}

function sumOf(text: string, name: string, labels: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** CPU seconds and resident megabytes of a process, as Linux counts them. */
export async function usageOf(pid: number): Promise<{ cpuSeconds: number; residentMb: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const residentKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  return { cpuSeconds: ticks / 100, residentMb: residentKb / 1_024 };
}

/** Waits until `read` gives something true; fails with `what` when it never does. */
export async function until<T>(
  what: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await sleep(25);
  }
}
