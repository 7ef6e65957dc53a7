/**
 * What a gateway must be told of a city's networks, as parts of its configuration: who may publish
 * where, which webhooks there are, and which modems come over CoAP.
 */
import type { Account } from '../mqtt-publisher.ts';
import type { CityDevice, Scenario } from '../scenario.ts';
import { chirpstackApplicationId } from './chirpstack.ts';
import { chirpstackV3Application } from './chirpstack-v3.ts';
import { regionPrefix } from './gateway-bridge.ts';
import { loriotTopic } from './loriot.ts';
import { senderOf } from './network-servers.ts';
import { theThingsApplication, theThingsTenant } from './the-things-stack.ts';
import { thingParkTunnel } from './thingpark.ts';

/** Simulated uplinks are of any time within a year of now, in both directions. */
const tokenWindowSeconds = 366 * 86_400;
/** All modems of a city come from one address. */
const coapMessagesPerSecondMax = 5_000;

/** Who sends messages: a network, or the device itself by its modem. */
export type Sender = Pick<CityDevice, 'network' | 'via' | 'id'>;

/** Networks that are let in whatever devices a city has: they have an account with most towns. */
export const usualNetworks = ['gateway-bridge', 'chirpstack', 'the-things-stack'] as const;

/** Every account that the city's messages come from, by its name. */
export function sendersOf({ devices }: Scenario): ReadonlyMap<string, Sender> {
  const usual = usualNetworks.map(
    (network) => [network, { network, via: 'mqtt', id: network }] as const,
  );
  return new Map<string, Sender>([
    ...usual,
    ...devices.map((device) => [senderOf(device), device] as const),
  ]);
}

export interface GatewayDoors {
  /** Entries of `mqtt.clients`. */
  readonly clients: readonly object[];
  /** The section `ingest`; absent when MQTT is all that the city speaks. */
  readonly ingest?: object;
}

export interface CityDoors {
  readonly accountOf: (sender: string) => Account;
  readonly coap: { readonly host: string; readonly port: number };
}

export function gatewayDoors(scenario: Scenario, { accountOf, coap }: CityDoors): GatewayDoors {
  const senders = [...sendersOf(scenario)].map(([name, sender]) => ({
    ...{ name, sender, account: accountOf(name) },
  }));
  const by = (via: Sender['via']) => senders.filter(({ sender }) => sender.via === via);
  const clients = by('mqtt').map(({ sender, account }) => clientOf(sender, account));
  const tunnel = thingParkTunnel(scenario.seed);
  const sources = by('http').map(({ name, sender, account }) => ({
    ...{ name, ...readerOf(sender) },
    auth:
      sender.network === 'thingpark'
        ? { kind: 'thingpark', ...tunnel, timeWindowSeconds: tokenWindowSeconds }
        : { kind: 'basic', ...account },
  }));
  const accounts = by('coap').map(({ name, sender, account }) => ({
    ...{ name, token: account.password, deviceId: sender.id },
  }));
  const routes = by('mqtt').some(({ sender }) => sender.network === 'loriot')
    ? { routes: [{ topic: loriotTopic, adapter: 'loriot' }] }
    : {};
  if (sources.length === 0 && accounts.length === 0) return { clients };
  const limits = { messagesPerSecondMax: coapMessagesPerSecondMax };
  return {
    clients,
    ingest: { ...routes, webhooks: { sources }, coap: { ...coap, accounts, ...limits } },
  };
}

/** Each account may publish on its own topics and read nothing. */
function clientOf(sender: Sender, account: Account): object {
  const { network, id } = sender;
  const isServer = network !== 'modem' && network !== 'gateway-bridge';
  return {
    ...{ ...account, vouches: isServer ? 'network-server' : 'credential' },
    ...{ publish: [topicsOf(sender)], subscribe: [] },
    ...(network === 'modem' ? { deviceId: id } : {}),
  };
}

function topicsOf({ network, id }: Sender): string {
  switch (network) {
    case 'gateway-bridge':
      return `${regionPrefix}/gateway/+/event/+`;
    case 'chirpstack':
      return `application/${chirpstackApplicationId}/device/+/event/+`;
    case 'chirpstack-v3':
      return `application/${chirpstackV3Application}/device/+/event/+`;
    case 'the-things-stack':
      return `v3/${theThingsApplication}@${theThingsTenant}/devices/+/up`;
    case 'thingpark':
      return 'mqtt/things/+/uplink';
    case 'loriot':
      return loriotTopic;
    case 'modem':
      return `up/${id}`;
  }
}

/** The adapter of a webhook, and what its sender may say. */
function readerOf({ network, id }: Sender): object {
  const server = (adapter: string) => ({ adapter, vouches: 'network-server' });
  switch (network) {
    case 'chirpstack':
      return server('chirpstack-json');
    case 'chirpstack-v3':
      return server('chirpstack-v3-json');
    case 'the-things-stack':
      return server('the-things-stack-v3-json');
    case 'modem':
      return { adapter: 'modem-json', vouches: 'credential', deviceId: id };
    default:
      return server(network);
  }
}
