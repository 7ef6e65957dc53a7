/**
 * What the ChirpStack Gateway Bridge (v4, JSON) publishes when a gateway hears a frame: the raw
 * PHYPayload, once for every gateway that heard it.
 */
import { bandwidth } from '../lorawan/propagation.ts';
import type { Reception, Transmission } from '../lorawan/radio.ts';
import type { CityGateway } from '../scenario.ts';
import type { Envelope } from './envelope.ts';
import { cutTemplate, keptFor, messageBytes, type Template } from './template.ts';
import { timeText } from './time-text.ts';

/** The region prefix of the topics; empty in installations with one region. */
export const regionPrefix = 'eu868';

export function gatewayBridgeEnvelopes(
  phyPayload: Buffer,
  transmission: Transmission,
): [Envelope, ...Envelope[]] {
  const frame = phyPayload.toString('base64');
  const [best, ...others] = transmission.receptions;
  return [
    envelope(frame, transmission, best),
    ...others.map((reception) => envelope(frame, transmission, reception)),
  ];
}

interface HeardFrame {
  /** Base64. */
  readonly frame: string;
  readonly radio: Transmission;
  readonly reception: Reception;
}

const heardBy = keptFor(
  (gateway: CityGateway): Template<HeardFrame> =>
    cutTemplate(({ text, number }) => ({
      phyPayload: text(({ frame }) => frame),
      txInfo: {
        frequency: number(({ radio }) => radio.frequency),
        modulation: {
          lora: {
            bandwidth,
            spreadingFactor: number(({ radio }) => radio.spreadingFactor),
            codeRate: 'CR_4_5',
          },
        },
      },
      rxInfo: {
        gatewayId: gateway.id,
        uplinkId: number(({ reception }) => reception.uplinkId),
        gwTime: text(({ reception }) => `${timeText(reception.rxTime)}Z`),
        rssi: number(({ reception }) => reception.rssi),
        snr: number(({ reception }) => reception.snr),
        channel: number(({ reception }) => reception.channel),
        location: gateway.location,
        context: text(({ reception }) => reception.context),
        crcStatus: 'CRC_OK',
      },
    })),
);

function envelope(frame: string, radio: Transmission, reception: Reception): Envelope {
  const { gateway } = reception;
  return {
    topic: `${regionPrefix}/gateway/${gateway.id}/event/up`,
    payload: messageBytes(heardBy(gateway)({ frame, radio, reception })),
  };
}
