/**
 * The derive worker crashes, or the store is gone: uplinks are acknowledged all the same, readiness
 * says what is missing, and in the end nothing is lost.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { type DeriveProcess, startDeriveProcess } from '../../gateway/pipeline/derive-process.ts';
import type { FromWorker } from '../../gateway/pipeline/worker-messages.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { type Influxd, startInfluxd } from '../setup/influxd.ts';
import { describeWith } from '../setup/tools.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { isAllStored, latestOf, readinessOf, readingsOf } from './gateway-api.ts';

const firstTime = Date.UTC(2026, 0, 1);

function connectTo({ mqttPort }: GatewayProcess): Promise<MqttClient> {
  return mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { ...modem });
}

/** Samples a second apart whose values are their numbers; resolves when all are acknowledged. */
async function publish(client: MqttClient, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  const samples = numbers.map((value) => ({
    ts: firstTime + value * 1_000,
    values: { illuminance: value },
  }));
  const sent = samples.map((each) =>
    client.publishAsync(`up/${modemId}`, JSON.stringify(each), { qos: 1 }),
  );
  await Promise.all(sent);
}

async function valuesIn(gateway: GatewayProcess): Promise<unknown[]> {
  return (await readingsOf(gateway, modemId, 'illuminance')).map(({ value }) => value);
}

const numbersTo = (end: number) => Array.from({ length: end }, (_, index) => index);

async function dependency(gateway: GatewayProcess, name: string) {
  const { status, dependencies } = await readinessOf(gateway);
  return { status, ...dependencies.find((each) => each.name === name) };
}

describe('A gateway whose derive worker crashes', () => {
  let gateway: GatewayProcess;
  let client: MqttClient;
  let directory: string;
  let holder: DuckDBInstance;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fieldgate-gateway-'));
    await mkdir(join(directory, 'data'));
    // Another process holds the store's file: the worker cannot open it and crashes, time and
    // again.
    holder = await DuckDBInstance.create(join(directory, 'data', 'telemetry.duckdb'));
    gateway = await startGatewayProcess({ directory, config: { mqtt: { clients: mqttClients } } });
    client = await connectTo(gateway);
  }, 60_000);
  afterAll(async () => {
    await client.endAsync();
    await gateway.stop();
  });

  it('acknowledges uplinks meanwhile and says that it is not ready', async () => {
    const crashes = () => gateway.lines.filter(({ event }) => event === 'derive-crashed');
    await until('the worker has crashed twice', () => crashes().length >= 2);
    await publish(client, 0, 100);
    expect(await gateway.metric('fieldgate_ledger_seq')).toBe(100);
    const derive = await dependency(gateway, 'derive');
    expect(derive).toMatchObject({ status: 503, ok: false });
    expect(derive.reason).toMatch(/lock/);
    const live = await fetch(`${gateway.http}/healthz/live`);
    expect(live.status).toBe(200);
  });

  it('refuses questions to the store meanwhile, as ones that can be asked again', async () => {
    const headers = { Authorization: `Bearer ${gateway.token}` };
    const answer = await fetch(`${gateway.http}/api/v1/readings?device=${modemId}`, { headers });
    expect(answer.status).toBe(503);
  });

  it('starts the worker again by itself and derives what had waited', async () => {
    holder.closeSync();
    await until('it is ready', async () => (await readinessOf(gateway)).status === 200);
    await publish(client, 100, 150);
    await until('everything is stored', () => isAllStored(gateway));
    expect(await valuesIn(gateway)).toEqual(numbersTo(150));
    expect((await latestOf(gateway)).map(({ value }) => value)).toEqual([149]);
  });
});

describeWith('influxd', 'A gateway whose store is gone', () => {
  let influxd: Influxd;
  let gateway: GatewayProcess;
  let client: MqttClient;

  beforeAll(async () => {
    influxd = await startInfluxd();
    const store = { kind: 'influx', url: influxd.url, database: 'outage' };
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients }, store } });
    client = await connectTo(gateway);
    await publish(client, 0, 50);
    await until('everything is stored', () => isAllStored(gateway));
  }, 60_000);
  afterAll(async () => {
    await client.endAsync();
    await gateway.stop();
    await influxd.stop();
  });

  it('acknowledges uplinks and shows them live meanwhile, and says that the store is down', async () => {
    await influxd.pause();
    for (let value = 50; value < 100; value += 10) await publish(client, value, value + 10);
    await until('the newest value is live', async () => {
      const [latest] = await latestOf(gateway);
      return latest?.value === 99;
    });
    const store = await until('it is not ready', async () => {
      const found = await dependency(gateway, 'store');
      return found.status === 503 ? found : undefined;
    });
    expect(store.ok).toBe(false);
    expect(store.reason).toMatch(/\w/);
    // The next ones find the store down already.
    await publish(client, 100, 120);
    await until('live goes on', async () => (await latestOf(gateway))[0]?.value === 119);
    expect(await gateway.metric('fieldgate_ledger_seq')).toBe(120);
    expect(await isAllStored(gateway)).toBe(false);
  });

  it('stores what had waited once the store answers again', async () => {
    await influxd.resume();
    await until('everything is stored', () => isAllStored(gateway), 60_000);
    expect(await valuesIn(gateway)).toEqual(numbersTo(120));
    expect(await dependency(gateway, 'store')).toMatchObject({ status: 200, ok: true });
  }, 90_000);
});

/** Crashes on its first question; its successor, which finds the mark, answers with its devices. */
const crashing = `
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
const mark = join(workerData.dataDir, 'crashed');
parentPort.postMessage({ kind: 'ready' });
parentPort.on('message', (message) => {
  if (message.kind === 'stop') parentPort.close();
  if (message.kind !== 'request') return;
  if (!existsSync(mark)) {
    writeFileSync(mark, '');
    throw new Error('a crash in the middle of a question');
  }
  const result = workerData.devices.map(({ id }) => id);
  parentPort.postMessage({ kind: 'answer', id: message.id, result });
});
`;

describe('The derive process', () => {
  let directory: string;
  let derive: DeriveProcess;
  const crashes: string[] = [];
  const heard: FromWorker[] = [];
  let devices = [{ id: 'before', kind: 'cellular' as const }];
  const query = { device: 'x', from: 0, to: 1, limit: 1 };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fieldgate-derive-'));
    const program = join(directory, 'worker.mjs');
    await writeFile(program, crashing);
    derive = startDeriveProcess({
      program: pathToFileURL(program),
      settings: () => ({
        dataDir: directory,
        store: { kind: 'embedded', memoryLimitMb: 64, threads: 1 },
        devices,
      }),
      onMessage: (message) => heard.push(message),
      onCrash: (reason) => crashes.push(reason),
    });
    await until('the worker is ready', () => derive.isRunning());
  });
  afterAll(async () => {
    await derive.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('fails the questions that a crash leaves open, and says why it crashed', async () => {
    await expect(derive.readings(query)).rejects.toThrow('the derive worker stopped');
    expect(crashes).toEqual(['Error: a crash in the middle of a question']);
    expect(derive.isRunning()).toBe(false);
    await expect(derive.readings(query)).rejects.toThrow('the derive worker is starting');
  });

  it('starts the next worker with the devices of now', async () => {
    devices = [{ id: 'after', kind: 'cellular' }];
    await until('the next worker is ready', () => derive.isRunning());
    expect(await derive.readings(query)).toEqual(['after']);
    expect(heard.filter(({ kind }) => kind === 'ready')).toHaveLength(2);
  });
});
