/** Codec scripts in the compiled gateway: beside bad ones, a good one's uplinks become readings. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { mqttClients, networkServer } from '../end-to-end/accounts.ts';
import { readinessOf, readingsOf, uplinksAfter } from '../end-to-end/gateway-api.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { networkUplink } from './uplinks.ts';

const scripts: Readonly<Record<string, string>> = {
  good: 'var n = 0; function decodeUplink(i) { n++; return { data: { temperature: i.bytes[0], calls: n } } }',
  throws: 'function decodeUplink() { throw new Error("frame of another product") }',
  loops: 'function decodeUplink() { for (;;); }',
  stuck: 'function decodeUplink() { var s = "x".repeat(1e6); for (;;) s.indexOf("y") }',
  bomb: 'function decodeUplink() { for (var a = []; ; ) a.push({ x: 1 }) }',
  torn: 'function decodeUplink( {',
};
const names = Object.keys(scripts);
const goodDevice = 'a000000000000000';
const deviceOf = (at: number) => `a00000000000000${at}`;

describe('A gateway with codec scripts', () => {
  let directory: string;
  let gateway: GatewayProcess;
  let client: MqttClient;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fieldgate-codecs-'));
    for (const [name, text] of Object.entries(scripts)) {
      await writeFile(join(directory, `${name}.js`), text);
    }
    gateway = await startGatewayProcess({
      config: {
        mqtt: { clients: mqttClients },
        codecs: { directory },
        devices: names.map((codec, at) => ({ id: deviceOf(at), kind: 'lorawan', codec })),
      },
    });
    await until('the worker', async () => (await readinessOf(gateway)).status === 200);
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { ...networkServer });
  });

  afterAll(async () => {
    await client?.endAsync();
    await gateway?.stop();
    await rm(directory, { recursive: true });
  });

  it('stores what the good one says, and lists the others with their own words', async () => {
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        names.map((_, at) =>
          client.publishAsync(
            `application/a/device/${deviceOf(at)}/event/up`,
            networkUplink(deviceOf(at), round, 20 + round),
            { qos: 1 },
          ),
        ),
      );
    }
    await until(
      'the readings',
      async () => (await readingsOf(gateway, goodDevice, 'air_temperature')).length === 3,
    );
    const values = await readingsOf(gateway, goodDevice, 'air_temperature');
    expect(values.map(({ value }) => value).sort()).toEqual([20, 21, 22]);
    const calls = await readingsOf(gateway, goodDevice, 'x_calls');
    expect(calls.map(({ value }) => value)).toEqual([1, 1, 1]);

    // What a pass had no time for is derived again by itself, and then has its own fault.
    const faults = await until('each uplink has its own fault', async () => {
      const found = await uplinksAfter(gateway, 0, 'fault=PAYLOAD_UNDECODABLE');
      const isOwn = found.every(({ fault }) => !fault?.detail.includes('had no answer'));
      return found.length === 15 && isOwn && found;
    });
    const detailOf = (name: string) =>
      faults.find(({ device }) => device === deviceOf(names.indexOf(name)))?.fault?.detail;
    expect(detailOf('throws')).toBe('throws: frame of another product');
    expect(detailOf('loops')).toContain('ran longer than');
    expect(detailOf('bomb')).toMatch(/out of memory|ran longer than/);
    expect(detailOf('torn')).toContain('SyntaxError');
    expect(gateway.lines.filter(({ event }) => event === 'derive-crashed')).toEqual([]);
  });
});
