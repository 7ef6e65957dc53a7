import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { open } from 'lmdb';
import { LedgerUnavailable } from '../../gateway/ledger/ledger.ts';
import { ledgerLimits } from '../../gateway/ledger/ledger-limits.ts';
import { commitCause, openLedgerFiles, openState } from '../../gateway/ledger/lmdb-files.ts';
import { LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { bare, frame, keyed, outcomes } from './deliveries.ts';
import { useLedger } from './test-bench.ts';

const bench = useLedger();

describe('The group', () => {
  it('takes no more items than its limit, and loses none of the others', async () => {
    await bench.restart({ groupItemsMax: 3 });
    const all = Array.from({ length: 20 }, (_, number) => bench.ledger.accept(keyed(`k${number}`)));
    const seqs = (await Promise.all(all)).map(([receipt]) => receipt?.seq);
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, number) => number + 1));
  });

  it('refuses what does not fit the queue, and goes on with the rest', async () => {
    await bench.restart({ queueLengthMax: 2 });
    const all = ['a', 'b', 'c'].map((key) => bench.ledger.accept(keyed(key)));
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(all[2]).rejects.toBeInstanceOf(LedgerUnavailable);
    expect(await bench.outcomeOf(keyed('c'))).toBe('accepted');
  });

  it('refuses more bytes than the queue may hold', async () => {
    await bench.restart({ queueBytesMax: 2_000 });
    const body = 'x'.repeat(1_500);
    const all = [bench.ledger.accept(bare({ body })), bench.ledger.accept(bare({ body }))];
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('rejects all that waits when a transaction fails before it takes any, and goes on', async () => {
    await bench.ledger.close();
    let fails = 0;
    const clock = {
      now() {
        if (fails > 0) throw new Error(`failure ${fails--}`);
        return bench.now;
      },
    };
    bench.ledger = await openLedger({ directory: bench.directory, clock });
    fails = 1;
    const all = [bench.ledger.accept(keyed('a')), bench.ledger.accept(keyed('b'))];
    for (const each of all) {
      await expect(each).rejects.toMatchObject({
        ...{ code: 'LEDGER_UNAVAILABLE', cause: new Error('failure 1') },
      });
    }
    expect(await bench.outcomesOf(keyed('a'), keyed('b'))).toEqual(['accepted', 'accepted']);
  });

  it('rejects at once and for good when LMDB itself has given up', async () => {
    await bench.ledger.close();
    const files = openLedgerFiles({ directory: bench.directory }, { readOnly: false });
    bench.ledger = new LmdbLedger(files, ledgerLimits, {
      clock: { now: () => bench.now },
      resetRuleOf: () => undefined,
    });
    await bench.ledger.accept(keyed('a'));
    await files.root.close();
    await expect(bench.ledger.accept(keyed('b'))).rejects.toBeInstanceOf(LedgerUnavailable);
    await expect(bench.ledger.accept(keyed('c'))).rejects.toThrow('restart to go on');
    const limits = { receivedBefore: 0, sizeBytesMax: 0, keepAfter: 9 };
    await expect(bench.ledger.retain(limits)).rejects.toThrow('restart to go on');
    await bench.start();
    expect(await bench.outcomesOf(keyed('a'), keyed('b'))).toEqual(['redelivery', 'accepted']);
  });

  it('shows a counter that is accepted but not yet on disk', async () => {
    const accepted = bench.ledger.accept(frame(7));
    let seen: number | undefined;
    for (let turn = 0; turn < 1_000 && seen === undefined; turn += 1) {
      await new Promise(setImmediate);
      seen = bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda');
    }
    expect(seen).toBe(7);
    await accepted;
  });

  it('stores a body far larger than a page', async () => {
    const body = 'y'.repeat(300_000);
    await bench.ledger.accept(bare({ body }));
    const reader = openLedgerReader({ directory: bench.directory });
    expect(reader.get(1)?.body).toEqual(Buffer.from(body));
    await reader.close();
  });
});

describe('The cause of a failed commit', () => {
  it('is what the library tells by its second promise', async () => {
    const cause = new Error('No space left on device');
    const error = Object.assign(new Error('Commit failed'), { commitError: Promise.reject(cause) });
    expect(await commitCause(error)).toBe(cause);
    expect(await commitCause(cause)).toBe(cause);
  });
});

describe('Opening and closing', () => {
  it('writes what waits before it closes, and rejects what comes after', async () => {
    const accepted = bench.ledger.accept(bare());
    await bench.ledger.close();
    expect(outcomes(await accepted)).toEqual(['accepted']);
    await expect(bench.ledger.accept(bare())).rejects.toThrow('closed');
    await bench.ledger.close();
  });

  it.each(['queueLengthMax', 'groupItemsMax'])('refuses a senseless %s', async (name) => {
    await expect(openLedger({ directory: bench.directory, limits: { [name]: 0 } })).rejects.toThrow(
      name,
    );
  });

  it('refuses more copies than can be looked at', async () => {
    await expect(
      openLedger({ directory: bench.directory, limits: { copiesMax: 70_000 } }),
    ).rejects.toThrow('copiesMax');
  });

  it('refuses files of a later format and says what to do', async () => {
    await bench.ledger.close();
    const root = open({
      path: join(bench.directory, 'ledger'),
      noSubdir: false,
      overlappingSync: false,
    });
    const notes = root.openDB({ name: 'notes', encoding: 'binary' });
    await notes.put('format', Buffer.from([0, 0, 0, 2]));
    await root.close();
    await expect(openLedger({ directory: bench.directory })).rejects.toThrow(
      'format 2; this program reads format 1',
    );
    expect(() => openLedgerReader({ directory: bench.directory })).toThrow(
      'backup made before the upgrade',
    );
  });

  it('keeps small state beside the ledger', async () => {
    const state = openState({ directory: bench.directory });
    const devices = state.openDB<{ name: string }, string>({ name: 'devices' });
    await devices.put('meter-7', { name: 'Meter 7' });
    await state.close();
    const again = openState({ directory: bench.directory });
    expect(again.openDB({ name: 'devices' }).get('meter-7')).toEqual({ name: 'Meter 7' });
    const format = again.openDB({ name: 'format', encoding: 'binary' });
    await format.put('format', Buffer.from([0, 0, 0, 9]));
    await again.close();
    expect(() => openState({ directory: bench.directory })).toThrow('format 9');
  });
});
