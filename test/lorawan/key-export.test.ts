import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { open, type RootDatabase } from 'lmdb';
import { fromExport } from '../../gateway/lorawan/device-exports.ts';
import { parseDeviceInput } from '../../gateway/lorawan/device-input.ts';
import { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { JoinBook, type JoinRow } from '../../gateway/lorawan/join-book.ts';
import { exportKeys } from '../../gateway/lorawan/key-export.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { createKekBook } from '../../gateway/lorawan/key-wrap.ts';
import { scratchFolder } from './scratch-folder.ts';

const opened: RootDatabase[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((root) => root.close()));
});

const hex = (byte: number) => Buffer.alloc(16, byte).toString('hex');
const kek = { label: 'town', key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex') };
const kekOf = createKekBook([{ label: 'town', key: kek.key.toString('hex') }]);
const [abp, otaa, of11, bare] = ['1', '2', '3', '4'].map((end) => `70b3d57ed000000${end}`);
const devices = [
  {
    ...{ id: abp, kind: 'lorawan', devAddr: '26011bda', name: 'Well 3' },
    keys: { appSKey: hex(0x31), nwkSKey: hex(0x32) },
  },
  { id: otaa, kind: 'lorawan', macVersion: '1.0.3', keys: { appKey: hex(0x33) } },
  { id: of11, kind: 'lorawan', keys: { appKey: hex(0x34), nwkKey: hex(0x35) } },
  { id: bare, kind: 'lorawan' },
  { id: 'modem-1', kind: 'cellular' },
];

async function filledRoom() {
  const folder = scratchFolder();
  const root = open({ path: join(folder, 'state'), maxDbs: 12 });
  opened.push(root);
  const vault = openKeyVault(join(folder, 'device-keys.kek'));
  const room = {
    root,
    joinBook: new JoinBook(root, vault),
    registry: new DeviceRegistry(root, vault),
  };
  for (const row of devices) await put(room.registry, row);
  return room;
}

async function put(registry: DeviceRegistry, row: unknown): Promise<void> {
  const parsed = parseDeviceInput(fromExport(row, kekOf));
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  expect(await registry.put(parsed.device, parsed.keys)).toEqual([]);
}

const blank: JoinRow = {
  ...{ version: 1, rootCheck: '', nonces: { used: [] }, rejoinCounts: {}, sessions: [] },
};

function joined(book: JoinBook, id: string, version: '1.0' | '1.1', isUsed = true): void {
  const [appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey] = [0x41, 0x42, 0x43, 0x44].map((byte) =>
    Buffer.alloc(16, byte),
  );
  const one = fNwkSIntKey ?? Buffer.alloc(0);
  const keys = {
    ...{ appSKey: appSKey ?? one, fNwkSIntKey: one },
    sNwkSIntKey: version === '1.0' ? one : (sNwkSIntKey ?? one),
    nwkSEncKey: version === '1.0' ? one : (nwkSEncKey ?? one),
  };
  const session = { devAddr: '26011bdf', macVersion: version, joinNonce: 1, devNonce: 1 };
  const row = book.withSession(id, blank, { ...session, joinedAt: 1, keys });
  book.put(id, { ...row, sessions: row.sessions.map((stored) => ({ ...stored, isUsed })) });
}

const clearKeys = (ids: readonly unknown[]) =>
  ids.map((row) => {
    const parsed = parseDeviceInput(fromExport(row, kekOf));
    return 'problems' in parsed ? parsed.problems : parsed.keys;
  });

describe('An export of keys', () => {
  it('has the devices that have keys, and no key in clear', async () => {
    const { devices: rows, unreadable } = exportKeys(await filledRoom(), kek);
    expect(unreadable).toEqual([]);
    expect(rows.map(({ id }) => id)).toEqual([abp, otaa, of11]);
    expect(rows[0]).toMatchObject({ name: 'Well 3', devAddr: '26011bda' });
    expect(rows[0]?.keys['appSKey']).toMatchObject({ KEKLabel: 'town' });
    expect(rows[0]?.keys['appSKey']?.AESKey).toMatch(/^[0-9a-f]{48}$/);
    for (let byte = 0x31; byte <= 0x35; byte += 1) {
      expect(JSON.stringify(rows)).not.toContain(hex(byte));
    }
  });

  it('is imported as it is where the KEK is known, and nowhere else', async () => {
    const room = await filledRoom();
    const { devices: rows } = exportKeys(room, kek);
    expect(clearKeys(rows)).toEqual(devices.slice(0, 3).map(({ keys }) => keys));
    const foreign = parseDeviceInput(fromExport(rows[0], createKekBook([])));
    expect(foreign).toMatchObject({
      problems: [{ path: 'keys.appSKey' }, { path: 'keys.nwkSKey' }],
    });
    await room.registry.delete(abp ?? '');
    await put(room.registry, JSON.parse(JSON.stringify(rows[0])));
    expect(room.registry.sessionsOf('26011bda')[0]?.keys.appSKey.toString('hex')).toBe(hex(0x31));
  });

  it('has the session that the device has joined and uses', async () => {
    const room = await filledRoom();
    joined(room.joinBook, otaa ?? '', '1.0');
    joined(room.joinBook, of11 ?? '', '1.1');
    joined(room.joinBook, abp ?? '', '1.0', false);
    const { devices: rows } = exportKeys(room, kek, [abp ?? '', otaa ?? '', of11 ?? '', 'nobody']);
    expect(rows.map(({ devAddr }) => devAddr)).toEqual(['26011bda', '26011bdf', '26011bdf']);
    expect(clearKeys(rows)).toEqual([
      { appSKey: hex(0x31), nwkSKey: hex(0x32) },
      { appKey: hex(0x33), appSKey: hex(0x41), nwkSKey: hex(0x42) },
      {
        ...{ appKey: hex(0x34), nwkKey: hex(0x35), appSKey: hex(0x41) },
        ...{ fNwkSIntKey: hex(0x42), sNwkSIntKey: hex(0x43), nwkSEncKey: hex(0x44) },
      },
    ]);
  });

  it('leaves out a device with a key that does not open', async () => {
    const room = await filledRoom();
    const rows = room.root.openDB<object, string>({ name: 'devices', encoding: 'json' });
    const row = rows.get(abp ?? '');
    await rows.put(abp ?? '', { ...row, sealedKeys: { appSKey: 'AAAA' } });
    joined(room.joinBook, otaa ?? '', '1.0');
    const stored = room.joinBook.row(otaa ?? '') ?? blank;
    const sessions = stored.sessions.map((one) => ({ ...one, sealedKeys: {} }));
    room.joinBook.put(otaa ?? '', { ...stored, sessions });
    const found = exportKeys(room, kek);
    expect(found.unreadable).toEqual([abp, otaa]);
    expect(found.devices.map(({ id }) => id)).toEqual([of11]);
  });
});
