import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { compileLedger } from './compiled-ledger.ts';
import { bare, frame, withDirectory } from './deliveries.ts';

const script = fileURLToPath(new URL('./follow-ledger.mjs', import.meta.url));

describe('The ledger reader', () => {
  it('reads pages by cursor, oldest first, and single entries', async () => {
    await withDirectory(async (directory) => {
      const ledger = await openLedger({ directory });
      const reader = openLedgerReader({ directory });
      expect([reader.head(), reader.tail(), reader.read(0, 10)]).toEqual([0, 1, []]);
      for (let n = 0; n < 12; n += 1) await ledger.accept(bare({ body: `${n}` }));
      expect(reader.read(0, 5).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect(reader.read(10, 5).map(({ seq }) => seq)).toEqual([11, 12]);
      expect([reader.head(), reader.tail()]).toEqual([12, 1]);
      expect(reader.get(3)).toMatchObject({
        ...{ seq: 3, outcome: 'accepted', transport: 'mqtt', route: 'up/meter-7' },
        ...{ credential: 'meter-7', body: Buffer.from('2') },
      });
      expect(reader.get(13)).toBeUndefined();
      expect(reader.read(0, 0)).toEqual([]);
      await reader.close();
      await ledger.close();
    });
  });

  it('reads no more than so many bytes at once, but one entry however large', async () => {
    await withDirectory(async (directory) => {
      const ledger = await openLedger({ directory });
      for (const body of ['x'.repeat(5_000), 'y'.repeat(100), 'z'.repeat(100)]) {
        await ledger.accept(bare({ body }));
      }
      const reader = openLedgerReader({ directory });
      expect(reader.read(0, 10, 1_000).map(({ seq }) => seq)).toEqual([1]);
      expect(reader.read(1, 10, 1_000).map(({ seq }) => seq)).toEqual([2, 3]);
      await reader.close();
      await ledger.close();
    });
  });

  it('finds the copies of one frame only', async () => {
    await withDirectory(async (directory) => {
      const ledger = await openLedger({ directory });
      for (const gatewayId of ['a', 'b', 'c']) {
        await ledger.accept(frame(1, { gatewayId }));
        await ledger.accept(frame(1, { gatewayId, devAddr: '26011bdb' }));
      }
      const reader = openLedgerReader({ directory });
      expect(reader.copiesOf(1).map(({ seq }) => seq)).toEqual([3, 5]);
      expect(reader.copiesOf(2).map(({ seq }) => seq)).toEqual([4, 6]);
      expect(reader.copiesOf(3)).toEqual([]);
      await reader.close();
      await ledger.close();
    });
  });

  it('says so when there is no ledger', async () => {
    await withDirectory(async (directory) => {
      expect(() => openLedgerReader({ directory })).toThrow('There is no ledger in');
    });
  });

  it('sees no entry before it is acknowledged to be on disk', async () => {
    await withDirectory(async (directory) => {
      const ledger = await openLedger({ directory });
      const reader = openLedgerReader({ directory });
      for (let round = 0; round < 20; round += 1) {
        const accepted = ledger.accept(bare());
        expect(reader.head()).toBe(round);
        await accepted;
        expect(reader.head()).toBe(round + 1);
      }
      await reader.close();
      await ledger.close();
    });
  });

  it('follows the writer from another thread, missing and repeating nothing', async () => {
    await withDirectory(async (directory) => {
      const compiled = await compileLedger(join(directory, 'compiled'));
      const ledger = await openLedger({ directory, limits: { groupItemsMax: 20 } });
      const until = 1_000;
      const worker = new Worker(script, { workerData: { compiled, directory, until } });
      const seen: number[] = [];
      worker.on('message', (seqs: number[]) => seen.push(...seqs));
      const exited = once(worker, 'exit');
      await Promise.all(Array.from({ length: until }, () => ledger.accept(bare())));
      expect(await exited).toEqual([0]);
      expect(seen).toEqual(Array.from({ length: until }, (_, place) => place + 1));
      await ledger.close();
    });
  });
});
