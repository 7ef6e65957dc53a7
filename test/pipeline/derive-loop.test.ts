import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Catalogue, openCatalogue } from '../../gateway/ledger/catalogue.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { Reading } from '../../gateway/model/reading.ts';
import { deriveEntry } from '../../gateway/pipeline/derive.ts';
import { type DeriveLoop, startDeriveLoop } from '../../gateway/pipeline/derive-loop.ts';
import { until } from '../setup/gateway-process.ts';
import { entryOf, uplinkOf } from './entries.ts';
import { type GatheredRecords, gatherRecords } from './gathered-records.ts';

/** The far end: a store that can be down, slow, or closed. */
function createStore() {
  const waiting: { bundle: GatheredRecords; resolve: () => void; reject: (e: Error) => void }[] =
    [];
  const stored: GatheredRecords[] = [];
  let mode: 'up' | 'slow' | 'down' = 'up';
  return {
    stored,
    waiting,
    seqs: () => stored.flatMap(({ taken }) => taken.map(({ seq }) => seq)),
    set(next: typeof mode) {
      mode = next;
    },
    answerOldest() {
      const next = waiting.shift();
      if (next === undefined) throw new Error('nothing was offered');
      stored.push(next.bundle);
      next.resolve();
    },
    isDown: () => mode === 'down',
    gather: gatherRecords,
    offer(bundle: GatheredRecords): Promise<void> {
      if (mode === 'up') {
        stored.push(bundle);
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => waiting.push({ bundle, resolve, reject }));
    },
  };
}

let directory: string;
let catalogue: Catalogue;
let entries: LedgerEntry[];
let published: Reading[];
let progress: { live: number; store: number; faults: Readonly<Record<string, number>> }[];
let store: ReturnType<typeof createStore>;
let loop: DeriveLoop;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-derive-'));
  catalogue = openCatalogue(directory);
  [entries, published, progress] = [[], [], []];
  store = createStore();
});

afterEach(async () => {
  jest.useRealTimers();
  await loop.stop();
  await catalogue.close();
  await rm(directory, { recursive: true, force: true });
});

function start(): void {
  loop = startDeriveLoop({
    reader: {
      read: (after, limit) => entries.filter(({ seq }) => seq > after).slice(0, limit),
    },
    catalogue,
    feed: store,
    derive: (entry) => deriveEntry(entry, { deviceOf: () => undefined, codecOf: () => undefined }),
    publish: (readings) => published.push(...readings),
    observe: (told) => progress.push(told),
    onStored: () => {},
    readingsHeldMax: 20_000,
  });
}

/** One uplink each, with its seq as the value. */
function append(count: number): void {
  const from = (entries.at(-1)?.seq ?? 0) + 1;
  for (let seq = from; seq < from + count; seq += 1) {
    const item = uplinkOf({ measurements: [{ name: 'temperature', value: seq / 1_000 }] });
    entries.push(entryOf({ seq, item }));
  }
}

function appendUndecodable(): void {
  const item = uplinkOf({ frmPayload: Buffer.from([1]), fPort: 1 });
  entries.push(entryOf({ seq: (entries.at(-1)?.seq ?? 0) + 1, item }));
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const publishedSeqs = () => published.map(({ seq }) => seq);

describe('The derive loop', () => {
  it('gives every entry to the live side and to the store, in order and once', async () => {
    append(5_000);
    start();
    await until('all are stored', () => store.seqs().length === 5_000);
    expect(store.seqs()).toEqual(upTo(5_000));
    expect(publishedSeqs()).toEqual(upTo(5_000));
    await until('the place is kept', () => catalogue.position('store') === 5_000);
  });

  it('goes on when it is woken, without waiting for its turn', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    start();
    await sleep(20);
    append(1);
    loop.wake();
    await until('it is stored', () => store.seqs().length === 1);
  });

  it('finds new entries by itself when nobody wakes it', async () => {
    start();
    await sleep(20);
    append(1);
    await until('it is stored', () => store.seqs().length === 1);
  });

  it('notes why an entry gave no readings', async () => {
    appendUndecodable();
    append(1);
    start();
    await until('it is noted', () => catalogue.verdict(1) !== undefined);
    expect(catalogue.verdict(1)?.code).toBe('CODEC_MISSING');
    expect(progress[0]?.faults).toEqual({ CODEC_MISSING: 1 });
    expect(catalogue.find({ device: 'meter-7', limit: 10 })).toEqual([2, 1]);
  });
});

describe('A store that is down', () => {
  it('does not hold back the live side, and catches up from its own place', async () => {
    store.set('down');
    start();
    append(3_000);
    loop.wake();
    await until('live is level', () => published.length === 3_000);
    expect(store.waiting).toHaveLength(0);
    store.set('up');
    loop.wake();
    await until('the store is level', () => store.seqs().length === 3_000);
    expect(store.seqs()).toEqual(upTo(3_000));
    expect(publishedSeqs()).toEqual(upTo(3_000));
  });

  it('has at most two batches on their way, and what came meanwhile goes as one', async () => {
    store.set('slow');
    append(10_000);
    start();
    await until('live is level', () => published.length === 10_000);
    expect(store.waiting).toHaveLength(2);
    store.answerOldest();
    await until('the third is offered', () => store.waiting.length === 2);
    store.answerOldest();
    store.answerOldest();
    await until('the store is level', () => catalogue.position('store') === 10_000);
    expect(store.stored.map(({ readings }) => readings)).toEqual([250, 250, 9_500]);
    expect(store.seqs()).toEqual(upTo(10_000));
    expect(publishedSeqs()).toEqual(upTo(10_000));
  });

  it('is left behind when too much waits for it, and served from the ledger later', async () => {
    store.set('slow');
    append(30_000);
    start();
    await until('live is level', () => published.length === 30_000);
    let answered = 0;
    const answer = () => {
      if (store.waiting.length > 0) store.answerOldest();
      answered = catalogue.position('store');
      return answered === 30_000;
    };
    await until('the store is level', answer);
    expect(store.seqs()).toEqual(upTo(30_000));
    expect(Math.max(...store.stored.map(({ readings }) => readings))).toBeLessThan(20_501);
    expect(publishedSeqs()).toEqual(upTo(30_000));
  });

  it('is given again what it had not confirmed when the loop starts anew', async () => {
    store.set('slow');
    append(10);
    start();
    await until('it is offered', () => store.waiting.length === 1);
    await loop.stop();
    catalogue.setPosition('live', 10);
    await until('the place is kept', () => catalogue.position('live') === 10);
    store.set('up');
    start();
    await until('the store is level', () => store.seqs().length === 10);
    expect(publishedSeqs()).toEqual(upTo(10));
  });

  it('keeps its place when the feed is closed under it', async () => {
    store.set('slow');
    append(10);
    start();
    await until('it is offered', () => store.waiting.length === 1);
    store.waiting[0]?.reject(new Error('closed'));
    await sleep(20);
    expect(catalogue.position('store')).toBe(0);
  });
});
