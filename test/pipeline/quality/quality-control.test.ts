/** Whatever happens in between, an entry that is derived again gives the same points. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerEntry } from '../../../gateway/ledger/ledger.ts';
import type { Device } from '../../../gateway/model/device.ts';
import { deriveEntry } from '../../../gateway/pipeline/derive.ts';
import { openCheckpoints } from '../../../gateway/pipeline/quality/checkpoints.ts';
import type { LimitRule } from '../../../gateway/pipeline/quality/limits.ts';
import {
  createQualityControl,
  type QualityControl,
} from '../../../gateway/pipeline/quality/quality-control.ts';
import { entryOf, uplinkOf } from '../entries.ts';
import { start } from './judging.ts';

const minute = 60_000;
const rules: LimitRule[] = [
  {
    quantity: 'air_temperature',
    intervalSeconds: 1_800,
    neighbours: { suspect: 2, fail: 4, deviationMin: 0.5, countMin: 2, ageSecondsMax: 7_200 },
    flat: { tolerance: 0, suspectCount: 2, failCount: 4, suspectSeconds: 0, failSeconds: 0 },
    attenuation: { hours: 2, suspect: 1, fail: 0.1 },
  },
];

const devices = new Map(
  ['a', 'b', 'c', 'd'].map((id): [string, Device] => [id, { id, kind: 'lorawan', area: 'north' }]),
);

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-quality-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Uplink {
  readonly device: string;
  readonly value: number;
  readonly late: number;
}

const uplinks = fc.array(
  fc.record({
    device: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.constantFrom(10, 10, 10.5, 11, 12, 25, 70),
    late: fc.constantFrom(0, 0, 0, 0, 90 * minute),
  }),
  { minLength: 30, maxLength: 60 },
);

function entriesOf(series: readonly Uplink[]): LedgerEntry[] {
  return series.map(({ device, value, late }, at) => {
    const receivedAt = start + at * 7 * minute;
    const measurements = [{ name: 'temperature', value, unit: 'Cel' }];
    const item = uplinkOf({ deviceId: device, rxTime: receivedAt - late, measurements });
    return entryOf({ seq: at + 1, receivedAt, item });
  });
}

function controlOver(entries: readonly LedgerEntry[], live = 0): QualityControl {
  const deviceOf = (id: string) => devices.get(id);
  return createQualityControl({
    reader: {
      read: (after, limit) => entries.filter(({ seq }) => seq > after).slice(0, limit),
    },
    checkpoints: openCheckpoints(directory),
    limits: { rules, seriesMax: 100 },
    deviceOf,
    derive: (entry, judge) => deriveEntry(entry, { deviceOf, codecOf: () => undefined, judge }),
    prepare: () => undefined,
    live,
  });
}

/** What comes of the entries after `from` up to `to`: every flag, and what is told of earlier ones. */
async function derived(
  control: QualityControl,
  entries: readonly LedgerEntry[],
  [from, to]: readonly [number, number] = [0, entries.length],
) {
  const pass = entries.slice(from, to);
  await control.prepare(pass);
  return pass.map((entry) =>
    control.derive(entry).readings.map(({ device, time, quality, seq }) => ({
      ...{ device, time, quality, seq },
    })),
  );
}

const cut = fc.nat({ max: 28 });

describe('Quality control', () => {
  it('gives the same flags to a store that is behind as it gave to the live side', async () => {
    await fc.assert(
      fc.asyncProperty(uplinks, cut, async (series, behind) => {
        const entries = entriesOf(series);
        const control = controlOver(entries);
        const live = await derived(control, entries);
        expect(await derived(control, entries, [behind, entries.length])).toEqual(
          live.slice(behind),
        );
        expect(live.flat().some(({ quality }) => quality > 2)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('goes on after a stop as if there had been none', async () => {
    await fc.assert(
      fc.asyncProperty(uplinks, cut, async (series, stop) => {
        rmSync(directory, { recursive: true, force: true });
        const entries = entriesOf(series);
        const whole = await derived(controlOver(entries), entries);
        const first = controlOver(entries);
        await derived(first, entries, [0, stop]);
        first.keep({ now: start, store: stop, isLast: true });
        const second = controlOver(entries, stop);
        expect(await derived(second, entries, [stop, entries.length])).toEqual(whole.slice(stop));
      }),
      { numRuns: 15 },
    );
  });

  it('goes on after a crash from what was written last, for the live side and the store', async () => {
    await fc.assert(
      fc.asyncProperty(uplinks, cut, cut, cut, async (series, one, other, third) => {
        rmSync(directory, { recursive: true, force: true });
        const [kept = 0, store = 0, live = 0] = [one, other, third].sort((a, b) => a - b);
        const entries = entriesOf(series);
        const whole = await derived(controlOver(entries), entries);
        const first = controlOver(entries);
        await derived(first, entries, [0, kept]);
        first.keep({ now: start, store: kept, isLast: true });
        await derived(first, entries, [kept, live]);
        const second = controlOver(entries, live);
        expect(await derived(second, entries, [store, live])).toEqual(whole.slice(store, live));
        expect(await derived(second, entries, [live, entries.length])).toEqual(whole.slice(live));
      }),
      { numRuns: 25 },
    );
  });

  it('gives the same flags when everything is forgotten and derived from the beginning', async () => {
    const entries = entriesOf(fc.sample(uplinks, { seed: 7, numRuns: 1 })[0] ?? []);
    const control = controlOver(entries);
    const whole = await derived(control, entries);
    control.forget();
    expect(await derived(control, entries)).toEqual(whole);
    control.forget();
    expect(await derived(control, entries, [10, 20])).toEqual(whole.slice(10, 20));
    expect(await derived(control, entries, [20, 30])).toEqual(whole.slice(20, 30));
  });

  it('goes on where retention has taken entries away', async () => {
    const entries = entriesOf(fc.sample(uplinks, { seed: 8, numRuns: 1 })[0] ?? []);
    const control = controlOver([...entries.slice(0, 5), ...entries.slice(10)]);
    await derived(control, entries, [0, 5]);
    const later = await derived(control, entries, [10, 30]);
    expect(later.flat().length).toBeGreaterThanOrEqual(20);
  });

  it('counts what its tests find, once, and not again for what is derived again', async () => {
    const series = [10, 10.5, 70, 11, 90].map((value) => ({ device: 'a', value, late: 0 }));
    const entries = entriesOf(series);
    const control = controlOver(entries);
    expect(control.findings()).toEqual({});
    await derived(control, entries);
    expect(control.findings()).toMatchObject({
      'gross_range:1': 3,
      'gross_range:4': 2,
      'syntax:1': 5,
      'gap:1': 2,
      'spike:1': 1,
    });
    await derived(control, entries);
    expect(control.findings()).toEqual({});
  });

  it('judges a value by itself when another codec has made others in the meantime', async () => {
    const spiky = [10, 10.5, 25, 10].map((value) => ({ device: 'a', value, late: 0 }));
    const control = controlOver(entriesOf(spiky));
    const live = await derived(control, entriesOf(spiky));
    expect(live[3]?.map(({ quality }) => quality)).toEqual([1, 3]);
    const mended = entriesOf(spiky.map((one) => ({ ...one, value: one.value + 1 })));
    const again = await derived(control, mended);
    expect(again.map((readings) => readings.map(({ quality }) => quality))).toEqual([
      [1],
      [1],
      [1],
      [1],
    ]);
  });

  it('judges by itself what nobody has prepared', () => {
    const [entry] = entriesOf([{ device: 'a', value: 99, late: 0 }]);
    if (entry === undefined) throw new Error('there is one entry');
    expect(controlOver([]).derive(entry).readings[0]?.quality).toBe(4);
  });
});

describe('What the tests remember, on disk', () => {
  const recordOf = (control: QualityControl, now: number, store: number) =>
    control.keep({ now, store });

  it('is written after five minutes, and files that nobody needs are removed', async () => {
    const series = Array.from({ length: 50 }, (_, at) => ({ device: 'a', value: at, late: 0 }));
    const entries = entriesOf(series);
    const control = controlOver(entries);
    const files = () => readdirSync(directory).map((name) => Number.parseInt(name, 10));
    for (let pass = 0; pass < 5; pass += 1) {
      await derived(control, entries, [pass * 10, pass * 10 + 10]);
      recordOf(control, start + pass * 5 * minute, 12);
      recordOf(control, start + pass * 5 * minute + minute, 12);
    }
    // The first call only starts the clock; the store stands at 12, and would begin anew there.
    expect(files().sort((a, b) => a - b)).toEqual([40, 50]);
    expect(openCheckpoints(directory).before(45)?.seq).toBe(40);
    expect(openCheckpoints(directory).before(39)).toBeUndefined();
  });

  it('keeps the file that the slowest reader needs', () => {
    const checkpoints = openCheckpoints(directory);
    for (const seq of [10, 20, 30, 40]) {
      checkpoints.save({ seq, records: [] });
      checkpoints.prune(15);
    }
    expect([10, 20, 30, 40].map((seq) => checkpoints.before(seq)?.seq)).toEqual([10, 10, 30, 40]);
    checkpoints.save({ seq: 0, records: [] });
    expect(checkpoints.before(5)).toBeUndefined();
  });

  it('is passed over where it cannot be read, or has another form', () => {
    const checkpoints = openCheckpoints(directory);
    checkpoints.save({ seq: 10, records: [] });
    writeFileSync(join(directory, `${'20'.padStart(16, '0')}.state`), 'torn');
    writeFileSync(join(directory, `${'30'.padStart(16, '0')}.state`), Buffer.alloc(0));
    writeFileSync(join(directory, 'notes.txt'), 'not ours');
    expect(checkpoints.before(40)?.seq).toBe(10);
  });
});
