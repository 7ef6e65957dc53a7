import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { scratchFolder } from './scratch-folder.ts';
import { bytes } from './vectors.ts';

const slot = { deviceId: '70b3d57ed0000001', keyName: 'appSKey' };
const key = bytes('2b7e151628aed2a6abf7158809cf4f3c');

describe('Key vault', () => {
  it('creates a key file of 32 bytes that only its owner may read', () => {
    const path = join(scratchFolder(), 'master.key');
    openKeyVault(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path)).toHaveLength(32);
  });

  it('opens what it sealed, also after the program was started again', () => {
    const path = join(scratchFolder(), 'master.key');
    const sealed = openKeyVault(path).seal(slot, key);
    expect(openKeyVault(path).open(slot, sealed)).toEqual(key);
  });

  it('seals one key differently each time', () => {
    const vault = openKeyVault(join(scratchFolder(), 'master.key'));
    expect(vault.seal(slot, key)).not.toEqual(vault.seal(slot, key));
  });

  it('opens a key in its own slot only', () => {
    const vault = openKeyVault(join(scratchFolder(), 'master.key'));
    const sealed = vault.seal(slot, key);
    expect(vault.open({ ...slot, deviceId: '70b3d57ed0000002' }, sealed)).toBeUndefined();
    expect(vault.open({ ...slot, keyName: 'nwkSKey' }, sealed)).toBeUndefined();
  });

  it('opens nothing that was altered or cut', () => {
    const vault = openKeyVault(join(scratchFolder(), 'master.key'));
    const sealed = vault.seal(slot, key);
    for (const index of sealed.keys()) {
      const altered = Buffer.from(sealed);
      altered[index] = altered.readUInt8(index) ^ 1;
      expect(vault.open(slot, altered)).toBeUndefined();
      expect(vault.open(slot, sealed.subarray(0, index))).toBeUndefined();
    }
  });

  it('opens nothing that was sealed under another key file', () => {
    const folder = scratchFolder();
    const sealed = openKeyVault(join(folder, 'one.key')).seal(slot, key);
    expect(openKeyVault(join(folder, 'two.key')).open(slot, sealed)).toBeUndefined();
  });

  it.each(['640', '604', '666', '644'])('refuses a key file of mode %s', (mode) => {
    const path = join(scratchFolder(), 'master.key');
    openKeyVault(path);
    chmodSync(path, Number.parseInt(mode, 8));
    expect(() => openKeyVault(path)).toThrow(`mode ${mode}`);
    expect(() => openKeyVault(path)).toThrow('chmod 600');
  });

  it('refuses a key file of another length, and leaves it as it is', () => {
    const path = join(scratchFolder(), 'master.key');
    writeFileSync(path, 'too short', { mode: 0o600 });
    expect(() => openKeyVault(path)).toThrow('holds 9 bytes, not 32');
    expect(readFileSync(path, 'utf8')).toBe('too short');
  });

  it('says which file cannot be created', () => {
    const path = join(scratchFolder(), 'absent', 'master.key');
    expect(() => openKeyVault(path)).toThrow(`${path} cannot be created`);
  });

  it('does not take a folder for a key file', () => {
    const path = join(scratchFolder(), 'folder');
    mkdirSync(path, { mode: 0o700 });
    expect(() => openKeyVault(path)).toThrow();
  });
});
