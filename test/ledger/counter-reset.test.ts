import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ResetRule } from '../../gateway/ledger/counter-reset.ts';
import type { Delivery } from '../../gateway/ledger/ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { frame, frameItem, inbound, keyed, startTime } from './deliveries.ts';
import { useLedger } from './test-bench.ts';

const bench = useLedger();
const deviceId = '70b3d57ed0000001';
const devAddr = '26011bda';
const rule: ResetRule = {
  ...{ mode: 'after-silence', fCntMax: 16, silenceMs: 60_000, framesMax: 1_000 },
};

let at = startTime;

beforeEach(() => {
  at = startTime;
  bench.resetRule = rule;
});

/** A frame, or its replay, half an hour after the one before; `content` tells one life of the device from another. */
function next(fCnt: number, life: number, waitMs = 1_800_000): Delivery {
  at += waitMs;
  const content = `${life}: ${fCnt}`;
  return frame(fCnt, { content, receivedAt: at, body: `${content} heard at ${at}` });
}

const counter = () => bench.ledger.lastFrameCounter(deviceId, devAddr);

describe('A device that may count anew', () => {
  it('is followed when it does, once it was silent, and the entry says so', async () => {
    expect(await bench.outcomesOf(next(0, 1), next(1, 1), next(900, 1))).toEqual([
      ...['accepted', 'accepted', 'accepted'],
    ]);
    expect(await bench.ledger.accept(next(0, 2))).toEqual([
      { outcome: 'accepted', seq: 4, isReset: true },
    ]);
    expect(counter()).toBe(0);
    expect(bench.ledger.highestFrameCounter(deviceId, devAddr)).toBe(900);
    expect(await bench.ledger.accept(next(1, 2))).toEqual([{ outcome: 'accepted', seq: 5 }]);
    const reader = openLedgerReader({ directory: bench.directory });
    expect(reader.get(4)?.item).toMatchObject({ fCnt: 0, counterBefore: 900 });
    expect(reader.get(5)?.item).not.toHaveProperty('counterBefore');
    await reader.close();
  });

  it('is never followed without a rule', async () => {
    bench.resetRule = undefined;
    expect(await bench.outcomesOf(next(9, 1), next(0, 2))).toEqual(['accepted', 'replayed']);
    expect(counter()).toBe(9);
    expect(bench.ledger.highestFrameCounter(deviceId, devAddr)).toBeUndefined();
  });

  it('is not followed beyond the first counters, nor without silence', async () => {
    await bench.outcomesOf(next(0, 1), next(900, 1));
    expect(await bench.outcomesOf(next(0, 2, 59_999), next(17, 2))).toEqual([
      ...['replayed', 'replayed'],
    ]);
    expect(counter()).toBe(900);
    expect(await bench.outcomeOf(next(16, 2, 1))).toBe('accepted');
  });

  it('is not followed on a clock that was set back', async () => {
    await bench.outcomesOf(next(0, 1), next(900, 1));
    expect(await bench.outcomeOf(next(0, 2, -3_600_000))).toBe('replayed');
  });

  it('follows without silence where the rule says always', async () => {
    bench.resetRule = { ...rule, mode: 'always' };
    await bench.outcomesOf(next(0, 1), next(900, 1));
    expect(await bench.outcomesOf(next(0, 2, 20_000), next(1, 2, 1))).toEqual([
      ...['accepted', 'accepted'],
    ]);
  });

  it.each(['after-silence', 'always'] as const)(
    'takes no recorded frame for a new one, neither first nor later: %s',
    async (mode) => {
      bench.resetRule = { ...rule, mode };
      const life = [0, 1, 2, 3, 40, 900];
      for (const fCnt of life) await bench.ledger.accept(next(fCnt, 1));
      for (const fCnt of life) expect(await bench.outcomeOf(next(fCnt, 1))).toBe('replayed');
      expect(counter()).toBe(900);
      expect(await bench.outcomeOf(next(0, 2))).toBe('accepted');
      await bench.restart();
      for (const fCnt of life) expect(await bench.outcomeOf(next(fCnt, 1))).toBe('replayed');
      expect(counter()).toBe(0);
      expect(await bench.outcomesOf(next(1, 2), next(900, 2))).toEqual(['accepted', 'accepted']);
      expect(await bench.outcomeOf(next(0, 3))).toBe('accepted');
      for (const fCnt of [0, 1, 900]) {
        expect(await bench.outcomeOf(next(fCnt, 1))).toBe('replayed');
        expect(await bench.outcomeOf(next(fCnt, 2))).toBe('replayed');
      }
      expect(counter()).toBe(0);
    },
  );

  it('refuses a first frame of equal bytes, and follows from the next', async () => {
    await bench.outcomesOf(next(0, 1), next(1, 1), next(900, 1));
    const boot = next(0, 1);
    expect(await bench.outcomesOf(boot, next(1, 2))).toEqual(['replayed', 'accepted']);
    expect(counter()).toBe(1);
  });

  it('stores the copies of its first frame as copies, and moves no counter by late ones', async () => {
    bench.resetRule = { ...rule, mode: 'always' };
    const old = next(900, 1);
    await bench.outcomesOf(next(0, 1, -1), old);
    const first = next(0, 2, 2_000);
    const by = (gatewayId: string, { items }: Delivery): Delivery => {
      const [item] = items;
      if (item?.kind !== 'payload') throw new Error('no uplink');
      const body = `${gatewayId} ${item.fCnt}`;
      return {
        inbound: inbound({ body, credential: gatewayId, receivedAt: at }),
        items: [{ ...item, rxInfo: [{ gatewayId }] }],
      };
    };
    expect(await bench.outcomesOf(first, by('b', first), first, by('b', old), old)).toEqual([
      ...['accepted', 'copy', 'redelivery', 'copy', 'redelivery'],
    ]);
    expect(counter()).toBe(0);
    expect(await bench.outcomeOf(next(1, 2, 10))).toBe('accepted');
  });

  it('is followed by its frame when the word of its network server came first', async () => {
    await bench.outcomesOf(next(0, 1), next(900, 1));
    const raw = next(1, 2);
    const [item] = raw.items;
    if (item?.kind !== 'payload' || item.frmPayload === undefined) throw new Error('no uplink');
    const { devAddr: _a, ...told } = { deviceId, devAddr, fPort: 2, fCnt: 1 };
    const server = keyed('k', { ...told, rxTime: at, frmPayload: item.frmPayload });
    const word = { ...server, inbound: { ...server.inbound, receivedAt: at } };
    expect(await bench.ledger.accept(word)).toMatchObject([{ outcome: 'accepted' }]);
    expect(await bench.ledger.accept(raw)).toMatchObject([{ outcome: 'copy', isReset: true }]);
    expect(counter()).toBe(1);
  });
});

describe('The memory of a session that may count anew', () => {
  it('is not whole when the rule came after the first frames: only always is followed', async () => {
    bench.resetRule = undefined;
    await bench.ledger.accept(next(5, 1));
    bench.resetRule = rule;
    await bench.ledger.accept(next(6, 1));
    expect(await bench.outcomeOf(next(0, 2))).toBe('replayed');
    bench.resetRule = { ...rule, mode: 'always' };
    expect(await bench.outcomeOf(next(0, 2))).toBe('accepted');
    expect(bench.ledger.highestFrameCounter(deviceId, devAddr)).toBe(6);
  });

  it('is not whole when the rule was lifted for a while', async () => {
    await bench.outcomesOf(next(0, 1), next(1, 1));
    bench.resetRule = undefined;
    await bench.ledger.accept(next(2, 1));
    bench.resetRule = rule;
    expect(await bench.outcomeOf(next(0, 2))).toBe('replayed');
    await bench.ledger.accept(next(3, 1));
    expect(await bench.outcomeOf(next(0, 2))).toBe('replayed');
  });

  it('takes no reset when it is full, whatever the rule', async () => {
    bench.resetRule = { ...rule, framesMax: 3 };
    for (const fCnt of [0, 1, 2, 3]) await bench.ledger.accept(next(fCnt, 1));
    expect(await bench.outcomeOf(next(0, 2))).toBe('replayed');
    bench.resetRule = { ...rule, framesMax: 3, mode: 'always' };
    expect(await bench.outcomeOf(next(0, 2))).toBe('replayed');
    expect(await bench.outcomeOf(next(4, 1))).toBe('accepted');
  });

  it('is forgotten with the session, and only its own', async () => {
    const other = (fCnt: number) => frame(fCnt, { devAddr: '26011bdb', receivedAt: at });
    await bench.outcomesOf(next(0, 1), next(9, 1), other(3));
    await bench.ledger.forgetSession(deviceId, devAddr);
    expect(bench.ledger.highestFrameCounter(deviceId, devAddr)).toBeUndefined();
    expect(bench.ledger.highestFrameCounter(deviceId, '26011bdb')).toBe(3);
    expect(await bench.outcomesOf(next(9, 1), other(3))).toEqual(['accepted', 'redelivery']);
  });

  it('is kept of no joined session: that joins again instead', async () => {
    const of = (fCnt: number): Delivery => {
      const item = frameItem(fCnt);
      at += 1_800_000;
      if (item.kind !== 'payload') throw new Error('no uplink');
      const body = `joined ${fCnt}`;
      return {
        inbound: inbound({ body, receivedAt: at }),
        items: [{ ...item, session: '0000010001' }],
      };
    };
    expect(await bench.outcomesOf(of(9), of(0))).toEqual(['accepted', 'replayed']);
  });
});
