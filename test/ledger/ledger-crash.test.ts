import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { compileLedger } from './compiled-ledger.ts';
import { bare, keyed, withDirectory } from './deliveries.ts';

const script = fileURLToPath(new URL('./accept-until-killed.mjs', import.meta.url));

let target: string;
let compiled: string;

beforeAll(async () => {
  target = await mkdtemp(join(tmpdir(), 'fieldgate-compiled-'));
  compiled = await compileLedger(target);
});

afterAll(() => rm(target, { recursive: true, force: true }));

/** Kills the writer after it has acknowledged so many; returns all that it said. */
async function acceptUntilKilled(directory: string, first: number, count: number) {
  const child = spawn(process.execPath, [script, compiled, directory, String(first)]);
  let said = '';
  let lines = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk;
    lines += chunk.filter((byte) => byte === 10).length;
    if (lines >= count) child.kill('SIGKILL');
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  const [code] = await once(child, 'close');
  expect([code, complaints]).toEqual([null, '']);
  const whole = said.slice(0, said.lastIndexOf('\n'));
  return whole.split('\n').map(Number);
}

async function readAll(directory: string): Promise<LedgerEntry[]> {
  const reader = openLedgerReader({ directory });
  const entries: LedgerEntry[] = [];
  for (let page = reader.read(0, 500); page.length > 0; ) {
    entries.push(...page);
    page = reader.read(page.at(-1)?.seq ?? 0, 500);
  }
  await reader.close();
  return entries;
}

function numberOf({ body }: LedgerEntry): number {
  return Buffer.isBuffer(body) ? Number(body.toString().split(' ')[1]) : Number.NaN;
}

describe('A ledger whose process is killed', () => {
  it('reopens to all that was acknowledged, each once and without a gap', async () => {
    await withDirectory(async (directory) => {
      const acknowledged: number[] = [];
      for (let round = 0; round < 10; round += 1) {
        const count = 1 + ((round * 137) % 900);
        acknowledged.push(...(await acceptUntilKilled(directory, round * 100_000, count)));
      }
      const entries = await readAll(directory);
      const numbers = entries.map(numberOf);
      const stored = new Set(numbers);
      expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
      expect(stored.size).toBe(numbers.length);
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, place) => place + 1));
    });
  });
});

const pageBytes = 4_096;

describe('A ledger whose machine loses power', () => {
  it('opens to what was acknowledged when only some pages of the last group arrived', async () => {
    await withDirectory(async (directory) => {
      // One group, however slow the machine: later ones may use pages again that this one freed.
      const limits = { groupApplyMsMax: 60_000 };
      const ledger = await openLedger({ directory, limits });
      for (let n = 0; n < 300; n += 1) await ledger.accept(keyed(`before ${n}`));
      const file = join(directory, 'ledger/data.mdb');
      const before = await readFile(file);
      const body = 'x'.repeat(900);
      await Promise.all(Array.from({ length: 200 }, () => ledger.accept(bare({ body }))));
      const after = await readFile(file);
      await ledger.close();
      for (let seed = 1; seed <= 40; seed += 1) await expectSound(tear(before, after, seed));
    });
  });
});

/**
 * The file as it was, with some of the next group's pages: whole, torn in the middle, or zeroed.
 * The roots (the first two pages) are the old ones, as they are written after the pages' sync.
 */
function tear(before: Buffer, after: Buffer, seed: number): Buffer {
  const torn = Buffer.alloc(after.length);
  before.copy(torn);
  let random = seed;
  for (let at = 2 * pageBytes; at < after.length; at += pageBytes) {
    random = (random * 48_271) % 0x7fffffff;
    const isNew = torn.compare(after, at, at + pageBytes, at, at + pageBytes) !== 0;
    if (!isNew) continue;
    const kept = [0, 0, 512, pageBytes / 2, pageBytes][random % 5] ?? 0;
    after.copy(torn, at, at, at + kept);
  }
  return torn;
}

async function expectSound(file: Buffer): Promise<void> {
  await withDirectory(async (directory) => {
    const seedLedger = await openLedger({ directory });
    await seedLedger.close();
    await writeFile(join(directory, 'ledger/data.mdb'), file);
    const ledger = await openLedger({ directory });
    expect(ledger.head()).toBe(300);
    expect(await ledger.accept(keyed('before 7'))).toEqual([{ outcome: 'redelivery', seq: 8 }]);
    expect(await ledger.accept(bare())).toEqual([{ outcome: 'accepted', seq: 301 }]);
    await ledger.close();
    expect(await readAll(directory)).toHaveLength(301);
  });
}

/** Not `new Promise(setImmediate)`: that resolves with a function, its second argument. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('A ledger whose disk does not answer', () => {
  it('rejects after its time limit and goes on when the disk is back', async () => {
    await withDirectory(async (directory) => {
      const ledger = await openLedger({ directory, limits: { commitTimeoutMs: 100 } });
      await ledger.accept(keyed('k1'));
      const holder = await holdWriteLock(directory);
      const stuck = [ledger.accept(keyed('k2')), ledger.accept(keyed('k3'))];
      for (const each of stuck) await expect(each).rejects.toThrow('does not answer');
      await expect(ledger.accept(keyed('k4'))).rejects.toThrow('does not answer');
      await holder.release();
      let receipts: unknown;
      while (receipts === undefined) {
        receipts = await ledger.accept(keyed('k2')).catch(() => nextTurn());
      }
      expect(receipts).toEqual([{ outcome: 'accepted', seq: 2 }]);
      await ledger.close();
    });
  });
});

/** Another process in a write transaction: the ledger's own waits for it as for a hanging disk. */
async function holdWriteLock(directory: string) {
  const source = `
    import { readSync } from 'node:fs';
    import { open } from 'lmdb';
    const root = open({ path: process.argv[1], noSubdir: false, overlappingSync: false });
    root.transactionSync(() => {
      console.log('held');
      readSync(0, Buffer.alloc(1));
    });`;
  const path = join(directory, 'ledger');
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, path], {
    cwd: target,
  });
  await once(child.stdout, 'data');
  return {
    async release(): Promise<void> {
      const closed = once(child, 'close');
      child.stdin.end('x');
      await closed;
    },
  };
}
