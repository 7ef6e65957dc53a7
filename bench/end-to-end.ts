/**
 * Uplinks from the wire to a real InfluxDB: the compiled gateway, influxd and the load share this
 * machine. Everything acknowledged is counted in the store afterwards; what is missing is lost.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import {
  type GatewayProcess,
  startGatewayProcess,
  until,
  usageOf,
} from '../test/setup/gateway-process.ts';
import { type Influxd, startInfluxd } from '../test/setup/influxd.ts';
import { elsysScriptName, makeScriptDirectory } from './elsys-script.ts';
import { devEuiOf, type LoadPlan, type LoadResult } from './load-plan.ts';
import { watchLive } from './viewers.ts';

export interface EndToEndFigures {
  readonly messages: number;
  readonly acknowledgedPerSecond: number;
  /** From the first message to the last point in the store. */
  readonly storedPerSecond: number;
  readonly gatewayMicrosecondsEach: number;
  readonly residentMb: number;
  /** At half of what was stored a second. */
  readonly half: HalfLoadFigures;
  /** Acknowledged and not in the store, of all runs. */
  readonly lost: number;
}

export interface HalfLoadFigures {
  readonly rate: number;
  readonly pubackP50Ms: number;
  readonly pubackP99Ms: number;
  readonly liveP50Ms: number;
  readonly liveP99Ms: number;
  readonly liveSamples: number;
}

export interface EndToEndOptions {
  readonly messages: number;
  readonly devices: number;
  readonly viewers: number;
  /** Which decodes the payloads: the program itself, or a script in its sandbox. */
  readonly codec: 'built-in' | 'script';
  readonly halfSeconds: number;
}

const username = 'load';
const password = 'load-password';
/** As README advises where influxd shares a machine with the gateway. */
const influxdGoGc = '400';
const warmUp = 10_000;
/** No pause between two requests is as long. */
const quietMs = 1_000;

const shardStats = z.object({
  results: z.array(
    z.object({
      series: z
        .array(z.object({ columns: z.array(z.string()), values: z.array(z.array(z.number())) }))
        .default([]),
    }),
  ),
});

export async function endToEnd(options: EndToEndOptions): Promise<EndToEndFigures> {
  const influxd = await startInfluxd({ environment: { GOGC: influxdGoGc } });
  const directory = await makeScriptDirectory();
  const config = configOf(influxd, options, directory);
  const gateway = await startGatewayProcess({ config });
  try {
    return await measure(gateway, influxd, options);
  } finally {
    await gateway.stop();
    await influxd.stop();
    await rm(directory, { recursive: true });
  }
}

function configOf(influxd: Influxd, { devices, codec }: EndToEndOptions, directory: string) {
  const publish = ['application/#'];
  return {
    ...(codec === 'script' && { codecs: { directory } }),
    mqtt: { clients: [{ username, password, vouches: 'network-server', publish }] },
    store: { kind: 'influx', url: influxd.url, database: 'bench' },
    devices: Array.from({ length: devices }, (_, index) => ({
      id: devEuiOf(index),
      kind: 'lorawan',
      codec: codec === 'script' ? elsysScriptName : 'elsys-generic',
      agency: 'bench',
      area: `area-${index % 12}`,
    })),
  };
}

async function measure(
  gateway: GatewayProcess,
  influxd: Influxd,
  { messages, devices, viewers, halfSeconds }: EndToEndOptions,
): Promise<EndToEndFigures> {
  const plan = { port: gateway.mqttPort, username, password, devices, connections: 8, window: 100 };
  await load({ ...plan, messages: warmUp, first: 0, rate: 0 });
  await allStored(influxd, warmUp);
  const pointsEach = (await pointsWritten(influxd)) / warmUp;
  const before = await usageOf(gateway.pid);
  const started = performance.now();
  const full = await load({ ...plan, messages, first: warmUp, rate: 0 });
  await allStored(influxd, warmUp + messages, pointsEach);
  const seconds = (performance.now() - started) / 1_000;
  const after = await usageOf(gateway.pid);
  const storedPerSecond = messages / seconds;

  const rate = Math.floor(storedPerSecond / 2);
  const live = await watchLive({ gateway, viewers });
  const first = warmUp + messages;
  const half = await load({ ...plan, messages: rate * halfSeconds, first, rate });
  const total = first + rate * halfSeconds;
  await allStored(influxd, total, pointsEach).catch(() => undefined);
  const seen = live.close();
  return {
    messages: full.acknowledged,
    acknowledgedPerSecond: full.acknowledged / full.seconds,
    storedPerSecond,
    gatewayMicrosecondsEach: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages,
    residentMb: after.residentMb,
    half: { rate, pubackP50Ms: half.p50Ms, pubackP99Ms: half.p99Ms, ...seen },
    lost: total - (await stored(influxd)),
  };
}

async function load(plan: LoadPlan): Promise<LoadResult> {
  const program = fileURLToPath(new URL('./load-process.js', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output);
}

async function stored(influxd: Influxd): Promise<number> {
  const text = await ask(influxd, 'SELECT count(air_temperature) FROM telemetry');
  return Number(/\[\["1970-01-01T00:00:00Z",(\d+)\]\]/.exec(text)?.[1] ?? 0);
}

/** Of either measurement, rewritten ones again. */
async function pointsWritten(influxd: Influxd): Promise<number> {
  const { results } = shardStats.parse(JSON.parse(await ask(influxd, "SHOW STATS FOR 'shard'")));
  let points = 0;
  for (const { columns, values } of results.flatMap(({ series }) => series)) {
    points += values[0]?.[columns.indexOf('writePointsOk')] ?? 0;
  }
  return points;
}

async function ask({ url }: Influxd, query: string): Promise<string> {
  const response = await fetch(`${url}/query?db=bench&q=${encodeURIComponent(query)}`);
  return await response.text();
}

/**
 * Counting what is stored reads all series and would take its share of the machine from what is
 * measured: it begins when InfluxDB says that as many points came as these uplinks make, or, where
 * that never comes true, that no more come.
 */
async function allStored(influxd: Influxd, count: number, pointsEach = 0): Promise<void> {
  let last = { points: 0, at: performance.now() };
  await until(
    'the last point written',
    async () => {
      const points = await pointsWritten(influxd);
      if (points >= count * pointsEach) return true;
      if (points !== last.points) last = { points, at: performance.now() };
      return performance.now() - last.at > quietMs;
    },
    120_000,
  );
  await until(`${count} points stored`, async () => (await stored(influxd)) >= count, 120_000);
}
