import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRowBlock, type ReadingRow } from '../../gateway/model/reading-row.ts';
import { packRows, unpackRows } from '../../gateway/pipeline/packed-rows.ts';

const number = fc.double({ noNaN: true });
const row: fc.Arbitrary<ReadingRow> = fc.tuple(
  fc.nat(),
  number,
  fc.oneof(number, fc.string()),
  fc.constantFrom(1, 2, 3, 4, 9),
  fc.constantFrom('mic', 'network-server', 'tls-client', 'credential'),
  number,
  fc.nat(),
);

describe('Packed rows', () => {
  it('come out as they went in, numbers and texts mixed', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
        expect(unpackRows(structuredClone(packRows(rows)))).toEqual(rows);
      }),
    );
  });

  it('never make a value look better than it is when a cell is none', () => {
    const { cells } = packRows([[0, 1, 2, 1, 'mic', 3, 4]]);
    cells[3] = 7;
    cells[4] = -1;
    expect(unpackRows({ cells, texts: new Map() })).toEqual([[0, 1, 2, 2, 'credential', 3, 4]]);
  });
});

describe('A block of rows', () => {
  it('holds the last row of each place, and none where none was set', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000), row)), (sets) => {
        const block = createRowBlock();
        for (const [place, one] of sets) block.set(place, one);
        const last = new Map(sets);
        for (const place of [0, 1, 1_024, 3_001, ...last.keys()]) {
          expect(block.get(place)).toEqual(last.get(place));
        }
      }),
    );
  });
});
