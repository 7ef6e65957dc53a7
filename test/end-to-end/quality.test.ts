/** Flags of a real gateway: the same through a kill, a start, and a store that is built anew. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { hourMs, judgeSeries, laneOf } from '../pipeline/quality/judging.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { isAllStored, readingsOf } from './gateway-api.ts';

const limits = [{ quantity: 'water_level', expected: { min: -2, max: 3 } }];
const config = { mqtt: { clients: mqttClients }, quality: { limits } };

/** Two days of a tide with a spike, a value beyond what is expected, and a line that stands still. */
const samples = Array.from({ length: 48 }, (_, hour) => {
  const tide = Math.round(1_000 + 700 * Math.sin((hour * Math.PI) / 6)) / 1_000;
  const value = hour === 15 ? 6 : hour === 21 ? 3.2 : hour > 30 && hour < 42 ? 1.234 : tide;
  return { time: Date.UTC(2026, 0, 1) + hour * hourMs, value };
});
const { flags } = judgeSeries(laneOf(limits), 'water_level', samples);

async function send(gateway: GatewayProcess, some: typeof samples): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { ...modem });
  for (const { time, value } of some) {
    const body = JSON.stringify({ ts: time, values: { water_level: value } });
    await client.publishAsync(`up/${modemId}`, body, { qos: 1 });
  }
  await client.endAsync();
}

async function storedFlags(gateway: GatewayProcess): Promise<readonly number[]> {
  await until('everything is stored', () => isAllStored(gateway));
  const stored = await readingsOf(gateway, modemId, 'water_level');
  expect(stored.map(({ value }) => value)).toEqual(samples.map(({ value }) => value));
  return stored.map(({ quality }) => quality);
}

describe('Quality control in a running gateway', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
  }, 60_000);
  afterAll(() => gateway.stop());

  it('gives the flags of a series that was never interrupted, though it was killed', async () => {
    expect(new Set(flags)).toEqual(new Set([1, 3, 4]));
    const { directory } = gateway;
    await send(gateway, samples.slice(0, 16));
    await gateway.kill('SIGKILL');
    gateway = await startGatewayProcess({ config, directory });
    await send(gateway, samples.slice(16, 37));
    await gateway.kill('SIGTERM');
    gateway = await startGatewayProcess({ config, directory });
    await send(gateway, samples.slice(37));
    expect(await storedFlags(gateway)).toEqual(flags);
  });

  it('names the test that found each, and counts them', async () => {
    const found = async (hour: number) => {
      const [stored] = (await readingsOf(gateway, modemId, 'water_level')).slice(hour);
      return gateway.get(`/api/v1/uplinks/${stored?.seq}/quality`);
    };
    expect(await found(15)).toMatchObject({ items: [{ tests: { spike: 4, gross_range: 3 } }] });
    expect(await found(21)).toMatchObject({ items: [{ tests: { gross_range: 3 } }] });
    expect(await found(40)).toMatchObject({ items: [{ tests: { flat_line: 3 } }] });
    expect(await found(0)).toMatchObject({ items: [{ quality: 1, tests: { spike: 2 } }] });
    const name = 'fieldgate_quality_flags_total';
    expect(await gateway.metric(name, 'test="flat_line",flag="3"')).toBeGreaterThan(0);
  });

  it('gives the same flags when the store is built anew from the ledger', async () => {
    const { directory } = gateway;
    await gateway.kill('SIGTERM');
    const data = join(directory, 'data');
    const views = (await readdir(data)).filter((name) =>
      /^(catalogue|telemetry\.duckdb)/.test(name),
    );
    for (const name of views) await rm(join(data, name), { recursive: true });
    gateway = await startGatewayProcess({ config, directory });
    expect(await storedFlags(gateway)).toEqual(flags);
  });
});
