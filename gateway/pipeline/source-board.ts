/**
 * Who sends, how much and how well: one row for each adapter, account and transport, since the
 * start. It is written by ingest for every message and read by an operator now and then, so a row
 * is counters and nothing grows.
 */
import assert from 'node:assert/strict';
import type { Delivery, Item, Outcome, Receipt } from '../ledger/ledger.ts';
import type { Clock } from '../model/clock.ts';
import type { FaultCode } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import { RecentCount } from './recent-count.ts';

export interface SourceBoard {
  /** A message is on disk. `adapter` is the name of the one that read it, or `unrouted`. */
  note(adapter: string, delivery: Delivery, receipts: readonly Receipt[]): void;
  /** Everything up to this entry has been derived. */
  derived(seq: number): void;
  report(): SourceReport;
}

export interface SourceReport {
  /** Epoch milliseconds: when counting began. */
  readonly since: number;
  /** The one that was seen last comes first. */
  readonly sources: readonly Source[];
}

export interface Source {
  readonly adapter: string;
  /** The account, or `*`; see `manyAccounts`. */
  readonly credential: string;
  readonly transport: Inbound['transport'];
  readonly lastSeen: number;
  readonly messages: Counts;
  /** Uplinks that were accepted: neither copies nor redeliveries. */
  readonly uplinks: Counts;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly faults: readonly SourceFault[];
  /**
   * From the time that the newest message tells to its receipt; negative when its clock is ahead.
   */
  readonly messageLagMs?: number;
  /** From the receipt of a message to its being derived; grows while one waits. */
  readonly deriveLagMs?: number;
}

export interface Counts {
  readonly lastMinute: number;
  readonly lastHour: number;
  readonly total: number;
}

export interface SourceFault {
  readonly code: FaultCode;
  readonly count: number;
  readonly lastSeen: number;
  readonly detail: string;
}

/** Stands for the devices that have an account each, and for what finds no row of its own. */
export const manyAccounts = '*';

export interface SourceBoardLimits {
  /**
   * Beyond these rows a silent one makes room, or a row of many accounts is used: there is one at
   * most for each adapter and transport.
   */
  readonly sourcesMax: number;
  /** A row may make room after this long without a message. */
  readonly silentMs: number;
}

export const sourceBoardLimits: SourceBoardLimits = { sourcesMax: 500, silentMs: 3_600_000 };

const detailLengthMax = 300;

interface Row {
  readonly adapter: string;
  readonly credential: string;
  readonly transport: Inbound['transport'];
  readonly messages: RecentCount;
  readonly uplinks: RecentCount;
  readonly outcomes: Partial<Record<Outcome, number>>;
  readonly faults: Map<FaultCode, SourceFault>;
  lastSeen: number;
  messageLagMs: number | undefined;
  deriveLagMs: number | undefined;
  /** The oldest entry that has not been derived, and when it was received. */
  waiting: { readonly seq: number; readonly receivedAt: number } | undefined;
}

export function createSourceBoard(
  clock: Clock,
  limits: SourceBoardLimits = sourceBoardLimits,
): SourceBoard {
  assert.ok(limits.sourcesMax > 0 && limits.silentMs > 0, 'a board has rows, and keeps them');
  const since = clock.now();
  const rows = new Map<string, Row>();
  const waiting = new Set<Row>();
  let searchedAt = Number.NEGATIVE_INFINITY;
  /** Of the message before, which most messages are like. */
  let last: { readonly adapter: string; readonly asked: string; readonly row: Row } | undefined;

  function rowOf(adapter: string, { sender, transport }: Inbound): Row {
    const credential = sender.deviceId === undefined ? sender.credential : manyAccounts;
    if (
      last?.adapter === adapter &&
      last.asked === credential &&
      last.row.transport === transport
    ) {
      return last.row;
    }
    const row = findRow(adapter, credential, transport);
    last = { adapter, asked: credential, row };
    return row;
  }

  function findRow(adapter: string, credential: string, transport: Inbound['transport']): Row {
    const known = rows.get(keyOf(adapter, credential, transport));
    if (known !== undefined) return known;
    const hasRoom = rows.size < limits.sourcesMax || makeRoom();
    const own = hasRoom ? credential : manyAccounts;
    const key = keyOf(adapter, own, transport);
    const row = rows.get(key) ?? emptyRow(adapter, own, transport);
    rows.set(key, row);
    return row;
  }

  /** Searched once a second at most: strangers may come faster than that. */
  function makeRoom(): boolean {
    const now = clock.now();
    if (Math.abs(now - searchedAt) < 1_000) return false;
    searchedAt = now;
    const [key, row] = [...rows].reduce((one, other) =>
      other[1].lastSeen < one[1].lastSeen ? other : one,
    );
    if (now - row.lastSeen < limits.silentMs) return false;
    waiting.delete(row);
    if (last?.row === row) last = undefined;
    return rows.delete(key);
  }

  return {
    note(adapter, delivery, receipts) {
      const row = rowOf(adapter, delivery.inbound);
      noteMessage(row, delivery, receipts);
      if (row.waiting !== undefined) waiting.add(row);
    },
    derived(seq) {
      for (const row of waiting) {
        if (row.waiting === undefined || row.waiting.seq > seq) continue;
        row.deriveLagMs = Math.max(0, clock.now() - row.waiting.receivedAt);
        row.waiting = undefined;
        waiting.delete(row);
      }
    },
    report() {
      const now = clock.now();
      const sources = [...rows.values()].map((row) => sourceOf(row, now));
      return { since, sources: sources.sort((one, other) => other.lastSeen - one.lastSeen) };
    },
  };
}

/** A credential may hold anything but this. */
function keyOf(adapter: string, credential: string, transport: string): string {
  return `${adapter}\n${transport}\n${credential}`;
}

function emptyRow(adapter: string, credential: string, transport: Inbound['transport']): Row {
  return {
    ...{ adapter, credential, transport, lastSeen: 0, outcomes: {}, faults: new Map() },
    ...{ messages: new RecentCount(), uplinks: new RecentCount() },
    ...{ messageLagMs: undefined, deriveLagMs: undefined, waiting: undefined },
  };
}

function noteMessage(row: Row, { inbound, items }: Delivery, receipts: readonly Receipt[]): void {
  const { receivedAt } = inbound;
  row.lastSeen = receivedAt;
  row.messages.add(1, receivedAt);
  receipts.forEach((receipt, place) => {
    const { outcome, seq } = receipt;
    const item = items[place];
    row.outcomes[outcome] = (row.outcomes[outcome] ?? 0) + 1;
    if (outcome === 'accepted') row.uplinks.add(1, receivedAt);
    if (item !== undefined) noteItem(row, item, { outcome, receivedAt });
    if (outcome !== 'redelivery' && seq !== undefined) row.waiting ??= { seq, receivedAt };
  });
}

interface Circumstances {
  readonly outcome: Outcome;
  readonly receivedAt: number;
}

function noteItem(row: Row, item: Item, { outcome, receivedAt }: Circumstances): void {
  if (item.kind === 'quarantined') noteFault(row, item.fault, receivedAt);
  else if (outcome === 'replayed') {
    const detail = 'A frame came again or late, with a counter that was used before.';
    noteFault(row, { code: 'FRAME_REPLAYED', detail }, receivedAt);
  }
  const time = timeOf(item);
  if (time !== undefined && Number.isFinite(time)) row.messageLagMs = receivedAt - time;
}

function timeOf(item: Item): number | undefined {
  switch (item.kind) {
    case 'payload':
      return item.rxTime;
    case 'event':
      return item.time;
    case 'quarantined':
      return undefined;
  }
}

function noteFault(
  row: Row,
  { code, detail }: { readonly code: FaultCode; readonly detail: string },
  lastSeen: number,
): void {
  const count = (row.faults.get(code)?.count ?? 0) + 1;
  row.faults.set(code, { code, count, lastSeen, detail: detail.slice(0, detailLengthMax) });
}

function sourceOf(row: Row, now: number): Source {
  const { adapter, credential, transport, lastSeen, messageLagMs, waiting } = row;
  const waitedMs = waiting === undefined ? 0 : Math.max(0, now - waiting.receivedAt);
  const deriveLagMs =
    row.deriveLagMs === undefined && waiting === undefined
      ? undefined
      : Math.max(row.deriveLagMs ?? 0, waitedMs);
  return {
    ...{ adapter, credential, transport, lastSeen },
    ...{ messages: countsOf(row.messages, now), uplinks: countsOf(row.uplinks, now) },
    ...{ outcomes: { ...row.outcomes }, faults: [...row.faults.values()] },
    ...(messageLagMs === undefined ? {} : { messageLagMs }),
    ...(deriveLagMs === undefined ? {} : { deriveLagMs }),
  };
}

function countsOf(count: RecentCount, now: number): Counts {
  return {
    lastMinute: count.lastMinute(now),
    lastHour: count.lastHour(now),
    total: count.total(),
  };
}
