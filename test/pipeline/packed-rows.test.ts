import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packRows, unpackRows } from '../../gateway/pipeline/packed-rows.ts';
import type { RowTuple } from '../../gateway/pipeline/worker-messages.ts';

const number = fc.double({ noNaN: true });
const row: fc.Arbitrary<RowTuple> = fc.tuple(
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
    expect(unpackRows({ cells, texts: [] })).toEqual([[0, 1, 2, 2, 'credential', 3, 4]]);
  });
});
