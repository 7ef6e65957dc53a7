/** A remote broker that two gateways share, one of them killed in the middle. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeWith } from '../setup/tools.ts';
import { type Mosquitto, startMosquitto } from '../transports/mosquitto.ts';
import { serverMessage } from './field-senders.ts';
import { uplinksAfter } from './gateway-api.ts';

describeWith('mosquitto', 'Two gateways on one remote Mosquitto', () => {
  let mosquitto: Mosquitto;
  const gateways: GatewayProcess[] = [];
  const brokerConfig = (index: number) => ({
    ingest: {
      remoteBrokers: [
        {
          name: 'remote',
          url: `mqtt://127.0.0.1:${mosquitto.port}`,
          clientId: `gateway-${index}`,
          subscribe: ['$share/town/v3/#'],
          vouches: 'network-server',
        },
      ],
      remoteBrokerLimits: { firstRetryMs: 50, retryMsMax: 500 },
    },
  });
  const isUp = (gateway: GatewayProcess) =>
    until('connected', async () => (await gateway.metric('fieldgate_remote_broker_up')) === 1);

  beforeAll(async () => {
    mosquitto = await startMosquitto(['max_queued_messages 100000']);
    for (const index of [0, 1]) {
      gateways.push(await startGatewayProcess({ config: brokerConfig(index) }));
    }
    await Promise.all(gateways.map(isUp));
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await mosquitto.stop();
  });

  it('share its messages, and lose none when one of them is killed', async () => {
    const device = '02f1e1d5000000d1';
    const publisher = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`);
    const publish = (id: number) =>
      publisher.publishAsync(`v3/app1/devices/${device}/up`, serverMessage(id, device), { qos: 1 });
    for (let id = 1; id <= 600; id += 1) {
      await publish(id);
      if (id !== 200) continue;
      const [first] = gateways;
      if (first === undefined) continue;
      await first.kill('SIGKILL');
      const { directory } = first;
      gateways[0] = await startGatewayProcess({ config: brokerConfig(0), directory });
    }
    await publisher.endAsync();
    const counters = async () => {
      const entries = await Promise.all(gateways.map((gateway) => uplinksAfter(gateway, 0)));
      return entries.map((own) => own.map(({ fCnt }) => fCnt ?? 0));
    };
    const all = await until('all have come', async () => {
      const found = await counters();
      return new Set(found.flat()).size === 600 && found;
    });
    for (const own of all) {
      expect(own.length).toBeGreaterThan(50);
      expect(new Set(own).size).toBe(own.length);
    }
  });
});
