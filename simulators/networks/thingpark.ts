/**
 * What Actility ThingPark hands on for an uplink, in both of its JSON forms: IoT Flow's, with
 * numbers, and the HTTP tunnel's of its network servers, which writes most of them as texts and
 * proves each request by a token in its query.
 */
import { createHash, hash } from 'node:crypto';
import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { CityDevice, CityGateway } from '../scenario.ts';
import { cutTemplate, jsonBytes, jsonList, keptFor, type Template } from './template.ts';
import { timeText } from './time-text.ts';

const customerId = '100000107';
const txPower = 14;

/** Both sides of the tunnel know these; as all that is drawn, the key is of the seed. */
export interface ThingParkTunnel {
  readonly asId: string;
  /** 32 hex digits. */
  readonly key: string;
}

export function thingParkTunnel(seed: string): ThingParkTunnel {
  const digest = createHash('sha256').update(`${seed}\nthingpark tunnel`).digest('hex');
  return { asId: `TWA_${customerId}.1.AS`, key: digest.slice(0, 32) };
}

/** The object below `DevEUI_uplink`; `value` writes the numbers that the tunnel has as texts. */
function uplinkShape(value: 'number' | 'text'): Template<LorawanUplink> {
  return cutTemplate(({ text, number, json, optional }) => {
    const fixed = (known: number): unknown => (value === 'number' ? known : String(known));
    const varying = (read: (uplink: LorawanUplink) => number): unknown =>
      value === 'number' ? number(read) : text((uplink) => String(read(uplink)));
    const decimals = (read: (best: Reception) => number): unknown =>
      value === 'number'
        ? number(({ transmission }) => read(transmission.receptions[0]))
        : text(({ transmission }) => read(transmission.receptions[0]).toFixed(6));
    const lrr = (reception: Reception): string =>
      (value === 'number' ? lrrInNumbers : lrrInTexts)(reception.gateway)(reception);
    return {
      Time: text(({ time }) => `${timeText(time)}+00:00`),
      DevEUI: text(({ device }) => device.id.toUpperCase()),
      FPort: varying(({ fPort }) => fPort),
      FCntUp: varying(({ fCnt }) => fCnt),
      ...(value === 'number' ? { LostUplinksAS: 0 } : {}),
      ADRbit: fixed(1),
      MType: fixed(2),
      FCntDn: fixed(0),
      payload_hex: text(({ frmPayload }) => frmPayload.toString('hex')),
      mic_hex: text(({ messageId }) => messageId.slice(0, 8)),
      Lrcid: '00000211',
      LrrRSSI: decimals(({ rssi }) => rssi),
      LrrSNR: decimals(({ snr }) => snr),
      ...(value === 'number' ? { LrrESP: decimals(effectivePower) } : {}),
      SpFact: varying(({ transmission }) => transmission.spreadingFactor),
      SubBand: text(({ transmission }) => (transmission.receptions[0].channel < 3 ? 'G1' : 'G2')),
      Channel: text(({ transmission }) => `LC${transmission.receptions[0].channel + 1}`),
      DevLrrCnt: varying(({ transmission }) => transmission.receptions.length),
      Lrrid: text(({ transmission }) => lrrId(transmission.receptions[0].gateway)),
      Late: fixed(0),
      LrrLAT: decimals(({ gateway }) => gateway.location.latitude),
      LrrLON: decimals(({ gateway }) => gateway.location.longitude),
      Lrrs: {
        Lrr: json(({ transmission }) => jsonList(transmission.receptions, lrr)),
      },
      CustomerID: customerId,
      CustomerData: json(({ device }) => customerData(device)),
      ModelCfg: '0',
      ...(value === 'number' ? { DriverCfg: json(({ device }) => driver(device)) } : {}),
      InstantPER: 0,
      MeanPER: 0,
      DevAddr: text(({ device }) => device.devAddr.toUpperCase()),
      AckRequested: 0,
      TxPower: txPower,
      NbTrans: 1,
      Frequency: number(({ transmission }) => transmission.frequency / 1e6),
      DynamicClass: 'A',
      payload: optional(({ object }) => (object === undefined ? undefined : jsonBytes(object))),
    };
  });
}

const numbers = uplinkShape('number');
const texts = uplinkShape('text');

export function thingParkFlowJson(uplink: LorawanUplink): string {
  return `{"DevEUI_uplink":${numbers(uplink)}}`;
}

export function thingParkTunnelJson(uplink: LorawanUplink): string {
  return `{"DevEUI_uplink":${texts(uplink)}}`;
}

/**
 * The query of a request, with the token over the uplink's fields, the query and the key, which is
 * made before the query is percent-encoded.
 */
export function thingParkQuery(uplink: LorawanUplink, { asId, key }: ThingParkTunnel): string {
  const { device, fPort, fCnt, frmPayload, time } = uplink;
  const devEui = device.id.toUpperCase();
  const parameters = [
    ['LrnDevEui', devEui],
    ['LrnFPort', String(fPort)],
    ['LrnInfos', asId],
    ['AS_ID', asId],
    ['Time', `${timeText(time + 310)}+00:00`],
  ] as const;
  const plain = parameters.map(([name, value]) => `${name}=${value}`).join('&');
  const frame = `${fPort}${fCnt}${frmPayload.toString('hex')}`;
  const token = hash('sha256', `${customerId}${devEui}${frame}${plain}${key}`);
  const encoded = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return [...encoded, `Token=${token}`].join('&');
}

const customerData = keptFor(({ name, location, district, model }: CityDevice) =>
  jsonBytes({
    loc: { lat: String(location.latitude), lon: String(location.longitude) },
    alr: { pro: `CITY/${model.toUpperCase().replaceAll(' ', '_')}`, ver: '1' },
    tags: [district.name],
    doms: [],
    name,
  }),
);

const driver = keptFor(({ kind }: CityDevice) =>
  jsonBytes({
    mod: { pId: 'city', mId: kind, ver: '1' },
    app: { pId: 'city', mId: kind, ver: '1' },
  }),
);

const lrrInNumbers = keptFor(
  (gateway: CityGateway): Template<Reception> =>
    cutTemplate(({ number }) => ({
      Lrrid: lrrId(gateway),
      Chain: 0,
      LrrRSSI: number(({ rssi }) => rssi),
      LrrSNR: number(({ snr }) => snr),
      LrrESP: number(effectivePower),
    })),
);

const lrrInTexts = keptFor(
  (gateway: CityGateway): Template<Reception> =>
    cutTemplate(({ text }) => ({
      Lrrid: lrrId(gateway),
      Chain: '0',
      LrrRSSI: text(({ rssi }) => rssi.toFixed(6)),
      LrrSNR: text(({ snr }) => snr.toFixed(6)),
      LrrESP: text((reception) => effectivePower(reception).toFixed(6)),
    })),
);

/** Base stations have 8 digits there: the part of the EUI that is not the same for all. */
function lrrId({ id }: CityGateway): string {
  return id.slice(8).toUpperCase();
}

/** The signal's own part of the power that was received, to a millionth of a dBm. */
function effectivePower({ rssi, snr }: Reception): number {
  return Math.round((rssi + snr - 10 * Math.log10(1 + 10 ** (snr / 10))) * 1e6) / 1e6;
}
