/** A router that speaks only when it is asked, at the compiled gateway's own broker. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';

const serial = '1122334455';
const password = 'a test password of a router';
const config = {
  mqtt: {
    clients: [
      {
        ...{ username: 'router', password },
        publish: ['router/+/+', 'router/id'],
        subscribe: ['router/get', 'get/+/command'],
      },
    ],
  },
  ingest: {
    mappings: [{ profile: 'teltonika-monitoring' }],
    polls: [
      {
        ...{ name: 'routers', topic: 'get/{device}/command', devices: [serial] },
        ...{ ask: ['temperature', 'signal'], intervalSeconds: 10 },
      },
    ],
  },
};

/** Tenths of a degree, and dBm. */
const answers = new Map([
  ['temperature', '415'],
  ['signal', '-67'],
]);

describe('A router that has to be asked', () => {
  let gateway: GatewayProcess;
  let router: MqttClient;
  const asked: string[] = [];

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    const account = { username: 'router', password };
    router = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, account);
    router.on('message', (_topic, payload) => {
      const parameter = payload.toString();
      asked.push(parameter);
      router.publish(`router/${serial}/${parameter}`, answers.get(parameter) ?? '', { qos: 1 });
    });
    await router.subscribeAsync(`get/${serial}/command`, { qos: 1 });
  });
  afterAll(async () => {
    await router.endAsync(true);
    await gateway.stop();
  });

  it('is asked, and its answers become readings', async () => {
    const entries = await until('both have come', async () => {
      const found = await uplinksAfter(gateway, 0);
      return found.length >= 2 && found;
    });
    expect(asked.slice(0, 2)).toEqual(['temperature', 'signal']);
    expect(entries).toMatchObject([
      { outcome: 'accepted', adapter: 'teltonika-monitoring', device: serial },
      { outcome: 'accepted', adapter: 'teltonika-monitoring', device: serial },
    ]);
    await until('all is stored', () => isAllStored(gateway));
    const readings = await readingsOf(gateway, serial);
    expect(readings.map(({ value }) => value)).toContain(41.5);
  });
});
