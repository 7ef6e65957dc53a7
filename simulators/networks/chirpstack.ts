/** What ChirpStack v4 publishes for an uplink (JSON): the frame opened and deduplicated. */

import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import { bandwidth, type Reception } from '../lorawan/radio.ts';
import type { Envelope } from './envelope.ts';

export const chirpstackApplicationId = '02f1e1d5-0000-4000-8000-000000000001';
const tenantId = '02f1e1d5-0000-4000-8000-000000000002';
const deviceProfileId = '02f1e1d5-0000-4000-8000-000000000003';

export function chirpstackEnvelope(uplink: LorawanUplink): Envelope {
  const { device, transmission } = uplink;
  const event = {
    deduplicationId: uplink.messageId,
    time: new Date(uplink.time).toISOString().replace('Z', '+00:00'),
    deviceInfo: {
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
    },
    devAddr: device.devAddr,
    adr: true,
    dr: transmission.dataRate,
    fCnt: uplink.fCnt,
    fPort: uplink.fPort,
    confirmed: false,
    data: uplink.frmPayload.toString('base64'),
    ...(uplink.object === undefined ? {} : { object: uplink.object }),
    rxInfo: transmission.receptions.map(rxInfo),
    txInfo: {
      frequency: transmission.frequency,
      modulation: {
        lora: { bandwidth, spreadingFactor: transmission.spreadingFactor, codeRate: 'CR_4_5' },
      },
    },
    regionConfigId: 'eu868',
  };
  return {
    topic: `application/${chirpstackApplicationId}/device/${device.id}/event/up`,
    payload: Buffer.from(JSON.stringify(event)),
  };
}

function rxInfo(reception: Reception): Record<string, unknown> {
  const time = new Date(reception.rxTime).toISOString().replace('Z', '+00:00');
  return {
    gatewayId: reception.gateway.id,
    uplinkId: reception.uplinkId,
    gwTime: time,
    nsTime: time,
    rssi: reception.rssi,
    snr: reception.snr,
    channel: reception.channel,
    location: reception.gateway.location,
    context: reception.context,
    crcStatus: 'CRC_OK',
  };
}
