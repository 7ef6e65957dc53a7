/**
 * What The Things Stack v3 publishes for an uplink (JSON). Its encoder drops zero values, so the
 * first uplink of a session has no `f_cnt`, and frequencies are text.
 */

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

export const theThingsApplication = 'baku-city';
export const theThingsTenant = 'fieldgate';

const message = cutTemplate<LorawanUplink>(({ text, number, json, optional }) => ({
  end_device_ids: json(({ device }) => endDeviceIds(device)),
  correlation_ids: [
    text(({ messageId }) => `gs:uplink:${messageId}`),
    text(({ messageId }) => `as:up:${messageId}`),
  ],
  received_at: text(({ time }) => nanoseconds(time + 220)),
  uplink_message: {
    session_key_id: text(({ device }) => sessionKeyId(device)),
    f_port: number(({ fPort }) => fPort),
    f_cnt: optional(({ fCnt }) => (fCnt === 0 ? undefined : String(fCnt))),
    frm_payload: text(({ frmPayload }) => frmPayload.toString('base64')),
    decoded_payload: optional(({ object }) =>
      object === undefined ? undefined : jsonBytes(object),
    ),
    rx_metadata: json(({ transmission }) => jsonList(transmission.receptions, rxMetadata)),
    settings: {
      data_rate: {
        lora: {
          bandwidth,
          spreading_factor: number(({ transmission }) => transmission.spreadingFactor),
          coding_rate: '4/5',
        },
      },
      frequency: text(({ transmission }) => String(transmission.frequency)),
      time: text(({ time }) => nanoseconds(time)),
    },
    received_at: text(({ time }) => nanoseconds(time + 200)),
    network_ids: { net_id: '000000', tenant_id: theThingsTenant, cluster_id: 'simulated' },
  },
}));

const endDeviceIds = keptFor((device: CityDevice) =>
  jsonBytes({
    device_id: deviceIdOf(device),
    application_ids: { application_id: theThingsApplication },
    dev_eui: device.id.toUpperCase(),
    join_eui: '0000000000000000',
    dev_addr: device.devAddr.toUpperCase(),
  }),
);

const sessionKeyId = keptFor(({ id }: CityDevice) => Buffer.from(id, 'hex').toString('base64'));

const rxMetadataBy = keptFor(
  ({ id, location }: CityGateway): Template<Reception> =>
    cutTemplate(({ text, number }) => ({
      gateway_ids: { gateway_id: `eui-${id}`, eui: id.toUpperCase() },
      time: text(({ rxTime }) => nanoseconds(rxTime)),
      timestamp: number(({ uplinkId }) => uplinkId),
      rssi: number(({ rssi }) => rssi),
      channel_rssi: number(({ rssi }) => rssi),
      snr: number(({ snr }) => snr),
      location: { ...location, source: 'SOURCE_REGISTRY' },
      uplink_token: text(({ context }) => context),
      received_at: text(({ rxTime }) => nanoseconds(rxTime + 30)),
    })),
);

function rxMetadata(reception: Reception): string {
  return rxMetadataBy(reception.gateway)(reception);
}

/** The Things Stack writes nine decimals. */
function nanoseconds(time: number): string {
  return `${timeText(time)}000000Z`;
}

function deviceIdOf({ id }: CityDevice): string {
  return `eui-${id}`;
}

export function theThingsStackEnvelope(uplink: LorawanUplink): Envelope {
  const deviceId = deviceIdOf(uplink.device);
  return {
    topic: `v3/${theThingsApplication}@${theThingsTenant}/devices/${deviceId}/up`,
    payload: messageBytes(message(uplink)),
  };
}
