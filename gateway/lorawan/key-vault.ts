/**
 * Device keys at rest: each sealed in its slot under the newest key of the key file, and opened
 * under any of them.
 */
import assert from 'node:assert/strict';
import type { KeyProtection } from './key-protection.ts';
import { createKeyRing, keyIdOf, readKeyRing, stampOf } from './key-ring.ts';
import { type KeySlot, openKey, sealKey } from './sealed-key.ts';

export interface KeyVault {
  /** Nonce, ciphertext and tag in one. */
  seal(slot: KeySlot, key: Buffer): Buffer;
  /** Undefined when the bytes were altered, moved from another slot or sealed under another key. */
  open(slot: KeySlot, sealed: Uint8Array): Buffer | undefined;
  /** Whether it is sealed under the newest key of the file. */
  isCurrent(slot: KeySlot, sealed: Uint8Array): boolean;
  /** Names of the keys in the file, the newest first; they tell nothing of the keys. */
  keyIds(): readonly string[];
}

/**
 * Reads the key file, or creates it with mode 0600 when there is none. Throws at start-up, with the
 * remedy, when others may read the file or when it does not hold what it should: it must never be
 * replaced in silence, since every sealed key would be lost. The protection is asked at the start
 * only: what a rotation writes later opens by what is held.
 */
export function openKeyVault(path: string, protection?: KeyProtection): KeyVault {
  const place = { path, protection };
  const created = createKeyRing(place);
  let keys = created === undefined ? readKeyRing(place) : [created];
  let stamp = stampOf(path);

  /** A rotation by another process writes the file anew; true when it has. */
  function hasChanged(): boolean {
    const now = stampOf(path);
    if (now === stamp) return false;
    stamp = now;
    try {
      keys = readKeyRing(place, keys);
      return true;
    } catch {
      // Somebody has spoilt the file: what is held still opens what there is, and a start says it.
      return false;
    }
  }

  const tryAll = (slot: KeySlot, sealed: Uint8Array): Buffer | undefined =>
    keys.map((key) => openKey(key, slot, sealed)).find((key) => key !== undefined);

  return {
    seal(slot, key) {
      hasChanged();
      return sealKey(newestOf(keys), slot, key);
    },
    open: (slot, sealed) =>
      tryAll(slot, sealed) ?? (hasChanged() ? tryAll(slot, sealed) : undefined),
    isCurrent: (slot, sealed) => openKey(newestOf(keys), slot, sealed) !== undefined,
    keyIds() {
      hasChanged();
      return keys.map(keyIdOf);
    },
  };
}

function newestOf([newest]: readonly Buffer[]): Buffer {
  assert(newest !== undefined, 'a key file holds a key');
  return newest;
}
