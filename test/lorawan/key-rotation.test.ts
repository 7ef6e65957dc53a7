import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { open, type RootDatabase } from 'lmdb';
import { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { JoinBook } from '../../gateway/lorawan/join-book.ts';
import { type KeyProtection, secretProtection } from '../../gateway/lorawan/key-protection.ts';
import { replaceKeyRing } from '../../gateway/lorawan/key-ring.ts';
import { countSealedKeys, rotateKeys } from '../../gateway/lorawan/key-rotation.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { scratchFolder } from './scratch-folder.ts';

const opened: RootDatabase[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((root) => root.close()));
});

const key = (byte: number) => Buffer.alloc(16, byte);
const hex = (byte: number) => key(byte).toString('hex');
const keys = { appKey: hex(1), appSKey: hex(2), nwkSKey: hex(3) };
const key32 = (byte: number) => Buffer.alloc(32, byte);
const idOf = (index: number) => (0x70b3d57ed0000000n + BigInt(index)).toString(16);

function openRoom(folder = scratchFolder(), protection?: KeyProtection) {
  const root = open({ path: join(folder, 'state'), maxDbs: 12 });
  opened.push(root);
  const keyFile = join(folder, 'device-keys.kek');
  const vault = openKeyVault(keyFile, protection);
  const book = new JoinBook(root, vault);
  return { folder, root, keyFile, vault, book, registry: new DeviceRegistry(root, vault) };
}

async function filledRoom(count = 3, protection?: KeyProtection) {
  const room = openRoom(scratchFolder(), protection);
  for (let index = 0; index < count; index += 1) {
    const device = { id: idOf(index), kind: 'lorawan', devAddr: '26011bda' } as const;
    await room.registry.put(device, keys);
  }
  const session = { devAddr: '26011bdb', macVersion: '1.0', joinNonce: 1, devNonce: 2 } as const;
  const sessionKeys = {
    ...{ appSKey: key(4), fNwkSIntKey: key(5), sNwkSIntKey: key(5), nwkSEncKey: key(5) },
  };
  const row = { version: 1, rootCheck: '', nonces: { used: [] }, rejoinCounts: {} } as const;
  const whole = room.book.withSession(
    idOf(0),
    { ...row, sessions: [] },
    { ...session, joinedAt: 1, keys: sessionKeys },
  );
  room.book.put(idOf(0), whole);
  await room.book.unwritten();
  return room;
}

describe('A rotation of the key-encryption key', () => {
  it('seals every key anew, for the gateway that runs and for the next one', async () => {
    const room = await filledRoom();
    const before = readFileSync(room.keyFile);
    expect(await rotateKeys(room.root, room.keyFile)).toEqual({ resealed: 14, unreadable: 0 });
    const after = readFileSync(room.keyFile);
    expect(after).toHaveLength(32);
    expect(after.equals(before)).toBe(false);
    expect(statSync(room.keyFile).mode & 0o777).toBe(0o600);
    const again = openRoom(room.folder);
    for (const { registry, book } of [room, again]) {
      expect(registry.sessionsOf('26011bda').map(({ keys: own }) => own.appSKey)).toEqual([
        ...[key(2), key(2), key(2)],
      ]);
      expect(registry.rootKeysOf(idOf(1))).toEqual({ appKey: key(1) });
      expect(book.sessionsOf('26011bdb')[0]?.keys.nwkSEncKey).toEqual(key(5));
    }
    const device = { id: idOf(9), kind: 'lorawan', devAddr: '26011bdc' } as const;
    await room.registry.put(device, keys);
    expect(openRoom(room.folder).registry.sessionsOf('26011bdc')).toHaveLength(1);
  }, 30_000);

  it('under load loses no key of those that are put meanwhile', async () => {
    const room = await filledRoom(20);
    let isOver = false;
    const rotated = rotateKeys(room.root, room.keyFile).finally(() => {
      isOver = true;
    });
    let count = 100;
    while (!isOver) {
      const device = { id: idOf(count), kind: 'lorawan', devAddr: '26011bdd' } as const;
      await room.registry.put(device, keys);
      count += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await rotated).toMatchObject({ unreadable: 0 });
    const again = openRoom(room.folder);
    expect(again.registry.sessionsOf('26011bdd')).toHaveLength(count - 100);
    expect(again.registry.unreadableKeys).toEqual([]);
  }, 60_000);

  const secrets = [secretProtection('5a'.repeat(32)), secretProtection('5b'.repeat(32))] as const;

  it.each([
    ['from a file in clear to a secret', undefined, secrets[0]],
    ['from a secret to another one', secrets[0], secrets[1]],
    ['from a secret to a file in clear', secrets[1], undefined],
  ])(
    'moves %s while devices are put, and loses none',
    async (_, from, to) => {
      const room = await filledRoom(5, from);
      let isOver = false;
      const rotated = rotateKeys(room.root, room.keyFile, { from, to }).finally(() => {
        isOver = true;
      });
      let count = 100;
      while (!isOver) {
        const device = { id: idOf(count), kind: 'lorawan', devAddr: '26011bdd' } as const;
        await room.registry.put(device, keys);
        expect(room.registry.sessionsOf('26011bdd')).toHaveLength(count - 99);
        count += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(await rotated).toMatchObject({ unreadable: 0 });
      expect(() => openRoom(room.folder, from)).toThrow('key file');
      const again = openRoom(room.folder, to);
      expect(again.registry.sessionsOf('26011bdd')).toHaveLength(count - 100);
      expect(again.registry.sessionsOf('26011bda')).toHaveLength(5);
      expect(countSealedKeys(room.root, again.vault)).toMatchObject({ older: 0, unreadable: 0 });
      expect(again.vault.keyIds()).toHaveLength(1);
    },
    60_000,
  );

  it('is counted: what is under the newest key, under older ones, and under none', async () => {
    const room = await filledRoom(2);
    expect(countSealedKeys(room.root, room.vault)).toEqual({
      ...{ current: 11, older: 0, unreadable: 0 },
    });
    replaceKeyRing({ path: room.keyFile }, [key32(1), readFileSync(room.keyFile)]);
    await room.registry.put({ id: idOf(1), kind: 'lorawan', devAddr: '26011bda' }, keys);
    expect(countSealedKeys(room.root, room.vault)).toEqual({
      ...{ current: 3, older: 8, unreadable: 0 },
    });
    replaceKeyRing({ path: room.keyFile }, [key32(1)]);
    const vault = openKeyVault(room.keyFile);
    expect(countSealedKeys(room.root, vault)).toEqual({ current: 3, older: 0, unreadable: 8 });
  });

  it('keeps the old key when something opens under none, and can be done again', async () => {
    const room = await filledRoom();
    const devices = room.root.openDB<object, string>({ name: 'devices', encoding: 'json' });
    const row = devices.get(idOf(1));
    await devices.put(idOf(1), { ...row, sealedKeys: { appKey: 'AAAA' } });
    expect(await rotateKeys(room.root, room.keyFile)).toMatchObject({ unreadable: 1 });
    expect(readFileSync(room.keyFile)).toHaveLength(64);
    expect(room.registry.sessionsOf('26011bda')).toHaveLength(2);
    await room.registry.delete(idOf(1));
    expect(await rotateKeys(room.root, room.keyFile)).toMatchObject({ unreadable: 0 });
    expect(readFileSync(room.keyFile)).toHaveLength(32);
  }, 60_000);

  it('is not confused by a key file that somebody spoilt', async () => {
    const room = await filledRoom();
    writeFileSync(room.keyFile, 'spoilt');
    expect(room.registry.sessionsOf('26011bda')).toHaveLength(3);
    const sealed = room.vault.seal({ deviceId: 'a', keyName: 'b' }, key(7));
    expect(room.vault.open({ deviceId: 'a', keyName: 'b' }, sealed)).toEqual(key(7));
    await expect(rotateKeys(room.root, room.keyFile)).rejects.toThrow('holds 6 bytes');
  });
});
