/**
 * How fast the simulated city makes its messages on one core, and how long a gateway takes to be
 * given a past: a year of hourly readings of 1,000 devices into the embedded store.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { backfillHistory } from '../simulators/backfill.ts';
import { createCitySources } from '../simulators/city-traffic.ts';
import { startGateway } from '../simulators/demo-gateway.ts';
import { fetchStored } from '../simulators/gateway-metrics.ts';
import { historyTopic } from '../simulators/history.ts';
import { createLorawanDevice } from '../simulators/lorawan/abp-device.ts';
import { createScenario } from '../simulators/scenario.ts';

const rounds = 200;
const intervalMs = 600_000;
const start = Date.UTC(2026, 0, 1);

export interface GeneratorRates {
  /** Signed and encrypted PHYPayloads of 12 bytes of payload. */
  readonly framesPerSecond: number;
  /** Gateway bridge messages of devices: values, payload, frame, copies as JSON. */
  readonly bridgeUplinksPerSecond: number;
  /** ChirpStack and The Things Stack messages: values, payload, JSON. */
  readonly serverUplinksPerSecond: number;
  readonly modemMessagesPerSecond: number;
}

export function generatorRates(): GeneratorRates {
  const scenario = createScenario({ seed: 'bench', devices: 1_000 });
  const rateOf = (...networks: readonly string[]): number => {
    const sources = createCitySources(scenario).filter(({ device }) =>
      networks.includes(device.network),
    );
    return rate((round) => {
      for (const source of sources) source.uplinkAt(start + round * intervalMs);
      return sources.length;
    });
  };
  const devices = scenario.devices.map((device) => createLorawanDevice(device));
  const frmPayload = Buffer.from('0100e202290400270506060308', 'hex').subarray(0, 12);
  return {
    framesPerSecond: rate(() => {
      for (const device of devices) device.uplink(5, frmPayload);
      return devices.length;
    }),
    bridgeUplinksPerSecond: rateOf('gateway-bridge'),
    serverUplinksPerSecond: rateOf('chirpstack', 'the-things-stack'),
    modemMessagesPerSecond: rateOf('modem'),
  };
}

/** By CPU time, after a quarter of the rounds to warm up. */
function rate(run: (round: number) => number): number {
  const warm = rounds / 4;
  for (let round = 0; round < warm; round += 1) run(round);
  const startedAt = process.cpuUsage();
  let count = 0;
  for (let round = warm; round < warm + rounds; round += 1) count += run(round);
  const { user, system } = process.cpuUsage(startedAt);
  return (count * 1e6) / (user + system);
}

export interface HistoryRate {
  readonly readings: number;
  /** Until the store has the last one. */
  readonly seconds: number;
}

const hourMs = 3_600_000;
const storePollMs = 250;
const token = 'bench-history-token-0123';
const account = { username: 'history', password: 'bench-history-password' };

/** One reading an hour and device, through MQTT, the ledger and derivation into DuckDB. */
export async function historyRate(plan: { days: number; devices: number }): Promise<HistoryRate> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-bench-history-'));
  const file = join(directory, 'gateway.yaml');
  await writeFile(
    file,
    stringify({
      version: 1,
      dataDir: join(directory, 'data'),
      http: { port: 0, tokens: [{ name: 'bench', role: 'viewer', token }] },
      mqtt: { tcp: { port: 0 }, clients: [{ ...account, publish: [historyTopic] }] },
    }),
  );
  const program = fileURLToPath(new URL('../gateway/cli/fieldgate.js', import.meta.url));
  const gateway = await startGateway({
    ...{ program, args: ['serve', '--config', file], onWarning: () => undefined },
  });
  try {
    const portOf = (name: string) => gateway.addresses.find((one) => one.name === name)?.port ?? 0;
    const to = Date.UTC(2026, 10, 1);
    const startedAt = performance.now();
    const { readings, failed } = await backfillHistory({
      ...{ url: `mqtt://127.0.0.1:${portOf('mqtt')}`, account },
      scenario: createScenario({ seed: 'history', devices: plan.devices }),
      ...{ from: to - plan.days * 24 * hourMs, to, intervalMs: hourMs, fieldsMax: 1 },
    });
    if (failed > 0) throw new Error(`${failed} messages of the history were not acknowledged`);
    const base = `http://127.0.0.1:${portOf('http')}`;
    for (;;) {
      // A gateway this busy may be slow to answer: then it is asked again.
      const stored = await fetchStored(base, token).catch(() => undefined);
      if (stored?.isCaughtUp === true && stored.points >= readings) break;
      await new Promise((resolve) => setTimeout(resolve, storePollMs));
    }
    return { readings, seconds: (performance.now() - startedAt) / 1_000 };
  } finally {
    await gateway.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
