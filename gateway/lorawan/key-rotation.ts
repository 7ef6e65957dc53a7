/**
 * Gives all sealed keys a new key-encryption key, while a gateway may be running on the same data.
 * The key file first holds the new key and the old ones, so that everything opens at any moment and
 * everything new is sealed under the new key; the old ones leave it when nothing needs them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, RootDatabase } from 'lmdb';
import {
  createRandomKey,
  type KeySlot,
  type KeyVault,
  openKeyVault,
  readMasterKeys,
  replaceMasterKeys,
} from './key-vault.ts';

export interface Rotation {
  readonly resealed: number;
  /** Keys that no key of the file opens; with any, the old keys are kept. */
  readonly unreadable: number;
}

/** Rows between two transactions: a gateway must not wait long for its own. */
const groupSize = 200;
/** A running gateway may still write what it read before: nothing of it takes this long. */
const settleMs = 2_000;
const passesMax = 20;

/** The caller has opened `root`. Rejects when the disk fails; then the rotation can be repeated. */
export async function rotateKeys(root: RootDatabase, keyFile: string): Promise<Rotation> {
  const before = readMasterKeys(keyFile);
  const newest = createRandomKey();
  replaceMasterKeys(keyFile, [newest, ...before]);
  const vault = openKeyVault(keyFile);
  let resealed = 0;
  for (let pass = 1; pass <= passesMax; pass += 1) {
    const { changed, unreadable } = resealAll(root, vault);
    resealed += changed;
    if (unreadable > 0) return { resealed, unreadable };
    if (changed === 0 && pass > 1) {
      replaceMasterKeys(keyFile, [newest]);
      return { resealed, unreadable: 0 };
    }
    await sleep(settleMs);
  }
  throw new Error('keys are written faster than they can be sealed anew: try again later');
}

interface Pass {
  changed: number;
  unreadable: number;
}

type Reseal = (slot: KeySlot, sealed: Buffer) => Buffer;

function resealAll(root: RootDatabase, vault: KeyVault): Pass {
  const pass: Pass = { changed: 0, unreadable: 0 };
  const reseal: Reseal = (slot, sealed) => {
    if (vault.isCurrent(slot, sealed)) return sealed;
    const key = vault.open(slot, sealed);
    if (key === undefined) {
      pass.unreadable += 1;
      return sealed;
    }
    pass.changed += 1;
    return vault.seal(slot, key);
  };
  const check = root.openDB<Buffer, string>({ name: 'device-vault', encoding: 'binary' });
  resealRows(check, pass, (keyName, sealed) => reseal({ deviceId: '', keyName }, sealed));
  const devices = root.openDB<SealedRow, string>({ name: 'devices', encoding: 'json' });
  resealRows(devices, pass, (deviceId, row) => resealed(row, deviceId, '', reseal));
  const joins = root.openDB<JoinedRow, string>({ name: 'joins', encoding: 'json' });
  resealRows(joins, pass, (deviceId, row) => ({
    ...row,
    sessions: row.sessions.map((one) => resealed(one, deviceId, `joined/${one.id}/`, reseal)),
  }));
  return pass;
}

/** Of whatever else stands in these rows nothing is touched. */
interface SealedRow {
  readonly sealedKeys?: Readonly<Record<string, string>>;
}
interface JoinedRow {
  readonly sessions: readonly (SealedRow & { readonly id: string })[];
}

function resealed<Row extends SealedRow>(
  row: Row,
  deviceId: string,
  prefix: string,
  reseal: Reseal,
): Row {
  if (row.sealedKeys === undefined) return row;
  const sealedKeys = Object.fromEntries(
    Object.entries(row.sealedKeys).map(([name, text]) => {
      const slot = { deviceId, keyName: `${prefix}${name}` };
      return [name, reseal(slot, Buffer.from(text, 'base64')).toString('base64')];
    }),
  );
  return { ...row, sealedKeys };
}

function resealRows<Row>(
  rows: Database<Row, string>,
  pass: Pass,
  change: (id: string, row: Row) => Row,
): void {
  const ids = [...rows.getKeys()];
  for (let at = 0; at < ids.length; at += groupSize) {
    rows.transactionSync(() => {
      for (const id of ids.slice(at, at + groupSize)) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const before = pass.changed;
        const next = change(id, row);
        if (pass.changed > before) rows.putSync(id, next);
      }
    });
  }
}
