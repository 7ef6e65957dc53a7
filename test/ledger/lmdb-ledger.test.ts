import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { open } from 'lmdb';
import type { Delivery, Outcome } from '../../gateway/ledger/ledger.ts';
import { LedgerUnavailable } from '../../gateway/ledger/ledger.ts';
import { type LedgerLimits, ledgerLimits } from '../../gateway/ledger/ledger-limits.ts';
import { commitCause, openLedgerFiles, openState } from '../../gateway/ledger/lmdb-files.ts';
import { LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { fault } from '../../gateway/model/fault.ts';
import { bare, frame, frameItem, inbound, keyed, outcomes, startTime } from './deliveries.ts';

const day = 24 * 60 * 60 * 1000;

let directory: string;
let ledger: LmdbLedger;
let now: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-ledger-'));
  now = startTime;
  await start();
});

afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(limits: Partial<LedgerLimits> = {}): Promise<void> {
  ledger = await openLedger({ directory, limits, clock: { now: () => now } });
}

async function restart(limits: Partial<LedgerLimits> = {}): Promise<void> {
  await ledger.close();
  await start(limits);
}

async function outcomeOf(delivery: Delivery): Promise<Outcome | undefined> {
  return outcomes(await ledger.accept(delivery))[0];
}

async function outcomesOf(...deliveries: Delivery[]): Promise<(Outcome | undefined)[]> {
  const found: (Outcome | undefined)[] = [];
  for (const delivery of deliveries) found.push(await outcomeOf(delivery));
  return found;
}

describe('A message with a key of its own', () => {
  it('is stored once, however often and over whatever connection it comes', async () => {
    const again = keyed('k1');
    const elsewhere = {
      ...again,
      inbound: inbound({ body: '{"retry":2}', credential: 'webhook' }),
    };
    expect(await ledger.accept(keyed('k1'))).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(await ledger.accept(again)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
    expect(await ledger.accept(elsewhere)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
    expect(ledger.head()).toBe(1);
  });

  it('is known again when both come in one group', async () => {
    const receipts = await Promise.all([ledger.accept(keyed('k1')), ledger.accept(keyed('k1'))]);
    expect(receipts.flatMap(outcomes)).toEqual(['accepted', 'redelivery']);
  });

  it.each([
    ['device', { deviceId: 'other' }],
    ['counter', { fCnt: 2 }],
    ['time', { rxTime: startTime + 1 }],
    ['payload', { frmPayload: Buffer.from('cafd', 'hex') }],
    ['adapter', { adapter: 'the-things-stack' }],
  ])('is another message when its %s differs', async (_, change) => {
    expect(await outcomesOf(keyed('k1'), keyed('k1', change))).toEqual(['accepted', 'accepted']);
  });

  it('needs no payload', async () => {
    const [item] = keyed('k1').items;
    if (item?.kind !== 'payload') throw new Error('an uplink');
    const { frmPayload: _, ...uplink } = item;
    const join = { inbound: inbound(), items: [uplink] };
    expect(await outcomesOf(join, join)).toEqual(['accepted', 'redelivery']);
  });

  it('is known after a restart', async () => {
    await ledger.accept(keyed('k1'));
    await restart();
    expect(await outcomeOf(keyed('k1'))).toBe('redelivery');
    expect(await ledger.accept(keyed('k2'))).toEqual([{ outcome: 'accepted', seq: 2 }]);
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
    await ledger.accept(timed('a'));
    now += 3 * day;
    expect(await outcomesOf(timed('a'), timed('b'), timed('a', 'other'))).toEqual([
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
    expect(await outcomesOf(status('a'), status('a'), status('b'))).toEqual([
      'event',
      'redelivery',
      'event',
    ]);
  });

  it('takes an impossible time without harm', async () => {
    for (const rxTime of [-1, 0, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await outcomesOf(keyed('t', { rxTime }), keyed('t', { rxTime }))).toEqual([
        'accepted',
        'redelivery',
      ]);
    }
  });
});

describe('A body that only its sender tells apart', () => {
  it('is stored twice when the sensor sends the same value twice', async () => {
    expect(await outcomesOf(bare(), bare())).toEqual(['accepted', 'accepted']);
  });

  it('is a redelivery when the sender says so by DUP', async () => {
    expect(await outcomesOf(bare(), bare({ dup: true }))).toEqual(['accepted', 'redelivery']);
  });

  it('is a redelivery when another connection brings it within a minute', async () => {
    const later = bare({ connection: 'c2', receivedAt: startTime + 59_000 });
    expect(await ledger.accept(bare())).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(await ledger.accept(later)).toEqual([{ outcome: 'redelivery', seq: 1 }]);
  });

  it('is a new message on another connection after more than a minute', async () => {
    const later = bare({ connection: 'c2', receivedAt: startTime + 61_000 });
    expect(await outcomesOf(bare(), later)).toEqual(['accepted', 'accepted']);
  });

  it('is a new message from another sender or on another route', async () => {
    const others = [bare({ credential: 'meter-8' }), bare({ route: 'up/other' })];
    expect(await outcomesOf(bare(), ...others)).toEqual(['accepted', 'accepted', 'accepted']);
  });

  it('remembers the connection across a restart', async () => {
    await ledger.accept(bare());
    await restart();
    expect(await outcomeOf(bare({ connection: 'c2' }))).toBe('redelivery');
  });

  it('loses no equal body among resends: one more than was stored is new', async () => {
    const resend = bare({ connection: 'c2' });
    expect(await outcomesOf(bare(), bare(), resend, resend, resend)).toEqual([
      ...['accepted', 'accepted', 'redelivery', 'redelivery', 'accepted'],
    ]);
    const again = bare({ connection: 'c3' });
    expect(await outcomesOf(again, again, again, again)).toEqual([
      ...['redelivery', 'redelivery', 'redelivery', 'accepted'],
    ]);
  });

  it('believes DUP hours later only for the packet it knows', async () => {
    await ledger.accept(bare({ messageId: 5 }));
    const late = { dup: true, connection: 'c2', receivedAt: startTime + 3_600_000 };
    expect(await outcomeOf(bare({ ...late, messageId: 5 }))).toBe('redelivery');
    expect(await outcomeOf(bare({ ...late, messageId: 6 }))).toBe('accepted');
  });

  it('believes DUP with another packet identifier within the window', async () => {
    await ledger.accept(bare({ messageId: 5 }));
    expect(await outcomeOf(bare({ dup: true, messageId: 9 }))).toBe('redelivery');
  });

  it('is new when DUP is set on a first reception', async () => {
    expect(await outcomeOf(bare({ dup: true }))).toBe('accepted');
  });

  it('keeps quarantined messages by the same rule', async () => {
    const item = { kind: 'quarantined', fault: fault('INBOUND_MALFORMED', 'Not JSON.') } as const;
    const malformed = (connection: string): Delivery => ({
      ...{ inbound: inbound({ body: '}', connection }), items: [item] },
    });
    const all = [malformed('c1'), malformed('c1'), malformed('c2')];
    expect(await outcomesOf(...all)).toEqual(['quarantined', 'quarantined', 'redelivery']);
  });
});

describe('Identities', () => {
  it('are known for the window and gone after twice as long', async () => {
    await ledger.accept(keyed('k1'));
    now += 8 * day;
    expect(await outcomeOf(keyed('k1'))).toBe('redelivery');
    now += 8 * day;
    expect(await outcomeOf(keyed('k1'))).toBe('accepted');
  });

  it('make room for new ones when there are too many', async () => {
    await restart({ identitiesMax: 4 });
    await outcomesOf(keyed('a1'), keyed('a2'), keyed('b1'));
    expect(await outcomeOf(keyed('a1'))).toBe('redelivery');
    await outcomesOf(keyed('b2'), keyed('c1'));
    expect(await outcomesOf(keyed('b1'), keyed('a1'))).toEqual(['redelivery', 'accepted']);
  });

  it('keep their generation over a restart and a clock that is set back', async () => {
    now += 8 * day;
    await ledger.accept(keyed('k1'));
    now -= 20 * day;
    await restart();
    expect(await outcomesOf(keyed('k1'), keyed('k2'))).toEqual(['redelivery', 'accepted']);
    now += 8 * day;
    expect(await outcomesOf(keyed('k3'), keyed('k1'))).toEqual(['accepted', 'redelivery']);
  });
});

describe('A frame that the gateway has verified', () => {
  it('moves the counter, and its second reception is a copy of the first', async () => {
    expect(await ledger.accept(frame(7))).toEqual([{ outcome: 'accepted', seq: 1 }]);
    expect(ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    const copy = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime + 9_000 });
    expect(await ledger.accept(copy)).toEqual([{ outcome: 'copy', seq: 1 }]);
    const reader = openLedgerReader({ directory });
    const [entry] = reader.copiesOf(1);
    expect(entry).toMatchObject({ seq: 2, outcome: 'copy', copyOf: 1 });
    expect(entry?.item).toMatchObject({ rxInfo: [{ gatewayId: 'gateway-b' }] });
    await reader.close();
  });

  it('is a redelivery when the same gateway sends the same bytes again', async () => {
    expect(await outcomesOf(frame(7), frame(7))).toEqual(['accepted', 'redelivery']);
  });

  it('is replayed when it is heard again after the copy window', async () => {
    await ledger.accept(frame(7));
    const late = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime + 10_001 });
    expect(await ledger.accept(late)).toEqual([{ outcome: 'replayed', seq: 2 }]);
    const reader = openLedgerReader({ directory });
    const entry = reader.get(2);
    expect(entry?.body).toEqual(late.inbound.body);
    expect(entry?.item).toMatchObject({
      ...{ kind: 'quarantined', deviceId: '70b3d57ed0000001', adapter: 'semtech-udp' },
      fault: { code: 'FRAME_REPLAYED' },
    });
    await reader.close();
  });

  it('is replayed when its counter is used up and its content is unknown', async () => {
    await ledger.accept(frame(7));
    const forged = [frame(7, { content: 'other' }), frame(6), frame(0)];
    expect(await outcomesOf(...forged)).toEqual(['replayed', 'replayed', 'replayed']);
    expect(ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
  });

  it('is a copy also when the next frame came in between', async () => {
    const copy = (fCnt: number) => frame(fCnt, { gatewayId: 'gateway-b' });
    expect(await outcomesOf(frame(7), frame(8), copy(7), copy(8))).toEqual([
      ...['accepted', 'accepted', 'copy', 'copy'],
    ]);
  });

  it('has any counter when it is the first of its session', async () => {
    const other = { devAddr: '26011bdb' };
    expect(ledger.lastFrameCounter('70b3d57ed0000001', '26011bdb')).toBeUndefined();
    expect(await outcomesOf(frame(4_000_000_000), frame(3, other))).toEqual([
      ...['accepted', 'accepted'],
    ]);
  });

  it('has any counter again after its session was forgotten', async () => {
    await ledger.accept(frame(7));
    await ledger.forgetSession('70b3d57ed0000001', '26011bda');
    expect(await outcomeOf(frame(0))).toBe('accepted');
  });

  it('keeps a bounded number of copies and acknowledges the others', async () => {
    await restart({ copiesMax: 2 });
    const heard = ['a', 'b', 'c', 'd'].map((gatewayId) => frame(7, { gatewayId }));
    expect(await outcomesOf(...heard)).toEqual(['accepted', 'copy', 'copy', 'redelivery']);
    expect(await ledger.accept(frame(7, { gatewayId: 'd' }))).toEqual([
      { outcome: 'redelivery', seq: 1 },
    ]);
  });

  it('is a copy, not an alarm, after the clock was set back', async () => {
    await ledger.accept(frame(7));
    const earlier = frame(7, { gatewayId: 'gateway-b', receivedAt: startTime - 3_600_000 });
    expect(await outcomeOf(earlier)).toBe('copy');
  });

  it('keeps counter and copies across a restart', async () => {
    await ledger.accept(frame(7));
    await restart();
    expect(ledger.lastFrameCounter('70b3d57ed0000001', '26011bda')).toBe(7);
    const copy = frame(7, { gatewayId: 'gateway-b' });
    expect(await outcomesOf(copy, frame(6), frame(8))).toEqual(['copy', 'replayed', 'accepted']);
  });

  it('does not touch the counter when a network server has opened it', async () => {
    expect(await outcomesOf(keyed('a', { fCnt: 9 }), keyed('b', { fCnt: 3 }))).toEqual([
      ...['accepted', 'accepted'],
    ]);
    expect(ledger.lastFrameCounter('meter-7', '01020304')).toBeUndefined();
  });

  it('of a strange session is refused before it can spoil a group', async () => {
    const strange = [frame(1, { deviceId: 'x'.repeat(3_000) }), frame(1, { devAddr: 'nowhere' })];
    const settled = await Promise.allSettled(
      [bare(), ...strange].map((delivery) => ledger.accept(delivery)),
    );
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('without a session needs no counter', async () => {
    const [item] = frame(1).items;
    if (item?.kind !== 'payload') throw new Error('an uplink');
    const { devAddr: _, ...uplink } = item;
    const delivery = { inbound: inbound({ body: 'x' }), items: [uplink] };
    expect(await outcomesOf(delivery, delivery)).toEqual(['accepted', 'accepted']);
  });
});

describe('A message with several items', () => {
  it('has a receipt each, and one entry holds the body for all', async () => {
    const items = [frameItem(7), frameItem(7, { gatewayId: 'second antenna' }), frameItem(8)];
    const delivery = { inbound: inbound({ body: 'three' }), items };
    expect(await ledger.accept(delivery)).toEqual([
      { outcome: 'accepted', seq: 1 },
      { outcome: 'copy', seq: 1 },
      { outcome: 'accepted', seq: 3 },
    ]);
    expect(await ledger.accept(delivery)).toEqual([
      { outcome: 'redelivery', seq: 1 },
      { outcome: 'redelivery' },
      { outcome: 'redelivery' },
    ]);
    const reader = openLedgerReader({ directory });
    expect(reader.read(0, 10).map(({ body }) => body)).toEqual([
      Buffer.from('three'),
      { seq: 1 },
      { seq: 1 },
    ]);
    await reader.close();
  });

  it('keeps the body with the first item that has an entry', async () => {
    await restart({ copiesMax: 1 });
    await outcomesOf(frame(7), frame(7, { gatewayId: 'b' }));
    const items = [frameItem(7), frameItem(8)];
    const receipts = await ledger.accept({ inbound: inbound({ body: 'two' }), items });
    expect(outcomes(receipts)).toEqual(['redelivery', 'accepted']);
    const reader = openLedgerReader({ directory });
    expect(reader.get(3)?.body).toEqual(Buffer.from('two'));
    await reader.close();
  });

  it('rejects a message without items: that is a programming error', async () => {
    await expect(ledger.accept({ inbound: inbound(), items: [] })).rejects.toThrow('at least one');
    expect(await outcomeOf(bare())).toBe('accepted');
  });
});

describe('The group', () => {
  it('takes no more items than its limit, and loses none of the others', async () => {
    await restart({ groupItemsMax: 3 });
    const all = Array.from({ length: 20 }, (_, number) => ledger.accept(keyed(`k${number}`)));
    const seqs = (await Promise.all(all)).map(([receipt]) => receipt?.seq);
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, number) => number + 1));
  });

  it('refuses what does not fit the queue, and goes on with the rest', async () => {
    await restart({ queueLengthMax: 2 });
    const all = ['a', 'b', 'c'].map((key) => ledger.accept(keyed(key)));
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(all[2]).rejects.toBeInstanceOf(LedgerUnavailable);
    expect(await outcomeOf(keyed('c'))).toBe('accepted');
  });

  it('refuses more bytes than the queue may hold', async () => {
    await restart({ queueBytesMax: 2_000 });
    const body = 'x'.repeat(1_500);
    const all = [ledger.accept(bare({ body })), ledger.accept(bare({ body }))];
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('rejects all that waits when a transaction fails before it takes any, and goes on', async () => {
    await ledger.close();
    let fails = 0;
    const clock = {
      now() {
        if (fails > 0) throw new Error(`failure ${fails--}`);
        return now;
      },
    };
    ledger = await openLedger({ directory, clock });
    fails = 1;
    const all = [ledger.accept(keyed('a')), ledger.accept(keyed('b'))];
    for (const each of all) {
      await expect(each).rejects.toMatchObject({
        ...{ code: 'LEDGER_UNAVAILABLE', cause: new Error('failure 1') },
      });
    }
    expect(await outcomesOf(keyed('a'), keyed('b'))).toEqual(['accepted', 'accepted']);
  });

  it('rejects at once and for good when LMDB itself has given up', async () => {
    await ledger.close();
    const files = openLedgerFiles({ directory }, { readOnly: false });
    ledger = new LmdbLedger(files, ledgerLimits, { now: () => now });
    await ledger.accept(keyed('a'));
    await files.root.close();
    await expect(ledger.accept(keyed('b'))).rejects.toBeInstanceOf(LedgerUnavailable);
    await expect(ledger.accept(keyed('c'))).rejects.toThrow('restart to go on');
    const limits = { receivedBefore: 0, sizeBytesMax: 0, keepAfter: 9 };
    await expect(ledger.retain(limits)).rejects.toThrow('restart to go on');
    await start();
    expect(await outcomesOf(keyed('a'), keyed('b'))).toEqual(['redelivery', 'accepted']);
  });

  it('shows a counter that is accepted but not yet on disk', async () => {
    const accepted = ledger.accept(frame(7));
    let seen: number | undefined;
    for (let turn = 0; turn < 1_000 && seen === undefined; turn += 1) {
      await new Promise(setImmediate);
      seen = ledger.lastFrameCounter('70b3d57ed0000001', '26011bda');
    }
    expect(seen).toBe(7);
    await accepted;
  });

  it('stores a body far larger than a page', async () => {
    const body = 'y'.repeat(300_000);
    await ledger.accept(bare({ body }));
    const reader = openLedgerReader({ directory });
    expect(reader.get(1)?.body).toEqual(Buffer.from(body));
    await reader.close();
  });
});

describe('The cause of a failed commit', () => {
  it('is what the library tells by its second promise', async () => {
    const cause = new Error('No space left on device');
    const error = Object.assign(new Error('Commit failed'), { commitError: Promise.reject(cause) });
    expect(await commitCause(error)).toBe(cause);
    expect(await commitCause(cause)).toBe(cause);
  });
});

describe('Opening and closing', () => {
  it('writes what waits before it closes, and rejects what comes after', async () => {
    const accepted = ledger.accept(bare());
    await ledger.close();
    expect(outcomes(await accepted)).toEqual(['accepted']);
    await expect(ledger.accept(bare())).rejects.toThrow('closed');
    await ledger.close();
  });

  it.each(['queueLengthMax', 'groupItemsMax'])('refuses a senseless %s', async (name) => {
    await expect(openLedger({ directory, limits: { [name]: 0 } })).rejects.toThrow(name);
  });

  it.each([
    ['copiesMax', 70_000],
    ['recentFramesMax', 300],
  ])('refuses a %s that does not fit its field', async (name, value) => {
    await expect(openLedger({ directory, limits: { [name]: value } })).rejects.toThrow(name);
  });

  it('refuses files of a later format and says what to do', async () => {
    await ledger.close();
    const root = open({ path: join(directory, 'ledger'), noSubdir: false, overlappingSync: false });
    const notes = root.openDB({ name: 'notes', encoding: 'binary' });
    await notes.put('format', Buffer.from([0, 0, 0, 2]));
    await root.close();
    await expect(openLedger({ directory })).rejects.toThrow(
      'format 2; this program reads format 1',
    );
    expect(() => openLedgerReader({ directory })).toThrow('backup made before the upgrade');
  });

  it('keeps small state beside the ledger', async () => {
    const state = openState({ directory });
    const devices = state.openDB<{ name: string }, string>({ name: 'devices' });
    await devices.put('meter-7', { name: 'Meter 7' });
    await state.close();
    const again = openState({ directory });
    expect(again.openDB({ name: 'devices' }).get('meter-7')).toEqual({ name: 'Meter 7' });
    const format = again.openDB({ name: 'format', encoding: 'binary' });
    await format.put('format', Buffer.from([0, 0, 0, 9]));
    await again.close();
    expect(() => openState({ directory })).toThrow('format 9');
  });
});
