import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdOrder } from '../../gateway/lorawan/id-order.ts';

describe('The order of ids', () => {
  it('is that of a sorted list, whatever comes and goes', () => {
    const ids = fc.uniqueArray(fc.string({ maxLength: 4 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, ids, fc.string({ maxLength: 4 }), (added, removed, after) => {
        const order = new IdOrder();
        for (const id of added) order.add(id);
        for (const id of removed) order.remove(id);
        const left = added.filter((id) => !removed.includes(id)).sort();
        expect([...order.following(undefined)]).toEqual(left);
        expect([...order.following(after)]).toEqual(left.filter((id) => id > after));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['in their order', (index: number) => index],
    ['backwards', (index: number) => 9_999 - index],
    ['mixed', (index: number) => (index * 7_919) % 10_000],
  ])('holds many that come %s', (_way, place) => {
    const order = new IdOrder();
    const all = Array.from({ length: 10_000 }, (_, index) => String(place(index)).padStart(5, '0'));
    for (const id of all) order.add(id);
    expect([...order.following(undefined)]).toEqual(all.toSorted());
    for (const id of all) if (Number(id) % 10 !== 0) order.remove(id);
    expect([...order.following('00500')].slice(0, 2)).toEqual(['00510', '00520']);
    for (const id of all) order.remove(id);
    expect([...order.following(undefined)]).toEqual([]);
  });
});
