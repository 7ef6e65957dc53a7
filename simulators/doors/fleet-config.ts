/** What a gateway has to know of a fleet: its devices with their keys, for its configuration. */
import type { Fleet, FleetDevice } from '../lorawan/fleet-plan.ts';

/** Every payload of a fleet is Cayenne LPP. */
const codec = 'cayenne-lpp';

export function fleetDeviceEntries(fleet: Fleet): Record<string, unknown>[] {
  return fleet.devices.map((device) => ({
    ...{ id: device.identity.devEui, kind: 'lorawan', codec, location: device.location },
    ...{ macVersion: device.identity.macVersion, tags: { simulated: 'true' } },
    ...activation(device),
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
