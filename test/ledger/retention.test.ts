import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../../gateway/ledger/ledger.ts';
import type { LedgerLimits } from '../../gateway/ledger/ledger-limits.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { type LmdbLedgerReader, openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { bare, frame, frameItem, inbound, keyed, startTime, withDirectory } from './deliveries.ts';

interface Opened {
  readonly ledger: LmdbLedger;
  readonly reader: LmdbLedgerReader;
  readonly directory: string;
}

function withLedger(
  limits: Partial<LedgerLimits>,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  return withDirectory(async (directory) => {
    const ledger = await openLedger({ directory, limits });
    const reader = openLedgerReader({ directory });
    try {
      await run({ ledger, reader, directory });
    } finally {
      await reader.close();
      await ledger.close();
    }
  });
}

async function fill(ledger: LmdbLedger, count: number, make: (n: number) => Delivery) {
  await Promise.all(Array.from({ length: count }, (_, number) => ledger.accept(make(number))));
}

const everything = { receivedBefore: Number.MAX_SAFE_INTEGER, sizeBytesMax: 1e15 };

describe('Retention', () => {
  it('removes what was received before the limit, in batches, oldest first', async () => {
    await withLedger({ retainBatchMax: 7 }, async ({ ledger, reader }) => {
      await fill(ledger, 50, (n) => bare({ receivedAt: startTime + n }));
      const limits = { receivedBefore: startTime + 30, sizeBytesMax: 1e15, keepAfter: 1_000 };
      expect(await ledger.retain(limits)).toBe(30);
      expect(reader.tail()).toBe(31);
      expect(reader.read(0, 1).map(({ seq }) => seq)).toEqual([31]);
      expect(await ledger.retain(limits)).toBe(0);
    });
  });

  it('removes nothing past the slowest reader', async () => {
    await withLedger({ retainBatchMax: 7 }, async ({ ledger, reader }) => {
      await fill(ledger, 50, () => bare());
      expect(await ledger.retain({ ...everything, keepAfter: 19 })).toBe(19);
      expect(reader.tail()).toBe(20);
      expect(await ledger.retain({ ...everything, keepAfter: 0 })).toBe(0);
    });
  });

  it('removes the oldest until the pages in use are few enough', async () => {
    await withLedger({ retainBatchMax: 50 }, async ({ ledger, reader }) => {
      const body = 'x'.repeat(3_000);
      await fill(ledger, 400, () => bare({ body }));
      const limits = { receivedBefore: 0, sizeBytesMax: 800_000, keepAfter: 1_000 };
      const removed = await ledger.retain(limits);
      expect(removed).toBeGreaterThan(150);
      expect(removed).toBeLessThan(300);
      expect(reader.tail()).toBe(removed + 1);
      expect(reader.head()).toBe(400);
    });
  });

  it('goes on counting after everything was removed, also over a restart', async () => {
    await withLedger({}, async ({ ledger, reader, directory }) => {
      await fill(ledger, 5, () => bare());
      expect(await ledger.retain({ ...everything, keepAfter: 5 })).toBe(5);
      expect([reader.tail(), reader.head()]).toEqual([6, 5]);
      await ledger.close();
      const again = await openLedger({ directory });
      expect(again.head()).toBe(5);
      expect(await again.accept(bare())).toEqual([{ outcome: 'accepted', seq: 6 }]);
      await again.close();
    });
  });

  it('still knows a removed message and a removed frame', async () => {
    await withLedger({}, async ({ ledger }) => {
      await ledger.accept(keyed('k1'));
      await ledger.accept(frame(7));
      await ledger.retain({ ...everything, keepAfter: 5 });
      expect(await ledger.accept(keyed('k1'))).toEqual([{ outcome: 'redelivery', seq: 1 }]);
      expect(ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    });
  });

  it('takes copies out of the index with their entries', async () => {
    await withLedger({}, async ({ ledger, reader }) => {
      await ledger.accept(frame(7));
      await ledger.accept(frame(7, { gatewayId: 'b' }));
      await ledger.accept(frame(7, { gatewayId: 'c' }));
      await ledger.retain({ ...everything, keepAfter: 2 });
      expect(reader.copiesOf(1).map(({ seq }) => seq)).toEqual([3]);
      await ledger.retain({ ...everything, keepAfter: 3 });
      expect(reader.copiesOf(1)).toEqual([]);
    });
  });

  it('keeps the body as long as an entry of its delivery stays', async () => {
    await withLedger({ retainBatchMax: 4 }, async ({ ledger, reader }) => {
      const items = [1, 2, 3, 4, 5, 6].map((fCnt) => frameItem(fCnt));
      await ledger.accept(bare());
      await ledger.accept({ inbound: inbound({ body: 'six' }), items });
      await ledger.accept(bare());
      expect(await ledger.retain({ ...everything, keepAfter: 4 })).toBe(1);
      expect(reader.read(0, 1)).toMatchObject([{ seq: 2, body: Buffer.from('six') }]);
      expect(await ledger.retain({ ...everything, keepAfter: 7 })).toBe(6);
      expect(reader.tail()).toBe(8);
    });
  });

  it('goes on while messages come in', async () => {
    await withLedger({ retainBatchMax: 10 }, async ({ ledger, reader }) => {
      await fill(ledger, 200, () => bare());
      const retained = ledger.retain({ ...everything, keepAfter: 200 });
      await fill(ledger, 200, () => bare());
      expect(await retained).toBe(200);
      expect([reader.tail(), reader.head()]).toEqual([201, 400]);
    });
  });
});
