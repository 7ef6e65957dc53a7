/** What a gateway has to know of a fleet: its devices with their keys, and who may come in. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Door, Fleet, FleetDevice } from '../lorawan/fleet-plan.ts';
import type { Account } from '../mqtt-publisher.ts';
import { regionPrefix } from '../networks/gateway-bridge.ts';
import { writeSecrets } from '../secret-files.ts';

/** Every payload of a fleet is Cayenne LPP. */
const codec = 'cayenne-lpp';
const host = '127.0.0.1';
const ports = { http: 8080, mqtt: 1883, udp: 1700, basicStation: 3001 } as const;
/**
 * The same frame of a confirmed uplink comes again until it is acknowledged; where the duty cycle
 * makes a device wait between eight of them, that takes minutes.
 */
const copyWindowMs = 600_000;

/**
 * As `fieldgate devices import` and the section `devices` of a configuration take them. The keys
 * come of the seed, which is no secret: each device says that it is a test.
 */
export function fleetDeviceEntries(fleet: Fleet): Record<string, unknown>[] {
  return fleet.devices.map((device, index) => ({
    ...{ id: device.identity.devEui, kind: 'lorawan', name: `TEST fleet device ${index + 1}` },
    ...{ codec, location: device.location, macVersion: device.identity.macVersion },
    ...{ tags: { simulated: 'true', keys: 'test' }, ...activation(device) },
  }));
}

function activation({ identity }: FleetDevice): Record<string, unknown> {
  if (identity.activation.kind === 'abp') {
    const { devAddr, keys } = identity.activation.session;
    const held = { nwkSKey: hex(keys.fNwkSIntKey), appSKey: hex(keys.appSKey) };
    return { activation: 'abp', devAddr, keys: held };
  }
  const { appKey, nwkKey } = identity.activation.roots;
  const roots = { appKey: hex(appKey), ...(nwkKey === undefined ? {} : { nwkKey: hex(nwkKey) }) };
  return { activation: 'otaa', joinEui: identity.joinEui, keys: roots };
}

const hex = (key: Buffer): string => key.toString('hex');
const secret = (): string => randomBytes(24).toString('base64url');

/** A line a device, so that two files can be compared. */
export function fleetDevicesText(fleet: Fleet): string {
  const lines = fleetDeviceEntries(fleet).map((entry) => JSON.stringify(entry));
  return `[\n${lines.join(',\n')}\n]\n`;
}

export interface FleetDoorsPlan {
  /** Of the gateway bridge. */
  readonly account: Account;
  /** Of every station. */
  readonly token: string;
  readonly ports: { readonly udp: number; readonly basicStation: number };
}

/** Parts of a gateway's configuration: who of the fleet may come in, and where. */
export function fleetDoorsConfig(fleet: Fleet, { account, token, ports }: FleetDoorsPlan) {
  const of = (door: Door) => fleet.gateways.filter((gateway) => gateway.door === door);
  const gateways = of('semtech-udp').map(({ id }) => id);
  const stations = of('basic-station').map(({ id }) => ({ eui: id, token }));
  return {
    clients: [{ ...account, publish: [`${regionPrefix}/gateway/#`], subscribe: [] }],
    ingest: {
      ...(gateways.length === 0 ? {} : { udp: { host, port: ports.udp, gateways } }),
      ...(stations.length === 0
        ? {}
        : { basicStation: { host, port: ports.basicStation, stations } }),
    },
    ledger: { copyWindowMs },
  };
}

/**
 * The gateway's configuration, the accounts of the fleet's doors, a viewer's token and the devices
 * apart. Rejects when a file is there already.
 */
export function writeFleetSetup(directory: string, fleet: Fleet): Promise<string[]> {
  const account = { username: 'gateway-bridge', password: secret() };
  const [token, viewer] = [secret(), secret()];
  const { clients, ingest, ledger } = fleetDoorsConfig(fleet, { account, token, ports });
  const config = {
    version: 1,
    dataDir: resolve(directory, 'data'),
    http: { host, port: ports.http, tokens: [{ name: 'fleet', role: 'viewer', token: viewer }] },
    mqtt: { tcp: { host, port: ports.mqtt }, clients },
    ...{ ingest, ledger, devices: fleetDeviceEntries(fleet), store: { kind: 'embedded' } },
  };
  return writeSecrets(directory, {
    'gateway.yaml': stringify(config),
    'accounts.yaml': stringify({ 'gateway-bridge': account, 'basic-station': { token } }),
    'viewer.token': `${viewer}\n`,
    'devices.json': fleetDevicesText(fleet),
  });
}
