/**
 * A device model in the compiled gateway: an import gives its devices their codec, rules and limits
 * hold at once, and what is kept is made anew by them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { mqttClients, networkServer } from '../end-to-end/accounts.ts';
import { isAllStored, readinessOf, readingsOf } from '../end-to-end/gateway-api.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { networkUplink } from './uplinks.ts';

const device = 'a000000000000001';
const model = 'acme/th-1';
const script = 'function decodeUplink(i) { return { data: { T2: i.bytes[0], pumpState: "x" } } }';

/** What a device repository of one device would have. */
function writeCheckout(directory: string): void {
  const files = {
    'vendor/index.yaml': 'vendors:\n  - { id: acme, name: Acme }\n',
    'vendor/acme/index.yaml': 'endDevices:\n  - th-1\n',
    'vendor/acme/th-1.yaml':
      "name: Well 1\nfirmwareVersions:\n  - version: '1'\n    profiles:\n      EU868: { id: p, codec: c }\n",
    'vendor/acme/p.yaml': 'macVersion: 1.0.3\n',
    'vendor/acme/c.yaml': 'uplinkDecoder:\n  fileName: c.js\n',
    'vendor/acme/c.js': script,
  };
  mkdirSync(join(directory, 'vendor', 'acme'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

describe('A device model in a running gateway', () => {
  it('gives its devices codec, rules and limits, at once', async () => {
    const gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients } } });
    await until('the worker', async () => (await readinessOf(gateway)).status === 200);
    const address = `mqtt://127.0.0.1:${gateway.mqttPort}`;
    const client = await mqtt.connectAsync(address, { ...networkServer });
    try {
      await live(gateway, client);
    } finally {
      await client.endAsync();
      await gateway.stop();
    }
  }, 120_000);
});

async function live(gateway: GatewayProcess, client: MqttClient): Promise<void> {
  const checkout = join(gateway.directory, 'checkout');
  writeCheckout(checkout);
  importInto(gateway, checkout);
  await until('the model', async () => command(gateway, ['models', 'list']).includes(model));
  expect(command(gateway, ['models', 'list'])).toContain('Well 1, acme.c, LoRaWAN 1.0.3');
  await ask(gateway, 'PUT', `/devices/${device}`, { kind: 'lorawan', model });
  expect(await ask(gateway, 'GET', `/devices/${device}`)).toMatchObject({
    fromModel: { name: 'Well 1', codec: 'acme.c', macVersion: '1.0.3' },
  });

  await publish(gateway, client, 1, 50);
  expect(await namesOf(gateway)).toEqual(['x_pump_state', 'x_t2']);
  expect(command(gateway, ['unmapped', '--codec', 'acme.c'])).toContain('t2: 1 times, last 50');

  const file = join(gateway.directory, 'model.yaml');
  writeFileSync(
    file,
    'mapping:\n  - { from: T2, quantity: water_temperature, unit: "[degF]" }\nlimits:\n  - { quantity: water_temperature, expected: { min: 0, max: 12 } }\n',
  );
  const put = command(gateway, ['models', 'put', model, file, '--json']);
  expect(JSON.parse(put)).toMatchObject({ id: model, codec: 'acme.c' });
  await publish(gateway, client, 2, 59);
  const [mapped] = await readingsOf(gateway, device, 'water_temperature');
  expect(mapped).toMatchObject({ value: 15, unit: 'Cel', quality: 3 });
  expect(await explained(gateway, mapped?.seq)).toMatchObject({
    limits: { expected: { min: 0, max: 12 } },
    limitsFrom: { expected: 'model', range: 'vocabulary' },
  });

  const limits = [{ quantity: 'water_temperature', expected: { min: 0, max: 20 } }];
  await ask(gateway, 'PUT', `/devices/${device}`, { kind: 'lorawan', model, limits });
  await publish(gateway, client, 3, 59);
  const flags = (await readingsOf(gateway, device, 'water_temperature')).map(
    ({ quality }) => quality,
  );
  expect(flags).toEqual([3, 1]);

  command(gateway, ['derive', '--from', '1', '--codec', 'acme.c']);
  const again = await readingsOf(gateway, device, 'water_temperature');
  expect(again.map(({ value }) => value)).toEqual([10, 15, 15]);
  expect(await ask(gateway, 'GET', `/devices/${device}/codec-history`)).toMatchObject({
    items: [{ codec: 'acme.c', mapping: expect.stringMatching(/^[0-9a-f]{12}$/) }],
  });
}

async function publish(gateway: GatewayProcess, client: MqttClient, fCnt: number, byte: number) {
  const topic = `application/a/device/${device}/event/up`;
  await client.publishAsync(topic, networkUplink(device, fCnt, byte), { qos: 1 });
  await until('all is stored', () => isAllStored(gateway));
}

async function namesOf(gateway: GatewayProcess): Promise<string[]> {
  return (await readingsOf(gateway, device)).map(({ quantity }) => quantity).sort();
}

async function explained(gateway: GatewayProcess, seq: number | undefined): Promise<unknown> {
  const answer: { items: { quantity: string }[] } = { items: [] };
  Object.assign(answer, await ask(gateway, 'GET', `/uplinks/${seq}/quality`));
  return answer.items.find(({ quantity }) => quantity === 'water_temperature');
}

const program = resolve('dist/gateway/cli/fieldgate.js');

function importInto(gateway: GatewayProcess, checkout: string): void {
  const config = join(gateway.directory, 'import.yaml');
  writeFileSync(
    config,
    `version: 1\ndataDir: ${JSON.stringify(join(gateway.directory, 'data'))}\n`,
  );
  execFileSync(process.execPath, [program, 'codecs', 'import', checkout, '--config', config]);
}

function command(gateway: GatewayProcess, words: readonly string[]): string {
  return execFileSync(process.execPath, [program, ...words, '--url', gateway.http], {
    env: { ...process.env, FIELDGATE_TOKEN: gateway.token },
    encoding: 'utf8',
  });
}

async function ask(
  { http, token }: GatewayProcess,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${http}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}
