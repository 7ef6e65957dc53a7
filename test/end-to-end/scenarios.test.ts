/**
 * Every bad day, played at full speed against one real gateway; what each file expects is counted
 * in what the gateway says of that day's devices and messages.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type BadDay, parseBadDay, type Range } from '../../simulators/bad-days/file.ts';
import { createTimeline, type Timeline } from '../../simulators/bad-days/timeline.ts';
import { openWires } from '../../simulators/capture/wires.ts';
import { createDemoConfig } from '../../simulators/demo-config.ts';
import type { CityAccounts } from '../../simulators/run.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored, readingsOf, type StoredReading, uplinksAfter } from './gateway-api.ts';

const folder = new URL('../../simulators/bad-days/', import.meta.url);
const places = { dataDir: 'unused', httpPort: 0, mqttPort: 0 };

interface Played {
  readonly day: BadDay;
  readonly timeline: Timeline;
  readonly accounts: CityAccounts;
  readonly config: { devices: object[]; clients: object[] };
}

/** A day ends now, so that nothing in it is of the future. */
const plays: Played[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => {
    const day = parseBadDay(readFileSync(new URL(name, folder), 'utf8'));
    const start = Math.floor(Date.now() / 60_000) * 60_000 - day.length;
    const timeline = createTimeline({ day, seed: 'bad-days', start });
    const { yaml, accounts } = createDemoConfig(timeline.scenario, places);
    const { devices, mqtt } = parse(yaml);
    return { day, timeline, accounts, config: { devices, clients: mqtt.clients } };
  });

/** The three networks have one account for all days; each modem has its own. */
const [firstPlay] = plays;
const networks = firstPlay?.config.clients.slice(0, 3) ?? [];
const modems = plays.flatMap(({ config }) => config.clients.slice(3));

function accountsOf({ accounts }: Played) {
  const { gatewayBridge, chirpstack, theThingsStack } = firstPlay?.accounts ?? accounts;
  const named = new Map([
    ['gateway-bridge', gatewayBridge],
    ['chirpstack', chirpstack],
    ['the-things-stack', theThingsStack],
    ...Object.entries(accounts.modems),
  ]);
  return { of: (sender: string | undefined) => named.get(sender ?? '') };
}

const outcomes = ['accepted', 'copy', 'redelivery', 'replayed', 'quarantined'] as const;

async function countsOf(gateway: GatewayProcess): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    counts.set(outcome, await gateway.metric('fieldgate_uplinks_total', `outcome="${outcome}"`));
  }
  for (const code of ['FRAME_REPLAYED', 'MIC_MISMATCH', 'PAYLOAD_UNDECODABLE', 'DEVICE_UNKNOWN']) {
    counts.set(code, await gateway.metric('fieldgate_faults_total', `code="${code}"`));
  }
  return counts;
}

interface Noticed {
  readonly counts: ReadonlyMap<string, number>;
  readonly readings: readonly StoredReading[];
  readonly counterGaps: number;
  readonly silenceHours: number;
}

async function play(gateway: GatewayProcess, played: Played): Promise<Noticed> {
  const before = await countsOf(gateway);
  const head = await gateway.metric('fieldgate_ledger_seq');
  const targets = [`mqtt://127.0.0.1:${gateway.mqttPort}`];
  const wires = await openWires({
    targets,
    accounts: accountsOf(played),
    clientId: played.day.name,
  });
  for (const message of played.timeline.messages) await wires.send(message);
  await wires.close(20_000);
  expect(wires.tally).toMatchObject({ failed: 0, acknowledged: played.timeline.messages.length });
  await until('everything is stored', () => isAllStored(gateway));
  const after = await countsOf(gateway);
  const entries = await uplinksAfter(gateway, head, 'outcome=accepted');
  const counters = new Map<string, number[]>();
  for (const { device = '', fCnt } of entries) {
    if (fCnt !== undefined) counters.set(device, [...(counters.get(device) ?? []), fCnt]);
  }
  const readings: StoredReading[] = [];
  let silenceMs = 0;
  for (const { id } of played.timeline.scenario.devices) {
    const own = await readingsOf(gateway, id);
    readings.push(...own);
    silenceMs = Math.max(silenceMs, ...stepsOf(own.map(({ time }) => Date.parse(time))));
  }
  return {
    counts: new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)])),
    ...{ readings, silenceHours: silenceMs / 3_600_000 },
    counterGaps: [...counters.values()].flatMap(stepsOf).filter((step) => step > 1).length,
  };
}

function stepsOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted.slice(1).map((value, index) => value - (sorted[index] ?? value));
}

function isWithin(value: number, { min = -Infinity, max = Infinity }: Range): boolean {
  return value >= min && value <= max;
}

/** In words, so that a failure says what was counted. */
function disappointments({ expect: wanted }: BadDay, noticed: Noticed): string[] {
  const counted: [string, number, Range | undefined][] = [
    ...[...Object.entries(wanted.outcomes), ...Object.entries(wanted.faults)].map(
      ([name, range]): [string, number, Range] => [name, noticed.counts.get(name) ?? 0, range],
    ),
    ['counterGaps', noticed.counterGaps, wanted.counterGaps],
    ['silenceHours', noticed.silenceHours, wanted.silenceHours],
    ...wanted.readings.map((one): [string, number, Range] => {
      const { quantity, quality, above = -Infinity, count } = one;
      const meant = noticed.readings
        .filter((reading) => quantity === '*' || reading.quantity === quantity)
        .filter((reading) => quality === undefined || quality.includes(reading.quality))
        .filter(({ value }) => above === -Infinity || (typeof value === 'number' && value > above));
      return [JSON.stringify(one), meant.length, count];
    }),
  ];
  return counted.flatMap(([name, value, range]) =>
    range === undefined || isWithin(value, range) ? [] : [`${name} is ${value}`],
  );
}

describe('A bad day', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    const devices = plays.flatMap(({ config }) => config.devices);
    gateway = await startGatewayProcess({
      config: { devices, mqtt: { clients: [...networks, ...modems] } },
    });
  }, 60_000);
  afterAll(() => gateway.stop());

  it.each(plays.map((one) => [one.day.name, one] as const))(
    'is noticed for what it is: %s',
    async (_, played) => {
      const noticed = await play(gateway, played);
      expect(disappointments(played.day, noticed)).toEqual([]);
    },
  );
});
