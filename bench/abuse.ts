/**
 * Memory of the compiled gateway and the PUBACKs of honest devices while strangers do what they
 * can. The same ordinary traffic runs before, during and after, so that what it needs by itself is
 * in every figure; beside it stands the memory of the gateway as it started.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayProcess } from '../test/setup/gateway-process.ts';
import { type AbusePlan, abusePhases } from './abuse-phases.ts';
import { type Memory, meanMemoryOf, memoryOf, watchMemory } from './memory-watch.ts';
import { createCertificate } from './mqtt-broker.ts';
import { type OrdinaryTraffic, startTraffic } from './ordinary-traffic.ts';

export interface AbuseFigures {
  /** Of honest devices, from the first phase to the last. */
  readonly acknowledged: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The phase whose p99 was the highest. */
  readonly worst: PhaseFigures;
  /** Right after the start. */
  readonly cold: Memory;
  /** After a minute of ordinary traffic, the mean of half of it. */
  readonly warm: Memory;
  /** The highest own memory, and what was done then. */
  readonly peak: { readonly ownMb: number; readonly phase: string };
  /** A minute after the last phase, the mean of half of it. */
  readonly after: Memory;
}

export interface PhaseFigures extends Latencies {
  readonly phase: string;
}

interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export type AbuseOptions = Pick<AbusePlan, 'packets' | 'idle' | 'flaps' | 'subscribers'> & {
  readonly warmSeconds: number;
  readonly restSeconds: number;
};

const traffic = { devices: 300, messagesPerSecond: 500 };

export async function abuse(options: AbuseOptions): Promise<AbuseFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  const { cert, key, ca } = createCertificate(directory);
  const tls = { host: '127.0.0.1', port: 0, certFile: cert, keyFile: key };
  const gateway = await startGatewayProcess({ config: { mqtt: { anonymous: true, tls } } });
  const { pid, mqttPort: port } = gateway;
  try {
    const cold = look('as it started', memoryOf(pid));
    const devices = await startTraffic({ port, ...traffic });
    const warmMemory = await memoryAfter(options.warmSeconds, pid);
    const warm = look('warm', warmMemory, latenciesOf(await devices.take()));
    const plan = { ...options, port, tlsPort: gateway.port('mqtts'), ca };
    const { latenciesMs, peak, worst } = await runPhases(plan, { pid, devices });
    const lastMemory = await memoryAfter(options.restSeconds, pid);
    const rest = `${options.restSeconds} s later`;
    const after = look(rest, lastMemory, latenciesOf(await devices.take()));
    await devices.stop();
    const acknowledged = latenciesMs.length;
    const { p50Ms, p99Ms } = latenciesOf(latenciesMs);
    return { acknowledged, p50Ms, p99Ms, worst, cold, warm, peak, after };
  } finally {
    await gateway.stop();
    rmSync(directory, { recursive: true });
  }
}

async function memoryAfter(seconds: number, pid: number): Promise<Memory> {
  await sleep(seconds * 500);
  return meanMemoryOf(pid, seconds / 2);
}

async function runPhases(
  plan: AbusePlan,
  { pid, devices }: { readonly pid: number; readonly devices: OrdinaryTraffic },
): Promise<Pick<AbuseFigures, 'peak' | 'worst'> & { readonly latenciesMs: readonly number[] }> {
  const watch = watchMemory(pid);
  let peak = { ownMb: 0, phase: '' };
  let worst: PhaseFigures = { phase: '', p50Ms: 0, p99Ms: 0, maxMs: 0 };
  const latenciesMs: number[] = [];
  for (const { name, run } of abusePhases) {
    const started = performance.now();
    await run(plan);
    const seconds = ((performance.now() - started) / 1_000).toFixed(0);
    const taken = await devices.take();
    for (const latencyMs of taken) latenciesMs.push(latencyMs);
    const figures = latenciesOf(taken);
    if (figures.p99Ms > worst.p99Ms) worst = { phase: name, ...figures };
    const ownMb = watch.takePeakMb();
    if (ownMb > peak.ownMb) peak = { ownMb, phase: name };
    look(`${name}, ${seconds} s, up to ${ownMb.toFixed(0)} MB`, memoryOf(pid), figures);
  }
  watch.stop();
  return { latenciesMs, peak, worst };
}

function latenciesOf(latenciesMs: readonly number[]): Latencies {
  const sorted = latenciesMs.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** Each step is told as it comes: the whole takes minutes. */
function look(what: string, memory: Memory, latencies?: Latencies): Memory {
  const { ownMb, filesMb } = memory;
  const words = `${ownMb.toFixed(0)} MB own, ${filesMb.toFixed(0)} MB of files`;
  process.stderr.write(`  ${what}: ${words}${latencies === undefined ? '' : wordsOf(latencies)}\n`);
  return memory;
}

function wordsOf({ p50Ms, p99Ms, maxMs }: Latencies): string {
  const [p50, p99, max] = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(0));
  return `; PUBACK p50 ${p50} ms, p99 ${p99} ms, at most ${max} ms`;
}
