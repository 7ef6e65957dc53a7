/** A device registry on a state of its own, and what the tests put into it. */
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { open, type RootDatabase } from 'lmdb';
import { registryLimits } from '../../gateway/lorawan/device-claims.ts';
import type { DeviceKeys } from '../../gateway/lorawan/device-input.ts';
import { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import type { Device } from '../../gateway/model/device.ts';
import { scratchFolder } from './scratch-folder.ts';

export const appSKey = 'ec925802ae430ca77fd3dd73cb2cc588';
export const nwkSKey = '44024241ed4ce9a68c6a8bc055233fd3';
export const keys: DeviceKeys = { appSKey, nwkSKey };
export const device: Device = {
  id: '70b3d57ed0000001',
  kind: 'lorawan',
  activation: 'abp',
  devAddr: '49be7df1',
};

/** Closed after each test; a test that closes one itself takes it out. */
export const roots: RootDatabase[] = [];

afterEach(async () => {
  await Promise.all(roots.splice(0).map((root) => root.close()));
});

export function openRoot(folder: string): RootDatabase {
  const root = open({ path: join(folder, 'state'), maxDbs: 12 });
  roots.push(root);
  return root;
}

export function openRegistry(folder = scratchFolder(), limits = registryLimits) {
  const root = openRoot(folder);
  const vault = openKeyVault(join(folder, 'master.key'));
  return { root, vault, folder, registry: new DeviceRegistry(root, vault, { limits }) };
}

export const idOf = (index: number) => (0x70b3d57ed0000000n + BigInt(index)).toString(16);
export const idsOf = (page: { readonly devices: readonly Device[] }) =>
  page.devices.map(({ id }) => id);
