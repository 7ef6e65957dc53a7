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
import { type Memory, memoryOf, watchMemory } from './memory-watch.ts';
import { createCertificate } from './mqtt-broker.ts';
import { startTraffic } from './ordinary-traffic.ts';

export interface AbuseFigures {
  /** Of honest devices, from the first phase to the last. */
  readonly acknowledged: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Right after the start. */
  readonly cold: Memory;
  /** After a minute of ordinary traffic. */
  readonly warm: Memory;
  /** The highest own memory, and what was done then. */
  readonly peak: { readonly ownMb: number; readonly phase: string };
  /** A minute after the last phase. */
  readonly after: Memory;
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
    const cold = look('as it started', pid);
    const devices = await startTraffic({ port, ...traffic });
    await sleep(options.warmSeconds * 1_000);
    const warm = look('warm', pid);
    const before = devices.latenciesMs.length;
    const plan = { ...options, port, tlsPort: gateway.port('mqtts'), ca };
    const peak = await runPhases(plan, pid);
    const latenciesMs = devices.latenciesMs.slice(before).sort((left, right) => left - right);
    await sleep(options.restSeconds * 1_000);
    const after = look(`${options.restSeconds} s later`, pid);
    devices.stop();
    const at = (share: number) =>
      latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? Number.NaN;
    const acknowledged = latenciesMs.length;
    return { acknowledged, p50Ms: at(0.5), p99Ms: at(0.99), cold, warm, peak, after };
  } finally {
    await gateway.stop();
    rmSync(directory, { recursive: true });
  }
}

async function runPhases(plan: AbusePlan, pid: number): Promise<AbuseFigures['peak']> {
  const watch = watchMemory(pid);
  let peak = { ownMb: 0, phase: '' };
  for (const { name, run } of abusePhases) {
    await run(plan);
    const ownMb = watch.takePeakMb();
    if (ownMb > peak.ownMb) peak = { ownMb, phase: name };
    look(`${name}, up to ${ownMb.toFixed(0)} MB`, pid);
  }
  watch.stop();
  return peak;
}

/** Each step is told as it comes: the whole takes minutes. */
function look(what: string, pid: number): Memory {
  const memory = memoryOf(pid);
  const { ownMb, filesMb } = memory;
  const words = `${ownMb.toFixed(0)} MB own, ${filesMb.toFixed(0)} MB of files`;
  process.stderr.write(`  ${what}: ${words}\n`);
  return memory;
}
