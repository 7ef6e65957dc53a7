/**
 * Devices with their keys for another server: each key in an envelope under a key-encryption key
 * that both know, never in clear. Another gateway of this kind imports them as they are.
 */
import type { Device, Session } from '../model/device.ts';
import type { DeviceRegistry } from './device-registry.ts';
import type { JoinBook } from './join-book.ts';
import { type KeyEnvelope, sealEnvelope } from './key-envelope.ts';
import type { KeyName } from './session.ts';

export interface SharedKek {
  readonly label: string;
  readonly key: Buffer;
}

export type ExportedDevice = Device & {
  readonly keys: Readonly<Record<string, KeyEnvelope>>;
};

export interface KeyExport {
  readonly devices: readonly ExportedDevice[];
  /** Ids of devices with a key that does not open: they are left out. */
  readonly unreadable: readonly string[];
}

const sessionNames = ['appSKey', 'nwkSKey', 'fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey'] as const;
const pageSize = 1_000;

/** Every device that has keys, or those of `ids`; ids that nobody has are passed over. */
export function exportKeys(
  parts: { readonly registry: DeviceRegistry; readonly joinBook: JoinBook },
  kek: SharedKek,
  ids?: readonly string[],
): KeyExport {
  const devices: ExportedDevice[] = [];
  const unreadable: string[] = [];
  for (const device of ids === undefined ? allOf(parts.registry) : someOf(parts.registry, ids)) {
    const keys = parts.registry.keysOf(device.id);
    const joined = parts.joinBook.sessionInUse(device.id);
    if (keys === undefined || joined === 'unreadable') unreadable.push(device.id);
    else if (keys.size > 0 || joined !== undefined)
      devices.push(exported(device, keys, joined, kek));
  }
  return { devices, unreadable };
}

function* allOf(registry: DeviceRegistry): Generator<Device> {
  let after: string | undefined;
  do {
    const page = registry.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield* page.devices;
    after = page.next;
  } while (after !== undefined);
}

function someOf(registry: DeviceRegistry, ids: readonly string[]): readonly Device[] {
  return ids.flatMap((id) => registry.get(id) ?? []);
}

/** A session that the device has joined since stands in the place of the registered one. */
function exported(
  device: Device,
  keys: ReadonlyMap<KeyName, Buffer>,
  joined: Session | undefined,
  { label, key: kek }: SharedKek,
): ExportedDevice {
  const all = new Map<string, Buffer>(keys);
  if (joined !== undefined) {
    for (const name of sessionNames) all.delete(name);
    for (const [name, key] of Object.entries(sessionKeysOf(joined))) all.set(name, key);
  }
  const envelopes = [...all].map(([name, key]) => [name, sealEnvelope(key, label, kek)]);
  const devAddr = joined?.devAddr ?? device.devAddr;
  return {
    ...device,
    ...(devAddr === undefined ? {} : { devAddr }),
    keys: Object.fromEntries(envelopes),
  };
}

/** A 1.0 session has one network key, by a name of its own. */
function sessionKeysOf({ macVersion, keys }: Session): Readonly<Record<string, Buffer>> {
  if (macVersion === '1.1') return { ...keys };
  return { appSKey: keys.appSKey, nwkSKey: keys.fNwkSIntKey };
}
