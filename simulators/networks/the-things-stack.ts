/**
 * What The Things Stack v3 publishes for an uplink (JSON). Its encoder drops zero values, so the
 * first uplink of a session has no `f_cnt`, and frequencies are text.
 */

import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import { bandwidth, type Reception } from '../lorawan/radio.ts';
import type { Envelope } from './envelope.ts';

export const theThingsApplication = 'baku-city';
export const theThingsTenant = 'fieldgate';

export function theThingsStackEnvelope(uplink: LorawanUplink): Envelope {
  const { device, transmission } = uplink;
  const deviceId = `eui-${device.id}`;
  const receivedAt = nanoseconds(uplink.time + 200);
  const message = {
    end_device_ids: {
      device_id: deviceId,
      application_ids: { application_id: theThingsApplication },
      dev_eui: device.id.toUpperCase(),
      join_eui: '0000000000000000',
      dev_addr: device.devAddr.toUpperCase(),
    },
    correlation_ids: [`gs:uplink:${uplink.messageId}`, `as:up:${uplink.messageId}`],
    received_at: nanoseconds(uplink.time + 220),
    uplink_message: {
      session_key_id: Buffer.from(device.id, 'hex').toString('base64'),
      f_port: uplink.fPort,
      ...(uplink.fCnt === 0 ? {} : { f_cnt: uplink.fCnt }),
      frm_payload: uplink.frmPayload.toString('base64'),
      ...(uplink.object === undefined ? {} : { decoded_payload: uplink.object }),
      rx_metadata: transmission.receptions.map(rxMetadata),
      settings: {
        data_rate: {
          lora: {
            bandwidth,
            spreading_factor: transmission.spreadingFactor,
            coding_rate: '4/5',
          },
        },
        frequency: String(transmission.frequency),
        time: nanoseconds(uplink.time),
      },
      received_at: receivedAt,
      network_ids: { net_id: '000000', tenant_id: theThingsTenant, cluster_id: 'simulated' },
    },
  };
  return {
    topic: `v3/${theThingsApplication}@${theThingsTenant}/devices/${deviceId}/up`,
    payload: Buffer.from(JSON.stringify(message)),
  };
}

function rxMetadata(reception: Reception): Record<string, unknown> {
  return {
    gateway_ids: {
      gateway_id: `eui-${reception.gateway.id}`,
      eui: reception.gateway.id.toUpperCase(),
    },
    time: nanoseconds(reception.rxTime),
    timestamp: reception.uplinkId,
    rssi: reception.rssi,
    channel_rssi: reception.rssi,
    snr: reception.snr,
    location: { ...reception.gateway.location, source: 'SOURCE_REGISTRY' },
    uplink_token: reception.context,
    received_at: nanoseconds(reception.rxTime + 30),
  };
}

/** The Things Stack writes nine decimals. */
function nanoseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000000Z');
}
