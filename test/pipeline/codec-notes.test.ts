/** Which codec made which reading: noted as it changes, and true after old entries again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type CodecHistory,
  codecAt,
  openCodecHistory,
} from '../../gateway/ledger/codec-history.ts';
import type { SettledDevice } from '../../gateway/model/device.ts';
import { createCodecNotes } from '../../gateway/pipeline/codec-notes.ts';
import { entryOf, uplinkOf } from './entries.ts';

let directory: string;
let history: CodecHistory;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-notes-'));
  history = openCodecHistory(directory);
});
afterEach(async () => {
  await history.close();
  rmSync(directory, { recursive: true });
});

const uplink = (seq: number, deviceId = 'meter-7') =>
  entryOf({ seq, item: uplinkOf({ deviceId, frmPayload: Buffer.from([1]), fPort: 1 }) });

/** Until what was noted before is on disk. */
const settled = () =>
  history.apply([{ device: '-', seq: 1, codec: '-', after: 0, isNewest: true }]);

async function rows(device = 'meter-7') {
  await settled();
  return history.rowsOf(device).map(({ from, codec }) => `${from} ${codec}`);
}

describe('Codec notes', () => {
  it('say the version of the rules of device and model, also where there is no codec', async () => {
    let known: SettledDevice = { id: 'meter-7', kind: 'cellular' };
    const notes = createCodecNotes(history, 0, () => known);
    const noted = (seq: number, part: Partial<SettledDevice>, codec?: string) => {
      known = { id: 'meter-7', kind: 'cellular', ...part };
      notes.note([uplink(seq)], () => codec);
    };
    noted(1, { codec: 'a', mappingVersion: 'm1' }, 'a@1');
    noted(2, { codec: 'a', mappingVersion: 'm2' }, 'a@1');
    noted(3, { codec: 'a', mappingVersion: 'm2' });
    noted(4, { codec: 'a' }, 'a@1');
    noted(5, { mappingVersion: 'm2' });
    noted(6, {});
    noted(7, {});
    expect(await rows()).toEqual(['1 a@1#m1', '2 a@1#m2', '4 a@1', '5 #m2', '6 ']);
  });

  it('hold a row for each change, not for each uplink', async () => {
    const notes = createCodecNotes(history, 0);
    notes.note([uplink(1), uplink(2)], () => 'a@1');
    notes.note([uplink(3), uplink(4, 'meter-8')], () => 'a@1');
    notes.note([uplink(5), uplink(6)], () => 'a@2');
    notes.note([uplink(7)], () => '');
    notes.note([uplink(8)], () => undefined);
    expect(await rows()).toEqual(['1 a@1', '5 a@2', '7 ']);
    expect(await rows('meter-8')).toEqual(['4 a@1']);
    const held = history.rowsOf('meter-7');
    expect([1, 4, 5, 6, 7].map((seq) => codecAt(held, seq))).toEqual([
      ...['a@1', 'a@1', 'a@2', 'a@2', undefined],
    ]);
    expect(codecAt(history.rowsOf('nobody'), 5)).toBeUndefined();
  });

  it('know after a restart what was noted last', async () => {
    createCodecNotes(history, 0).note([uplink(1)], () => 'a@1');
    await settled();
    const again = createCodecNotes(history, 1);
    again.note([uplink(2)], () => 'a@1');
    again.note([uplink(3)], () => 'a@2');
    expect(await rows()).toEqual(['1 a@1', '3 a@2']);
  });

  it('leave copies, events and other outcomes alone', async () => {
    const notes = createCodecNotes(history, 0);
    const copy = { ...uplink(1), outcome: 'copy' } as const;
    const event = entryOf({
      seq: 2,
      outcome: 'event',
      item: { kind: 'event', type: 'join', adapter: 'a' },
    });
    notes.note([copy, event], () => 'a@1');
    expect(await rows()).toEqual([]);
  });

  it('speak for what was derived again, and leave the rest as it was', async () => {
    const notes = createCodecNotes(history, 0);
    notes.note(
      [1, 3, 5, 7, 9].map((seq) => uplink(seq)),
      () => 'a@1',
    );
    await settled();
    const again = createCodecNotes(history, Number.POSITIVE_INFINITY);
    again.note([uplink(3), uplink(5)], () => 'a@2');
    again.note([uplink(7)], () => 'a@2');
    expect(await rows()).toEqual(['1 a@1', '3 a@2', '8 a@1']);
    again.note([uplink(9)], () => 'a@2');
    notes.note([uplink(11)], () => 'a@2');
    await settled();
    const held = history.rowsOf('meter-7');
    expect([1, 3, 9, 11].map((seq) => codecAt(held, seq))).toEqual(['a@1', 'a@2', 'a@2', 'a@2']);
  });

  it('say of each entry what derived it last, in whatever order that was', async () => {
    const run = fc.record({
      from: fc.integer({ min: 1, max: 12 }),
      length: fc.integer({ min: 1, max: 8 }),
      codec: fc.constantFrom('a@1', 'a@2', ''),
    });
    let nextDevice = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 6 }), async (runs) => {
        const device = `device-${nextDevice++}`;
        const expected = new Map<number, string>();
        const live = createCodecNotes(history, 0);
        for (let seq = 1; seq <= 12; seq += 1) {
          live.note([uplink(seq * 2, device)], () => 'a@1');
          expected.set(seq * 2, 'a@1');
        }
        for (const { from, length, codec } of runs) {
          const again = createCodecNotes(history, Number.POSITIVE_INFINITY);
          for (let seq = from; seq < Math.min(from + length, 13); seq += 1) {
            again.note([uplink(seq * 2, device)], () => codec);
            expected.set(seq * 2, codec);
          }
        }
        await settled();
        const held = history.rowsOf(device);
        for (const [seq, codec] of expected) expect(codecAt(held, seq) ?? '').toBe(codec);
      }),
      { numRuns: 50 },
    );
  });
});
