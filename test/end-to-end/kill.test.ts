/**
 * The gateway is killed in the middle of its work, again and again: what it has acknowledged is in
 * the ledger exactly once, and so are the readings made of it.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { mqttClients, networkServer } from './accounts.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';
import { type Message, type ResendingClient, startResendingClient } from './resending-client.ts';

const kills = 20;
const clientCount = 6;
const everyMs = 8;
/** Between two kills, once the gateway is up again. */
const aliveMs = 900;

const sample = readFileSync(new URL('../fixtures/lns/tts-v3-uplink.json', import.meta.url), 'utf8');
const firstTime = Date.UTC(2026, 0, 1);

/** Every message is told apart by its time; its value is its id, so that a reading shows it too. */
function messageOf(id: number, device: string): Message {
  const event = JSON.parse(sample);
  const time = new Date(firstTime + id).toISOString();
  event.end_device_ids = { dev_eui: device, device_id: device };
  event.received_at = time;
  event.correlation_ids = [`as:up:${id}`];
  event.uplink_message.received_at = time;
  event.uplink_message.f_cnt = id;
  event.uplink_message.decoded_payload = { luminosity: id };
  event.uplink_message.rx_metadata = [];
  event.uplink_message.settings.time = time;
  const topic = `v3/app1/devices/${device}/up`;
  return { id, topic, payload: Buffer.from(JSON.stringify(event)) };
}

const deviceOf = (index: number) => `02f1e1d50000000${index}`;

/** Which ids are not there, and which are there without need: again, or never acknowledged. */
function differenceOf(found: readonly number[], wanted: readonly number[]) {
  const awaited = new Set(wanted);
  const tooMany = found.filter((id) => !awaited.delete(id));
  return { missing: [...awaited], tooMany };
}

describe('A gateway that is killed twenty times under load', () => {
  const config = { mqtt: { clients: mqttClients } };
  const clients: ResendingClient[] = [];
  const startMs: number[] = [];
  let gateway: GatewayProcess;
  let entries: UplinkJson[];
  let sent = 0;
  const acknowledged = () => clients.flatMap((client) => [...client.acknowledged]);

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    for (let index = 0; index < clientCount; index += 1) {
      const client = startResendingClient({
        port: () => gateway.mqttPort,
        account: networkServer,
        clientId: `client-${index}`,
        marksDup: index % 2 === 0,
        next: () => {
          sent += 1;
          return messageOf(sent, deviceOf(index));
        },
        everyMs,
      });
      clients.push(client);
    }
    const { directory } = gateway;
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(aliveMs);
      await gateway.kill('SIGKILL');
      const started = performance.now();
      gateway = await startGatewayProcess({ config, directory });
      startMs.push(Math.round(performance.now() - started));
    }
    await Promise.all(clients.map((client) => client.finish()));
    await until('everything is stored', () => isAllStored(gateway), 60_000);
    entries = await uplinksAfter(gateway, 0);
  }, 150_000);
  afterAll(async () => {
    await gateway.kill('SIGTERM');
    await rm(gateway.directory, { recursive: true, force: true });
  });

  it('starts again on the same data each time', () => {
    const resent = clients.reduce((sum, client) => sum + client.resent(), 0);
    const list = startMs.toSorted((left, right) => left - right).join(' ');
    process.stderr.write(`${sent} sent, ${resent} resent; starts took ${list} ms\n`);
    expect(startMs).toHaveLength(kills);
    expect(resent).toBeGreaterThan(0);
  });

  it('has every acknowledged message in the ledger exactly once', () => {
    expect(acknowledged()).toHaveLength(sent);
    expect(new Set(entries.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const written = entries.map(({ object }) => Number(object?.['luminosity']));
    expect(differenceOf(written, acknowledged())).toEqual({ missing: [], tooMany: [] });
  });

  it('numbers its entries without a gap', () => {
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  });

  it('has the reading of every acknowledged message in the store exactly once', async () => {
    const stored = await Promise.all(
      clients.map((_, index) => readingsOf(gateway, deviceOf(index), 'illuminance')),
    );
    const readings = stored.flat();
    const values = readings.map(({ value }) => Number(value));
    expect(differenceOf(values, acknowledged())).toEqual({ missing: [], tooMany: [] });
    const times = readings.map(({ time }) => Date.parse(time) - firstTime);
    expect(times).toEqual(values);
  });
});
