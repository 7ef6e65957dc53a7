/**
 * The long proof: so many random and mutated frames against the sessions of those they were made
 * from. None may be taken for valid, and none may throw.
 */

import { verifyUplink } from '../gateway/lorawan/verify.ts';
import type { Session } from '../gateway/model/device.ts';
import { createFrameSigner } from '../simulators/lorawan/abp-device.ts';
import { createNoise, hostileFrame } from '../simulators/lorawan/hostile-frames.ts';

const devices = 100;
const lastCounter = 1_000;

/** How many were taken for valid: 0, or the gateway has a hole. */
export function hostileFramesTaken(count: number): number {
  const sessions = Array.from({ length: devices }, (_, index) => sessionNumber(index));
  const real = sessions.map(({ devAddr, keys }, index) =>
    createFrameSigner({ devAddr, nwkSKey: keys.fNwkSIntKey, appSKey: keys.appSKey })({
      ...{ fPort: 1, fCnt: lastCounter + 1, frmPayload: Buffer.alloc(index % 50, index) },
    }),
  );
  const byDevAddr = new Map(sessions.map((session) => [session.devAddr, [session]]));
  const known = new Set(real.map((frame) => frame.toString('latin1')));
  const noise = createNoise(2);
  let taken = 0;
  for (let made = 0; made < count; made += 1) {
    const phyPayload = hostileFrame(real, noise);
    if (known.has(phyPayload.toString('latin1'))) continue;
    const uplink = { kind: 'frame', adapter: 'bench', phyPayload, rxInfo: [] } as const;
    const lookup = (devAddr: string) => byDevAddr.get(devAddr) ?? [];
    if (verifyUplink(uplink, lookup, () => lastCounter).kind === 'payload') taken += 1;
  }
  return taken;
}

function sessionNumber(index: number): Session {
  const key = (byte: number) => Buffer.alloc(16, byte + index);
  return {
    deviceId: (0x70b3d57ed0000000n + BigInt(index)).toString(16),
    devAddr: (0x26000000 + index).toString(16),
    macVersion: '1.0',
    keys: { appSKey: key(2), fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1) },
  };
}
