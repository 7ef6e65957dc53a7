/**
 * The doors beside MQTT, on real sockets into the compiled gateway: a packet forwarder, a station,
 * a webhook and a modem. Then it is killed again and again: nothing they were told is safe is lost.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import type { UplinkJson } from '../../dashboard/protocol.ts';
import type { Session } from '../../gateway/model/device.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeWith } from '../setup/tools.ts';
import { requestPacket } from '../transports/coap-wire.ts';
import { type Mosquitto, startMosquitto } from '../transports/mosquitto.ts';
import { openStation } from '../transports/station-wire.ts';
import { datagramOf, openUdpClient, types } from '../transports/udp-wire.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';

const devEui = '02f1e1d5000000a1';
const gatewayEui = '0016c001ff10a1b2';
const stationEui = '0016c001ff10a1b3';
const webhookToken = 'a-test-token-of-a-webhook';
const stationToken = 'a-test-token-of-a-station';
const modemToken = 'a-test-token-of-a-modem';
const serverToken = 'a-test-token-of-a-server';

const key = (byte: number) => Buffer.alloc(16, byte);
const session: Session = {
  deviceId: devEui,
  devAddr: '26011bda',
  macVersion: '1.0',
  keys: { fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1), appSKey: key(2) },
};

const config = {
  devices: [
    {
      id: devEui,
      kind: 'lorawan',
      activation: 'abp',
      codec: 'cayenne-lpp',
      devAddr: session.devAddr,
      keys: { nwkSKey: key(1).toString('hex'), appSKey: key(2).toString('hex') },
    },
  ],
  ingest: {
    webhooks: {
      sources: [
        {
          name: 'tts',
          adapter: 'the-things-stack-v3-json',
          auth: { kind: 'token', token: webhookToken },
          vouches: 'network-server',
        },
      ],
    },
    udp: { port: 0, gateways: [gatewayEui] },
    basicStation: { port: 0, stations: [{ eui: stationEui, token: stationToken }] },
    coap: {
      port: 0,
      messagesPerSecondMax: 1_000,
      accounts: [
        { name: 'modem', token: modemToken, deviceId: 'field-7' },
        {
          name: 'tts-coap',
          token: serverToken,
          adapter: 'the-things-stack-v3-json',
          vouches: 'network-server',
        },
      ],
    },
  },
};

function portOf({ lines }: GatewayProcess, name: string): number {
  const line = lines.find(({ event }) => event === 'listening');
  const addresses: unknown = line?.['addresses'];
  if (!Array.isArray(addresses)) throw new Error('no address');
  return addresses.find((address) => address.name === name)?.port;
}

/** A temperature on channel 1, in tenths of a degree. */
const temperature = (tenths: number) => Buffer.from([1, 0x67, tenths >> 8, tenths & 0xff]);
const frameOf = (fCnt: number, payload: Buffer) =>
  uplinkFrame(session, { fCnt, fPort: 1, payload });

function pushOf(token: number, phyPayload: Buffer, change: object = {}): Buffer {
  const packet = {
    tmst: token,
    freq: 868.1,
    stat: 1,
    modu: 'LORA',
    datr: 'SF7BW125',
    rssi: -60,
    lsnr: 7,
    size: phyPayload.length,
    data: phyPayload.toString('base64'),
    ...change,
  };
  return datagramOf({ type: types.pushData, token, gateway: gatewayEui, json: { rxpk: [packet] } });
}

function updfOf(phyPayload: Buffer): string {
  return JSON.stringify({
    msgtype: 'updf',
    MHdr: phyPayload.readUInt8(0),
    DevAddr: phyPayload.readInt32LE(1),
    FCtrl: phyPayload.readUInt8(5),
    FCnt: phyPayload.readUInt16LE(6),
    FOpts: '',
    FPort: phyPayload.readUInt8(8),
    FRMPayload: phyPayload.subarray(9, -4).toString('hex'),
    MIC: phyPayload.readInt32LE(phyPayload.length - 4),
    DR: 5,
    Freq: 868_100_000,
    upinfo: { rctx: 0, xtime: 1, gpstime: 0, rssi: -70, snr: 6, rxtime: 0 },
  });
}

const sample = readFileSync(new URL('../fixtures/lns/tts-v3-uplink.json', import.meta.url), 'utf8');

/** Told apart by its counter and time; its value is its id. */
function serverMessage(id: number, device: string): string {
  const event = JSON.parse(sample);
  const time = new Date(Date.UTC(2026, 0, 1) + id).toISOString();
  event.end_device_ids = { dev_eui: device, device_id: device };
  event.received_at = time;
  event.correlation_ids = [`as:up:${id}`];
  event.uplink_message.received_at = time;
  event.uplink_message.f_cnt = id;
  event.uplink_message.decoded_payload = { luminosity: id };
  event.uplink_message.rx_metadata = [];
  event.uplink_message.settings.time = time;
  return JSON.stringify(event);
}

async function postTo(gateway: GatewayProcess, body: string): Promise<number> {
  const headers = { Authorization: `Bearer ${webhookToken}` };
  const response = await fetch(`${gateway.http}/ingest/tts?event=up`, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(2_000),
  });
  return response.status;
}

describe('The doors beside MQTT', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
  });
  afterAll(() => gateway.stop());

  it('take one frame by a packet forwarder and a station as an uplink and its copy', async () => {
    const frame = frameOf(1, temperature(215));
    const forwarder = openUdpClient(portOf(gateway, 'udp'));
    forwarder.send(pushOf(1, frame));
    expect(await forwarder.answers(1)).toEqual(['02000101']);
    const forged = Buffer.from(frame);
    forged[9] = (forged[9] ?? 0) ^ 1;
    forwarder.send(pushOf(2, forged));
    await forwarder.answers(2);
    forwarder.send(pushOf(3, frame, { stat: -1 }));
    await forwarder.answers(3);
    forwarder.close();
    const url = `ws://127.0.0.1:${portOf(gateway, 'basic-station')}`;
    const headers = { Authorization: `Bearer ${stationToken}` };
    const discovery = await openStation(`${url}/router-info`, { headers });
    discovery.send({ router: '16:c001:ff10:a1b3' });
    const [answer] = await discovery.messages(1);
    const station = await openStation(JSON.parse(answer ?? '').uri, { headers });
    station.send({ msgtype: 'version', station: '2.0.6', protocol: 2 });
    await station.messages(1);
    station.send(updfOf(frame));
    const entries = await until('five entries', async () => {
      const found = await uplinksAfter(gateway, 0);
      return found.length >= 5 && found;
    });
    station.socket.close();
    expect(entries.map(({ outcome, fault, event }) => fault?.code ?? event ?? outcome)).toEqual([
      'accepted',
      'MIC_MISMATCH',
      'bad-crc',
      'version',
      'copy',
    ]);
    expect(entries[0]).toMatchObject({
      transport: 'udp',
      device: devEui,
      vouchedBy: 'mic',
      fCnt: 1,
      frmPayload: temperature(215).toString('hex'),
      rxInfo: [
        { gatewayId: gatewayEui, rssi: -60, snr: 7 },
        { gatewayId: stationEui, rssi: -70, snr: 6 },
      ],
    });
    expect(entries[4]).toMatchObject({ copyOf: 1, rxInfo: [{ gatewayId: stationEui }] });
  });

  it('take a webhook and tell a resend from a new message', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const body = serverMessage(7, '02f1e1d5000000b1');
    for (let n = 0; n < 2; n += 1) expect(await postTo(gateway, body)).toBe(204);
    expect(await postTo(gateway, '{')).toBe(204);
    const entries = await uplinksAfter(gateway, length);
    expect(entries).toMatchObject([
      { outcome: 'accepted', transport: 'http', credential: 'tts', vouchedBy: 'network-server' },
      { outcome: 'quarantined', fault: { code: 'INBOUND_MALFORMED' } },
    ]);
    expect((await fetch(`${gateway.http}/ingest/tts`, { method: 'POST' })).status).toBe(401);
    expect((await fetch(`${gateway.http}/ingest/nobody`, { method: 'POST' })).status).toBe(404);
  });

  it('take a modem by CoAP, for its own device alone', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const client = openUdpClient(portOf(gateway, 'coap'));
    const query = [`token=${modemToken}`];
    const payload = JSON.stringify({ temperature: 21.5 });
    const send = (messageId: number, path: string) =>
      client.send(requestPacket({ path, query, payload, messageId, format: 50 }));
    send(1, 'up/field-7');
    expect(await client.answers(1)).toEqual(['62440001cafe']);
    send(2, 'up/field-8');
    expect((await client.answers(2))[1]).toBe('62830002cafe');
    client.close();
    expect(await uplinksAfter(gateway, length)).toMatchObject([
      { outcome: 'accepted', transport: 'coap', device: 'field-7', vouchedBy: 'credential' },
      { outcome: 'quarantined', fault: { code: 'TOPIC_FORBIDDEN' } },
    ]);
  });

  it('become readings like those of any other door', async () => {
    await until('all is stored', () => isAllStored(gateway));
    const values = async (device: string) =>
      (await readingsOf(gateway, device)).map(({ quantity, value }) => [quantity, value]);
    expect(await values(devEui)).toContainEqual([expect.stringContaining('temperature'), 21.5]);
    expect(await values('field-7')).toContainEqual([expect.stringContaining('temperature'), 21.5]);
  });

  it('count what they turn away', async () => {
    const client = openUdpClient(portOf(gateway, 'udp'));
    client.send(Buffer.from('nonsense'));
    await until('it is counted', async () => {
      const labels = 'transport="udp",reason="malformed"';
      return (await gateway.metric('fieldgate_turned_away_total', labels)) === 1;
    });
    client.close();
  });
});

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

const kills = 6;
const aliveMs = 700;

describe('Doors of a gateway that is killed six times under load', () => {
  const acknowledged = { udp: new Set<number>(), http: new Set<number>(), coap: new Set<number>() };
  let gateway: GatewayProcess;
  let entries: UplinkJson[];
  let isFinishing = false;

  /**
   * Sends each message until it is acknowledged, as packet forwarders, servers and modems should.
   */
  async function sendAll(done: Set<number>, send: (id: number) => Promise<boolean>): Promise<void> {
    for (let id = 1; !isFinishing || !done.has(id - 1); id += 1) {
      while (!(await send(id).catch(() => false))) await sleep(20);
      done.add(id);
      await sleep(2);
    }
  }

  /** One datagram, and whether an answer of this form comes within the time a modem waits. */
  async function exchange(door: string, datagram: Buffer, answer: string): Promise<boolean> {
    const client = openUdpClient(portOf(gateway, door));
    client.send(datagram);
    const answered = client.answers(1).then(([hex]) => hex?.startsWith(answer) === true);
    const isAnswered = await Promise.race([answered, sleep(250, false)]);
    client.close();
    return isAnswered;
  }

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    const { directory } = gateway;
    const running = [
      sendAll(acknowledged.udp, (id) =>
        exchange('udp', pushOf(id & 0xffff, frameOf(id, temperature(id))), '02'),
      ),
      sendAll(acknowledged.http, async (id) => {
        return (await postTo(gateway, serverMessage(id, '02f1e1d5000000c1'))) === 204;
      }),
      sendAll(acknowledged.coap, (id) => {
        const query = [`token=${serverToken}`];
        const payload = serverMessage(id, '02f1e1d5000000c2');
        const packet = { path: 'ingest/tts-coap', query, payload, messageId: id & 0xffff };
        return exchange('coap', requestPacket(packet), '6244');
      }),
    ];
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(aliveMs);
      await gateway.kill('SIGKILL');
      gateway = await startGatewayProcess({ config, directory });
    }
    isFinishing = true;
    await Promise.all(running);
    entries = await uplinksAfter(gateway, 0);
  });

  afterAll(() => gateway.stop());

  it.each(['udp', 'http', 'coap'] as const)('lose nothing acknowledged by %s', (transport) => {
    const own = entries.filter((entry) => entry.transport === transport);
    expect(new Set(own.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const written = own.map(({ fCnt }) => fCnt);
    expect(written).toEqual([...acknowledged[transport]]);
    expect(written.length).toBeGreaterThan(kills);
  });
});
