import { describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import { type ExplainParts, explainReadings } from '../../gateway/pipeline/explain.ts';
import { defaultLaneLimits } from '../../gateway/pipeline/quality/lane.ts';
import { entryOf, receivedAt, uplinkOf } from './entries.ts';

const hourMs = 3_600_000;

/** Water level, hour by hour, of one device. */
function entriesOf(values: readonly number[]): LedgerEntry[] {
  return values.map((value, hour) =>
    entryOf({
      seq: hour + 1,
      receivedAt: receivedAt + hour * hourMs,
      item: uplinkOf({ measurements: [{ name: 'water_level', value, unit: 'm' }] }),
    }),
  );
}

function explained(seq: number, entries: readonly LedgerEntry[], part: Partial<ExplainParts> = {}) {
  const get = (wanted: number) => entries.find((entry) => entry.seq === wanted);
  const seqs = entries.map((entry) => entry.seq);
  return explainReadings(seq, {
    reader: { get },
    catalogue: {
      find({ before, after, limit }) {
        if (after !== undefined) return seqs.filter((one) => one > after).slice(0, limit);
        const older = seqs.filter((one) => one < (before ?? Number.POSITIVE_INFINITY));
        return older.reverse().slice(0, limit);
      },
    },
    scripts: { versionOf: () => undefined, decode: async () => [] },
    deviceOf: () => undefined,
    limits: defaultLaneLimits,
    verdictsOf: () => undefined,
    ...part,
  });
}

describe('The explanation of a reading', () => {
  it('names the test that found a spike, once the next value has shown it', async () => {
    const entries = entriesOf([1, 1.1, 7, 1.2, 1.1]);
    expect(await explained(3, entries)).toMatchObject([
      {
        ...{ quantity: 'water_level', value: 7, time: receivedAt + 2 * hourMs, quality: 4 },
        tests: {
          ...{ gap: 2, syntax: 1, location: 2, gross_range: 1, climatology: 2, spike: 4 },
          ...{ rate_of_change: 2, flat_line: 1, attenuated_signal: 2, neighbour: 2 },
        },
      },
    ]);
    const [newest] = await explained(3, entries.slice(0, 3));
    expect(newest).toMatchObject({ quality: 1, tests: { spike: 2 } });
  });

  it('knows what came before: a value that has stood still', async () => {
    const still = [1, ...Array.from({ length: 30 }, () => 2)];
    const [reading] = await explained(31, entriesOf(still));
    expect(reading).toMatchObject({ quality: 4, tests: { flat_line: 4, gross_range: 1 } });
  });

  it('tells what is still remembered as it was found', async () => {
    const remembered = 3 << 27;
    const [reading] = await explained(2, entriesOf([1, 1]), { verdictsOf: () => [remembered] });
    expect(reading).toMatchObject({ quality: 3, tests: { neighbour: 3, gross_range: 2 } });
  });

  it('reads no further back than any test remembers', async () => {
    const entries = entriesOf(Array.from({ length: 60 }, () => 2));
    const read: number[] = [];
    await explained(60, entries, {
      verdictsOf: (_seq, readings) => {
        read.push(readings.length);
        return undefined;
      },
    });
    expect(read).toEqual([1]);
    const [reading] = await explained(60, entries);
    expect(reading?.tests.flat_line).toBe(4);
  });

  it('is empty for an entry that is not there, is of no device or has no readings', async () => {
    expect(await explained(9, entriesOf([1]))).toEqual([]);
    const nobody = entryOf({
      seq: 1,
      outcome: 'quarantined',
      item: { kind: 'quarantined', fault: fault('INBOUND_UNRECOGNISED', 'none') },
    });
    expect(await explained(1, [nobody])).toEqual([]);
    expect(await explained(1, [entryOf({ seq: 1, item: uplinkOf() })])).toEqual([]);
  });

  it('keeps the channels of a device apart', async () => {
    const measurements = ['1', '2'].map((channel) => ({
      ...{ name: 'water_level', value: Number(channel), unit: 'm', channel },
    }));
    const both = await explained(1, [entryOf({ seq: 1, item: uplinkOf({ measurements }) })]);
    expect(both.map(({ channel }) => channel)).toEqual(['1', '2']);
  });
});
