/**
 * What ChirpStack v3 hands on for an uplink, in both of its JSON forms: its own (`json_v3`), with
 * identifiers in hex, and that of its protobuf messages (`marshaler="json"`), with all bytes in
 * base64 and the decoded object as JSON within a text.
 */
import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import { bandwidth } from '../lorawan/propagation.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { CityDevice, CityGateway } from '../scenario.ts';
import { cutTemplate, jsonBytes, jsonList, keptFor, type Template } from './template.ts';
import { timeText } from './time-text.ts';

/** Version 3 counts its applications. */
export const chirpstackV3Application = '12';
const applicationName = 'city';
const deviceProfileId = '02f1e1d5-0000-4000-8000-000000000003';
/** Roofs of the old town; the city does not know how high each one is. */
const roofAltitude = 20;

const ownForm = cutTemplate<LorawanUplink>(({ text, number, json, optional }) => ({
  applicationID: chirpstackV3Application,
  applicationName,
  deviceName: json(({ device }) => deviceName(device)),
  deviceProfileName: json(({ device }) => profileName(device)),
  deviceProfileID: deviceProfileId,
  devEUI: text(({ device }) => device.id),
  rxInfo: json((uplink) => jsonList(uplink.transmission.receptions, rxInfoOf(uplink, rxInfoBy))),
  txInfo: {
    frequency: number(({ transmission }) => transmission.frequency),
    dr: number(({ transmission }) => transmission.dataRate),
  },
  adr: true,
  fCnt: number(({ fCnt }) => fCnt),
  fPort: number(({ fPort }) => fPort),
  data: text(({ frmPayload }) => frmPayload.toString('base64')),
  object: optional(({ object }) => (object === undefined ? undefined : jsonBytes(object))),
  tags: json(({ device }) => tags(device)),
}));

const protobufForm = cutTemplate<LorawanUplink>(({ text, number, json }) => ({
  applicationID: chirpstackV3Application,
  applicationName,
  deviceName: json(({ device }) => deviceName(device)),
  devEUI: text(({ device }) => base64OfHex(device.id)),
  rxInfo: json((uplink) =>
    jsonList(uplink.transmission.receptions, rxInfoOf(uplink, protobufRxInfoBy)),
  ),
  txInfo: {
    frequency: number(({ transmission }) => transmission.frequency),
    modulation: 'LORA',
    loRaModulationInfo: {
      bandwidth: bandwidth / 1_000,
      spreadingFactor: number(({ transmission }) => transmission.spreadingFactor),
      codeRate: '4/5',
      polarizationInversion: false,
    },
  },
  adr: true,
  dr: number(({ transmission }) => transmission.dataRate),
  fCnt: number(({ fCnt }) => fCnt),
  fPort: number(({ fPort }) => fPort),
  data: text(({ frmPayload }) => frmPayload.toString('base64')),
  objectJSON: json(({ object }) => jsonBytes(object === undefined ? '' : JSON.stringify(object))),
  tags: json(({ device }) => tags(device)),
  confirmedUplink: false,
  devAddr: text(({ device }) => base64OfHex(device.devAddr)),
  publishedAt: text(({ time }) => goTime(time + 220)),
  deviceProfileID: deviceProfileId,
  deviceProfileName: json(({ device }) => profileName(device)),
}));

export function chirpstackV3Json({ form }: { form: 'own' | 'protobuf' }): Template<LorawanUplink> {
  return form === 'own' ? ownForm : protobufForm;
}

const deviceName = keptFor(({ name }: CityDevice) => jsonBytes(name));
const profileName = keptFor(({ model }: CityDevice) => jsonBytes(model));
const tags = keptFor(({ kind, district }: CityDevice) =>
  jsonBytes({ kind, district: district.name }),
);

interface HeardUplink {
  readonly reception: Reception;
  /** 32 hex digits. */
  readonly uplinkId: string;
}

function rxInfoOf(
  { messageId }: LorawanUplink,
  templateOf: (gateway: CityGateway) => Template<HeardUplink>,
): (reception: Reception) => string {
  const head = messageId.replaceAll('-', '').slice(0, 24);
  return (reception) => {
    const own = reception.uplinkId.toString(16).padStart(8, '0');
    return templateOf(reception.gateway)({ reception, uplinkId: head + own });
  };
}

const rxInfoBy = keptFor(
  ({ id, location }: CityGateway): Template<HeardUplink> =>
    cutTemplate(({ text, number }) => ({
      gatewayID: id,
      uplinkID: text(({ uplinkId }) => withDashes(uplinkId)),
      name: `gateway ${id}`,
      time: text(({ reception }) => goTime(reception.rxTime)),
      rssi: number(({ reception }) => reception.rssi),
      loRaSNR: number(({ reception }) => reception.snr),
      location: { ...location, altitude: roofAltitude },
    })),
);

const protobufRxInfoBy = keptFor(
  ({ id, location }: CityGateway): Template<HeardUplink> =>
    cutTemplate(({ text, number }) => ({
      gatewayID: base64OfHex(id),
      time: text(({ reception }) => goTime(reception.rxTime)),
      timeSinceGPSEpoch: null,
      rssi: number(({ reception }) => reception.rssi),
      loRaSNR: number(({ reception }) => reception.snr),
      channel: number(({ reception }) => reception.channel),
      rfChain: number(({ reception }) => (reception.channel < 3 ? 1 : 0)),
      board: 0,
      antenna: 0,
      location: { ...location, altitude: roofAltitude, source: 'CONFIG', accuracy: 0 },
      fineTimestampType: 'NONE',
      context: text(({ reception }) => reception.context),
      uplinkID: text(({ uplinkId }) => base64OfHex(uplinkId)),
      crcStatus: 'CRC_OK',
    })),
);

function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function withDashes(hex: string): string {
  const part = (from: number, to: number): string => hex.slice(from, to);
  return [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join('-');
}

/** Go's RFC 3339 leaves out the zeros at the end of a fraction, and the fraction if it is zero. */
function goTime(time: number): string {
  return `${timeText(time).replace(/\.?0+$/, '')}Z`;
}
