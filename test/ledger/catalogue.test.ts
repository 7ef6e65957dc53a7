import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Catalogue,
  type CatalogueNote,
  type CatalogueQuery,
  openCatalogue,
} from '../../gateway/ledger/catalogue.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import { compileLedger } from './compiled-ledger.ts';
import { bareUplink, startTime } from './deliveries.ts';

let directory: string;
let catalogue: Catalogue;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-catalogue-'));
  catalogue = openCatalogue(join(directory, 'catalogue'));
});

afterEach(async () => {
  await catalogue.close();
  await rm(directory, { recursive: true, force: true });
});

/** Closing writes everything that was noted. */
async function reopen(): Promise<void> {
  await catalogue.close();
  catalogue = openCatalogue(join(directory, 'catalogue'));
}

function entryOf(seq: number, part: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...{ seq, outcome: 'accepted', receivedAt: startTime + seq, transport: 'mqtt' },
    ...{ route: 'up/x', credential: 'x', body: Buffer.alloc(0), item: bareUplink },
    ...part,
  };
}

const malformed: LedgerEntry['item'] = {
  kind: 'quarantined',
  fault: fault('INBOUND_MALFORMED', 'no JSON'),
};

/** Three kinds of entries in turn: a device, another device, and something nobody can read. */
function noted(count: number): CatalogueNote[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = index + 1;
    if (seq % 3 === 1) return { entry: entryOf(seq) };
    if (seq % 3 === 0) return { entry: entryOf(seq, { outcome: 'quarantined', item: malformed }) };
    return {
      entry: entryOf(seq, { item: { ...bareUplink, deviceId: 'meter-8' } }),
      fault: fault('CODEC_MISSING', 'none'),
    };
  });
}

function walk(query: Omit<CatalogueQuery, 'limit'>): number[] {
  const found: number[] = [];
  for (;;) {
    const last = found.at(-1);
    const next = query.after === undefined ? 'before' : 'after';
    const from = last === undefined ? {} : { [next]: last };
    const page = catalogue.find({ ...query, ...from, limit: 7 });
    if (page === undefined || page.length === 0) return found;
    found.push(...page);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('Finding in the catalogue', () => {
  beforeEach(async () => {
    catalogue.note(noted(60));
    await reopen();
  });

  it.each<[string, Omit<CatalogueQuery, 'limit'>, (seq: number) => boolean]>([
    ['a device', { device: 'meter-7' }, (seq) => seq % 3 === 1],
    ['an outcome', { outcome: 'quarantined' }, (seq) => seq % 3 === 0],
    ['a fault of ingest', { fault: 'INBOUND_MALFORMED' }, (seq) => seq % 3 === 0],
    ['a fault of derivation', { fault: 'CODEC_MISSING' }, (seq) => seq % 3 === 2],
  ])('by %s walks every entry once, in both directions', (_, query, belongs) => {
    const expected = upTo(60).filter(belongs);
    expect(walk({ ...query, after: 0 })).toEqual(expected);
    expect(walk(query)).toEqual(expected.toReversed());
  });

  it('starts after or before the given seq, without it', () => {
    expect(catalogue.find({ device: 'meter-7', after: 4, limit: 2 })).toEqual([7, 10]);
    expect(catalogue.find({ device: 'meter-7', before: 7, limit: 9 })).toEqual([4, 1]);
  });

  it('has no index for a query that names none, and for accepted entries', () => {
    expect(catalogue.find({ limit: 1 })).toBeUndefined();
    expect(catalogue.find({ outcome: 'accepted', limit: 1 })).toBeUndefined();
  });

  it('finds nothing of a device whose name begins like another', () => {
    expect(catalogue.find({ device: 'meter', limit: 1 })).toEqual([]);
    expect(catalogue.find({ device: 'meter-70', after: 0, limit: 1 })).toEqual([]);
  });

  it('says why an entry gave no readings', () => {
    expect(catalogue.verdict(2)).toEqual(fault('CODEC_MISSING', 'none'));
    expect(catalogue.verdict(1)).toBeUndefined();
    expect(catalogue.verdict(3)).toBeUndefined();
  });

  it('finds nothing more of what is forgotten', async () => {
    catalogue.forgetBefore(3);
    await reopen();
    expect(catalogue.find({ device: 'meter-7', after: 0, limit: 1 })).toEqual([4]);
    expect(catalogue.find({ fault: 'CODEC_MISSING', after: 0, limit: 1 })).toEqual([5]);
    expect(catalogue.verdict(2)).toBeUndefined();
  });
});

describe('Devices in the catalogue', () => {
  it('were last seen when their newest uplink or copy of one was received', async () => {
    catalogue.note([
      { entry: entryOf(1) },
      { entry: entryOf(2, { outcome: 'copy', copyOf: 1 }) },
      { entry: entryOf(3, { outcome: 'replayed', item: { ...malformed, deviceId: 'meter-7' } }) },
    ]);
    await reopen();
    expect(catalogue.lastSeen('meter-7')).toBe(startTime + 2);
    expect(catalogue.lastSeen('meter-8')).toBeUndefined();
  });

  it('are listed in the order of their ids, page by page', async () => {
    const ids = ['b', 'a', 'c.1', '0102030405060708', 'c'];
    catalogue.note(
      ids.map((deviceId, index) => ({
        entry: entryOf(index + 1, { item: { ...bareUplink, deviceId } }),
      })),
    );
    await reopen();
    expect(catalogue.devicesHeard('', 2).map(({ id }) => id)).toEqual(['0102030405060708', 'a']);
    expect(catalogue.devicesHeard('a', 9)).toEqual([
      { id: 'b', lastSeen: startTime + 1 },
      { id: 'c', lastSeen: startTime + 5 },
      { id: 'c.1', lastSeen: startTime + 3 },
    ]);
  });
});

describe('Places and last values', () => {
  it('start at nought and survive a restart', async () => {
    expect(catalogue.position('live')).toBe(0);
    catalogue.setPosition('live', 5);
    catalogue.setPosition('store', 3);
    catalogue.keepLatest([{ key: ['d', 'q', ''], value: [1, 'Cel'] }]);
    await reopen();
    expect([catalogue.position('live'), catalogue.position('store')]).toEqual([5, 3]);
    expect([...catalogue.latest()]).toEqual([{ key: ['d', 'q', ''], value: [1, 'Cel'] }]);
  });
});

describe('Another thread', () => {
  it('sees what the writer has noted, and the writer goes on', async () => {
    const compiled = await compileLedger(join(directory, 'compiled'));
    catalogue.note(noted(6));
    await reopen();
    const script = `
      import { parentPort, workerData } from 'node:worker_threads';
      import { openCatalogueReader } from '${pathToFileURL(join(compiled, 'catalogue.js')).href}';
      const reader = openCatalogueReader(workerData);
      parentPort.postMessage([reader.find({ device: 'meter-7', after: 0, limit: 9 }),
        reader.lastSeen('meter-7'), reader.verdict(2).code]);
      await reader.close();`;
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
      workerData: join(directory, 'catalogue'),
    });
    const told = await new Promise((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
    await new Promise((resolve) => thread.once('exit', resolve));
    expect(told).toEqual([[1, 4], startTime + 4, 'CODEC_MISSING']);
    catalogue.setPosition('live', 6);
    await reopen();
    expect(catalogue.position('live')).toBe(6);
  });
});
