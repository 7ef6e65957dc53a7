/** What ChirpStack v4 publishes for an uplink (JSON): the frame opened and deduplicated. */

import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import { bandwidth } from '../lorawan/propagation.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { CityDevice, CityGateway } from '../scenario.ts';
import type { Envelope } from './envelope.ts';
import {
  cutTemplate,
  jsonBytes,
  jsonList,
  keptFor,
  messageBytes,
  type Template,
} from './template.ts';
import { timeText } from './time-text.ts';

export const chirpstackApplicationId = '02f1e1d5-0000-4000-8000-000000000001';
const tenantId = '02f1e1d5-0000-4000-8000-000000000002';
const deviceProfileId = '02f1e1d5-0000-4000-8000-000000000003';

const event = cutTemplate<LorawanUplink>(({ text, number, json, optional }) => ({
  deduplicationId: text(({ messageId }) => messageId),
  time: text(({ time }) => chirpstackTime(time)),
  deviceInfo: json(({ device }) => deviceInfo(device)),
  devAddr: text(({ device }) => device.devAddr),
  adr: true,
  dr: number(({ transmission }) => transmission.dataRate),
  fCnt: number(({ fCnt }) => fCnt),
  fPort: number(({ fPort }) => fPort),
  confirmed: false,
  data: text(({ frmPayload }) => frmPayload.toString('base64')),
  object: optional(({ object }) => (object === undefined ? undefined : jsonBytes(object))),
  rxInfo: json(({ transmission }) => jsonList(transmission.receptions, rxInfo)),
  txInfo: {
    frequency: number(({ transmission }) => transmission.frequency),
    modulation: {
      lora: {
        bandwidth,
        spreadingFactor: number(({ transmission }) => transmission.spreadingFactor),
        codeRate: 'CR_4_5',
      },
    },
  },
  regionConfigId: 'eu868',
}));

const deviceInfo = keptFor((device: CityDevice) =>
  jsonBytes({
    tenantId,
    tenantName: 'Baku',
    applicationId: chirpstackApplicationId,
    applicationName: 'city',
    deviceProfileId,
    deviceProfileName: device.model,
    deviceName: device.name,
    devEui: device.id,
    deviceClassEnabled: 'CLASS_A',
    tags: { kind: device.kind, district: device.district.name },
  }),
);

const rxInfoBy = keptFor(
  (gateway: CityGateway): Template<Reception> =>
    cutTemplate(({ text, number }) => ({
      gatewayId: gateway.id,
      uplinkId: number(({ uplinkId }) => uplinkId),
      gwTime: text(({ rxTime }) => chirpstackTime(rxTime)),
      nsTime: text(({ rxTime }) => chirpstackTime(rxTime)),
      rssi: number(({ rssi }) => rssi),
      snr: number(({ snr }) => snr),
      channel: number(({ channel }) => channel),
      location: gateway.location,
      context: text(({ context }) => context),
      crcStatus: 'CRC_OK',
    })),
);

function rxInfo(reception: Reception): string {
  return rxInfoBy(reception.gateway)(reception);
}

function chirpstackTime(time: number): string {
  return `${timeText(time)}+00:00`;
}

export function chirpstackEnvelope(uplink: LorawanUplink): Envelope {
  return {
    topic: `application/${chirpstackApplicationId}/device/${uplink.device.id}/event/up`,
    payload: messageBytes(event(uplink)),
  };
}
