/**
 * Whatever is wrong with a message, it is acknowledged, counted by its code and listed with its
 * reason, and a client that does nothing wrong notices nothing of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import type { FaultCode } from '../../gateway/model/fault.ts';
import { createFrameSigner } from '../../simulators/lorawan/abp-device.ts';
import { gatewayBridgeEnvelopes } from '../../simulators/networks/gateway-bridge.ts';
import { fixtureText } from '../adapters/inbound.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { connectRaw, publishPacket } from '../transports/mqtt/wire.ts';
import {
  type Account,
  bridge,
  modem,
  modemGateway,
  modemId,
  mqttClients,
  networkServer,
} from './accounts.ts';
import { isAllStored, readinessOf, readingsOf, uplinksAfter } from './gateway-api.ts';

const devEui = '02f1e1d500000001';
/** Simulated: a session that nobody else uses. */
const session = {
  devAddr: '01a2b3c4',
  nwkSKey: Buffer.alloc(16, 0x21),
  appSKey: Buffer.alloc(16, 0x42),
};
const sign = createFrameSigner(session);
const cayenneTemperature = Buffer.from('016700e1', 'hex');

const frameOf = (fCnt: number) => sign({ fPort: 2, frmPayload: cayenneTemperature, fCnt });

/** As a gateway bridge passes on what its gateway heard. */
function heard(phyPayload: Buffer) {
  const [envelope] = gatewayBridgeEnvelopes(phyPayload, {
    frequency: 868_100_000,
    spreadingFactor: 7,
    dataRate: 5,
    receptions: [
      {
        gateway: { id: '02f1e1d5000000aa', location: { latitude: 40.4, longitude: 49.9 } },
        rssi: -100,
        snr: 5,
        rxTime: Date.now(),
        uplinkId: 1,
        context: 'AAAAAA==',
        channel: 0,
      },
    ],
  });
  return { account: bridge, topic: envelope.topic, payload: envelope.payload };
}

function withBitFlipped(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(10) ^ 1, 10);
  return flipped;
}

/** The documented uplink of ChirpStack, from another device and with other content. */
function chirpstackUp(id: string, change: object) {
  const event = JSON.parse(fixtureText('lns/chirpstack-v4-up.json'));
  event.deviceInfo.devEui = id;
  const payload = Buffer.from(JSON.stringify({ ...event, deduplicationId: `id-${id}`, ...change }));
  return { account: networkServer, topic: `application/1/device/${id}/event/up`, payload };
}

const modemTopic = `up/${modemId}`;
const from = (account: Account, topic: string, payload: string | Buffer) => ({
  account,
  topic,
  payload: Buffer.from(payload),
});

interface Bad {
  readonly name: string;
  readonly code: FaultCode;
  readonly message: { account: Account; topic: string; payload: Buffer };
}

const bad: readonly Bad[] = [
  {
    name: 'JSON that ends too early',
    code: 'INBOUND_MALFORMED',
    message: from(modem, modemTopic, '{"temperature": 2'),
  },
  { name: 'an empty body', code: 'INBOUND_MALFORMED', message: from(modem, modemTopic, '') },
  {
    name: 'bytes that are no text',
    code: 'INBOUND_MALFORMED',
    message: from(modem, modemTopic, Buffer.from([0xff, 0xfe, 0x00, 0x80])),
  },
  {
    name: 'JSON nested ten thousand deep',
    code: 'INBOUND_MALFORMED',
    message: from(modem, modemTopic, `${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  },
  {
    name: 'a key that would reach a prototype',
    code: 'INBOUND_MALFORMED',
    message: from(modem, modemTopic, '[{"__proto__": {"isAdmin": true}}]'),
  },
  {
    name: 'fields of the wrong type',
    code: 'INBOUND_MALFORMED',
    message: chirpstackUp('02f1e1d500000011', { fCnt: 'four', rxInfo: 7 }),
  },
  {
    name: 'text where JSON belongs',
    code: 'INBOUND_UNRECOGNISED',
    message: from(modem, modemTopic, 'temperature=21'),
  },
  {
    name: 'a topic that no adapter reads',
    code: 'INBOUND_UNRECOGNISED',
    message: from(modemGateway, 'nobody/reads/this', '{}'),
  },
  {
    name: 'a topic of somebody else',
    code: 'TOPIC_FORBIDDEN',
    message: from(modem, 'up/field-8', '{"temperature": 20}'),
  },
  {
    name: 'a frame with one bit flipped',
    code: 'MIC_MISMATCH',
    message: heard(withBitFlipped(frameOf(40))),
  },
  {
    name: 'a frame of a device that is not registered',
    code: 'DEVICE_UNKNOWN',
    message: {
      ...from(bridge, 'eu868/gateway/0016c001f153a14c/event/up', ''),
      payload: Buffer.from(fixtureText('lns/gatewaybridge-v4-up.json')),
    },
  },
  {
    name: 'a frame that is too short',
    code: 'FRAME_MALFORMED',
    message: heard(Buffer.from('40c4b3a201', 'hex')),
  },
  { name: 'an old frame', code: 'FRAME_REPLAYED', message: heard(frameOf(7)) },
  {
    name: 'a payload that the codec cannot decode',
    code: 'PAYLOAD_UNDECODABLE',
    message: chirpstackUp('02f1e1d500000012', { fPort: 2, data: 'Ae4A' }),
  },
  {
    name: 'a payload without a codec',
    code: 'CODEC_MISSING',
    message: chirpstackUp('02f1e1d500000013', {}),
  },
];

describe('A gateway that is sent what is wrong', () => {
  let gateway: GatewayProcess;
  const clients = new Map<Account, MqttClient>();
  const good = { sent: 0, acknowledged: 0, isOver: false };
  let goodClient: Promise<void>;

  async function clientOf(account: Account): Promise<MqttClient> {
    const url = `mqtt://127.0.0.1:${gateway.mqttPort}`;
    const client = clients.get(account) ?? (await mqtt.connectAsync(url, { ...account }));
    clients.set(account, client);
    return client;
  }

  async function publish({ account, topic, payload }: Bad['message']): Promise<void> {
    const client = await clientOf(account);
    await client.publishAsync(topic, payload, { qos: 1 });
  }

  async function behaveWell(): Promise<void> {
    const url = `mqtt://127.0.0.1:${gateway.mqttPort}`;
    const client = await mqtt.connectAsync(url, { ...modem, reconnectPeriod: 0 });
    while (!good.isOver) {
      good.sent += 1;
      const time = Date.UTC(2026, 0, 1) + good.sent;
      const sample = { ts: time, values: { temperature: good.sent / 100 } };
      await client.publishAsync(modemTopic, JSON.stringify(sample), { qos: 1 });
      good.acknowledged += 1;
      await sleep(10);
    }
    await client.endAsync();
  }

  beforeAll(async () => {
    const { devAddr, nwkSKey, appSKey } = session;
    const keys = { nwkSKey: nwkSKey.toString('hex'), appSKey: appSKey.toString('hex') };
    const codec = 'cayenne-lpp';
    const devices = [
      { id: devEui, kind: 'lorawan', activation: 'abp', devAddr, keys, codec },
      { id: '02f1e1d500000012', kind: 'lorawan', codec },
    ];
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients }, devices } });
    goodClient = behaveWell();
    for (let fCnt = 7; fCnt < 30; fCnt += 1) await publish(heard(frameOf(fCnt)));
  }, 60_000);
  afterAll(async () => {
    good.isOver = true;
    await goodClient;
    await Promise.all([...clients.values()].map((client) => client.endAsync()));
    await gateway.stop();
  });

  it.each(bad)('acknowledges, counts and lists $name as $code', async ({ code, message }) => {
    const counted = await gateway.metric('fieldgate_faults_total', `code="${code}"`);
    const listed = await uplinksAfter(gateway, 0, `fault=${code}`);
    await publish(message);
    const count = () => gateway.metric('fieldgate_faults_total', `code="${code}"`);
    await until(`${code} is counted`, async () => (await count()) === counted + 1);
    const found = await until(`${code} is listed`, async () => {
      const entries = await uplinksAfter(gateway, 0, `fault=${code}`);
      return entries.length === listed.length + 1 ? entries.at(-1) : undefined;
    });
    expect(found).toMatchObject({ route: message.topic, credential: message.account.username });
    expect(found.fault?.detail).toMatch(/\w/);
  });

  it('cuts a packet larger than the limit, and lists who sent it', async () => {
    const client = await connectRaw(gateway.mqttPort, { ...modem, clientId: 'huge' });
    client.send(publishPacket({ topic: modemTopic, payload: Buffer.alloc(300_000, 0x20) }));
    const connack = '20020000';
    expect(await client.closed()).toBe(connack);
    const found = await until('it is listed', async () => {
      const entries = await uplinksAfter(gateway, 0, 'fault=INBOUND_TOO_LARGE');
      return entries.at(-1);
    });
    expect(found).toMatchObject({ outcome: 'quarantined', credential: modem.username });
    expect(await gateway.metric('fieldgate_faults_total', 'code="INBOUND_TOO_LARGE"')).toBe(1);
  });

  it('keeps uplinks whose payload is wrong, and quarantines the rest', async () => {
    const all = (await uplinksAfter(gateway, 0)).filter(({ fault }) => fault !== undefined);
    const kept = ['CODEC_MISSING', 'PAYLOAD_UNDECODABLE'];
    expect(all.length).toBeGreaterThan(bad.length);
    for (const { fault, outcome } of all) {
      const isKept = kept.includes(fault?.code ?? '');
      const isReplay = fault?.code === 'FRAME_REPLAYED';
      expect(outcome).toBe(isKept ? 'accepted' : isReplay ? 'replayed' : 'quarantined');
    }
  });

  it('has gone on acknowledging and storing what is right', async () => {
    good.isOver = true;
    await goodClient;
    expect(good.sent).toBeGreaterThan(0);
    expect(good.acknowledged).toBe(good.sent);
    await until('everything is stored', () => isAllStored(gateway));
    const stored = await readingsOf(gateway, modemId, 'air_temperature');
    expect(stored.map(({ value }) => value)).toEqual(
      Array.from({ length: good.sent }, (_, index) => (index + 1) / 100),
    );
    expect(await readinessOf(gateway)).toMatchObject({ status: 200 });
  });
});
