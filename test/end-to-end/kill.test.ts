/**
 * The gateway is killed in the middle of its work, again and again: what it has acknowledged is in
 * the ledger exactly once, and so are the readings made of it.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { mqttClients } from './accounts.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';
import { differenceOf, firstTime, type History, startHistory } from './kill-history.ts';

/** `bench/kill-soak.ts` does it fifty times, and longer. */
const kills = 10;
/** Fifty clients with a message each so often are about 500 a second. */
const everyMs = 100;
/** Between two kills, once the gateway is up again. */
const aliveMs = 1_200;

describe('A gateway that is killed ten times under load', () => {
  const config = { mqtt: { clients: mqttClients } };
  const startMs: number[] = [];
  let gateway: GatewayProcess;
  let entries: UplinkJson[];
  let history: History;

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    history = startHistory({ gateway: () => gateway, clients: 50, everyMs });
    const { directory } = gateway;
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(aliveMs);
      await gateway.kill('SIGKILL');
      const started = performance.now();
      gateway = await startGatewayProcess({ config, directory });
      startMs.push(Math.round(performance.now() - started));
    }
    await history.finish();
    await until('everything is stored', () => isAllStored(gateway), 60_000);
    entries = await uplinksAfter(gateway, 0);
  }, 150_000);
  afterAll(async () => {
    await gateway.kill('SIGTERM');
    await rm(gateway.directory, { recursive: true, force: true });
  });

  it('starts again on the same data each time', () => {
    const [sent, resent] = [history.sent(), history.resent()];
    const list = startMs.toSorted((left, right) => left - right).join(' ');
    process.stderr.write(`${sent} sent, ${resent} resent; starts took ${list} ms\n`);
    expect(startMs).toHaveLength(kills);
    expect(resent).toBeGreaterThan(0);
  });

  it('has every acknowledged message in the ledger exactly once', () => {
    expect(history.acknowledged()).toHaveLength(history.sent());
    expect(new Set(entries.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const written = entries.map(({ object }) => Number(object?.['luminosity']));
    expect(differenceOf(written, history.acknowledged())).toEqual({ missing: [], tooMany: [] });
  });

  it('numbers its entries without a gap', () => {
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  });

  it('has the reading of every acknowledged message in the store exactly once', async () => {
    const stored = await Promise.all(
      history.devices.map((device) => readingsOf(gateway, device, 'illuminance')),
    );
    const readings = stored.flat();
    const values = readings.map(({ value }) => Number(value));
    expect(differenceOf(values, history.acknowledged())).toEqual({ missing: [], tooMany: [] });
    const times = readings.map(({ time }) => Date.parse(time) - firstTime);
    expect(times).toEqual(values);
  });
});
