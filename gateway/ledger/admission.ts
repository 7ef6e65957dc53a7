/**
 * What becomes of a delivery: the table of contents of `accept`. `prepare` does what needs no
 * database while the delivery waits; `admit` decides and writes, inside one write transaction.
 */
import assert from 'node:assert/strict';
import { fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import type { VerifiedUplink } from '../model/uplink.ts';
import type { ContentBook } from './content-book.ts';
import { believableTime, contentOf } from './content-identity.ts';
import type { ResetRuleOf } from './counter-reset.ts';
import { encodeEntry, type PackedItem, packItem } from './entry-codec.ts';
import { countFrame } from './frame-count.ts';
import { type FrameIdentity, type Identity, identify, identifyFrame } from './identity.ts';
import type { IdentityBook } from './identity-book.ts';
import type { Delivery, Item, LedgerEntry, QuarantinedItem, Receipt } from './ledger.ts';
import type { LedgerLimits } from './ledger-limits.ts';
import { type LedgerFiles, seqKey, spareSeqKey } from './lmdb-files.ts';
import { decodePassing, encodePassing, judgePassing } from './passing-messages.ts';
import { bringsReceptions, countCopies, entryOf, type Relation, relate } from './reception.ts';

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
  /** What makes it the same uplink by every way; see content-identity.ts. */
  readonly content: string | undefined;
  readonly frame: FrameIdentity | undefined;
  readonly packed: PackedItem;
}

/** The state that one write transaction works on; the ledger undoes it when the commit fails. */
export interface Books {
  readonly files: LedgerFiles;
  readonly identities: IdentityBook;
  readonly contents: ContentBook;
  readonly limits: LedgerLimits;
  readonly resetRuleOf: ResetRuleOf;
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
  const contents = prepared.map(({ content }) => content);
  return { inbound, identity: identify(delivery, contents), items: prepared, bytes };
}

function prepareItem(item: Item, inbound: Inbound): PreparedItem {
  return {
    item,
    content: contentOf(item),
    frame: identifyFrame(item),
    packed: packItem(inbound, item),
  };
}

/** Only inside a write transaction. Throws only what the disk makes it throw. */
export function admit(prepared: Prepared, books: Books): Receipt[] {
  const { identity } = prepared;
  switch (identity.kind) {
    case 'content':
      return appendAll(prepared, books);
    case 'lasting':
      return admitLasting(prepared, identity.key, books);
    case 'passing':
      return admitPassing(prepared, identity.key, books);
  }
}

function admitLasting(prepared: Prepared, key: string, books: Books): Receipt[] {
  const known = books.identities.find(key);
  if (known) return redelivered(prepared, known.readUIntBE(0, 6));
  const firstSeq = books.nextSeq;
  const receipts = appendAll(prepared, books);
  // Nothing of it may have been stored: each item was one copy too many.
  if (books.nextSeq > firstSeq) books.identities.put(key, seqValue(firstSeq));
  return receipts;
}

function admitPassing(prepared: Prepared, key: string, books: Books): Receipt[] {
  const known = books.identities.find(key);
  const verdict = judgePassing(known && decodePassing(known), prepared.inbound, books.limits);
  if (!verdict.isNew) {
    books.identities.put(key, encodePassing(verdict.record));
    return redelivered(prepared, verdict.record.seq);
  }
  const firstSeq = books.nextSeq;
  const receipts = appendAll(prepared, books);
  if (books.nextSeq > firstSeq) books.identities.put(key, encodePassing(verdict.record(firstSeq)));
  return receipts;
}

/** The entry of the first item is known; those of the others may have had no entry of their own. */
function redelivered(prepared: Prepared, firstSeq: number): Receipt[] {
  return prepared.items.map((_, place) => ({
    outcome: 'redelivery',
    ...(place === 0 ? { seq: firstSeq } : {}),
  }));
}

function appendAll(prepared: Prepared, books: Books): Receipt[] {
  const page = { books, inbound: prepared.inbound, firstSeq: books.nextSeq };
  return prepared.items.map((each) =>
    each.content === undefined
      ? append(each, { outcome: outcomeOf(each.item) }, page)
      : appendUplink(each, each.content, page),
  );
}

/** Where an item is written: a delivery's entries follow each other, the first holds the body. */
interface Page {
  readonly books: Books;
  readonly inbound: Inbound;
  readonly firstSeq: number;
}

/**
 * Known: a redelivery or a copy. Of a frame that was opened here the counter decides next, but for
 * the copies of late: all else with an old counter is a replay. What remains is new.
 */
function appendUplink(prepared: PreparedItem, content: string, page: Page): Receipt {
  const { item, frame } = prepared;
  const { books, inbound } = page;
  assert.ok(item.kind === 'payload', 'only an uplink has a content');
  const times = { receivedAt: inbound.receivedAt, rxTime: believableTime(item.rxTime) };
  const { deviceId, fCnt = 0 } = item;
  const known = books.contents.mayKnow(content, times, { deviceId, fCnt })
    ? recognise(item, books.contents.find(content, times), page)
    : undefined;
  const step =
    frame === undefined
      ? undefined
      : countFrame({ ...{ item, frame, receivedAt: inbound.receivedAt }, books }, (isNewest) =>
          known === undefined ? false : isAwaitedCopy(item, isNewest, known, page),
        );
  if (frame !== undefined && step?.kind === 'replayed') return appendReplayed(frame, step, page);
  const isReset = step?.kind === 'reset';
  const marked = isReset ? prepareItem({ ...item, counterBefore: step.last }, inbound) : prepared;
  if (known === undefined) {
    books.contents.note(content, seqValue(books.nextSeq), times, { deviceId, fCnt });
  }
  const receipt =
    known === undefined ? append(marked, accepted, page) : appendKnown(marked, known, page);
  return isReset ? { ...receipt, isReset } : receipt;
}

/**
 * A gateway hears a transmission once: when it brings a frame again after a newer one was accepted,
 * somebody has sent the frame again. The newest one may be repeated by the device itself.
 */
function isAwaitedCopy(
  item: VerifiedUplink,
  isNewest: boolean,
  { seq, relation }: Known,
  { books }: Page,
): boolean {
  if (relation !== 'in-window' || isNewest) return relation !== 'late';
  const first = entryOf(books.files, seq);
  return first !== undefined && bringsReceptions(books.files, first, item);
}

const accepted = { outcome: 'accepted' } as const;

interface Known {
  readonly seq: number;
  readonly relation: Relation;
  /** Whether its reception adds something to those written down. */
  readonly isFresh: boolean;
}

/** The first of the candidates that is of the same uplink. */
function recognise(
  item: VerifiedUplink,
  candidates: Iterable<number>,
  { books, inbound, firstSeq }: Page,
): Known | undefined {
  const { files, limits } = books;
  for (const seq of candidates) {
    const first = entryOf(files, seq);
    // Retention has taken it: only a message that comes again can still mean it.
    if (first === undefined) return { seq, relation: 'late', isFresh: false };
    const relation = relate(files, first, { inbound, item, firstSeq }, limits);
    if (relation === undefined) continue;
    // One server's two messages may bear one key: LORIOT's second brings the gateways.
    const isFresh = relation === 'in-window' || bringsReceptions(files, first, item);
    return { seq, relation, isFresh: isFresh && countCopies(files, seq) < limits.copiesMax };
  }
  return undefined;
}

function appendKnown(prepared: PreparedItem, { seq, isFresh }: Known, page: Page): Receipt {
  if (!isFresh) return { outcome: 'redelivery', seq };
  const { files, nextSeq } = page.books;
  files.copies.putSync(seqKey(seq, nextSeq), present);
  append(prepared, { outcome: 'copy', copyOf: seq }, page);
  return { outcome: 'copy', seq };
}

function appendReplayed(
  frame: FrameIdentity,
  { last }: { readonly last: number },
  page: Page,
): Receipt {
  const item = replayedItem(frame, last);
  return append(prepareItem(item, page.inbound), { outcome: 'replayed' }, page);
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

/** A value for keys that say it all. */
const present = Buffer.from([1]);

const spareValue = Buffer.alloc(6);

/** Good until the next call: LMDB copies a value at once. */
function seqValue(seq: number): Buffer {
  spareValue.writeUIntBE(seq, 0, 6);
  return spareValue;
}
