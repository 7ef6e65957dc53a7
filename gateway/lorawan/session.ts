/** How a device's stored keys make a LoRaWAN session. */
import type { Device, Session } from '../model/device.ts';
import type { DeviceKeys } from './device-input.ts';

export type KeyName = keyof DeviceKeys;

/** The key's 16 bytes, or undefined when it is not held or cannot be opened. */
export type KeyReader = (name: KeyName) => Buffer | undefined;

/**
 * Undefined without a DevAddr and a whole set of session keys. The keys decide the version, not
 * `macVersion`: a 1.1 device that joined a 1.0 network has a 1.0 session.
 */
export function sessionOf(device: Device, keyOf: KeyReader): Session | undefined {
  const appSKey = keyOf('appSKey');
  if (device.devAddr === undefined || appSKey === undefined) return undefined;
  const base = { deviceId: device.id, devAddr: device.devAddr };
  const nwkSKey = keyOf('nwkSKey');
  if (nwkSKey !== undefined) {
    const keys = { appSKey, fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey };
    return { ...base, macVersion: '1.0', keys };
  }
  const fNwkSIntKey = keyOf('fNwkSIntKey');
  const sNwkSIntKey = keyOf('sNwkSIntKey');
  const nwkSEncKey = keyOf('nwkSEncKey');
  if (fNwkSIntKey === undefined || sNwkSIntKey === undefined || nwkSEncKey === undefined) {
    return undefined;
  }
  return { ...base, macVersion: '1.1', keys: { appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey } };
}
