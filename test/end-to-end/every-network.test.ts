/**
 * Hours of a city of every network, sent to the running gateway by all doors that it has for them:
 * broker, webhooks and CoAP. What its modems kept in outages comes with its own times.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { openWires } from '../../simulators/capture/wires.ts';
import { createCitySources } from '../../simulators/city-traffic.ts';
import { createDemoConfig } from '../../simulators/demo-config.ts';
import { type CityProgress, replayAccounts, runCity } from '../../simulators/run.ts';
import { createScenario } from '../../simulators/scenario.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';

const hours = 6;
const stepsPerHour = 4;
const scenario = createScenario({ seed: 'every-network', networks: 'every' });
const { yaml, accounts } = createDemoConfig(scenario, {
  ...{ dataDir: 'unused', httpPort: 0, mqttPort: 0 },
});

let gateway: GatewayProcess;
let progress: CityProgress;
let reasons: readonly string[];

beforeAll(async () => {
  const { devices, ingest, mqtt } = parse(yaml);
  gateway = await startGatewayProcess({
    config: { devices, ingest, mqtt: { clients: mqtt.clients } },
  });
  const wires = await openWires({
    targets: [
      ...[`mqtt://127.0.0.1:${gateway.mqttPort}`, gateway.http],
      `coap://127.0.0.1:${gateway.port('coap')}`,
    ],
    ...{ accounts: replayAccounts(accounts), clientId: 'city' },
  });
  progress = await runCity({ wires, scenario, backfillHours: hours, liveMs: 0 });
  reasons = wires.tally.reasons;
  await until('all of it is stored', () => isAllStored(gateway));
}, 90_000);

afterAll(() => gateway.stop());

describe('A city of every network', () => {
  it('is acknowledged by every door', () => {
    expect(reasons).toEqual([]);
    expect(progress.messagesFailed).toBe(0);
    expect(progress.messagesAcknowledged).toBe(progress.messagesSent);
    const senders = Object.keys(progress.networks);
    expect(senders.sort()).toEqual([
      ...['chirpstack', 'chirpstack-v3', 'chirpstack-v3-webhook', 'chirpstack-webhook'],
      ...['gateway-bridge', 'loriot', 'loriot-webhook', 'modems', 'the-things-stack'],
      ...['the-things-stack-webhook', 'thingpark', 'thingpark-webhook'],
    ]);
  });

  it('is written down without a fault', async () => {
    const faults = (await uplinksAfter(gateway, 0)).filter(({ fault }) => fault !== undefined);
    expect(faults).toEqual([]);
  });

  it('leaves a reading of every device at every time, also of those in an outage', async () => {
    const sources = createCitySources(scenario);
    for (const { device } of sources) {
      const readings = await readingsOf(gateway, device.id);
      const times = new Set(readings.map(({ time }) => time));
      const isModem = device.network === 'modem';
      // An outage that is not over yet has its records still in the modem.
      if (isModem) expect(times.size).toBeGreaterThan(0);
      else expect([device.id, times.size]).toEqual([device.id, hours * stepsPerHour]);
    }
    const modems = scenario.devices.filter(({ network }) => network === 'modem');
    const counts = await Promise.all(
      modems.map(async ({ id }) => new Set((await readingsOf(gateway, id)).map((one) => one.time))),
    );
    const whole = counts.filter(({ size }) => size === hours * stepsPerHour).length;
    expect(whole).toBeGreaterThan(modems.length / 2);
  });

  it('says who vouches: the network server, or the account', async () => {
    const vouchers = new Map<string, string>();
    for (const { network, via, id } of scenario.devices) {
      const [reading] = await readingsOf(gateway, id);
      vouchers.set(`${network} ${via}`, reading?.vouchedBy ?? 'nobody');
    }
    for (const [way, vouchedBy] of vouchers) {
      const [network = ''] = way.split(' ');
      const frames = network === 'gateway-bridge' ? 'mic' : 'network-server';
      expect([way, vouchedBy]).toEqual([way, network === 'modem' ? 'credential' : frames]);
    }
  });
});
