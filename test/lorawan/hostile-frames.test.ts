import { describe, expect, it } from '@jest/globals';
import { counterDefaults } from '../../gateway/lorawan/frame-counter.ts';
import { SessionCipherCache } from '../../gateway/lorawan/session-ciphers.ts';
import { verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import type { TxInfo } from '../../gateway/model/uplink.ts';
import { createNoise, hostileFrame } from '../../simulators/lorawan/hostile-frames.ts';
import { uplinkFrame } from './simulated-frame.ts';
import { dataVectors, frameOf, sessionOfVector, uplinkOf, type Vector } from './vectors.ts';

const hostileCount = 100_000;
const realCount = 100;

interface RealFrame {
  readonly session: Session;
  readonly phyPayload: Buffer;
  readonly last: number | undefined;
  readonly txInfo?: TxInfo;
}

const options = {
  counters: counterDefaults,
  ciphers: new SessionCipherCache(1_000),
  confirmedDownlinkCounter: () => 0,
  highestFrameCounter: () => undefined,
};

function isProven({ session, last, txInfo }: RealFrame, phyPayload: Buffer): boolean {
  const result = verifyUplink(
    { ...uplinkOf(phyPayload), ...(txInfo === undefined ? {} : { txInfo }) },
    (devAddr) => (devAddr === session.devAddr ? [session] : []),
    () => last,
    options,
  );
  return result.kind === 'payload';
}

/** As a gateway reports it: of 1.1 it is signed along. */
function txInfoOf({ context }: Vector): TxInfo {
  const dataRate = context['txDr'];
  const spreadingFactor = 12 - (typeof dataRate === 'number' ? dataRate : 0);
  return { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor };
}

/** The published uplinks that prove, and others of many shapes up to a hundred. */
function realFrames(): readonly RealFrame[] {
  const published = dataVectors
    .filter((vector) => frameOf(vector).direction === 'up')
    .map((vector) => ({
      session: sessionOfVector(vector),
      phyPayload: frameOf(vector).phyPayload,
      last: undefined,
      ...(vector.lorawan === '1.1' ? { txInfo: txInfoOf(vector) } : {}),
    }))
    .filter((one) => isProven(one, one.phyPayload));
  const made = Array.from({ length: realCount - published.length }, (_, index) => {
    const key = (byte: number) => Buffer.alloc(16, byte + index);
    const session: Session = {
      ...{ deviceId: `70b3d57ed00001${index.toString(16).padStart(2, '0')}` },
      ...{ devAddr: (0x26010000 + index).toString(16), macVersion: '1.0' },
      keys: { appSKey: key(2), fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1) },
    };
    const fCnt = 60_000 * (index % 4) + index;
    const content = { fCnt, confirmed: index % 3 === 0, ...(index % 5 === 0 ? {} : { fPort: 1 }) };
    const payload = Buffer.alloc(index % 40, index);
    return { session, phyPayload: uplinkFrame(session, { ...content, payload }), last: fCnt - 1 };
  });
  return [...published, ...made];
}

const real = realFrames();

describe('Somebody without a key', () => {
  it('has a hundred real frames to begin with, all of them proven', () => {
    expect(real).toHaveLength(realCount);
    expect(real.filter((one) => !isProven(one, one.phyPayload))).toEqual([]);
  });

  it('gets no frame through by flipping any one bit of it', () => {
    const passed: string[] = [];
    for (const one of real) {
      for (let bit = 0; bit < one.phyPayload.length * 8; bit += 1) {
        const flipped = Buffer.from(one.phyPayload);
        flipped[bit >> 3] = flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7));
        if (isProven(one, flipped)) passed.push(`${one.phyPayload.toString('hex')} ${bit}`);
      }
    }
    expect(passed).toEqual([]);
  });

  it('gets none through by noise and mutations, and throws nothing over', () => {
    const byDevAddr = new Map(real.map(({ session }) => [session.devAddr, [session]]));
    const lasts = new Map(real.map(({ session, last }) => [session.deviceId, last]));
    const originals = real.map(({ phyPayload }) => phyPayload);
    const known = new Set(originals.map((frame) => frame.toString('latin1')));
    const noise = createNoise(1);
    const txInfo = { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 12 };
    const passed: string[] = [];
    for (let count = 0; count < hostileCount; count += 1) {
      const phyPayload = hostileFrame(originals, noise);
      if (known.has(phyPayload.toString('latin1'))) continue;
      const result = verifyUplink(
        { ...uplinkOf(phyPayload), txInfo },
        (devAddr) => byDevAddr.get(devAddr) ?? [],
        (deviceId) => lasts.get(deviceId),
        options,
      );
      if (result.kind === 'payload') passed.push(phyPayload.toString('hex'));
    }
    expect(passed).toEqual([]);
  });
});
