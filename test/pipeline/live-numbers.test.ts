import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Catalogue, openCatalogue } from '../../gateway/ledger/catalogue.ts';
import type { Reading } from '../../gateway/model/reading.ts';
import { createLatestKeeper, type LatestKeeper } from '../../gateway/pipeline/latest-keeper.ts';
import { createLiveNumbers } from '../../gateway/pipeline/live-numbers.ts';
import { minute, readingOf, start } from '../stores/sample.ts';

describe('Live numbers', () => {
  it('name a series once and count on', () => {
    const numbers = createLiveNumbers();
    const first = numbers.number([readingOf({}), readingOf({ quantity: 'co2', channel: '1' })]);
    expect(first.series).toEqual([
      ['d', 'air_temperature', '', 'Cel', 'centre'],
      ['d', 'co2', '1', 'Cel', 'centre'],
    ]);
    expect(first.rows.map(([index]) => index)).toEqual([0, 1]);
    const second = numbers.number([readingOf({ device: 'e' }), readingOf({ value: 3, seq: 9 })]);
    expect(second.series).toHaveLength(1);
    expect(second.rows[1]).toEqual([0, start, 3, 1, 'mic', start + 500, 9]);
  });

  it('never give two series one number', () => {
    const name = fc.constantFrom('a', 'b', 'a b');
    const identity = fc.tuple(name, name, fc.constantFrom('', 'a', 'a\nb'));
    fc.assert(
      fc.property(fc.array(identity, { maxLength: 30 }), (identities) => {
        const numbers = createLiveNumbers();
        const { series, rows } = numbers.number(
          identities.map(([device, quantity, channel]) => readingOf({ device, quantity, channel })),
        );
        rows.forEach(([index], at) => {
          expect(series[index]?.slice(0, 3)).toEqual(identities[at]);
        });
      }),
    );
  });
});

describe('The keeper of last values', () => {
  it('gives every last value back after a restart', async () => {
    const readings = [
      readingOf({ value: 1 }),
      readingOf({ quantity: 'door', value: 'open', unit: '', channel: 'front', quality: 2 }),
      readingOf({ device: 'e', vouchedBy: 'credential' }),
    ];
    await withCatalogue(async (reopen) => {
      const keeper = createLatestKeeper(reopen());
      keeper.note(readings, createLiveNumbers().number(readings).rows);
      keeper.flush();
      expect(byDevice(createLatestKeeper(await reopen.again()).restore())).toEqual(
        byDevice(readings),
      );
    });
  });

  it('keeps the newest, however late the others come', async () => {
    await withCatalogue(async (reopen) => {
      const numbers = createLiveNumbers();
      const note = (keeper: LatestKeeper, ...readings: Reading[]) => {
        keeper.note(readings, numbers.number(readings).rows);
        keeper.flush();
      };
      const first = createLatestKeeper(reopen());
      note(first, readingOf({ value: 2 }), readingOf({ value: 1, time: start - 1 }));
      note(first, readingOf({ value: 0, time: start - minute }));
      const second = createLatestKeeper(await reopen.again());
      const known = second.restore();
      expect(known).toMatchObject([{ value: 2 }]);
      second.know(numbers.number(known).rows);
      note(second, readingOf({ value: 0, time: start - minute }));
      expect(createLatestKeeper(await reopen.again()).restore()).toMatchObject([{ value: 2 }]);
    });
  });

  it('leaves out rows of another form', async () => {
    await withCatalogue(async (reopen) => {
      reopen().keepLatest([
        { key: ['d', 'q', ''], value: [null, 'Cel', start, start, 1, 'mic', 1, '', ''] },
        { key: ['d', 'r', ''], value: [1, 'Cel', start, start, 7, 'mic', 1, '', ''] },
        { key: ['d', 's', ''], value: [1, 'Cel', start, start, 1, 'nobody', 1, '', ''] },
        { key: ['d', 't', ''], value: [1, 'Cel', 'now', start, 1, 'mic', 1, '', ''] },
        { key: ['d', 'u', ''], value: [] },
      ]);
      expect(createLatestKeeper(await reopen.again()).restore()).toEqual([]);
    });
  });
});

function byDevice(readings: readonly Reading[]): readonly Reading[] {
  const key = ({ device, quantity }: Reading) => `${device} ${quantity}`;
  return [...readings].sort((a, b) => key(a).localeCompare(key(b)));
}

interface Reopen {
  (): Catalogue;
  /** Closes it, which writes everything, and opens it anew. */
  again(): Promise<Catalogue>;
}

async function withCatalogue(run: (reopen: Reopen) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-latest-'));
  let catalogue = openCatalogue(directory);
  const reopen = Object.assign(() => catalogue, {
    async again() {
      await catalogue.close();
      catalogue = openCatalogue(directory);
      return catalogue;
    },
  });
  try {
    await run(reopen);
  } finally {
    await catalogue.close();
    await rm(directory, { recursive: true, force: true });
  }
}
