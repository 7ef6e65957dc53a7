/** Devices of LoRaWAN 1.1 that acknowledge what their server, and not this gateway, has sent. */
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { open } from 'lmdb';
import {
  type ConfirmedDownlinks,
  createConfirmedDownlinks,
} from '../../gateway/lorawan/confirmed-downlinks.ts';
import { DownlinkBook } from '../../gateway/lorawan/downlink-book.ts';
import { type DataFrame, parseFrame } from '../../gateway/lorawan/frame.ts';
import { createProver } from '../../gateway/lorawan/prover.ts';
import { SessionCipherCache } from '../../gateway/lorawan/session-ciphers.ts';
import { verifyDefaults } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { createFrameCodec, type DataContent } from '../../simulators/lorawan/data-frame.ts';
import { scratchFolder } from './scratch-folder.ts';
import { uplinkFrame } from './simulated-frame.ts';

const key = (byte: number) => Buffer.alloc(16, byte);
const session: Session = {
  ...{ deviceId: '02f1e1d5000000b1', devAddr: '26011bda', macVersion: '1.1' },
  keys: { appSKey: key(1), fNwkSIntKey: key(2), sNwkSIntKey: key(3), nwkSEncKey: key(4) },
};
const other: Session = { ...session, deviceId: '02f1e1d5000000b2', devAddr: '26011bdb' };
const of10: Session = { ...session, devAddr: '26011bdc', macVersion: '1.0' };

function downlink(content: Partial<DataContent>, from = session, confFCnt = 0): DataFrame {
  const whole = { fCnt: 0, confirmed: true, ...content };
  const frame = parseFrame(createFrameCodec(from).encode('down', whole, { confFCnt }));
  if (frame.kind !== 'data') throw new Error('no data frame');
  return frame;
}

describe('Confirmed downlinks', () => {
  const sessions = [session, other, of10];
  const parts = {
    sessionsOf: (devAddr: string) => sessions.filter((one) => one.devAddr === devAddr),
    ciphers: new SessionCipherCache(10),
    counters: verifyDefaults.counters,
  };
  let downlinks: ConfirmedDownlinks;
  beforeEach(() => {
    downlinks = createConfirmedDownlinks(parts);
  });
  const hear = (frame: DataFrame, lastUplink?: number) => downlinks.hear(frame, () => lastUplink);

  it('are remembered by session, the newest two', () => {
    expect(downlinks.countersOf(session)).toEqual([]);
    for (const fCnt of [4, 7, 7, 9]) hear(downlink({ fCnt }));
    expect(downlinks.countersOf(session)).toEqual([9, 7]);
    expect(downlinks.countersOf(other)).toEqual([]);
  });

  it('count on behind 16 bits, the application apart from the network', () => {
    const frmPayload = Buffer.of(1);
    for (const fCnt of [65_535, 65_536]) hear(downlink({ fCnt, fPort: 2, frmPayload }));
    expect(downlinks.countersOf(session)).toEqual([65_536, 65_535]);
    hear(downlink({ fCnt: 3 }));
    expect(downlinks.countersOf(session)).toEqual([3, 65_536]);
  });

  it('are believed when they acknowledge the last uplink, or the one under way', () => {
    hear(downlink({ fCnt: 1, ack: true }, session, 20), 20);
    hear(downlink({ fCnt: 2, ack: true }, session, 21), 20);
    expect(downlinks.countersOf(session)).toEqual([2, 1]);
    hear(downlink({ fCnt: 3, ack: true }, session, 5), 20);
    hear(downlink({ fCnt: 4, ack: true }, session, 5));
    expect(downlinks.countersOf(session)).toEqual([2, 1]);
  });

  it('are not believed without their MIC, unconfirmed, upwards or in LoRaWAN 1.0', () => {
    const frame = downlink({ fCnt: 1 });
    hear({ ...frame, mic: Buffer.alloc(4) });
    hear(downlink({ fCnt: 1, confirmed: false }));
    hear({ ...frame, direction: 'up' });
    hear(downlink({ fCnt: 1 }, of10));
    expect(sessions.map((one) => downlinks.countersOf(one))).toEqual([[], [], []]);
  });

  it('are not believed again: a recorded one moves nothing back', () => {
    for (const fCnt of [4, 60_000, 60_002]) hear(downlink({ fCnt }));
    for (const fCnt of [4, 60_000, 60_001, 60_002]) hear(downlink({ fCnt }));
    expect(downlinks.countersOf(session)).toEqual([60_002, 60_000]);
    hear(downlink({ fCnt: 60_003 }));
    expect(downlinks.countersOf(session)).toEqual([60_003, 60_002]);
  });

  it('count anew for a session of other keys', () => {
    hear(downlink({ fCnt: 900 }));
    const anew = { ...session, keys: { ...session.keys, sNwkSIntKey: key(9) } };
    const both = createConfirmedDownlinks({ ...parts, sessionsOf: () => [session, anew] });
    both.hear(downlink({ fCnt: 900 }), () => undefined);
    both.hear(downlink({ fCnt: 1 }, anew), () => undefined);
    expect([both.countersOf(session), both.countersOf(anew)]).toEqual([[900], [1]]);
  });

  it('are known to the next process, and forgotten on disk with their session', async () => {
    const path = join(scratchFolder(), 'state');
    const openState = () => open<unknown, string>({ path, maxDbs: 4 });
    let root = openState();
    let book = new DownlinkBook(root);
    const before = createConfirmedDownlinks({ ...parts, book });
    expect(book.unwritten()).toBeUndefined();
    for (const fCnt of [4, 60_002]) before.hear(downlink({ fCnt }), () => undefined);
    before.hear(downlink({ fCnt: 60_005, confirmed: false }), () => undefined);
    await book.unwritten();
    await root.close();
    root = openState();
    book = new DownlinkBook(root);
    const after = createConfirmedDownlinks({ ...parts, book }, 1);
    expect(after.countersOf(session)).toEqual([60_002, 4]);
    after.hear(downlink({ fCnt: 60_001 }), () => undefined);
    expect(after.countersOf(session)).toEqual([60_002, 4]);
    after.hear(downlink({ fCnt: 1 }, other), () => undefined);
    await book.unwritten();
    expect([...book.all()].map(([, { confirmed }]) => confirmed)).toEqual([[1]]);
    await root.close();
  });

  it('are forgotten when too many sessions were heard since', () => {
    const few = createConfirmedDownlinks(parts, 1);
    few.hear(downlink({ fCnt: 1 }), () => undefined);
    few.hear(downlink({ fCnt: 1 }, other), () => undefined);
    expect([few.countersOf(session), few.countersOf(other)]).toEqual([[], [1]]);
  });
});

describe('An acknowledgement of LoRaWAN 1.1', () => {
  const proverWith = (downlinkBook?: DownlinkBook) =>
    createProver({
      ...(downlinkBook === undefined ? {} : { downlinkBook }),
      joins: {
        sessionsOf: () => [session],
        request: () => ({ kind: 'event', adapter: 'a', type: 'join-request' }),
        accept: () => undefined,
        proven: () => undefined,
        unwritten: () => undefined,
      },
      lastFrameCounter: () => undefined,
      options: { ...verifyDefaults, ciphers: new SessionCipherCache(10) },
    });
  let prover = proverWith();
  beforeEach(() => {
    prover = proverWith();
  });
  const hear = (fCnt: number) =>
    prover.hear({
      ...{ kind: 'event', adapter: 'a', type: 'command-down' },
      phyPayload: downlink({ fCnt }).phyPayload,
    });
  const outcomeOf = (fCnt: number, confFCnt: number, ack = true) => {
    const content = { fCnt, fPort: 1, payload: Buffer.of(1), ack, confFCnt, txDr: 5, txCh: 0 };
    const phyPayload = uplinkFrame(session, content);
    const txInfo = { frequency: 868_100_000, spreadingFactor: 7, bandwidth: 125_000 };
    const proven = prover.verify({ kind: 'frame', adapter: 'a', phyPayload, rxInfo: [], txInfo });
    return 'code' in proven ? proven.code : proven.kind;
  };

  it('is proven once the downlink was heard, and by the one before it', () => {
    expect(outcomeOf(1, 12)).toBe('FRAME_UNSUPPORTED');
    hear(12);
    expect(outcomeOf(1, 12)).toBe('payload');
    hear(15);
    expect([outcomeOf(2, 15), outcomeOf(3, 12)]).toEqual(['payload', 'payload']);
    expect([outcomeOf(4, 13), outcomeOf(5, 13, false)]).toEqual(['FRAME_UNSUPPORTED', 'payload']);
    hear(16);
    expect(outcomeOf(6, 12)).toBe('FRAME_UNSUPPORTED');
  });

  it('is proven after a restart between the downlink and it', async () => {
    const path = join(scratchFolder(), 'state');
    let root = open<unknown, string>({ path, maxDbs: 4 });
    prover = proverWith(new DownlinkBook(root));
    expect(prover.unwritten()).toBeUndefined();
    hear(12);
    await prover.unwritten();
    await root.close();
    root = open<unknown, string>({ path, maxDbs: 4 });
    prover = proverWith(new DownlinkBook(root));
    expect(outcomeOf(1, 12)).toBe('payload');
    await root.close();
  });

  it('is a forgery when neither half of its MIC fits', () => {
    const content = { fCnt: 1, fPort: 1, payload: Buffer.of(1), ack: true, confFCnt: 12 };
    const phyPayload = uplinkFrame(session, content);
    phyPayload[phyPayload.length - 1] = (phyPayload.at(-1) ?? 0) ^ 1;
    const proven = prover.verify({ kind: 'frame', adapter: 'a', phyPayload, rxInfo: [] });
    expect(proven).toMatchObject({ code: 'MIC_MISMATCH' });
  });
});
