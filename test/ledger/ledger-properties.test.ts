import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery, LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { bare, frame, keyed, outcomes, startTime, withDirectory } from './deliveries.ts';

const clock = { now: () => startTime };

async function readAll(directory: string): Promise<LedgerEntry[]> {
  const reader = openLedgerReader({ directory });
  const entries = reader.read(0, 10_000);
  await reader.close();
  return entries;
}

/** Accepts in groups of the given sizes, with a restart after each group that asks for it. */
async function acceptAll(
  directory: string,
  deliveries: readonly Delivery[],
  groups: readonly { readonly size: number; readonly restarts: boolean }[],
) {
  let ledger = await openLedger({ directory, clock });
  const found: string[] = [];
  let next = 0;
  for (let turn = 0; next < deliveries.length; turn += 1) {
    const { size, restarts } = groups[turn % groups.length] ?? { size: 1, restarts: false };
    const group = deliveries.slice(next, next + size);
    next += size;
    const receipts = await Promise.all(group.map((delivery) => ledger.accept(delivery)));
    found.push(...receipts.flatMap(outcomes));
    if (!restarts) continue;
    await ledger.close();
    ledger = await openLedger({ directory, clock });
  }
  await ledger.close();
  return found;
}

const grouping = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 8 }), restarts: fc.boolean() }),
  { minLength: 1, maxLength: 5 },
);

describe('Any order of copies and redeliveries', () => {
  it('stores each message once and loses none', async () => {
    const messages = fc.array(fc.nat(9), { minLength: 1, maxLength: 40 });
    const check = fc.asyncProperty(messages, grouping, (numbers, groups) =>
      withDirectory(async (directory) => {
        await acceptAll(
          directory,
          numbers.map((number) => keyed(`k${number}`)),
          groups,
        );
        const stored = (await readAll(directory)).map(({ item }) =>
          item.kind === 'payload' ? item.messageKey : undefined,
        );
        expect(stored).toEqual([...new Set(numbers)].map((number) => `k${number}`));
      }),
    );
    await fc.assert(check, { numRuns: 25 });
  });

  it('accepts each frame of a session once, with its copies, and replays none', async () => {
    const reception = fc.record({ gateway: fc.nat(3), repeats: fc.integer({ min: 1, max: 3 }) });
    const frames = fc.array(fc.array(reception, { minLength: 1, maxLength: 6 }), { minLength: 1 });
    const check = fc.asyncProperty(frames, grouping, (heard, groups) =>
      withDirectory(async (directory) => {
        const deliveries = heard.flatMap((receptions, fCnt) =>
          receptions.flatMap(({ gateway, repeats }) =>
            Array.from({ length: repeats }, () => frame(fCnt, { gatewayId: `g${gateway}` })),
          ),
        );
        await acceptAll(directory, deliveries, groups);
        const entries = await readAll(directory);
        const gateways = heard.map((each) => new Set(each.map(({ gateway }) => gateway)).size);
        const counted = heard.map((_, fCnt) => {
          const own = entries.filter(({ item }) => item.kind === 'payload' && item.fCnt === fCnt);
          return own.map(({ outcome }) => outcome);
        });
        expect(counted).toEqual(
          gateways.map((count) => ['accepted', ...Array.from({ length: count - 1 }, () => 'copy')]),
        );
      }),
    );
    await fc.assert(check, { numRuns: 25 });
  });

  it('never loses an equal body: a sender that resends what it lost has all stored', async () => {
    // Each number is how many equal messages a connection sends before it breaks unacknowledged.
    const connections = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
    const check = fc.asyncProperty(connections, (fresh) =>
      withDirectory(async (directory) => {
        let unacknowledged = 0;
        const deliveries = fresh.flatMap((count, number) => {
          unacknowledged += count;
          const variation = { connection: `c${number}`, receivedAt: startTime + number };
          return Array.from({ length: unacknowledged }, () => bare(variation));
        });
        await acceptAll(directory, deliveries, [{ size: 3, restarts: false }]);
        expect(await readAll(directory)).toHaveLength(unacknowledged);
      }),
    );
    await fc.assert(check, { numRuns: 25 });
  });
});
