import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import { bare, inbound, keyed, outcomes, startTime } from './deliveries.ts';
import { useLedger } from './test-bench.ts';

const day = 24 * 60 * 60 * 1000;
const bench = useLedger();

describe('A message with a key of its own', () => {
  it('is stored once, however often and over whatever connection it comes', async () => {
    const again = keyed('k1');
    const elsewhere = {
      ...again,
      inbound: inbound({ body: '{"retry":2}', credential: 'webhook' }),
    };
    expect(await bench.ledger.accept(keyed('k1'))).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(await bench.ledger.accept(again)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
    expect(await bench.ledger.accept(elsewhere)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
    expect(bench.ledger.head()).toBe(1);
  });

  it('is known again when both come in one group', async () => {
    const receipts = await Promise.all([
      bench.ledger.accept(keyed('k1')),
      bench.ledger.accept(keyed('k1')),
    ]);
    expect(receipts.flatMap(outcomes)).toEqual(['accepted', 'redelivery']);
  });

  it.each([
    ['device', { deviceId: 'other' }],
    ['counter', { fCnt: 2 }],
    ['time', { rxTime: startTime + 1 }],
    ['payload', { frmPayload: Buffer.from('cafd', 'hex') }],
    ['adapter', { adapter: 'the-things-stack' }],
  ])('is another message when its %s differs', async (_, change) => {
    expect(await bench.outcomesOf(keyed('k1'), keyed('k1', change))).toEqual([
      'accepted',
      'accepted',
    ]);
  });

  it('needs no payload', async () => {
    const [item] = keyed('k1').items;
    if (item?.kind !== 'payload') throw new Error('an uplink');
    const { frmPayload: _, ...uplink } = item;
    const join = { inbound: inbound(), items: [uplink] };
    expect(await bench.outcomesOf(join, join)).toEqual(['accepted', 'redelivery']);
  });

  it('is known after a restart', async () => {
    await bench.ledger.accept(keyed('k1'));
    await bench.restart();
    expect(await bench.outcomeOf(keyed('k1'))).toBe('redelivery');
    expect(await bench.ledger.accept(keyed('k2'))).toEqual([{ outcome: 'accepted', seq: 2 }]);
  });
});

describe('A message with a time or a session counter of its own', () => {
  const timed = (body: string, credential = 'ns'): Delivery => {
    const { items } = keyed('unused');
    const [item] = items;
    if (item?.kind !== 'payload') throw new Error('an uplink');
    const { messageKey: _, ...uplink } = item;
    return { inbound: inbound({ body, credential }), items: [uplink] };
  };

  it('is a redelivery when the same bytes come from the same sender, days later', async () => {
    await bench.ledger.accept(timed('a'));
    bench.now += 3 * day;
    expect(await bench.outcomesOf(timed('a'), timed('b'), timed('a', 'other'))).toEqual([
      'redelivery',
      'accepted',
      'accepted',
    ]);
  });

  it('tells events apart by their bytes, too', async () => {
    const status = (body: string): Delivery => ({
      inbound: inbound({ body }),
      items: [{ kind: 'event', adapter: 'chirpstack-v4', type: 'status', time: startTime }],
    });
    expect(await bench.outcomesOf(status('a'), status('a'), status('b'))).toEqual([
      'event',
      'redelivery',
      'event',
    ]);
  });

  it('takes an impossible time without harm', async () => {
    for (const rxTime of [-1, 0, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await bench.outcomesOf(keyed('t', { rxTime }), keyed('t', { rxTime }))).toEqual([
        'accepted',
        'redelivery',
      ]);
    }
  });
});

describe('A body that only its sender tells apart', () => {
  it('is stored twice when the sensor sends the same value twice', async () => {
    expect(await bench.outcomesOf(bare(), bare())).toEqual(['accepted', 'accepted']);
  });

  it('is a redelivery when the sender says so by DUP', async () => {
    expect(await bench.outcomesOf(bare(), bare({ dup: true }))).toEqual(['accepted', 'redelivery']);
  });

  it('is a redelivery when another connection brings it within a minute', async () => {
    const later = bare({ connection: 'c2', receivedAt: startTime + 59_000 });
    expect(await bench.ledger.accept(bare())).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(await bench.ledger.accept(later)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
  });

  it('is a new message on another connection after more than a minute', async () => {
    const later = bare({ connection: 'c2', receivedAt: startTime + 61_000 });
    expect(await bench.outcomesOf(bare(), later)).toEqual(['accepted', 'accepted']);
  });

  it('is a new message from another sender or on another route', async () => {
    const others = [bare({ credential: 'meter-8' }), bare({ route: 'up/other' })];
    expect(await bench.outcomesOf(bare(), ...others)).toEqual(['accepted', 'accepted', 'accepted']);
  });

  it('remembers the connection across a restart', async () => {
    await bench.ledger.accept(bare());
    await bench.restart();
    expect(await bench.outcomeOf(bare({ connection: 'c2' }))).toBe('redelivery');
  });

  it('loses no equal body among resends: one more than was stored is new', async () => {
    const resend = bare({ connection: 'c2' });
    expect(await bench.outcomesOf(bare(), bare(), resend, resend, resend)).toEqual([
      ...['accepted', 'accepted', 'redelivery', 'redelivery', 'accepted'],
    ]);
    const again = bare({ connection: 'c3' });
    expect(await bench.outcomesOf(again, again, again, again)).toEqual([
      ...['redelivery', 'redelivery', 'redelivery', 'accepted'],
    ]);
  });

  it('believes DUP hours later only for the packet it knows', async () => {
    await bench.ledger.accept(bare({ messageId: 5 }));
    const late = { dup: true, connection: 'c2', receivedAt: startTime + 3_600_000 };
    expect(await bench.outcomeOf(bare({ ...late, messageId: 5 }))).toBe('redelivery');
    expect(await bench.outcomeOf(bare({ ...late, messageId: 6 }))).toBe('accepted');
  });

  it('is new with DUP on another connection under another identifier than the one stored', async () => {
    await bench.ledger.accept(bare({ messageId: 5 }));
    const resend = { dup: true, connection: 'c2' };
    expect(await bench.outcomeOf(bare({ ...resend, messageId: 5 }))).toBe('redelivery');
    expect(await bench.outcomeOf(bare({ ...resend, messageId: 6 }))).toBe('accepted');
    expect(await bench.outcomeOf(bare({ ...resend, messageId: 6 }))).toBe('redelivery');
    expect(await bench.outcomeOf(bare({ ...resend, messageId: 5 }))).toBe('redelivery');
  });

  it('believes DUP with another packet identifier within the window', async () => {
    await bench.ledger.accept(bare({ messageId: 5 }));
    expect(await bench.outcomeOf(bare({ dup: true, messageId: 9 }))).toBe('redelivery');
  });

  it('is new when DUP is set on a first reception', async () => {
    expect(await bench.outcomeOf(bare({ dup: true }))).toBe('accepted');
  });

  it('keeps quarantined messages by the same rule', async () => {
    const item = { kind: 'quarantined', fault: fault('INBOUND_MALFORMED', 'Not JSON.') } as const;
    const malformed = (connection: string): Delivery => ({
      ...{ inbound: inbound({ body: '}', connection }), items: [item] },
    });
    const all = [malformed('c1'), malformed('c1'), malformed('c2')];
    expect(await bench.outcomesOf(...all)).toEqual(['quarantined', 'quarantined', 'redelivery']);
  });
});

describe('Identities', () => {
  it('are known for the window and gone after twice as long', async () => {
    await bench.ledger.accept(keyed('k1'));
    bench.now += 8 * day;
    expect(await bench.outcomeOf(keyed('k1'))).toBe('redelivery');
    bench.now += 8 * day;
    expect(await bench.outcomeOf(keyed('k1'))).toBe('accepted');
  });

  it('make room for new ones when there are too many', async () => {
    await bench.restart({ identitiesMax: 4 });
    await bench.outcomesOf(keyed('a1'), keyed('a2'), keyed('b1'));
    expect(await bench.outcomeOf(keyed('a1'))).toBe('redelivery');
    await bench.outcomesOf(keyed('b2'), keyed('c1'));
    expect(await bench.outcomesOf(keyed('b1'), keyed('a1'))).toEqual(['redelivery', 'accepted']);
  });

  it('keep their generation over a restart and a clock that is set back', async () => {
    bench.now += 8 * day;
    await bench.ledger.accept(keyed('k1'));
    bench.now -= 20 * day;
    await bench.restart();
    expect(await bench.outcomesOf(keyed('k1'), keyed('k2'))).toEqual(['redelivery', 'accepted']);
    bench.now += 8 * day;
    expect(await bench.outcomesOf(keyed('k3'), keyed('k1'))).toEqual(['accepted', 'redelivery']);
  });
});
