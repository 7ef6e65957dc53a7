/** Many devices at once: by one atomic import, or by single writes that are under way together. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type DeviceChange, DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import type { Device } from '../../gateway/model/device.ts';
import { device, idOf, idsOf, keys, openRegistry, openRoot } from './registry-bench.ts';
import { scratchFolder } from './scratch-folder.ts';

describe('Device registry while many devices are put at once', () => {
  const cellular = (index: number) => ({ id: `meter-${index}`, kind: 'cellular' as const });
  const many = [...Array(1_500).keys()].map(cellular);

  it('gives the event loop back, and shows none of them or all', async () => {
    const { registry } = openRegistry();
    await registry.put(cellular(7));
    const seen = new Set<string>();
    let turns = 0;
    const done = registry.putAll([...many, { ...device, keys }]).then(() => 'done');
    while ((await Promise.race([done, nextTurn('on')])) === 'on') {
      turns += 1;
      const page = registry.list({ limit: 1_000, after: 'meter-1' }).devices.length;
      const isJoined = registry.sessionsOf('49be7df1').length > 0;
      seen.add([registry.size, page, isJoined, registry.get('meter-9')?.kind].join());
    }
    expect(turns).toBeGreaterThan(many.length / 200);
    const after = '1501,1000,true,cellular';
    expect([...seen, after].slice(0, 2)).toEqual(['1,1,false,', after]);
    expect(seen.size).toBeLessThanOrEqual(2);
  });

  it('keeps changes of one device in the order in which disk and memory have them', async () => {
    const { registry, root, folder } = openRegistry();
    await registry.put({ ...cellular(3), name: 'before' });
    const all = registry.putAll(many);
    await nextTurn();
    await Promise.all([
      registry.put({ ...cellular(3), name: 'single' }),
      registry.delete('meter-4'),
    ]);
    await all;
    const held = () => [registry.get('meter-3'), registry.get('meter-4')];
    const inMemory = held();
    await root.close();
    const opened = openRegistry(folder).registry;
    expect([opened.get('meter-3'), opened.get('meter-4')]).toEqual(inMemory);
  });

  it('moves devices from one DevAddr to another', async () => {
    const { registry } = openRegistry();
    await registry.put(device, keys);
    await registry.putAll([{ ...device, devAddr: '26011bda' }]);
    expect(registry.sessionsOf('49be7df1')).toEqual([]);
    expect(registry.sessionsOf('26011bda')).toHaveLength(1);
  });

  it('takes nothing when the disk fails, and tells listeners what holds', async () => {
    const folder = scratchFolder();
    const root = openRoot(folder);
    const openBatch = () => ({
      add: () => undefined,
      abandon: async () => {},
      commit: () => Promise.reject(new Error('the disk is full')),
    });
    const vault = openKeyVault(join(folder, 'master.key'));
    const few = { devicesMax: 2_000, devicesPerDevAddrMax: 9 };
    const registry = new DeviceRegistry(root, vault, { limits: few, openBatch });
    await registry.put({ ...cellular(3), name: 'before' });
    const told = new Map<string, DeviceChange>();
    registry.onChange((change) => told.set(change.id, change));
    await expect(registry.putAll(many)).rejects.toThrow('the disk is full');
    expect(idsOf(registry.list({ limit: 9 }))).toEqual(['meter-3']);
    expect(told.get('meter-3')).toMatchObject({ kind: 'put', device: { name: 'before' } });
    expect(told.get('meter-5')).toEqual({ kind: 'delete', id: 'meter-5' });
    expect(await registry.put(cellular(5))).toEqual([]);
  });
});

describe('Device registry with writes under way', () => {
  const cellular = (index: number) => ({ id: `meter-${index}`, kind: 'cellular' as const });
  const limits = { devicesMax: 3, devicesPerDevAddrMax: 2 };
  const putAtOnce = async (registry: DeviceRegistry, devices: readonly Device[]) => {
    const done = await Promise.all(devices.map((one) => registry.put(one)));
    return done.map((problems) => problems.map(({ path }) => path).join());
  };

  it('lets no more in at once than the limit, and counts one device once', async () => {
    const { registry } = openRegistry(scratchFolder(), limits);
    const six = [1, 1, 2, 3, 4, 5].map(cellular);
    expect(await putAtOnce(registry, six)).toHaveLength(6);
    expect(registry.size).toBe(3);
  });

  it('gives room back when a device has gone', async () => {
    const { registry } = openRegistry(scratchFolder(), limits);
    await putAtOnce(registry, [1, 2, 3].map(cellular));
    await Promise.all([registry.put(cellular(1)), registry.delete('meter-1')]);
    await registry.delete('meter-1');
    expect(await registry.put(cellular(4))).toEqual([]);
    expect(await registry.put(cellular(5))).toHaveLength(1);
  });

  it('lets no more share a DevAddr than the limit', async () => {
    const { registry } = openRegistry(scratchFolder(), limits);
    const three = [1, 2, 3].map((index) => ({ ...device, id: idOf(index) }));
    expect(await putAtOnce(registry, three)).toEqual(['', '', 'devAddr']);
    expect(await putAtOnce(registry, three.slice(1, 2))).toEqual(['']);
  });
});
