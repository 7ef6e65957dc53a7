/** What the gateway has derived, as an agency's own program takes it from the broker. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';

const password = 'end-to-end-password';
const account = (username: string, rest: object) => ({ username, password, ...rest });
const mqttClients = [
  account('modem', { deviceId: 'pump-1', publish: ['up/{deviceId}', 'out/#'] }),
  account('other', { deviceId: 'pump-2', publish: ['up/{deviceId}'] }),
  account('agency', { subscribe: ['out/north/#'] }),
  account('archive', { subscribe: ['out/#'] }),
];
const device = (id: string, area: string) => ({ id, kind: 'cellular', agency: 'water', area });

interface Heard {
  readonly topic: string;
  readonly message: Readonly<Record<string, unknown>>;
}

let gateway: GatewayProcess;
const clients: MqttClient[] = [];

async function connect(username: string, clientId = username): Promise<MqttClient> {
  const client = await mqtt.connectAsync({
    ...{ host: '127.0.0.1', port: gateway.mqttPort, username, password, clientId },
    ...{ clean: username !== 'archive', reconnectPeriod: 0 },
  });
  clients.push(client);
  return client;
}

async function listen(username: string, filter: string): Promise<Heard[]> {
  const client = await connect(username);
  const heard: Heard[] = [];
  client.on('message', (topic, payload) =>
    heard.push({ topic, message: JSON.parse(payload.toString()) }),
  );
  await client.subscribeAsync(filter, { qos: 1 });
  return heard;
}

const time = Date.now() - 5_000;

async function send(username: string, id: string, values: object): Promise<void> {
  const client = await connect(username, id);
  const payload = JSON.stringify({ ts: time, values });
  await client.publishAsync(`up/${id}`, payload, { qos: 1 });
  await client.endAsync();
}

describe('Derived readings on the broker', () => {
  let agency: Heard[];
  let archive: Heard[];

  beforeAll(async () => {
    const devices = [device('pump-1', 'north'), device('pump-2', 'old/town+')];
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients }, devices } });
    agency = await listen('agency', 'out/north/+/+');
    archive = await listen('archive', 'out/#');
    await send('modem', 'pump-1', { temperature: 21.5, humidity: 40 });
    await send('other', 'pump-2', { temperature: 7 });
    await until('all is heard', () => archive.length >= 3);
  }, 60_000);

  afterAll(async () => {
    for (const client of clients) client.end(true);
    await gateway.stop();
  });

  it('come by area, device and quantity, as the API tells them', () => {
    const reading = agency.find(({ topic }) => topic === 'out/north/pump-1/air_temperature');
    expect(reading?.message).toEqual({
      ...{ device: 'pump-1', quantity: 'air_temperature', value: 21.5, unit: 'Cel' },
      ...{ time: new Date(time).toISOString(), receivedAt: expect.any(String) },
      ...{ quality: expect.any(Number), vouchedBy: 'credential', seq: 1 },
    });
    expect(agency.map(({ topic }) => topic).sort()).toEqual([
      'out/north/pump-1/air_temperature',
      'out/north/pump-1/relative_humidity',
    ]);
  });

  it('keep an area that looks like a filter to one level of the topic', () => {
    const topics = archive.map(({ topic }) => topic);
    expect(topics).toContain('out/old%2Ftown%2B/pump-2/air_temperature');
  });

  it('are published by the gateway alone', async () => {
    const forger = await connect('modem', 'forger');
    await forger.publishAsync('out/north/pump-1/air_temperature', '{"value":99}', { qos: 1 });
    await forger.endAsync();
    await send('modem', 'pump-1', { temperature: 22.5 });
    await until('the next is heard', () =>
      archive.some(({ message }) => message['value'] === 22.5),
    );
    expect(archive.some(({ message }) => message['value'] === 99)).toBe(false);
    expect(await gateway.metric('fieldgate_faults_total', 'code="TOPIC_FORBIDDEN"')).toBe(1);
  });

  it('wait for a lasting session, and are not told again after a restart', async () => {
    for (const client of clients) client.end(true);
    await send('other', 'pump-2', { temperature: 8 });
    await gateway.kill('SIGTERM');
    const { directory } = gateway;
    gateway = await startGatewayProcess({
      config: { mqtt: { clients: mqttClients } },
      directory,
    });
    const late = mqtt.connect({
      ...{ host: '127.0.0.1', port: gateway.mqttPort, username: 'archive', password },
      ...{ clientId: 'archive', clean: false, reconnectPeriod: 0 },
    });
    clients.push(late);
    const heard: unknown[] = [];
    late.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString())));
    await until('what waited', () => heard.length > 0);
    await send('other', 'pump-2', { temperature: 9 });
    await until('the newest', () => heard.length > 1);
    expect(heard).toMatchObject([{ value: 8 }, { value: 9 }]);
  });
});
