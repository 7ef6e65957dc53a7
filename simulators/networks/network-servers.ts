/**
 * The messages in which each network server hands on an uplink, by MQTT or as webhooks: where they
 * go, and in which of its forms.
 */
import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import type { CityDevice } from '../scenario.ts';
import { chirpstackEnvelope } from './chirpstack.ts';
import { chirpstackV3Application, chirpstackV3Json } from './chirpstack-v3.ts';
import type { Envelope } from './envelope.ts';
import { loriotGwJson, loriotRxJson, loriotTopic } from './loriot.ts';
import { messageBytes } from './template.ts';
import { theThingsStackEnvelope } from './the-things-stack.ts';
import {
  type ThingParkTunnel,
  thingParkFlowJson,
  thingParkQuery,
  thingParkTunnelJson,
} from './thingpark.ts';

/** Most send one message for an uplink; LORIOT's webhooks bring it twice. */
export type ServerMessages = (uplink: LorawanUplink) => [Envelope, ...Envelope[]];

/** Who sends the messages of a device: the name of the account, and of the webhook's source. */
export function senderOf({ id, network, via }: Pick<CityDevice, 'id' | 'network' | 'via'>): string {
  if (network === 'modem') return id;
  return via === 'mqtt' ? network : `${network}-webhook`;
}

/** The path of a sender's webhook. */
export function webhookPath(sender: string): string {
  return `/ingest/${sender}`;
}

export function serverMessages(device: CityDevice, tunnel: ThingParkTunnel): ServerMessages {
  const path = webhookPath(senderOf(device));
  return device.via === 'mqtt' ? publishedBy(device) : postedBy(device, { path, tunnel });
}

function publishedBy({ network, id }: CityDevice): ServerMessages {
  switch (network) {
    case 'chirpstack':
      return (uplink) => [chirpstackEnvelope(uplink)];
    case 'the-things-stack':
      return (uplink) => [theThingsStackEnvelope(uplink)];
    case 'chirpstack-v3': {
      const topic = `application/${chirpstackV3Application}/device/${id}/event/up`;
      const write = chirpstackV3Json({ form: 'own' });
      return (uplink) => [{ topic, payload: messageBytes(write(uplink)) }];
    }
    case 'thingpark': {
      const topic = `mqtt/things/${id.toUpperCase()}/uplink`;
      return (uplink) => [{ topic, payload: messageBytes(thingParkFlowJson(uplink)) }];
    }
    case 'loriot':
      return (uplink) => [{ topic: loriotTopic, payload: messageBytes(loriotGwJson(uplink)) }];
    default:
      throw new RangeError(`${network} is no network server`);
  }
}

interface Webhook {
  readonly path: string;
  readonly tunnel: ThingParkTunnel;
}

/** ChirpStack names the event in the query; ThingPark proves itself there. */
function postedBy({ network }: CityDevice, { path, tunnel }: Webhook): ServerMessages {
  switch (network) {
    case 'chirpstack':
      return (uplink) => [{ ...chirpstackEnvelope(uplink), topic: `${path}?event=up` }];
    case 'the-things-stack':
      return (uplink) => [{ ...theThingsStackEnvelope(uplink), topic: path }];
    case 'chirpstack-v3': {
      const write = chirpstackV3Json({ form: 'protobuf' });
      return (uplink) => [{ topic: `${path}?event=up`, payload: messageBytes(write(uplink)) }];
    }
    case 'thingpark':
      return (uplink) => [
        {
          topic: `${path}?${thingParkQuery(uplink, tunnel)}`,
          payload: messageBytes(thingParkTunnelJson(uplink)),
        },
      ];
    case 'loriot':
      return (uplink) => [
        { topic: path, payload: messageBytes(loriotRxJson(uplink)) },
        { topic: path, payload: messageBytes(loriotGwJson(uplink)) },
      ];
    default:
      throw new RangeError(`${network} is no network server`);
  }
}
