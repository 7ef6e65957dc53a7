import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type DeviceChange,
  DeviceRegistry,
  devicePageMax,
} from '../../gateway/lorawan/device-registry.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Device } from '../../gateway/model/device.ts';
import {
  appSKey,
  device,
  idOf,
  idsOf,
  keys,
  nwkSKey,
  openRegistry,
  openRoot,
  roots,
} from './registry-bench.ts';
import { scratchFolder } from './scratch-folder.ts';
import { bytes, uplinkOf, vectorOf } from './vectors.ts';

describe('Device registry', () => {
  it('knows a device from when it was put until it was deleted', async () => {
    const { registry } = openRegistry();
    expect(registry.get(device.id)).toBeUndefined();
    expect(await registry.put(device, keys)).toEqual([]);
    expect(registry.get(device.id)).toEqual(device);
    expect(registry.size).toBe(1);
    expect(await registry.delete(device.id)).toBe(true);
    expect(registry.get(device.id)).toBeUndefined();
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
    expect(registry.size).toBe(0);
    expect(await registry.delete(device.id)).toBe(false);
  });

  it('keeps devices and sessions across a restart', async () => {
    const { registry, root, vault, folder } = openRegistry();
    await registry.put(device, keys);
    await registry.put({ id: 'modem-7', kind: 'cellular', name: 'Pump 7' });
    await root.close();
    roots.length = 0;
    const reopened = new DeviceRegistry(openRoot(folder), vault);
    expect(idsOf(reopened.list({ limit: 10 }))).toEqual([device.id, 'modem-7']);
    const [session] = reopened.sessionsOf('49be7df1');
    expect(session).toMatchObject({ deviceId: device.id, devAddr: '49be7df1', macVersion: '1.0' });
    expect(session?.keys.appSKey).toEqual(bytes(appSKey));
    expect(session?.keys.sNwkSIntKey).toEqual(bytes(nwkSKey));
  });

  it('gives the session that proves a real frame', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    const uplink = uplinkOf(bytes(vectorOf('lp-test').phyPayload));
    const result = verifyUplink(
      uplink,
      (devAddr) => registry.sessionsOf(devAddr),
      () => undefined,
    );
    expect(result).toMatchObject({ deviceId: device.id, frmPayload: Buffer.from('test') });
  });

  it('writes no key in clear: not in hex, not in bytes, not in base64', async () => {
    const { registry, root, folder } = openRegistry();
    await registry.put(device, keys);
    await root.close();
    roots.length = 0;
    const files = readdirSync(join(folder, 'state'));
    expect(files).toContain('data.mdb');
    for (const file of files) {
      const stored = readFileSync(join(folder, 'state', file));
      for (const key of [appSKey, nwkSKey]) {
        expect(stored.includes(bytes(key))).toBe(false);
        expect(stored.toString('latin1').toLowerCase()).not.toContain(key);
        expect(stored.includes(bytes(key).toString('base64'))).toBe(false);
      }
    }
  });

  it('shows no key in any device it gives', async () => {
    const { registry } = openRegistry();
    const changes: DeviceChange[] = [];
    registry.onChange((change) => changes.push(change));
    await registry.put(device, keys);
    const shown = JSON.stringify([registry.get(device.id), registry.list({ limit: 9 }), changes]);
    expect(shown).not.toContain(appSKey);
    expect(shown).not.toContain('keys');
  });

  it('changes nothing and says why when a device is wrong', async () => {
    const { registry } = openRegistry();
    const problems = await registry.put({ ...device, id: 'no-eui' }, { appSKey: '12' });
    expect(problems.map(({ path }) => path)).toContain('keys.appSKey');
    expect(registry.size).toBe(0);
  });

  it('brings ids into their one spelling', async () => {
    const { registry } = openRegistry();
    await registry.put({ ...device, id: '70-B3-D5-7E-D0-00-00-01', devAddr: '49BE7DF1' }, keys);
    expect(registry.get(device.id)?.devAddr).toBe('49be7df1');
    expect(registry.sessionsOf('49be7df1')).toHaveLength(1);
  });

  it('keeps the keys held when a device is put without keys, else replaces them', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    await registry.put({ ...device, name: 'Bridge 3', devAddr: '26011bda' });
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
    expect(registry.sessionsOf('26011bda')[0]?.keys.appSKey).toEqual(bytes(appSKey));
    await registry.put(device, { appKey: appSKey });
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
  });

  it('keeps the keys of a put that is still being written', async () => {
    const { registry } = openRegistry();
    await Promise.all([registry.put(device, keys), registry.put({ ...device, name: 'Bridge 3' })]);
    expect(registry.get(device.id)?.name).toBe('Bridge 3');
    expect(registry.sessionsOf('49be7df1')).toHaveLength(1);
  });

  it('forgets the keys of a device that becomes a cellular one', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    await registry.put({ id: device.id, kind: 'cellular' });
    await registry.put(device);
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
  });

  it('gives every session of a DevAddr, and the same array until one changes', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    const before = registry.sessionsOf('49be7df1');
    expect(registry.sessionsOf('49be7df1')).toBe(before);
    await registry.put({ ...device, id: idOf(2) }, keys);
    await registry.put({ ...device, id: idOf(3) });
    const after = registry.sessionsOf('49be7df1');
    expect(after.map(({ deviceId }) => deviceId)).toEqual([device.id, idOf(2)]);
    await registry.delete(device.id);
    expect(registry.sessionsOf('49be7df1').map(({ deviceId }) => deviceId)).toEqual([idOf(2)]);
    expect(registry.sessionsOf('00000000')).toEqual([]);
  });

  it('makes a 1.1 session of three network keys', async () => {
    const { registry } = openRegistry();
    const network = { fNwkSIntKey: '01', sNwkSIntKey: '02', nwkSEncKey: '03' };
    const keys11 = Object.fromEntries(
      Object.entries(network).map(([name, byte]) => [name, byte.repeat(16)]),
    );
    await registry.put({ ...device, macVersion: '1.1' }, { appSKey, ...keys11 });
    expect(registry.sessionsOf('49be7df1')).toEqual([
      {
        deviceId: device.id,
        devAddr: '49be7df1',
        macVersion: '1.1',
        keys: {
          appSKey: bytes(appSKey),
          fNwkSIntKey: Buffer.alloc(16, 1),
          sNwkSIntKey: Buffer.alloc(16, 2),
          nwkSEncKey: Buffer.alloc(16, 3),
        },
      },
    ]);
  });

  it('makes no session of root keys alone', async () => {
    const { registry } = openRegistry();
    await registry.put(device, { appKey: appSKey });
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
  });

  it('tells listeners of each change in order, until they leave', async () => {
    const { registry } = openRegistry();
    const changes: string[] = [];
    const leave = registry.onChange(({ kind, id }) => changes.push(`${kind} ${id}`));
    await registry.put(device);
    await registry.put({ ...device, name: 'Bridge 3' });
    await registry.delete(device.id);
    await registry.delete(device.id);
    leave();
    await registry.put(device);
    const { id } = device;
    expect(changes).toEqual([`put ${id}`, `put ${id}`, `delete ${id}`]);
  });
});

describe('Many devices at once', () => {
  const cellular = (index: number) => ({ id: `meter-${index}`, kind: 'cellular' });
  const lorawan = (index: number) => ({ ...device, id: idOf(index), keys });

  it('are all registered in one write, and known after a restart', async () => {
    const { registry, root, folder } = openRegistry();
    const inputs = [...Array(300).keys()].map(cellular);
    const done = await registry.putAll([...inputs, lorawan(1)]);
    expect(done.flatMap(({ problems }) => problems)).toEqual([]);
    expect([registry.size, registry.sessionsOf('49be7df1')]).toEqual([301, [expect.anything()]]);
    await root.close();
    expect(openRegistry(folder).registry.size).toBe(301);
  });

  it('stay out together when the limit of devices is met midway', async () => {
    const limits = { devicesMax: 3, devicesPerDevAddrMax: 9 };
    const { registry, root, folder } = openRegistry(scratchFolder(), limits);
    await registry.put(device);
    const done = await registry.putAll([1, 2, 3].map(cellular));
    expect(done.map(({ problems }) => problems.length)).toEqual([0, 0, 1]);
    expect(registry.size).toBe(1);
    // One that is known already takes no more room.
    const replacing = await registry.putAll([cellular(1), device, cellular(2)]);
    expect(replacing.flatMap(({ problems }) => problems)).toEqual([]);
    await root.close();
    expect(idsOf(openRegistry(folder).registry.list({ limit: 9 }))).toHaveLength(3);
  });

  it('stay out together when too many of them share a DevAddr', async () => {
    const limits = { devicesMax: 9, devicesPerDevAddrMax: 2 };
    const { registry } = openRegistry(scratchFolder(), limits);
    const done = await registry.putAll([1, 2, 3].map(lorawan));
    expect(done.map(({ problems }) => problems.map(({ path }) => path))).toEqual([
      [],
      [],
      ['devAddr'],
    ]);
    expect(registry.size).toBe(0);
  });

  it('stay out together when one cannot be read or comes twice', async () => {
    const { registry } = openRegistry();
    for (const bad of [null, cellular(1)]) {
      const done = await registry.putAll([cellular(1), bad]);
      expect(done.map(({ problems }) => problems.length)).toEqual([0, 1]);
    }
    expect(registry.size).toBe(0);
  });

  it('keep the keys that they had when none are given', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    await registry.putAll([{ ...device, name: 'Well' }]);
    expect(registry.keysOf(device.id)?.size).toBe(2);
  });
});

describe('Device registry limits and damage', () => {
  it('says when it is full, and still lets a known device change', async () => {
    const limits = { devicesMax: 1, devicesPerDevAddrMax: 9 };
    const { registry } = openRegistry(scratchFolder(), limits);
    await registry.put(device);
    expect(await registry.put({ ...device, id: idOf(2) })).toMatchObject([{ path: '' }]);
    expect(await registry.put({ ...device, name: 'Bridge 3' })).toEqual([]);
  });

  it('says when too many devices share a DevAddr', async () => {
    const limits = { devicesMax: 9, devicesPerDevAddrMax: 1 };
    const { registry } = openRegistry(scratchFolder(), limits);
    await registry.put(device);
    expect(await registry.put({ ...device, id: idOf(2) })).toMatchObject([{ path: 'devAddr' }]);
    expect(await registry.put(device)).toEqual([]);
  });

  it('refuses to start with a key file that the keys were not sealed under', async () => {
    const { registry, root, folder } = openRegistry();
    await registry.put(device, keys);
    const other = openKeyVault(join(folder, 'other.key'));
    expect(() => new DeviceRegistry(root, other)).toThrow('restore it from its backup');
  });

  it('makes no session of a row that is gone', async () => {
    const { registry, root } = openRegistry();
    await registry.put(device, keys);
    await root.openDB({ name: 'devices', encoding: 'json' }).remove(device.id);
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
  });

  it('leaves out, and names, only the device whose sealed keys were altered', async () => {
    const { registry, root, vault } = openRegistry();
    await registry.put(device, keys);
    await registry.put({ ...device, id: idOf(2) }, keys);
    const rows = root.openDB<{ readonly sealedKeys: object }, string>({
      name: 'devices',
      encoding: 'json',
    });
    const row = rows.get(idOf(2));
    await rows.put(device.id, { ...Object(row), device });
    const reopened = new DeviceRegistry(root, vault);
    expect(reopened.sessionsOf('49be7df1')).toMatchObject([{ deviceId: idOf(2) }]);
    expect(reopened.unreadableKeys).toEqual([device.id]);
    await reopened.put(device, keys);
    expect(reopened.sessionsOf('49be7df1')).toHaveLength(2);
    expect(reopened.unreadableKeys).toEqual([]);
  });
});

describe('Device registry pages', () => {
  async function filled() {
    const { registry } = openRegistry();
    const ids = [5, 2, 9, 1, 7, 4].map(idOf);
    await Promise.all(ids.map((id) => registry.put({ id, kind: 'lorawan', area: 'Nəsimi' })));
    return registry;
  }

  it('follow the order of ids and say how to go on', async () => {
    const registry = await filled();
    const first = registry.list({ limit: 4 });
    expect(idsOf(first)).toEqual([1, 2, 4, 5].map(idOf));
    expect(first.next).toBe(idOf(5));
    const second = registry.list({ limit: 4, after: idOf(5) });
    expect(second).toMatchObject({ devices: [{ id: idOf(7) }, { id: idOf(9) }] });
    expect(second).not.toHaveProperty('next');
  });

  it('end without a next one when the last is exactly full', async () => {
    const registry = await filled();
    expect(registry.list({ limit: 6 })).not.toHaveProperty('next');
  });

  it('go on after an id that is gone', async () => {
    const registry = await filled();
    expect(registry.list({ limit: 9 }).devices).toHaveLength(6);
    await registry.delete(idOf(5));
    expect(idsOf(registry.list({ limit: 1, after: idOf(5) }))).toEqual([idOf(7)]);
    await registry.put({ id: idOf(5), kind: 'lorawan' });
    await registry.put({ id: idOf(6), kind: 'lorawan' });
    await registry.delete(idOf(6));
    expect(idsOf(registry.list({ limit: 9 }))).toEqual([1, 2, 4, 5, 7, 9].map(idOf));
  });

  it('have at least one device and at most the limit', async () => {
    const registry = await filled();
    expect(registry.list({ limit: 0 }).devices).toHaveLength(1);
    expect(registry.list({ limit: devicePageMax + 1 }).devices).toHaveLength(6);
  });

  it('hold what every field of the filter wants', async () => {
    const { registry } = openRegistry();
    const modem: Device = {
      id: 'modem-7',
      kind: 'cellular',
      name: 'Pump 7',
      agency: 'water-board',
      area: 'Nəsimi',
      model: 'bc66',
      codec: 'senml',
    };
    await registry.put(modem);
    await registry.put({ id: idOf(1), kind: 'lorawan' });
    const found = (filter: object) => idsOf(registry.list({ limit: 9, filter }));
    expect(found({})).toEqual([idOf(1), 'modem-7']);
    expect(found({ kind: 'lorawan' })).toEqual([idOf(1)]);
    for (const field of ['kind', 'agency', 'area', 'model', 'codec'] as const) {
      expect(found({ [field]: modem[field] })).toEqual(['modem-7']);
    }
    expect(found({ text: 'pUMP' })).toEqual(['modem-7']);
    expect(found({ text: 'MODEM' })).toEqual(['modem-7']);
    expect(found({ text: 'valve' })).toEqual([]);
    expect(found({ agency: 'parks' })).toEqual([]);
  });
});
