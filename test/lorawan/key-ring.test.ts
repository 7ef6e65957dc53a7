import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type KeyProtection, secretProtection } from '../../gateway/lorawan/key-protection.ts';
import {
  createKeyRing,
  createRandomKey,
  keyIdOf,
  protectionIn,
  readKeyRing,
  replaceKeyRing,
} from '../../gateway/lorawan/key-ring.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { scratchFolder } from './scratch-folder.ts';

const protection = secretProtection('5a'.repeat(32));
const slot = { deviceId: '70b3d57ed0000001', keyName: 'appKey' };
const appKey = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex');

function placeIn(folder = scratchFolder()) {
  return { path: join(folder, 'device-keys.kek'), protection };
}

/** A token that can be counted on: asked, it does what the secret does, and it may be gone. */
function countedProtection() {
  const asked = { count: 0, isGone: false };
  const counted: KeyProtection = {
    ...protection,
    unwrap(wrapped) {
      asked.count += 1;
      if (asked.isGone) throw new Error('the token is gone');
      return protection.unwrap(wrapped);
    },
  };
  return { asked, counted };
}

describe('A key file under a secret', () => {
  it('holds no key in clear, mode 0600, and opens with that secret only', () => {
    const place = placeIn();
    const key = createKeyRing(place);
    expect(key).toHaveLength(32);
    expect(statSync(place.path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(place.path);
    const spellings = [key, key?.toString('hex'), key?.toString('base64')];
    expect(spellings.filter((spelling) => bytes.includes(spelling ?? ''))).toEqual([]);
    expect(readKeyRing(place)).toEqual([key]);
    expect(protectionIn(place.path)).toBe('secret');
    const other = { ...place, protection: secretProtection('5b'.repeat(32)) };
    expect(() => readKeyRing(other)).toThrow('another secret');
    expect(createKeyRing(place)).toBeUndefined();
  });

  it('is said to be wrapped, when the configuration has it in clear or on a token', () => {
    const place = placeIn();
    createKeyRing(place);
    expect(() => readKeyRing({ path: place.path })).toThrow(
      /wrapped by a secret .*, but keys.protection.kind is file: .*keys rotate --from/,
    );
    const token = { ...protection, kind: 'pkcs11' } as const;
    expect(() => openKeyVault(place.path, token)).toThrow('kind is pkcs11');
  });

  it('is not taken in clear, unless a key in it is held', () => {
    const place = placeIn();
    const [own, other] = [createRandomKey(), createRandomKey()];
    replaceKeyRing({ path: place.path }, [own]);
    expect(protectionIn(place.path)).toBe('file');
    expect(() => readKeyRing(place)).toThrow(/in clear, but .* is secret: .*keys rotate/);
    expect(() => readKeyRing(place, [other])).toThrow('in clear');
    expect(readKeyRing(place, [other, own])).toEqual([own]);
  });

  it('may be read by nobody else, whatever it is wrapped with', () => {
    const place = placeIn();
    createKeyRing(place);
    chmodSync(place.path, 0o640);
    expect(() => readKeyRing(place)).toThrow('mode 640');
  });

  it('is not made when the protection refuses', () => {
    const { path } = placeIn();
    const refusing: KeyProtection = {
      ...protection,
      wrap: () => {
        throw new Error('the token is gone');
      },
    };
    expect(() => openKeyVault(path, refusing)).toThrow('the token is gone');
    expect(existsSync(path)).toBe(false);
  });

  it('is told from keys in clear by its length, however many keys it holds', () => {
    const place = placeIn();
    const keys: Buffer[] = [];
    for (let count = 1; count <= 8; count += 1) {
      keys.unshift(createRandomKey());
      replaceKeyRing(place, keys);
      expect(statSync(place.path).size % 32).not.toBe(0);
      expect(readKeyRing(place)).toEqual(keys);
    }
    const likeJson = Buffer.alloc(32, '{').fill('\n', 31);
    replaceKeyRing({ path: place.path }, [likeJson]);
    expect(readKeyRing({ path: place.path })).toEqual([likeJson]);
  });

  it.each([
    ['no entry', { fieldgateKeys: 1, protection: 'secret', keys: [] }],
    ['another version', { fieldgateKeys: 2, protection: 'secret', keys: [] }],
    ['nothing that is known', { protection: 'rot13' }],
  ])('with %s is spoilt', (_, content) => {
    const place = placeIn();
    const text = JSON.stringify(content);
    const filled = (text.length + 1) % 32 === 0 ? `${text} ` : text;
    writeFileSync(place.path, `${filled}\n`, { mode: 0o600 });
    expect(() => readKeyRing(place)).toThrow('JSON, but no wrapped keys');
    writeFileSync(place.path, `{${'x'.repeat(70_000)}\n`, { mode: 0o600 });
    expect(() => readKeyRing(place)).toThrow('70002 bytes');
  });

  it('takes no key in front that an older one does not vouch for', () => {
    const place = placeIn();
    const [own, foreign] = [createRandomKey(), createRandomKey()];
    replaceKeyRing(place, [own]);
    const ring = JSON.parse(readFileSync(place.path, 'utf8'));
    // What anybody could write who has a token's public key.
    const wrapped = protection.wrap(foreign).toString('base64');
    const entry = { id: keyIdOf(foreign), wrapped };
    for (const forged of [entry, { ...entry, underOlder: wrapped }]) {
      writeFileSync(place.path, `${JSON.stringify({ ...ring, keys: [forged, ...ring.keys] })}  \n`);
      expect(() => readKeyRing(place)).toThrow('do not belong together');
    }
    const renamed = [{ ...ring.keys[0], id: keyIdOf(foreign) }];
    writeFileSync(place.path, `${JSON.stringify({ ...ring, keys: renamed })}  \n`);
    expect(() => readKeyRing(place)).toThrow('do not belong together');
  });
});

describe('A vault that is open', () => {
  it('takes a rotation without asking the token again, which may be gone', () => {
    const { path } = placeIn();
    const { asked, counted } = countedProtection();
    const [first, second] = [createRandomKey(), createRandomKey()];
    replaceKeyRing({ path, protection }, [first]);
    const vault = openKeyVault(path, counted);
    const sealed = vault.seal(slot, appKey);
    expect(asked.count).toBe(1);
    asked.isGone = true;
    replaceKeyRing({ path, protection }, [second, first]);
    const resealed = vault.seal(slot, appKey);
    expect(vault.isCurrent(slot, resealed)).toBe(true);
    expect(vault.open(slot, sealed)).toEqual(appKey);
    replaceKeyRing({ path, protection }, [second]);
    expect(vault.open(slot, resealed)).toEqual(appKey);
    vault.seal(slot, appKey);
    expect(vault.keyIds()).toEqual([keyIdOf(second)]);
    expect(asked.count).toBe(1);
  });

  it('asks the token once when it has missed a rotation, and goes on when that fails', () => {
    const { path } = placeIn();
    const { asked, counted } = countedProtection();
    const [first, second, third] = [createRandomKey(), createRandomKey(), createRandomKey()];
    replaceKeyRing({ path, protection }, [first]);
    const vault = openKeyVault(path, counted);
    const sealed = vault.seal(slot, appKey);
    replaceKeyRing({ path, protection }, [second]);
    vault.seal(slot, appKey);
    expect(vault.keyIds()).toEqual([keyIdOf(second)]);
    expect(asked.count).toBe(2);
    expect(vault.open(slot, sealed)).toBeUndefined();
    asked.isGone = true;
    replaceKeyRing({ path, protection }, [third]);
    const after = vault.seal(slot, appKey);
    vault.seal(slot, appKey);
    expect(vault.open(slot, after)).toEqual(appKey);
    expect(asked.count).toBe(3);
  });

  it('follows its keys from a file in clear under a secret, and back', () => {
    const { path } = placeIn();
    const [first, second, third] = [createRandomKey(), createRandomKey(), createRandomKey()];
    replaceKeyRing({ path }, [first]);
    const vault = openKeyVault(path);
    const sealed = vault.seal(slot, appKey);
    replaceKeyRing({ path, protection }, [second, first]);
    expect(vault.open(slot, vault.seal(slot, appKey))).toEqual(appKey);
    expect(vault.keyIds()).toEqual([keyIdOf(second), keyIdOf(first)]);
    replaceKeyRing({ path, protection }, [second]);
    const later = vault.seal(slot, appKey);
    expect(vault.open(slot, sealed)).toBeUndefined();
    const started = openKeyVault(path, protection);
    expect(started.open(slot, later)).toEqual(appKey);
    replaceKeyRing({ path }, [third, second]);
    expect(started.open(slot, started.seal(slot, appKey))).toEqual(appKey);
    expect(started.keyIds()).toEqual([keyIdOf(third), keyIdOf(second)]);
  });
});
