/** Opens a fleet's doors at the addresses that an operator named with `--to`. */
import type { ReplayAccounts } from '../capture/wire.ts';
import { TargetRefused } from '../capture/wires.ts';
import type { Door, Fleet } from '../lorawan/fleet-plan.ts';
import { openBridgeDoor } from './bridge-door.ts';
import type { GatewayDoor } from './door.ts';
import type { FleetDoors } from './fleet-run.ts';
import { openForwarderDoor } from './forwarder-door.ts';
import { openStationDoor } from './station-door.ts';

const doorsByScheme: Readonly<Record<string, Door>> = {
  ...{ 'mqtt:': 'gateway-bridge', 'mqtts:': 'gateway-bridge' },
  'udp:': 'semtech-udp',
  ...{ 'ws:': 'basic-station', 'wss:': 'basic-station' },
};
const udpPort = 1700;

export interface FleetTarget {
  readonly door: Door;
  readonly url: URL;
}

/** Throws a TargetRefused when one is none, or two are of a kind. */
export function fleetTargets(targets: readonly string[]): FleetTarget[] {
  const found = targets.map((target) => {
    const url = URL.canParse(target) ? new URL(target) : undefined;
    const door = doorsByScheme[url?.protocol ?? ''];
    if (url === undefined || door === undefined) {
      throw new TargetRefused(
        `${target} begins with none of mqtt://, mqtts://, udp://, ws://, wss://`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw new TargetRefused('a target holds no name or password: give them with --accounts');
    }
    return { door, url };
  });
  const doors = found.map(({ door }) => door);
  const twice = doors.find((door, index) => doors.indexOf(door) !== index);
  if (twice !== undefined) throw new TargetRefused(`two targets for ${twice}: one is enough`);
  return found;
}

/**
 * The account of the gateway bridge and the token of the stations go by the names of the doors.
 * Rejects with a sentence for the operator when a door stays shut, and then leaves none open.
 */
export async function openFleetDoors(
  fleet: Fleet,
  targets: readonly FleetTarget[],
  accounts: ReplayAccounts,
): Promise<FleetDoors> {
  const results = await Promise.allSettled(
    targets.map(async (target) => [target.door, await openDoor(fleet, target, accounts)] as const),
  );
  const opened = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = results.find((one) => one.status === 'rejected');
  if (refused === undefined) return Object.fromEntries(opened);
  await Promise.all(opened.map(([, door]) => door.close()));
  throw refused.reason;
}

async function openDoor(
  fleet: Fleet,
  { door, url }: FleetTarget,
  accounts: ReplayAccounts,
): Promise<GatewayDoor> {
  const gateways = fleet.gateways.filter((gateway) => gateway.door === door);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  switch (door) {
    case 'gateway-bridge': {
      const { username, password = '' } = accounts.of(door) ?? {};
      const account = username === undefined ? undefined : { username, password };
      return openBridgeDoor({ url: url.href, account });
    }
    case 'semtech-udp':
      return openForwarderDoor({ host, port: Number(url.port || udpPort), gateways });
    case 'basic-station': {
      const { token } = accounts.of(door) ?? {};
      const base = url.href.replace(/\/$/, '');
      return openStationDoor({ url: base, gateways, ...(token === undefined ? {} : { token }) });
    }
  }
}
