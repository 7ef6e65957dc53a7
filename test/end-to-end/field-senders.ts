/** The doors beside MQTT as the end-to-end tests set them up, and what their senders say. */
import { readFileSync } from 'node:fs';
import type { Session } from '../../gateway/model/device.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';
import type { GatewayProcess } from '../setup/gateway-process.ts';
import { openStation } from '../transports/lora/station-wire.ts';
import { datagramOf, types } from '../transports/udp-wire.ts';

export const devEui = '02f1e1d5000000a1';
export const gatewayEui = '0016c001ff10a1b2';
export const stationEui = '0016c001ff10a1b3';
export const webhookToken = 'a-test-token-of-a-webhook';
export const stationToken = 'a-test-token-of-a-station';
export const modemToken = 'a-test-token-of-a-modem';
export const serverToken = 'a-test-token-of-a-server';

export const tunnelKey = 'bec499c69e9c939e413b663961636c61';

const key = (byte: number) => Buffer.alloc(16, byte);
const keys = { fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1), appSKey: key(2) };
const session: Session = { deviceId: devEui, devAddr: '26011bda', macVersion: '1.0', keys };

/** A second device, whom only the station hears. */
export const heardByStation: Session = {
  ...session,
  deviceId: '02f1e1d5000000a2',
  devAddr: '26011bdb',
};

export const config = {
  devices: [session, heardByStation].map(({ deviceId, devAddr }) => ({
    ...{ id: deviceId, kind: 'lorawan', activation: 'abp', codec: 'cayenne-lpp', devAddr },
    keys: { nwkSKey: key(1).toString('hex'), appSKey: key(2).toString('hex') },
  })),
  // A copy is one however long a busy machine takes from the first gateway to the second.
  ledger: { copyWindowMs: 600_000 },
  ingest: {
    webhooks: {
      sources: [
        {
          name: 'tts',
          adapter: 'the-things-stack-v3-json',
          auth: { kind: 'token', token: webhookToken },
          vouches: 'network-server',
        },
        {
          name: 'thingpark',
          adapter: 'thingpark',
          auth: { kind: 'thingpark', asId: 'sink', key: tunnelKey },
          vouches: 'network-server',
        },
      ],
    },
    appSKeyWraps: [{ label: 'sink', key: 'dbfb0939c448ff1fbf84e84d6ac8ce98' }],
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

export function portOf({ lines }: GatewayProcess, name: string): number {
  const line = lines.find(({ event }) => event === 'listening');
  const addresses: unknown = line?.['addresses'];
  if (!Array.isArray(addresses)) throw new Error('no address');
  return addresses.find((address) => address.name === name)?.port;
}

/** A temperature on channel 1, in tenths of a degree. */
export const temperature = (tenths: number) => Buffer.from([1, 0x67, tenths >> 8, tenths & 0xff]);
export const frameOf = (fCnt: number, payload: Buffer, sender = session) =>
  uplinkFrame(sender, { fCnt, fPort: 1, payload });

export function pushOf(token: number, phyPayload: Buffer, change: object = {}): Buffer {
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

export function updfOf(phyPayload: Buffer): string {
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
export function serverMessage(id: number, device: string): string {
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

export async function postTo(gateway: GatewayProcess, body: string): Promise<number> {
  const headers = { Authorization: `Bearer ${webhookToken}` };
  const response = await fetch(`${gateway.http}/ingest/tts?event=up`, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(2_000),
  });
  return response.status;
}

/** Past `/router-info` and the answer to its version, as every station begins. */
export async function joinAsStation(gateway: GatewayProcess) {
  const url = `ws://127.0.0.1:${portOf(gateway, 'basic-station')}`;
  const headers = { Authorization: `Bearer ${stationToken}` };
  const discovery = await openStation(`${url}/router-info`, { headers });
  discovery.send({ router: '16:c001:ff10:a1b3' });
  const [answer] = await discovery.messages(1);
  const station = await openStation(JSON.parse(answer ?? '').uri, { headers });
  station.send({ msgtype: 'version', station: '2.0.6', protocol: 2 });
  await station.messages(1);
  return station;
}
