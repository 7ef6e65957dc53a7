/**
 * Gives all sealed keys a new key-encryption key, while a gateway may be running on the same data.
 * The key file first holds the new key and the old ones, so that everything opens at any moment and
 * everything new is sealed under the new key; the old ones leave it when nothing needs them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import type { KeyProtection } from './key-protection.ts';
import { createRandomKey, protectionIn, readKeyRing, replaceKeyRing } from './key-ring.ts';
import { type KeyVault, openKeyVault } from './key-vault.ts';
import { changeSealedKeys } from './sealed-rows.ts';

export interface Rotation {
  readonly resealed: number;
  /** Keys that no key of the file opens; with any, the old keys are kept. */
  readonly unreadable: number;
}

/** A running gateway may still write what it read before: nothing of it takes this long. */
const settleMs = 2_000;
const passesMax = 20;

export interface Move {
  /** What opens the file as it is; not asked for a file in clear. As `to` when it is absent. */
  readonly from?: KeyProtection | undefined;
  /** What the file is written under, which may be another one; in clear when it is absent. */
  readonly to?: KeyProtection | undefined;
}

/**
 * The caller has opened `root`. Rejects when the disk fails, or the token; then the rotation can be
 * repeated. A gateway that runs with the old protection goes on, and needs the new one to start.
 */
export async function rotateKeys(
  root: RootDatabase,
  keyFile: string,
  { to, from = to }: Move = {},
): Promise<Rotation> {
  const before = readKeyRing({
    path: keyFile,
    protection: protectionIn(keyFile) === 'file' ? undefined : from,
  });
  const after = { path: keyFile, protection: to };
  const newest = createRandomKey();
  replaceKeyRing(after, [newest, ...before]);
  const vault = openKeyVault(keyFile, to);
  let resealed = 0;
  for (let pass = 1; pass <= passesMax; pass += 1) {
    const { changed, unreadable } = resealAll(root, vault);
    resealed += changed;
    if (unreadable > 0) return { resealed, unreadable };
    if (changed === 0 && pass > 1) {
      replaceKeyRing(after, [newest]);
      return { resealed, unreadable: 0 };
    }
    await sleep(settleMs);
  }
  throw new Error('keys are written faster than they can be sealed anew: try again later');
}

interface Pass {
  readonly changed: number;
  readonly unreadable: number;
}

function resealAll(root: RootDatabase, vault: KeyVault): Pass {
  const pass = { changed: 0, unreadable: 0 };
  changeSealedKeys(root, (slot, sealed) => {
    if (vault.isCurrent(slot, sealed)) return sealed;
    const key = vault.open(slot, sealed);
    if (key === undefined) {
      pass.unreadable += 1;
      return sealed;
    }
    pass.changed += 1;
    return vault.seal(slot, key);
  });
  return pass;
}

export interface SealedKeyCounts {
  /** Under the newest key of the file. */
  current: number;
  /** Under one that a rotation has yet to replace. */
  older: number;
  unreadable: number;
}

export function countSealedKeys(root: RootDatabase, vault: KeyVault): SealedKeyCounts {
  const counts: SealedKeyCounts = { current: 0, older: 0, unreadable: 0 };
  changeSealedKeys(root, (slot, sealed) => {
    const isOpen = vault.open(slot, sealed) !== undefined;
    const place = vault.isCurrent(slot, sealed) ? 'current' : isOpen ? 'older' : 'unreadable';
    counts[place] += 1;
    return sealed;
  });
  return counts;
}
