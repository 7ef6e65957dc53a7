/** Every sealed key in the state, wherever it lies, to be looked at or replaced in its place. */
import type { Database, RootDatabase } from 'lmdb';
import type { KeySlot } from './sealed-key.ts';

/** What is to stand in the slot: the same buffer where nothing changes. */
type Change = (slot: KeySlot, sealed: Buffer) => Buffer;

/** Rows between two transactions: a gateway must not wait long for its own. */
const groupSize = 200;

export function changeSealedKeys(root: RootDatabase, change: Change): void {
  const check = root.openDB<Buffer, string>({ name: 'device-vault', encoding: 'binary' });
  changeRows(check, (keyName, sealed) => change({ deviceId: '', keyName }, sealed));
  const devices = root.openDB<SealedRow, string>({ name: 'devices', encoding: 'json' });
  changeRows(devices, (deviceId, row) => changed(row, deviceId, '', change));
  const joins = root.openDB<JoinedRow, string>({ name: 'joins', encoding: 'json' });
  changeRows(joins, (deviceId, row) => {
    const sessions = row.sessions.map((one) => changed(one, deviceId, `joined/${one.id}/`, change));
    const isSame = sessions.every((one, index) => one === row.sessions[index]);
    return isSame ? row : { ...row, sessions };
  });
}

/** Of whatever else stands in these rows nothing is touched. */
interface SealedRow {
  readonly sealedKeys?: Readonly<Record<string, string>>;
}
interface JoinedRow {
  readonly sessions: readonly (SealedRow & { readonly id: string })[];
}

/** The same row when none of its keys changes. */
function changed<Row extends SealedRow>(
  row: Row,
  deviceId: string,
  prefix: string,
  change: Change,
): Row {
  let isSame = true;
  const keys = Object.entries(row.sealedKeys ?? {}).map(([name, text]) => {
    const before = Buffer.from(text, 'base64');
    const after = change({ deviceId, keyName: `${prefix}${name}` }, before);
    isSame &&= after === before;
    return [name, after.toString('base64')];
  });
  return isSame ? row : { ...row, sealedKeys: Object.fromEntries(keys) };
}

function changeRows<Row>(rows: Database<Row, string>, change: (id: string, row: Row) => Row): void {
  const ids = [...rows.getKeys()];
  for (let at = 0; at < ids.length; at += groupSize) {
    rows.transactionSync(() => {
      for (const id of ids.slice(at, at + groupSize)) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const next = change(id, row);
        if (next !== row) rows.putSync(id, next);
      }
    });
  }
}
