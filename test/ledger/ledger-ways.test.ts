import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery } from '../../gateway/ledger/ledger.ts';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { inbound, outcomes, startTime, withDirectory } from './deliveries.ts';
import { useLedger } from './test-bench.ts';
import { by, entriesIn, payloadOf, type Way, ways } from './ways.ts';

const bench = useLedger();
const hour = 3_600_000;

describe('One uplink by several ways', () => {
  it('is accepted once, and each copy says who vouches for it', async () => {
    expect(await bench.outcomesOf(...ways.map((way) => by(way)))).toEqual([
      ...['accepted', 'copy', 'copy', 'copy', 'copy', 'copy'],
    ]);
    const entries = entriesIn(bench.directory);
    expect(entries.map(({ copyOf }) => copyOf)).toEqual([undefined, 1, 1, 1, 1, 1]);
    const vouchers = entries.map(({ item }) => payloadOf(item).vouchedBy);
    expect(vouchers).toEqual([
      ...['network-server', 'network-server', 'network-server', 'network-server', 'mic', 'mic'],
    ]);
  });

  it('is a redelivery by each way once that has told it', async () => {
    const all = ways.map((way) => by(way));
    await bench.outcomesOf(...all);
    expect(new Set(await bench.outcomesOf(...all))).toEqual(new Set(['redelivery']));
    await bench.restart();
    expect(new Set(await bench.outcomesOf(...all))).toEqual(new Set(['redelivery']));
  });

  it('moves the counter of a frame that a network server was quicker to tell', async () => {
    await bench.outcomesOf(by('chirpstack'), by('raw-a'));
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    const recorded = by('raw-a', {}, { receivedAt: startTime + hour, item: { rxInfo: [] } });
    const body = inbound({ body: 'recorded', receivedAt: startTime + hour });
    expect(await bench.outcomeOf({ ...recorded, inbound: body })).toBe('replayed');
  });

  it('is a copy however far the clocks of two ways disagree', async () => {
    const skewed = by('things-stack', { rxTime: startTime - hour }, { receivedAt: startTime });
    expect(await bench.outcomesOf(by('chirpstack'), skewed, skewed)).toEqual([
      ...['accepted', 'copy', 'redelivery'],
    ]);
  });

  it('is a copy without any time within the window, and after it another uplink', async () => {
    const untimed = (receivedAt: number) => {
      const { items, inbound } = by('loriot-gw', {}, { receivedAt });
      const { rxTime: _, ...item } = payloadOf(items[0]);
      return { inbound, items: [{ ...item, devAddr: '26011bda' }] };
    };
    const second = untimed(startTime + 9_000);
    const third = untimed(startTime + 30_000);
    const other = { ...third, inbound: { ...third.inbound, body: Buffer.from('another message') } };
    expect(await bench.outcomesOf(by('chirpstack'), second, third, other)).toEqual([
      ...['accepted', 'copy', 'redelivery', 'accepted'],
    ]);
  });

  it('is a copy under the key of the first when it brings gateways, else a redelivery', async () => {
    const item = { messageKey: 'rx and gw' };
    const all = [by('loriot-rx', {}, { item }), by('loriot-gw', {}, { item })];
    expect(await bench.outcomesOf(...all, ...all)).toEqual([
      ...['accepted', 'copy', 'redelivery', 'redelivery'],
    ]);
  });

  it('keeps a bounded number of copies', async () => {
    await bench.restart({ copiesMax: 2 });
    expect(await bench.outcomesOf(...ways.map((way) => by(way)))).toEqual([
      ...['accepted', 'copy', 'copy', 'redelivery', 'redelivery', 'redelivery'],
    ]);
  });

  it('is known in a group with its copy', async () => {
    const receipts = await Promise.all(ways.map((way) => bench.ledger.accept(by(way))));
    expect(receipts.flatMap(outcomes).filter((outcome) => outcome === 'accepted')).toHaveLength(1);
  });
});

describe('An uplink that a network server brings late', () => {
  const late = (way: Way, afterMs = hour) => by(way, {}, { receivedAt: startTime + afterMs });

  it('is a copy when it tells of another gateway, else a redelivery', async () => {
    expect(await bench.outcomesOf(by('chirpstack'), late('loriot-rx'), late('loriot-gw'))).toEqual([
      'accepted',
      'redelivery',
      'copy',
    ]);
  });

  it('is found when all have brought it late, and after a restart', async () => {
    expect(await bench.outcomesOf(late('chirpstack'), late('loriot-rx', 2 * hour))).toEqual([
      ...['accepted', 'redelivery'],
    ]);
    await bench.restart();
    expect(await bench.outcomesOf(late('loriot-gw', 3 * hour), late('chirpstack'))).toEqual([
      ...['copy', 'redelivery'],
    ]);
  });

  it('is found after a restart, also behind one that came for the first time', async () => {
    await bench.ledger.accept(by('chirpstack', { fCnt: 6 }));
    await bench.restart();
    const told = { receivedAt: startTime + hour };
    const earlier = by('loriot-gw', { fCnt: 5, rxTime: startTime - 1_000 }, told);
    expect(await bench.outcomesOf(earlier, by('loriot-gw', { fCnt: 6 }, told))).toEqual([
      ...['accepted', 'copy'],
    ]);
  });

  it('is found after restarts at any counter, as the highest is written ahead', async () => {
    const told = { receivedAt: startTime + hour };
    const sent = (fCnt: number) => ({ fCnt, rxTime: startTime + fCnt * 1_000 });
    for (const fCnt of [0, 14, 15, 16, 31, 32, 40]) {
      expect(await bench.outcomeOf(by('chirpstack', sent(fCnt), told))).toBe('accepted');
      await bench.restart();
      expect(await bench.outcomeOf(by('loriot-gw', sent(fCnt), told))).toBe('copy');
    }
  });

  it('is found when the frame has come here first, and the frame when it comes last', async () => {
    expect(await bench.outcomesOf(by('raw-a'), late('loriot-rx'))).toEqual([
      ...['accepted', 'redelivery'],
    ]);
    const other = { fCnt: 8, rxTime: startTime + 1 };
    const frame = by('raw-a', other, { receivedAt: startTime + hour });
    expect(await bench.outcomesOf(by('chirpstack', other), frame, frame)).toEqual([
      ...['accepted', 'copy', 'redelivery'],
    ]);
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(8);
  });

  it('keeps its own time', async () => {
    await bench.ledger.accept(late('chirpstack'));
    const [entry] = entriesIn(bench.directory);
    expect(entry?.receivedAt).toBe(startTime + hour);
    expect(payloadOf(entry?.item).rxTime).toBe(startTime);
  });

  it('is a redelivery after retention has taken the first', async () => {
    await bench.ledger.accept(by('chirpstack'));
    const limits = { receivedBefore: startTime + 1, sizeBytesMax: 1e9, keepAfter: 1 };
    expect(await bench.ledger.retain(limits)).toBe(1);
    expect(await bench.ledger.accept(late('chirpstack'))).toEqual([
      { outcome: 'redelivery', seq: 1 },
    ]);
  });
});

describe('A device that starts its counter again', () => {
  it('is heard with another payload at once', async () => {
    const first = by('chirpstack', { fCnt: 0 });
    const second = by('chirpstack', { fCnt: 0, payload: 'beef', rxTime: startTime + 10 });
    expect(await bench.outcomesOf(first, second)).toEqual(['accepted', 'accepted']);
  });

  it('is heard with the same payload after the window', async () => {
    const sent = (afterMs: number) => by('chirpstack', { fCnt: 0, rxTime: startTime + afterMs });
    expect(await bench.outcomesOf(sent(0), sent(10_001), sent(hour), sent(0))).toEqual([
      ...['accepted', 'accepted', 'accepted', 'redelivery'],
    ]);
  });

  it('is heard though its server hands all on at once after a break', async () => {
    const sent = (afterMs: number) =>
      by('chirpstack', { fCnt: 0, rxTime: startTime + afterMs }, { receivedAt: startTime + hour });
    const all = [sent(0), sent(20_000), sent(40_000)];
    expect(await bench.outcomesOf(...all, ...all)).toEqual([
      ...['accepted', 'accepted', 'accepted', 'redelivery', 'redelivery', 'redelivery'],
    ]);
  });

  it('is heard after it has joined anew, with the address as witness', async () => {
    const again = by('chirpstack', { rxTime: startTime + 1 }, { item: { devAddr: '01020304' } });
    expect(await bench.outcomesOf(by('chirpstack'), again, by('chirpstack'), again)).toEqual([
      ...['accepted', 'accepted', 'redelivery', 'redelivery'],
    ]);
  });
});

describe('A device that joins over and over', () => {
  it('is heard each time, though it always says the same', async () => {
    const joined = (number: number) =>
      by('chirpstack', {}, { item: { devAddr: `0102030${number}`, messageKey: `join ${number}` } });
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const found = await bench.outcomesOf(...numbers.map(joined));
    expect(new Set(found)).toEqual(new Set(['accepted']));
  });
});

describe('Any interleaving of networks, copies and redeliveries', () => {
  const arrival = fc.record({
    ...{ way: fc.constantFrom(...ways), device: fc.nat(1), fCnt: fc.nat(3) },
    ...{ afterMs: fc.nat(9_000), repeats: fc.integer({ min: 1, max: 2 }) },
  });

  it('accepts each uplink once and keeps each reception once', async () => {
    const arrivals = fc.array(arrival, { minLength: 1, maxLength: 30 });
    const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
    const check = fc.asyncProperty(arrivals, sizes, (list, groups) =>
      withDirectory(async (directory) => {
        const deliveries = inCounterOrder(list).flatMap(
          ({ way, device, fCnt, afterMs, repeats }) => {
            const sent = { deviceId: `device-${device}`, fCnt };
            const each = by(way, sent, { receivedAt: startTime + afterMs });
            return Array.from({ length: repeats }, () => each);
          },
        );
        await acceptInGroups(directory, deliveries, groups);
        const entries = entriesIn(directory);
        const uplinks = list.map(({ device, fCnt }) => `device-${device} ${fCnt}`);
        const accepted = entries.filter(({ outcome }) => outcome === 'accepted');
        expect(accepted.map(({ item }) => nameOf(item)).sort()).toEqual(
          [...new Set(uplinks)].sort(),
        );
        const receptions = list.map((each) => `device-${each.device} ${each.fCnt} ${each.way}`);
        const kept = entries.map(({ item, credential }) => `${nameOf(item)} ${credential}`);
        expect(kept.sort()).toEqual([...new Set(receptions)].sort());
      }),
    );
    await fc.assert(check, { numRuns: 30 });
  });
});

/** A session's counter only rises, so frames come in its order; all else comes in any. */
function inCounterOrder<Each extends { readonly fCnt: number }>(list: readonly Each[]): Each[] {
  return [...list].sort((one, other) => one.fCnt - other.fCnt);
}

function nameOf(item: Parameters<typeof payloadOf>[0]): string {
  const { deviceId, fCnt } = payloadOf(item);
  return `${deviceId} ${fCnt}`;
}

async function acceptInGroups(
  directory: string,
  deliveries: readonly Delivery[],
  sizes: readonly number[],
): Promise<void> {
  const clock = { now: () => startTime };
  let ledger = await openLedger({ directory, clock });
  let next = 0;
  for (let turn = 0; next < deliveries.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const group = deliveries.slice(next, next + size);
    next += size;
    await Promise.all(group.map((delivery) => ledger.accept(delivery)));
    if (turn % 3 !== 2) continue;
    await ledger.close();
    ledger = await openLedger({ directory, clock });
  }
  await ledger.close();
}
