/** Kept uplinks derived again beside the loop, and the job that outlives a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AgainControl, createAgainControl } from '../../gateway/derivation/derive-again.ts';
import { type Catalogue, openCatalogue } from '../../gateway/ledger/catalogue.ts';
import { type CodecHistory, openCodecHistory } from '../../gateway/ledger/codec-history.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { Device } from '../../gateway/model/device.ts';
import { fault } from '../../gateway/model/fault.ts';
import {
  type AgainJob,
  type AgainProgress,
  createDeriveAgain,
  type DeriveAgain,
} from '../../gateway/pipeline/derive-again.ts';
import { defaultLaneLimits } from '../../gateway/pipeline/quality/lane.ts';
import type { RecordBatch } from '../../gateway/stores/store.ts';
import { until } from '../setup/gateway-process.ts';
import { entryOf, uplinkOf } from './entries.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-again-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('Deriving again', () => {
  const entries: LedgerEntry[] = Array.from({ length: 1_200 }, (_, at) => {
    const deviceId = at % 3 === 0 ? 'scripted' : `plain-${at % 3}`;
    return entryOf({
      seq: at + 1,
      item: uplinkOf({ deviceId, frmPayload: Buffer.from([at % 40]), fPort: 1 }),
    });
  });
  const devices = new Map<string, Device>([
    ['scripted', { id: 'scripted', kind: 'lorawan', codec: 'acme@0123456789ab' }],
  ]);
  let catalogue: Catalogue;
  let history: CodecHistory;
  let again: DeriveAgain;
  let live: number;
  let stored: RecordBatch[];
  let told: AgainProgress[];
  let isClosed: boolean;

  beforeEach(() => {
    catalogue = openCatalogue(join(directory, 'catalogue'));
    history = openCodecHistory(directory);
    [live, stored, told, isClosed] = [entries.length, [], [], false];
    again = createDeriveAgain({
      reader: {
        read: (after, limit) => entries.slice(after, after + limit),
        get: (seq) => entries[seq - 1],
      },
      ...{ catalogue, history },
      scripts: {
        versionOf: (reference) => (reference.startsWith('acme') ? 'f'.repeat(64) : undefined),
        decode: async (inputs) =>
          inputs.map(({ bytes: [value = 0] }) =>
            value === 0
              ? { ok: false, error: 'zero' }
              : { ok: true, values: [{ quantity: 'air_temperature', value }] },
          ),
      },
      deviceOf: (id) => devices.get(id),
      programVersion: '1',
      checkpoints: { before: () => undefined },
      limits: defaultLaneLimits,
      offer: (batch) => {
        if (isClosed) return Promise.reject(new Error('closed'));
        stored.push(batch);
        return Promise.resolve();
      },
      live: () => live,
      tell: (progress) => told.push(progress),
    });
  });
  afterEach(async () => {
    await again.stop();
    await Promise.all([catalogue.close(), history.close()]);
  });

  const isOver = () => told.some((progress) => progress.isOver);
  const seqs = () => stored.flatMap(({ readings }) => readings.map(({ seq }) => seq));
  const wanted = (from: number, to: number) =>
    entries
      .filter(({ seq, item }) => item.deviceId === 'scripted' && seq >= from && seq <= to)
      .map(({ seq }) => seq)
      .filter((seq) => (seq - 1) % 40 !== 0);

  it.each<[string, Partial<AgainJob>]>([
    ['all of the ledger', {}],
    ['a codec, whatever version of it', { codec: 'acme' }],
    ['a device', { device: 'scripted' }],
    ['a device with a codec', { device: 'scripted', codec: 'acme' }],
  ])('gives the store the points of %s, each once and in order', async (_, part) => {
    again.start({ from: 5, to: 1_100, ...part });
    await until('it is over', isOver);
    expect(seqs()).toEqual(wanted(5, 1_100));
    expect(told.at(-1)?.at).toBe(1_100);
    const readings = told.reduce((sum, step) => sum + step.readings, 0);
    expect(readings).toBe(wanted(5, 1_100).length);
  });

  it('writes those uplinks alone that are named, where some are', async () => {
    const [first = 0, second = 0, third = 0] = wanted(5, 1_100);
    void again.start({ from: first, to: third, codec: 'acme', seqs: new Set([first, third]) });
    await until('it is over', isOver);
    expect(seqs()).toEqual([first, third]);
    expect(seqs()).not.toContain(second);
  });

  it('finds nothing of what nobody has', async () => {
    again.start({ from: 1, to: 1_200, codec: 'acne' });
    await until('it is over', isOver);
    again.start({ from: 1, to: 1_200, device: 'plain-1', codec: 'acme' });
    await until('that is over', () => told.filter((one) => one.isOver).length === 2);
    expect(stored).toEqual([]);
  });

  it('does not overtake the derive loop', async () => {
    live = 600;
    again.start({ from: 1, to: 1_200 });
    await until('it has come so far', () => told.at(-1)?.at === 600);
    expect(isOver()).toBe(false);
    live = 1_300;
    await until('it is over', isOver);
    expect(seqs()).toEqual(wanted(1, 1_200));
  });

  it('writes down new verdicts, and what made the readings', async () => {
    catalogue.note(
      entries.slice(0, 10).map((entry) => ({ entry, fault: fault('CODEC_MISSING', 'x') })),
    );
    again.start({ from: 1, to: 10, device: 'scripted' });
    await until('it is over', isOver);
    expect(catalogue.verdict(1)).toMatchObject({ code: 'PAYLOAD_UNDECODABLE' });
    expect(catalogue.verdict(4)).toBeUndefined();
    expect(catalogue.find({ fault: 'CODEC_MISSING', limit: 20 })).not.toContain(4);
    await history.apply([{ device: '-', seq: 1, codec: '-', after: 0, isNewest: true }]);
    expect(history.rowsOf('scripted')[0]).toEqual({ from: 1, codec: `acme@${'f'.repeat(64)}` });
  });

  it('ends when another begins, when it is stopped and when the store is closed', async () => {
    live = 600;
    again.start({ from: 1, to: 1_200 });
    await until('it has come so far', () => told.at(-1)?.at === 600);
    again.start({ from: 601, to: 602 });
    live = 1_200;
    await until('the other is over', isOver);
    expect(told.at(-1)?.at).toBe(602);
    isClosed = true;
    again.start({ from: 1, to: 1_200 });
    await again.stop();
    expect(told.at(-1)?.at).toBe(602);
  });
});

describe('The job of deriving again', () => {
  let jobs: (AgainJob | undefined)[];
  let head: number;
  const open = (): AgainControl =>
    createAgainControl({
      ...{ dataDir: directory, head: () => head, clock: { now: () => 1_000 } },
      tell: (job) => jobs.push(job),
    });
  const step = (at: number, isOver = false) =>
    ({
      kind: 'derived-again',
      progress: { at, entries: 10, readings: 20, faults: 1, isOver },
    }) as const;

  beforeEach(() => {
    [jobs, head] = [[], 100];
  });

  it('counts its steps until it is over', () => {
    const control = open();
    expect(control.state()).toBeUndefined();
    expect(control.start({ from: 5, codec: 'acme', startedBy: 'me' })).toMatchObject({
      ...{ state: 'running', from: 5, to: 100, at: 4 },
    });
    expect(control.start({ from: 1, startedBy: 'me' })).toBeUndefined();
    control.take(step(50));
    expect(control.state()).toMatchObject({ state: 'running', at: 50, entries: 10, readings: 20 });
    control.take(step(100, true));
    control.take(step(100, true));
    expect(control.state()).toMatchObject({ state: 'done', at: 100, entries: 20, endedAt: 1_000 });
    expect(jobs).toEqual([{ from: 5, to: 100, codec: 'acme' }]);
  });

  it('goes on where it was when the worker or the gateway starts again', () => {
    const control = open();
    control.start({ from: 5, device: 'meter-7', startedBy: 'me' });
    control.take(step(50));
    control.take({ kind: 'ready' });
    expect(jobs.at(-1)).toEqual({ from: 51, to: 100, device: 'meter-7' });
    open().take({ kind: 'ready' });
    expect(jobs.at(-1)).toMatchObject({ to: 100, device: 'meter-7' });
    control.take(step(100, true));
    const count = jobs.length;
    open().take({ kind: 'ready' });
    expect(jobs).toHaveLength(count);
  });

  it('is stopped once, and is nothing where there is nothing to derive', () => {
    const control = open();
    expect(control.stop()).toBe(false);
    control.start({ from: 1, startedBy: 'me' });
    expect(control.stop()).toBe(true);
    expect(jobs.at(-1)).toBeUndefined();
    expect(open().state()?.state).toBe('stopped');
    expect(control.start({ from: 101, startedBy: 'me' })).toMatchObject({ state: 'done' });
  });

  it('takes a torn file for none', () => {
    writeFileSync(join(directory, 'derive-again.json'), '{"state":');
    expect(open().state()).toBeUndefined();
  });
});
