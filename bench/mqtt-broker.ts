/**
 * What the broker costs: acknowledged QoS 1 messages a second of bare aedes and of ours, with and
 * without disk, TLS and ACL. All are alive at once and take turns, so that a machine that is busy
 * elsewhere slows each the same; the median of the rounds counts.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { usageOf } from '../test/setup/gateway-process.ts';
import { type BrokerPlan, measureLoad } from './mqtt-load.ts';

export interface BrokerFigures {
  readonly perSecond: number;
  /** Of the broker's process with all its threads: steadier than the rate on a busy machine. */
  readonly cpuMicrosecondsEach: number;
}

const plain = { isDurable: false, hasAcl: false } as const;
/** `limits`: ours with all of them, and receipts in order, but no disk. */
const variants = ['bare', 'bareTls', 'limits', 'acl', 'tls', 'durable'] as const;
export type Variant = (typeof variants)[number];

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: Buffer;
}

export async function brokerRates({
  messages,
  rounds,
}: {
  readonly messages: number;
  readonly rounds: number;
}): Promise<ReadonlyMap<Variant, BrokerFigures>> {
  const directory = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  const { cert, key, ca } = createCertificate(directory);
  const plans: Readonly<Record<Variant, BrokerPlan>> = {
    bare: { ...plain, kind: 'bare' },
    bareTls: { ...plain, kind: 'bare', tls: { cert, key } },
    limits: { ...plain, kind: 'ours' },
    acl: { ...plain, kind: 'ours', hasAcl: true },
    tls: { ...plain, kind: 'ours', tls: { cert, key } },
    durable: { ...plain, kind: 'ours', isDurable: true },
  };
  const rates = new Map<Variant, BrokerFigures[]>();
  const brokers = await Promise.all(
    variants.map(async (name) => ({ name, tls: plans[name].tls, ...(await start(plans[name])) })),
  );
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const { name, tls, port, child } of brokers) {
        const before = await usageOf(child.pid ?? 0);
        const perSecond = await measureLoad({ port, messages, ca: tls && ca });
        const after = await usageOf(child.pid ?? 0);
        const cpuMicrosecondsEach = ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages;
        // The first round warms up.
        const found = { perSecond, cpuMicrosecondsEach };
        if (round > 0) rates.set(name, [...(rates.get(name) ?? []), found]);
      }
    }
  } finally {
    for (const { child } of brokers) child.stdin?.end();
    rmSync(directory, { recursive: true });
  }
  return new Map([...rates].map(([name, found]) => [name, middle(found)]));
}

function middle(found: readonly BrokerFigures[]): BrokerFigures {
  return {
    perSecond: median(found.map(({ perSecond }) => perSecond)),
    cpuMicrosecondsEach: median(found.map(({ cpuMicrosecondsEach }) => cpuMicrosecondsEach)),
  };
}

async function start(plan: BrokerPlan): Promise<{ child: ChildProcess; port: number }> {
  const program = fileURLToPath(new URL('./broker-process.js', import.meta.url));
  const words = ['--max-semi-space-size=32', program, JSON.stringify(plan)];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(String(line)) };
}

/** A certificate that signs itself, for 127.0.0.1. */
export function createCertificate(directory: string): Certificate {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const words = ['req', '-x509', ...ec, ...names, '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', words, { stdio: 'ignore' });
  return { key, cert, ca: readFileSync(cert) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
