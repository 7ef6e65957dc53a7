/** The gateway's config for a simulated city, with accounts and passwords new in each run. */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import type { Account } from './mqtt-publisher.ts';
import { chirpstackApplicationId } from './networks/chirpstack.ts';
import { regionPrefix } from './networks/gateway-bridge.ts';
import { theThingsApplication, theThingsTenant } from './networks/the-things-stack.ts';
import type { CityAccounts } from './run.ts';
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
  /** Further entries of `mqtt.clients`. */
  readonly clients?: readonly object[];
}

export function createDemoConfig(scenario: Scenario, places: DemoPlaces): DemoConfig {
  const accounts = createAccounts(scenario);
  const token = secret();
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
      clients: [...mqttClients(accounts), ...(places.clients ?? [])],
    },
    devices: scenario.devices.map(deviceEntry),
    store: { kind: 'embedded' },
  };
  return { yaml: stringify(config), accounts, token };
}

function createAccounts(scenario: Scenario): CityAccounts {
  const modems = scenario.devices.filter(({ network }) => network === 'modem');
  return {
    gatewayBridge: account('gateway-bridge'),
    chirpstack: account('chirpstack'),
    theThingsStack: account('the-things-stack'),
    modems: Object.fromEntries(modems.map(({ id }) => [id, account(id)])),
  };
}

function account(username: string): Account {
  return { username, password: secret() };
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

/** Each account may publish on its own topics and read nothing. */
function mqttClients(accounts: CityAccounts): unknown[] {
  const application = `application/${chirpstackApplicationId}/device/+/event/+`;
  const theThings = `v3/${theThingsApplication}@${theThingsTenant}/devices/+/up`;
  return [
    client(accounts.gatewayBridge, 'credential', `${regionPrefix}/gateway/+/event/+`),
    client(accounts.chirpstack, 'network-server', application),
    client(accounts.theThingsStack, 'network-server', theThings),
    ...Object.entries(accounts.modems).map(([deviceId, modem]) => ({
      ...client(modem, 'credential', `up/${deviceId}`),
      deviceId,
    })),
  ];
}

function client(
  from: Account,
  vouches: 'network-server' | 'credential',
  publish: string,
): Record<string, unknown> {
  return { ...from, vouches, publish: [publish], subscribe: [] };
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
