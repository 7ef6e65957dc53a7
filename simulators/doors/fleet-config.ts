/** What a gateway has to know of a fleet: its devices with their keys, and who may come in. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Door, Fleet, FleetDevice } from '../lorawan/fleet-plan.ts';
import { regionPrefix } from '../networks/gateway-bridge.ts';
import { writeSecrets } from '../rehearsal.ts';

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

/**
 * The gateway's configuration, the accounts of the fleet's doors, a viewer's token and the devices
 * apart. Rejects when a file is there already.
 */
export function writeFleetSetup(directory: string, fleet: Fleet): Promise<string[]> {
  const bridge = { username: 'gateway-bridge', password: secret() };
  const stations = { token: secret() };
  const viewer = secret();
  const of = (door: Door) => fleet.gateways.filter((gateway) => gateway.door === door);
  const [udp, station] = [of('semtech-udp'), of('basic-station')];
  const config = {
    version: 1,
    dataDir: resolve(directory, 'data'),
    http: { host, port: ports.http, tokens: [{ name: 'fleet', role: 'viewer', token: viewer }] },
    mqtt: {
      tcp: { host, port: ports.mqtt },
      clients: [{ ...bridge, publish: [`${regionPrefix}/gateway/#`], subscribe: [] }],
    },
    ingest: {
      ...(udp.length === 0
        ? {}
        : { udp: { host, port: ports.udp, gateways: udp.map(({ id }) => id) } }),
      ...(station.length === 0
        ? {}
        : {
            basicStation: {
              ...{ host, port: ports.basicStation },
              stations: station.map(({ id }) => ({ eui: id, token: stations.token })),
            },
          }),
    },
    ledger: { copyWindowMs },
    devices: fleetDeviceEntries(fleet),
    store: { kind: 'embedded' },
  };
  return writeSecrets(directory, {
    'gateway.yaml': stringify(config),
    'accounts.yaml': stringify({ 'gateway-bridge': bridge, 'basic-station': stations }),
    'viewer.token': `${viewer}\n`,
    'devices.json': fleetDevicesText(fleet),
  });
}
