/**
 * What the ChirpStack Gateway Bridge (v4, JSON) publishes when a gateway hears a frame: the raw
 * PHYPayload, once for every gateway that heard it.
 */
import { bandwidth, type Reception, type Transmission } from '../lorawan/radio.ts';
import type { Envelope } from './envelope.ts';

/** The region prefix of the topics; empty in installations with one region. */
export const regionPrefix = 'eu868';

export function gatewayBridgeEnvelopes(
  phyPayload: Buffer,
  transmission: Transmission,
): [Envelope, ...Envelope[]] {
  const [best, ...others] = transmission.receptions;
  return [
    envelope(phyPayload, transmission, best),
    ...others.map((reception) => envelope(phyPayload, transmission, reception)),
  ];
}

function envelope(phyPayload: Buffer, radio: Transmission, reception: Reception): Envelope {
  const frame = {
    phyPayload: phyPayload.toString('base64'),
    txInfo: {
      frequency: radio.frequency,
      modulation: {
        lora: { bandwidth, spreadingFactor: radio.spreadingFactor, codeRate: 'CR_4_5' },
      },
    },
    rxInfo: {
      gatewayId: reception.gateway.id,
      uplinkId: reception.uplinkId,
      gwTime: new Date(reception.rxTime).toISOString(),
      rssi: reception.rssi,
      snr: reception.snr,
      channel: reception.channel,
      location: reception.gateway.location,
      context: reception.context,
      crcStatus: 'CRC_OK',
    },
  };
  return {
    topic: `${regionPrefix}/gateway/${reception.gateway.id}/event/up`,
    payload: Buffer.from(JSON.stringify(frame)),
  };
}
