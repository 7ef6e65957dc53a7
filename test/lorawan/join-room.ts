/** A gateway's room for joins with one device, that a test can leave and open again. */
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { open, type RootDatabase } from 'lmdb';
import { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { JoinBook } from '../../gateway/lorawan/join-book.ts';
import { createJoins } from '../../gateway/lorawan/joins.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { createProver } from '../../gateway/lorawan/prover.ts';
import { verifyDefaults } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { scratchFolder } from './scratch-folder.ts';
import { uplinkFrame } from './simulated-frame.ts';
import type { Grant, Roots } from './simulated-join.ts';
import { uplinkOf } from './vectors.ts';

export const devEui = '70b3d57ed00000b1';
export const joinEui = '70b3d57ed0000000';
export const netId = '000013';
export const gatewayId = '0016c001ff10a235';
export const names = { devEui, joinEui };
export const appKey = Buffer.alloc(16, 0xa1);
export const nwkKey = Buffer.alloc(16, 0xb2);
const startedAt = 1_700_000_000_000;

const databases: RootDatabase[] = [];
afterEach(async () => {
  await Promise.all(databases.splice(0).map((root) => root.close()));
});

interface Plan {
  readonly macVersion?: string;
  readonly roots?: Roots;
  readonly folder?: string;
}

/** A gateway's room with one device, whose counters the test keeps. */
export async function openRoom({ macVersion = '1.0.3', roots = { appKey }, folder }: Plan = {}) {
  const path = folder ?? scratchFolder();
  const root = open({ path: join(path, 'state'), maxDbs: 12 });
  databases.push(root);
  const vault = openKeyVault(join(path, 'master.key'));
  const registry = new DeviceRegistry(root, vault);
  const keys = {
    appKey: roots.appKey.toString('hex'),
    ...(roots.nwkKey === undefined ? {} : { nwkKey: roots.nwkKey.toString('hex') }),
  };
  await registry.put({ id: devEui, kind: 'lorawan', activation: 'otaa', macVersion }, keys);
  const book = new JoinBook(root, vault);
  const time = { now: startedAt };
  const clock = { now: () => time.now };
  const counters = new Map<string, number>();
  const joins = createJoins({ registry, book, clock, copyWindowMs: 10_000 });
  const prover = createProver({
    joins,
    lastFrameCounter: (deviceId, name) => counters.get(`${deviceId}/${name}`),
    options: verifyDefaults,
  });
  const { rxTime: _time, ...plain } = uplinkOf(Buffer.alloc(0));
  return {
    ...{ registry, book, joins, prover, time, root, counters, path },
    send: (phyPayload: Buffer) => prover.verify({ ...plain, phyPayload }),
    hear: (phyPayload: Buffer) =>
      prover.hear({
        kind: 'event',
        adapter: 'bridge',
        type: 'command-down',
        gatewayId,
        phyPayload,
      }),
    async reopen() {
      await book.unwritten();
      databases.splice(databases.indexOf(root), 1);
      await root.close();
      return openRoom({ macVersion, roots, folder: path });
    },
  };
}

export const grantOf = (joinNonce: number, devAddr = '26011bda'): Grant => ({
  joinNonce,
  netId,
  devAddr,
});
export const roots10: Roots = { appKey };
export const roots11: Roots = { appKey, nwkKey };
export const frameOf = (session: Session, fCnt: number) =>
  uplinkFrame(session, { fCnt, fPort: 1, payload: Buffer.from([1, 2]) });
