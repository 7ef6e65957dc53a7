import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery, Receipt } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import { RecentCount } from '../../gateway/pipeline/recent-count.ts';
import {
  createSourceBoard,
  manyAccounts,
  type Source,
} from '../../gateway/pipeline/source-board.ts';
import { bare, frame, inbound, keyed, startTime } from '../ledger/deliveries.ts';

const accepted: Receipt = { outcome: 'accepted', seq: 1 };

class BoardBench {
  now = startTime;
  readonly board = createSourceBoard({ now: () => this.now }, { sourcesMax: 2, silentMs: 60_000 });

  note(adapter: string, delivery: Delivery, ...receipts: Receipt[]): void {
    this.board.note(adapter, delivery, receipts);
  }

  sources(): readonly Source[] {
    return this.board.report().sources;
  }
}

function from(credential: string, receivedAt = startTime): Delivery {
  return { ...bare(), inbound: inbound({ credential, receivedAt }) };
}

describe('The board of sources', () => {
  it('is empty at first and says since when it counts', () => {
    expect(new BoardBench().board.report()).toEqual({ since: startTime, sources: [] });
  });

  it('counts messages, uplinks and outcomes of each adapter, account and transport', () => {
    const bench = new BoardBench();
    bench.note('loriot', keyed('a'), accepted);
    bench.note('loriot', keyed('b'), { outcome: 'copy', seq: 1 });
    bench.note('semtech-udp', frame(1, { transport: 'udp', receivedAt: startTime + 1 }), accepted);
    expect(bench.sources()).toMatchObject([
      {
        adapter: 'semtech-udp',
        credential: 'gateway-a',
        transport: 'udp',
        outcomes: { accepted: 1 },
      },
      {
        ...{ adapter: 'loriot', credential: 'meter-7', transport: 'mqtt', lastSeen: startTime },
        messages: { lastMinute: 2, lastHour: 2, total: 2 },
        uplinks: { lastMinute: 1, lastHour: 1, total: 1 },
        ...{ outcomes: { accepted: 1, copy: 1 }, faults: [], messageLagMs: 0 },
      },
    ]);
  });

  it('keeps the last detail of each fault, cut to a bounded length', () => {
    const bench = new BoardBench();
    for (const detail of ['first', 'x'.repeat(5_000)]) {
      const reason = fault('INBOUND_MALFORMED', detail);
      const delivery = { ...bare(), items: [{ kind: 'quarantined', fault: reason } as const] };
      bench.note('unrouted', delivery, { outcome: 'quarantined', seq: 1 });
    }
    bench.note('unrouted', frame(1, { credential: 'meter-7' }), { outcome: 'replayed', seq: 3 });
    const [source] = bench.sources();
    expect(source?.faults).toMatchObject([
      { code: 'INBOUND_MALFORMED', count: 2, lastSeen: startTime, detail: 'x'.repeat(300) },
      { code: 'FRAME_REPLAYED', count: 1 },
    ]);
    expect(source?.messageLagMs).toBeUndefined();
  });

  it('tells how late the newest message came, and events too', () => {
    const bench = new BoardBench();
    const late = keyed('a', { rxTime: startTime - 5_000 });
    bench.note('loriot', late, accepted);
    expect(bench.sources()[0]?.messageLagMs).toBe(5_000);
    const event = { kind: 'event', adapter: 'a', type: 'join', time: startTime + 100 } as const;
    bench.note('loriot', { ...late, items: [event] }, { outcome: 'event', seq: 2 });
    expect(bench.sources()[0]?.messageLagMs).toBe(-100);
  });

  it('tells how long derivation takes, and lets it grow while a message waits', () => {
    const bench = new BoardBench();
    bench.note('a', bare(), { outcome: 'redelivery', seq: 1 });
    expect(bench.sources()[0]?.deriveLagMs).toBeUndefined();
    bench.note('a', bare(), { outcome: 'accepted', seq: 5 });
    bench.note('a', bare(), { outcome: 'accepted', seq: 6 });
    bench.now += 400;
    expect(bench.sources()[0]?.deriveLagMs).toBe(400);
    bench.board.derived(4);
    bench.now += 600;
    bench.board.derived(5);
    bench.now += 9_000;
    expect(bench.sources()[0]?.deriveLagMs).toBe(1_000);
  });

  it('has one row for all devices with an account of their own', () => {
    const bench = new BoardBench();
    for (const deviceId of ['meter-7', 'meter-8', 'meter-9']) {
      const delivery = from(deviceId);
      const sender = { ...delivery.inbound.sender, deviceId };
      bench.note('modem', { ...delivery, inbound: { ...delivery.inbound, sender } }, accepted);
    }
    expect(bench.sources()).toMatchObject([{ credential: manyAccounts, messages: { total: 3 } }]);
  });

  it('is bounded: a silent source makes room, else the row of many takes the newcomer', () => {
    const bench = new BoardBench();
    bench.note('a', from('one'), accepted);
    bench.note('a', from('two', startTime + 50_000), accepted);
    bench.note('a', from('three', startTime + 50_000), accepted);
    bench.note('a', from('three again', startTime + 50_000), accepted);
    expect(bench.sources()).toHaveLength(3);
    bench.now += 61_000;
    bench.note('a', from('four', bench.now), accepted);
    bench.note('a', from('five', bench.now), accepted);
    const names = bench.sources().map(({ credential }) => credential);
    expect(names.sort()).toEqual([manyAccounts, 'four', 'two']);
  });
});

describe('A count of late', () => {
  it('equals the count of what is kept one by one, whatever time passes between', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(90_000), count: fc.nat(5) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const recent = new RecentCount();
        const kept: { at: number; count: number }[] = [];
        let now = startTime;
        for (const { afterMs, count } of list) {
          now += afterMs;
          recent.add(count, now);
          kept.push({ at: now, count });
        }
        const since = (slotMs: number) => {
          const first = Math.floor(now / slotMs) - 59;
          const inside = kept.filter(({ at }) => Math.floor(at / slotMs) >= first);
          return inside.reduce((sum, { count }) => sum + count, 0);
        };
        expect(recent.lastMinute(now)).toBe(since(1_000));
        expect(recent.lastHour(now)).toBe(since(60_000));
        expect(recent.total()).toBe(kept.reduce((sum, { count }) => sum + count, 0));
      }),
      { numRuns: 50 },
    );
  });

  it('begins anew when the clock was set back', () => {
    const recent = new RecentCount();
    recent.add(3, startTime);
    recent.add(1, startTime - 3_600_000);
    expect(recent.lastMinute(startTime - 3_600_000)).toBe(1);
    expect(recent.total()).toBe(4);
  });
});
