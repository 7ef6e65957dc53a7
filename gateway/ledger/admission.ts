/**
 * What becomes of a delivery: the table of contents of `accept`. `prepare` does what needs no
 * database while the delivery waits; `admit` decides and writes, inside one write transaction.
 */
import assert from 'node:assert/strict';
import { fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import { encodeEntry, type PackedItem, packItem } from './entry-codec.ts';
import { decodeSession, encodeSession, type FrameSession, judgeFrame } from './frame-session.ts';
import { type FrameIdentity, type Identity, identify, identifyFrame } from './identity.ts';
import type { IdentityBook } from './identity-book.ts';
import type { Delivery, Item, LedgerEntry, QuarantinedItem, Receipt } from './ledger.ts';
import type { LedgerLimits } from './ledger-limits.ts';
import { type LedgerFiles, seqKey, spareSeqKey } from './lmdb-files.ts';
import { decodePassing, encodePassing, judgePassing } from './passing-messages.ts';

/** A delivery ready to be written: all that can fail by its content has been done. */
export interface Prepared {
  readonly inbound: Inbound;
  readonly identity: Identity;
  readonly items: readonly PreparedItem[];
  /** Memory it holds while it waits. */
  readonly bytes: number;
}

interface PreparedItem {
  readonly item: Item;
  readonly frame: FrameIdentity | undefined;
  readonly packed: PackedItem;
}

/** The state that one write transaction works on; the ledger undoes it when the commit fails. */
export interface Books {
  readonly files: LedgerFiles;
  readonly identities: IdentityBook;
  readonly limits: LedgerLimits;
  nextSeq: number;
  /** Counters accepted in this transaction, by session key. */
  readonly counters: Map<string, number>;
}

export function prepare(delivery: Delivery): Prepared {
  const { inbound, items } = delivery;
  assert.ok(items.length > 0, 'a delivery has at least one item');
  const prepared = items.map((item) => prepareItem(item, inbound));
  const packedBytes = prepared.reduce((sum, { packed }) => sum + packed.packed.length, 0);
  const bytes = packedBytes + inbound.body.length;
  return { inbound, identity: identify(delivery), items: prepared, bytes };
}

function prepareItem(item: Item, inbound: Inbound): PreparedItem {
  return { item, frame: identifyFrame(item), packed: packItem(inbound, item) };
}

/** Only inside a write transaction. Throws only what the disk makes it throw. */
export function admit(prepared: Prepared, books: Books): Receipt[] {
  return prepared.identity.kind === 'lasting'
    ? admitLasting(prepared, books)
    : admitPassing(prepared, books);
}

function admitLasting(prepared: Prepared, books: Books): Receipt[] {
  const { key } = prepared.identity;
  const known = books.identities.find(key);
  if (known) return redelivered(prepared, known.readUIntBE(0, 6));
  const firstSeq = books.nextSeq;
  const receipts = appendAll(prepared, books);
  // Nothing of it may have been stored: each item was one copy too many.
  if (books.nextSeq > firstSeq) books.identities.put(key, seqValue(firstSeq));
  return receipts;
}

function admitPassing(prepared: Prepared, books: Books): Receipt[] {
  const { inbound, identity } = prepared;
  const known = books.identities.find(identity.key);
  const verdict = judgePassing(known && decodePassing(known), inbound, books.limits);
  if (!verdict.isNew) {
    books.identities.put(identity.key, encodePassing(verdict.record));
    return redelivered(prepared, verdict.record.seq);
  }
  books.identities.put(identity.key, encodePassing(verdict.record(books.nextSeq)));
  return appendAll(prepared, books);
}

/** The entry of the first item is known; those of the others may have had no entry of their own. */
function redelivered(prepared: Prepared, firstSeq: number): Receipt[] {
  return prepared.items.map((_, place) => ({
    outcome: 'redelivery',
    ...(place === 0 ? { seq: firstSeq } : {}),
  }));
}

function appendAll(prepared: Prepared, books: Books): Receipt[] {
  const { nextSeq: firstSeq } = books;
  const page = { books, inbound: prepared.inbound, firstSeq };
  return prepared.items.map((each) =>
    each.frame
      ? appendFrame(each, each.frame, page)
      : append(each, { outcome: outcomeOf(each.item) }, page),
  );
}

/** Where an item is written: a delivery's entries follow each other, the first holds the body. */
interface Page {
  readonly books: Books;
  readonly inbound: Inbound;
  readonly firstSeq: number;
}

function appendFrame(prepared: PreparedItem, frame: FrameIdentity, page: Page): Receipt {
  const { files, limits, counters, nextSeq } = page.books;
  const key = sessionKey(frame.deviceId, frame.devAddr);
  const stored = files.sessions.get(key);
  const session = stored && decodeSession(stored);
  const verdict = judgeFrame(session, frame, page.inbound.receivedAt, limits);
  switch (verdict.outcome) {
    case 'accepted':
      putSession(files, key, verdict.session(nextSeq));
      counters.set(key, frame.fCnt);
      return append(prepared, { outcome: 'accepted' }, page);
    case 'copy':
      putSession(files, key, verdict.session);
      files.copies.putSync(seqKey(verdict.first, nextSeq), present);
      append(prepared, { outcome: 'copy', copyOf: verdict.first }, page);
      return { outcome: 'copy', seq: verdict.first };
    case 'redelivery':
      return { outcome: 'redelivery', seq: verdict.first };
    case 'replayed': {
      const item = replayedItem(frame, verdict.lastCounter);
      return append(prepareItem(item, page.inbound), { outcome: 'replayed' }, page);
    }
  }
}

interface Verdict {
  readonly outcome: LedgerEntry['outcome'];
  readonly copyOf?: number;
}

function append({ packed }: PreparedItem, verdict: Verdict, { books, firstSeq }: Page): Receipt {
  const seq = books.nextSeq;
  const stamp = seq === firstSeq ? verdict : { ...verdict, bodySeq: firstSeq };
  const entry = encodeEntry(packed, stamp);
  const isAppended = books.files.entries.putSync(spareSeqKey(seq), entry, { append: true });
  assert.ok(isAppended, `entry ${seq} is the newest`);
  books.nextSeq = seq + 1;
  return { outcome: verdict.outcome, seq };
}

function outcomeOf(item: Item): 'accepted' | 'event' | 'quarantined' {
  return item.kind === 'payload' ? 'accepted' : item.kind;
}

/** It is evidence, not telemetry; the frame is in the entry's body. */
function replayedItem(frame: FrameIdentity, lastCounter: number): QuarantinedItem {
  const detail =
    `A frame of session ${frame.devAddr} with counter ${frame.fCnt} came again or late; ` +
    `the last accepted counter is ${lastCounter}.`;
  return {
    kind: 'quarantined',
    fault: fault('FRAME_REPLAYED', detail),
    adapter: frame.adapter,
    deviceId: frame.deviceId,
  };
}

/** An identifier holds no slash. */
export function sessionKey(deviceId: string, devAddr: string): string {
  return `${deviceId}/${devAddr}`;
}

function putSession(files: LedgerFiles, key: string, session: FrameSession): void {
  files.sessions.putSync(key, encodeSession(session));
}

/** A value for keys that say it all. */
const present = Buffer.from([1]);

const spareValue = Buffer.alloc(6);

/** Good until the next call: LMDB copies a value at once. */
function seqValue(seq: number): Buffer {
  spareValue.writeUIntBE(seq, 0, 6);
  return spareValue;
}
