import { describe, expect, it } from '@jest/globals';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { bare, frame, frameItem, inbound, keyed, outcomes, startTime } from './deliveries.ts';
import { useLedger } from './test-bench.ts';

const bench = useLedger();

describe('A frame that the gateway has verified', () => {
  it('moves the counter, and its second reception is a copy of the first', async () => {
    expect(await bench.ledger.accept(frame(7))).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    const copy = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime + 9_000 });
    expect(await bench.ledger.accept(copy)).toEqual([{ outcome: 'copy', seq: 1 }]);
    const reader = openLedgerReader({ directory: bench.directory });
    const [entry] = reader.copiesOf(1);
    expect(entry).toMatchObject({ seq: 2, outcome: 'copy', copyOf: 1 });
    expect(entry?.item).toMatchObject({ rxInfo: [{ gatewayId: 'gateway-b' }] });
    await reader.close();
  });

  it('is a redelivery when the same gateway sends the same bytes again', async () => {
    expect(await bench.outcomesOf(frame(7), frame(7))).toEqual(['accepted', 'redelivery']);
  });

  it('is replayed when it is heard again after the copy window', async () => {
    await bench.ledger.accept(frame(7));
    const late = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime + 10_001 });
    expect(await bench.ledger.accept(late)).toEqual([{ outcome: 'replayed', seq: 2 }]);
    const reader = openLedgerReader({ directory: bench.directory });
    const entry = reader.get(2);
    expect(entry?.body).toEqual(late.inbound.body);
    expect(entry?.item).toMatchObject({
      ...{ kind: 'quarantined', deviceId: '70b3d57ed0000001', adapter: 'semtech-udp' },
      fault: { code: 'FRAME_REPLAYED' },
    });
    await reader.close();
  });

  it('is replayed when its counter is used up and its content is unknown', async () => {
    await bench.ledger.accept(frame(7));
    const forged = [frame(7, { content: 'other' }), frame(6), frame(0)];
    expect(await bench.outcomesOf(...forged)).toEqual(['replayed', 'replayed', 'replayed']);
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
  });

  it('is a copy also when the next frame came in between', async () => {
    const copy = (fCnt: number) => frame(fCnt, { gatewayId: 'gateway-b' });
    expect(await bench.outcomesOf(frame(7), frame(8), copy(7), copy(8))).toEqual([
      ...['accepted', 'accepted', 'copy', 'copy'],
    ]);
  });

  it('has any counter when it is the first of its session', async () => {
    const other = { devAddr: '26011bdb' };
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bdb')).toBeUndefined();
    expect(await bench.outcomesOf(frame(4_000_000_000), frame(3, other))).toEqual([
      ...['accepted', 'accepted'],
    ]);
  });

  it('has any counter again after its session was forgotten', async () => {
    await bench.ledger.accept(frame(7));
    await bench.ledger.forgetSession('70b3d57ed0000001', '26011bda');
    expect(await bench.outcomeOf(frame(0))).toBe('accepted');
  });

  it('keeps a bounded number of copies and acknowledges the others', async () => {
    await bench.restart({ copiesMax: 2 });
    const heard = ['a', 'b', 'c', 'd'].map((gatewayId) => frame(7, { gatewayId }));
    expect(await bench.outcomesOf(...heard)).toEqual(['accepted', 'copy', 'copy', 'redelivery']);
    expect(await bench.ledger.accept(frame(7, { gatewayId: 'd' }))).toEqual([
      { outcome: 'redelivery', seq: 1 },
    ]);
  });

  it('is a copy, not an alarm, after the clock was set back', async () => {
    await bench.ledger.accept(frame(7));
    const earlier = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime - 3_600_000 });
    expect(await bench.outcomeOf(earlier)).toBe('copy');
  });

  it('keeps counter and copies across a restart', async () => {
    await bench.ledger.accept(frame(7));
    await bench.restart();
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    const copy = frame(7, { gatewayId: 'gateway-b' });
    expect(await bench.outcomesOf(copy, frame(6), frame(8))).toEqual([
      'copy',
      'replayed',
      'accepted',
    ]);
  });

  it('of one DevAddr counts for itself in each session that was joined', async () => {
    const joined = (fCnt: number, session: string) => {
      const [item] = frame(fCnt).items;
      if (item?.kind !== 'payload') throw new Error('it is a frame');
      // Not the same bytes on air: they were made with other keys.
      const phyPayload = Buffer.from(`${session}${fCnt}`);
      const body = Buffer.from(`${fCnt} of ${session}`);
      const { inbound } = frame(fCnt);
      return { inbound: { ...inbound, body }, items: [{ ...item, session, phyPayload }] };
    };
    const first = await bench.outcomesOf(frame(7), joined(7, '01'), joined(7, '02'));
    expect(first).toEqual(['accepted', 'accepted', 'accepted']);
    expect(await bench.outcomesOf(joined(6, '01'), joined(8, '02'))).toEqual([
      ...['replayed', 'accepted'],
    ]);
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    expect(bench.ledger.lastFrameCounter('70b3d57ed0000001', '26011bda/02')).toBe(8);
  });

  it('that tells its battery on port 0 is as unique as any other', async () => {
    const status = (fCnt: number) => {
      const [item] = frame(fCnt).items;
      if (item?.kind !== 'payload') throw new Error('it is a frame');
      const measurements = [{ name: 'battery_level', value: 50, unit: '%' }];
      return { ...frame(fCnt), items: [{ ...item, fPort: 0, measurements }] };
    };
    expect(await bench.outcomesOf(status(7), status(8))).toEqual(['accepted', 'accepted']);
    const old = status(7);
    const later = { ...old, inbound: { ...old.inbound, body: Buffer.from('later') } };
    expect(await bench.outcomesOf(later)).toEqual(['replayed']);
  });

  it('does not touch the counter when a network server has opened it', async () => {
    expect(await bench.outcomesOf(keyed('a', { fCnt: 9 }), keyed('b', { fCnt: 3 }))).toEqual([
      ...['accepted', 'accepted'],
    ]);
    expect(bench.ledger.lastFrameCounter('meter-7', '01020304')).toBeUndefined();
  });

  it('of a strange session is refused before it can spoil a group', async () => {
    const strange = [frame(1, { deviceId: 'x'.repeat(3_000) }), frame(1, { devAddr: 'nowhere' })];
    const settled = await Promise.allSettled(
      [bare(), ...strange].map((delivery) => bench.ledger.accept(delivery)),
    );
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('without a session needs no counter', async () => {
    const [item] = frame(1).items;
    if (item?.kind !== 'payload') throw new Error('an uplink');
    const { devAddr: _, ...uplink } = item;
    const delivery = { inbound: inbound({ body: 'x' }), items: [uplink] };
    expect(await bench.outcomesOf(delivery, delivery)).toEqual(['accepted', 'redelivery']);
  });
});

describe('A message with several items', () => {
  it('has a receipt each, and one entry holds the body for all', async () => {
    const items = [frameItem(7), frameItem(7, { gatewayId: 'second antenna' }), frameItem(8)];
    const delivery = { inbound: inbound({ body: 'three' }), items };
    expect(await bench.ledger.accept(delivery)).toEqual([
      { outcome: 'accepted', seq: 1 },
      { outcome: 'copy', seq: 1 },
      { outcome: 'accepted', seq: 3 },
    ]);
    expect(await bench.ledger.accept(delivery)).toEqual([
      { outcome: 'redelivery', seq: 1 },
      { outcome: 'redelivery' },
      { outcome: 'redelivery' },
    ]);
    const reader = openLedgerReader({ directory: bench.directory });
    expect(reader.read(0, 10).map(({ body }) => body)).toEqual([
      Buffer.from('three'),
      { seq: 1 },
      { seq: 1 },
    ]);
    await reader.close();
  });

  it('keeps the body with the first item that has an entry', async () => {
    await bench.restart({ copiesMax: 1 });
    await bench.outcomesOf(frame(7), frame(7, { gatewayId: 'b' }));
    const items = [frameItem(7), frameItem(8)];
    const receipts = await bench.ledger.accept({ inbound: inbound({ body: 'two' }), items });
    expect(outcomes(receipts)).toEqual(['redelivery', 'accepted']);
    const reader = openLedgerReader({ directory: bench.directory });
    expect(reader.get(3)?.body).toEqual(Buffer.from('two'));
    await reader.close();
  });

  it('rejects a message without items: that is a programming error', async () => {
    await expect(bench.ledger.accept({ inbound: inbound(), items: [] })).rejects.toThrow(
      'at least one',
    );
    expect(await bench.outcomeOf(bare())).toBe('accepted');
  });
});
