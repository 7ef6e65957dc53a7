/** The gateway's config for a simulated city, with accounts and passwords new in each run. */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { type DemoFleet, demoFleetConfig } from './demo-fleet.ts';
import type { Account } from './mqtt-publisher.ts';
import { gatewayDoors, sendersOf, usualNetworks } from './networks/gateway-doors.ts';
import { accountsBySender, type CityAccounts } from './run.ts';
import type { CityDevice, Scenario } from './scenario.ts';

const host = '127.0.0.1';

export interface DemoConfig {
  readonly yaml: string;
  readonly accounts: CityAccounts;
  /** A viewer's bearer token for the HTTP API and the live stream. */
  readonly token: string;
}

export interface DemoPlaces {
  readonly dataDir: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  /** Where modems come over CoAP, if the city has such; 0 picks a free one, as if not given. */
  readonly coapPort?: number;
  /** Further entries of `mqtt.clients`. */
  readonly clients?: readonly object[];
  /** Devices that join, with gateways and doors of their own. */
  readonly fleet?: DemoFleet;
}

export function createDemoConfig(scenario: Scenario, places: DemoPlaces): DemoConfig {
  const accounts = createAccounts(scenario);
  const named = new Map(Object.entries(accountsBySender(accounts)));
  const { clients, ingest } = gatewayDoors(scenario, {
    accountOf: (sender) => named.get(sender) ?? account(sender),
    coap: { host, port: places.coapPort ?? 0 },
  });
  const token = secret();
  const fleet = places.fleet === undefined ? undefined : demoFleetConfig(places.fleet);
  const config = {
    version: 1,
    dataDir: places.dataDir,
    http: {
      host,
      port: places.httpPort,
      tokens: [{ name: 'demo', role: 'viewer', token }],
    },
    mqtt: {
      tcp: { host, port: places.mqttPort },
      clients: [...clients, ...(places.clients ?? []), ...(fleet?.clients ?? [])],
    },
    ...(ingest === undefined && fleet === undefined
      ? {}
      : { ingest: { ...ingest, ...fleet?.ingest } }),
    ...(fleet === undefined ? {} : { ledger: fleet.ledger }),
    devices: [...scenario.devices.map(deviceEntry), ...(fleet?.devices ?? [])],
    store: { kind: 'embedded' },
  };
  return { yaml: stringify(config), accounts, token };
}

function createAccounts(scenario: Scenario): CityAccounts {
  const senders = [...sendersOf(scenario)];
  const named = (names: readonly (typeof senders)[number][]) =>
    Object.fromEntries(names.map(([name]) => [name, account(name)]));
  const usual = new Set<string>(usualNetworks);
  return {
    gatewayBridge: account('gateway-bridge'),
    chirpstack: account('chirpstack'),
    theThingsStack: account('the-things-stack'),
    modems: named(senders.filter(([, { network }]) => network === 'modem')),
    others: named(senders.filter(([name, { network }]) => network !== 'modem' && !usual.has(name))),
  };
}

function account(username: string): Account {
  return { username, password: secret() };
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

/** Only frames that the gateway opens itself need keys here. */
function deviceEntry(device: CityDevice): Record<string, unknown> {
  const isFrame = device.network === 'gateway-bridge';
  return {
    id: device.id,
    kind: device.network === 'modem' ? 'cellular' : 'lorawan',
    name: device.name,
    agency: device.agency,
    area: device.district.name,
    location: device.location,
    model: device.model,
    tags: { simulated: 'true' },
    ...(device.codec === undefined ? {} : { codec: device.codec }),
    ...(isFrame ? session(device) : {}),
  };
}

function session(device: CityDevice): Record<string, unknown> {
  return {
    activation: 'abp',
    devAddr: device.devAddr,
    keys: {
      nwkSKey: device.nwkSKey.toString('hex'),
      appSKey: device.appSKey.toString('hex'),
    },
  };
}
