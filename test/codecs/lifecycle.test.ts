/**
 * The life of a codec in the compiled gateway, with both stores: uploaded, replaced, pinned, its
 * readings made anew after a mend, while live viewers are shown nothing old.
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { mqttClients, networkServer } from '../end-to-end/accounts.ts';
import { isAllStored, readinessOf, readingsOf, uplinksAfter } from '../end-to-end/gateway-api.ts';
import { openViewer } from '../end-to-end/viewer.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { type Influxd, startInfluxd } from '../setup/influxd.ts';
import { describeWith } from '../setup/tools.ts';
import { networkUplink } from './uplinks.ts';

const script = (factor: number) =>
  `function decodeUplink(i) { if (i.bytes[0] === 99) throw new Error("odd"); return { data: { temperature: i.bytes[0] * ${factor} } } }`;
const mended =
  'function decodeUplink(i) { return { data: { temperature: i.bytes[0] / 2, humidity: 50 } } }';
const followers = ['a000000000000001', 'a000000000000002'];
const pinned = 'a000000000000003';
const other = 'a000000000000004';
const devices = [...followers, pinned, other];

describeWith('influxd', 'A codec in a running gateway', () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(() => influxd.stop());

  const stores = ['embedded', 'influx'] as const;
  it.each(stores)(
    'is replaced, pinned and derived again (%s)',
    async (kind) => {
      const store =
        kind === 'embedded' ? { kind } : { kind, url: influxd.url, database: 'lifecycle' };
      const gateway = await startGatewayProcess({
        config: { store, mqtt: { clients: mqttClients } },
      });
      await until('the worker', async () => (await readinessOf(gateway)).status === 200);
      const address = `mqtt://127.0.0.1:${gateway.mqttPort}`;
      const client = await mqtt.connectAsync(address, { ...networkServer });
      try {
        await live(gateway, client);
      } finally {
        await client.endAsync();
        await gateway.stop();
      }
    },
    120_000,
  );
});

async function live(gateway: GatewayProcess, client: MqttClient): Promise<void> {
  const first = await putCodec(gateway, script(1));
  for (const id of followers) await putDevice(gateway, id, 'acme');
  await putDevice(gateway, pinned, `acme@${first.slice(0, 16)}`);
  await putDevice(gateway, other, 'cayenne-lpp');
  await publish(client, gateway, 1, 10, 99);
  expect(await valuesOf(gateway, followers[0])).toEqual([10, 11, 12]);
  await until('the faults', async () => (await faults(gateway)).length === 3);

  const file = join(gateway.directory, 'mended.js');
  await writeFile(file, mended);
  const tried = command(gateway, ['codecs', 'dryrun', 'acme', file, '--uplinks', '8']);
  expect(tried).toContain('air_temperature: 12 -> 6 Cel');
  expect(tried).toContain('before: odd');
  expect(tried).toContain('8 uplinks of 2 devices: 0 the same, 8 different');
  expect(await valuesOf(gateway, followers[0])).toEqual([10, 11, 12]);
  const second = command(gateway, ['codecs', 'put', 'acme', file]).trim().slice('acme@'.length);
  const again = command(gateway, ['codecs', 'put', 'acme', file, '--json']);
  expect(JSON.parse(again)).toMatchObject({ id: 'acme', version: second });
  await publish(client, gateway, 5, 20, 21);
  expect(await valuesOf(gateway, followers[0])).toEqual([10, 11, 12, 10, 10.5, 11, 10.5]);
  expect(await valuesOf(gateway, pinned)).toEqual([10, 11, 12, 20, 21, 22, 21]);
  expect(await codecsOf(gateway, followers[0])).toEqual([
    ...Array.from({ length: 3 }, () => `acme@${first}`),
    ...Array.from({ length: 4 }, () => `acme@${second}`),
  ]);
  const before = await readingsOf(gateway, followers[0] ?? '', 'air_temperature');

  const viewer = await openViewer(gateway, { token: gateway.token });
  const filter = { device: followers[0] ?? '' };
  viewer.send({ t: 'sub', id: 1, view: 'series', filter, rate: 100 });
  await viewer.hear('snap');
  const heard = viewer.messages.length;
  const said = command(gateway, ['derive', '--from', '1', '--codec', 'acme']);
  expect(said).toContain('done: entry');
  // Eight uplinks each of the three devices that have the codec, pinned or not.
  expect(await stateOf(gateway)).toMatchObject({ entries: 24, faults: 1, codec: 'acme' });

  const after = await readingsOf(gateway, followers[0] ?? '', 'air_temperature');
  expect(after.map(({ value }) => value)).toEqual([5, 5.5, 6, 49.5, 10, 10.5, 11, 10.5]);
  const keyOf = ({ time, seq }: { time: string; seq: number }) => `${time} ${seq}`;
  expect(after.map(keyOf)).toEqual(expect.arrayContaining(before.map(keyOf)));
  expect(await valuesOf(gateway, pinned)).toEqual([10, 11, 12, 20, 21, 22, 21]);
  expect(new Set(await codecsOf(gateway, followers[0]))).toEqual(new Set([`acme@${second}`]));
  expect(new Set(await codecsOf(gateway, pinned))).toEqual(new Set([`acme@${first}`]));
  await until('the mended faults', async () => (await faults(gateway)).length === 1);
  const history = await ask(gateway, 'GET', `/devices/${followers[0]}/codec-history`);
  expect(history.body['items']).toEqual([
    { fromSeq: expect.any(Number), codec: 'acme', version: second },
  ]);

  await publish(client, gateway, 9, 30);
  await until('the viewer hears of what is new', () =>
    viewer.messages.slice(heard).some(({ t }) => t === 'd'),
  );
  const rows = viewer.messages.slice(heard).flatMap((message) => {
    return message.t === 'd' ? message.rows : [];
  });
  const newSeqs = (await uplinksAfter(gateway, 0)).map(({ seq }) => seq).slice(-16);
  for (const row of rows) expect(newSeqs).toContain(row[6]);
  viewer.close();

  const used = await ask(gateway, 'DELETE', '/codecs/acme');
  expect(used.status).toBe(409);
}

/** Four uplinks of each device with these values, the last of them replaced. */
async function publish(
  client: MqttClient,
  gateway: GatewayProcess,
  fCnt: number,
  value: number,
  last = value + 3,
): Promise<void> {
  for (const device of devices) {
    for (let at = 0; at < 4; at += 1) {
      const byte = at === 3 ? last : value + at;
      const topic = `application/a/device/${device}/event/up`;
      await client.publishAsync(topic, networkUplink(device, fCnt + at, byte), { qos: 1 });
    }
  }
  await until('all is stored', () => isAllStored(gateway));
}

/** What the command line says of this gateway. */
function command(gateway: GatewayProcess, words: readonly string[]): string {
  const program = resolve('dist/gateway/cli/fieldgate.js');
  return execFileSync(process.execPath, [program, ...words, '--url', gateway.http], {
    env: { ...process.env, FIELDGATE_TOKEN: gateway.token },
    encoding: 'utf8',
  });
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(
  { http, token }: GatewayProcess,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const response = await fetch(`${http}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

async function putCodec(gateway: GatewayProcess, source: string): Promise<string> {
  const { status, body } = await ask(gateway, 'PUT', '/codecs/acme', { script: source });
  expect([200, 201]).toContain(status);
  return String(body['version']);
}

async function putDevice(gateway: GatewayProcess, id: string, codec: string): Promise<void> {
  const { status } = await ask(gateway, 'PUT', `/devices/${id}`, { kind: 'lorawan', codec });
  expect(status).toBe(201);
}

async function stateOf(gateway: GatewayProcess) {
  return (await ask(gateway, 'GET', '/derive')).body;
}

async function faults(gateway: GatewayProcess) {
  const found = await uplinksAfter(gateway, 0, 'fault=PAYLOAD_UNDECODABLE');
  return found.filter(({ device }) => device !== other);
}

async function valuesOf(gateway: GatewayProcess, device = ''): Promise<unknown[]> {
  const found = await readingsOf(gateway, device, 'air_temperature');
  return found.map(({ value }) => value);
}

async function codecsOf(gateway: GatewayProcess, device = ''): Promise<unknown[]> {
  const path = `/readings?device=${device}&quantity=air_temperature&codec=true&from=2000-01-01T00:00:00Z`;
  const { body } = await ask(gateway, 'GET', path);
  const items: { codec?: string }[] = JSON.parse(JSON.stringify(body['items']));
  return items.map(({ codec }) => codec);
}
