/** Sessions of the MQTT broker in a gateway that is killed and started again. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemId, mqttClients } from './accounts.ts';

const observer = { username: 'observer', password: 'end-to-end-password' };
const config = {
  mqtt: {
    clients: [...mqttClients, { ...observer, subscribe: ['up/#', 'v1/#'] }],
    limits: { sessionExpirySeconds: 3_600 },
  },
};
const count = 300;

describe('A gateway that is killed while messages wait for an absent client', () => {
  let gateway: GatewayProcess;
  const at = (options: IClientOptions): IClientOptions => ({
    ...{ host: '127.0.0.1', port: gateway.mqttPort, reconnectPeriod: 0, clean: false },
    ...options,
  });
  const acknowledged: string[] = [];
  const seen: string[] = [];

  /** Sends until the gateway is killed under it. */
  async function sendUntilKilled(sender: MqttClient): Promise<void> {
    const sending = Array.from({ length: count }, async (_, index) => {
      const qos = index % 2 === 0 ? 1 : 2;
      const payload = JSON.stringify({ ts: 1_760_000_000_000 + index, values: { n: index } });
      await sender.publishAsync(`up/${modemId}`, payload, { qos });
      acknowledged.push(payload);
      if (acknowledged.length === count / 2) void gateway.kill('SIGKILL');
    });
    const killed = until('the kill', () => acknowledged.length >= count / 2);
    await Promise.race([Promise.allSettled(sending), killed]);
    await gateway.kill('SIGKILL');
    sender.end(true);
  }

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    const reader = await mqtt.connectAsync(at({ ...observer, clientId: 'reader' }));
    await reader.subscribeAsync('up/#', { qos: 2 });
    await reader.endAsync();
    const sender = await mqtt.connectAsync(at({ ...modem, clientId: modemId }));
    sender.on('error', () => undefined);
    await sendUntilKilled(sender);
    gateway = await startGatewayProcess({ config, directory: gateway.directory });
    const again = mqtt.connect(at({ ...observer, clientId: 'reader' }));
    again.on('message', (_topic, payload) => seen.push(payload.toString()));
    await until('what was acknowledged', () =>
      acknowledged.every((payload) => seen.includes(payload)),
    );
    // Of what was not acknowledged some may wait, too.
    await until(
      'nothing waits',
      async () => (await gateway.metric('fieldgate_mqtt_waiting_messages')) === 0,
    );
    await again.endAsync();
  }, 90_000);
  afterAll(() => gateway.stop());

  it('hands over everything that was acknowledged, and nothing twice', () => {
    expect(acknowledged.length).toBeGreaterThanOrEqual(count / 2);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('knows the session again, and what of it is done', async () => {
    const before = seen.length;
    const third = mqtt.connect(at({ ...observer, clientId: 'reader' }));
    third.on('message', (_topic, payload) => seen.push(payload.toString()));
    const isPresent = await new Promise<boolean>((resolve) => {
      third.on('connect', ({ sessionPresent }) => resolve(sessionPresent));
    });
    expect(isPresent).toBe(true);
    await third.unsubscribeAsync('up/#');
    await third.endAsync();
    expect(seen).toHaveLength(before);
  });
});
