/** The gateway as a child process: started, listened to until it is ready, and ended in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const readyTimeoutMs = 60_000;
/** The link is printed around the time the listeners are up, and only at a first start. */
const linkTimeoutMs = 2_000;
const stopTimeoutMs = 15_000;
const linesKeptMax = 20;
const warnLevel = 40;

export interface GatewayProcess {
  /** What it listens on, by the name in its `listening` line. */
  readonly addresses: readonly GatewayAddress[];
  readonly signInLink?: string;
  /** Settles when the process is gone, for whatever reason. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface GatewayAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface GatewayStart {
  readonly program: string;
  readonly args: readonly string[];
  /** Warnings and errors of the gateway's log, for people. */
  readonly onWarning: (line: string) => void;
}

/** Throws, with the last lines of its output, when the gateway ends before it listens. */
export async function startGateway(start: GatewayStart): Promise<GatewayProcess> {
  // In its own process group, so that Ctrl-C ends the city first and the gateway after it.
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=32', start.program, ...start.args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  const endWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', endWithUs);
  const output = readOutput(child, start.onWarning);
  const exited = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', endWithUs);
    return `the gateway ended with ${code === null ? signal : `code ${code}`}`;
  });
  try {
    const addresses = await firstOf(output.listening, exited, readyTimeoutMs);
    const signInLink = await Promise.race([output.signInLink, pause(linkTimeoutMs)]);
    return {
      addresses,
      exited,
      stop: () => stopChild(child, exited),
      ...(signInLink === undefined ? {} : { signInLink }),
    };
  } catch (error) {
    await stopChild(child, exited);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error([reason, ...output.lastLines].join('\n'));
  }
}

async function firstOf<T>(wanted: Promise<T>, exited: Promise<string>, ms: number): Promise<T> {
  const failure = exited.then((reason): never => {
    throw new Error(`${reason} before it was ready`);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the gateway was not ready in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([wanted, failure, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Output {
  readonly listening: Promise<readonly GatewayAddress[]>;
  readonly signInLink: Promise<string>;
  readonly lastLines: readonly string[];
}

function readOutput(child: ChildProcess, onWarning: (line: string) => void): Output {
  const lastLines: string[] = [];
  const keep = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > linesKeptMax) lastLines.shift();
  };
  let listens: (addresses: readonly GatewayAddress[]) => void;
  let links: (url: string) => void;
  const listening = new Promise<readonly GatewayAddress[]>((resolve) => {
    listens = resolve;
  });
  const signInLink = new Promise<string>((resolve) => {
    links = resolve;
  });
  forEachLine(child.stderr, keep);
  forEachLine(child.stdout, (line) => {
    keep(line);
    const entry = parseLogLine(line);
    if (entry.event === 'listening') listens(readAddresses(entry.addresses));
    if (entry.event === 'sign-in-link' && typeof entry.url === 'string') links(entry.url);
    else if (typeof entry.level === 'number' && entry.level >= warnLevel)
      onWarning(readMessage(entry));
  });
  return { listening, signInLink, lastLines };
}

function forEachLine(stream: NodeJS.ReadableStream | null, use: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', use);
}

interface LogEntry {
  readonly event?: unknown;
  readonly addresses?: unknown;
  readonly url?: unknown;
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly code?: unknown;
}

/** A line that is not a JSON object has no fields. */
export function parseLogLine(line: string): LogEntry {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function readMessage(entry: LogEntry): string {
  return [entry.code, entry.msg].filter((part) => typeof part === 'string').join(' ');
}

function readAddresses(value: unknown): GatewayAddress[] {
  return Array.isArray(value) ? value.flatMap(readAddress) : [];
}

function readAddress(value: unknown): GatewayAddress[] {
  if (typeof value !== 'object' || value === null) return [];
  if (!('name' in value && 'host' in value && 'port' in value)) return [];
  const { name, host, port } = value;
  if (typeof name !== 'string' || typeof host !== 'string' || typeof port !== 'number') return [];
  return [{ name, host, port }];
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const isGone = await Promise.race([exited.then(() => true), pause(stopTimeoutMs)]);
  if (isGone === true) return;
  child.kill('SIGKILL');
  await exited;
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds).unref();
  });
}
