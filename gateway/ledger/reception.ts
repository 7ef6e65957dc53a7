/**
 * An uplink whose content is known already: is it the same message again, the same uplink by
 * another way, or another uplink that happens to look the same? Only what comes twice gets here.
 */
import type { Inbound } from '../model/inbound.ts';
import type { VerifiedUplink } from '../model/uplink.ts';
import { believableTime } from './content-identity.ts';
import { decodeEntry } from './entry-codec.ts';
import type { LedgerEntry } from './ledger.ts';
import { type LedgerFiles, seqKey, seqOf } from './lmdb-files.ts';

/** One reception of an uplink: a message, and the uplink as that message tells it. */
interface Reception {
  readonly inbound: Inbound;
  readonly item: VerifiedUplink;
  /** The first entry of its own delivery, if that has any: later seqs are of the same message. */
  readonly firstSeq: number;
}

/**
 * `same-message`: the sender sent it again. `in-window`: heard within the window of the first
 * reception. `late`: after it, but the network received both at the same time.
 */
export type Relation = 'same-message' | 'in-window' | 'late';

/** Undefined for another uplink: the device has joined anew or started its counter again. */
export function relate(
  files: LedgerFiles,
  first: LedgerEntry,
  later: Reception,
  { copyWindowMs }: { readonly copyWindowMs: number },
): Relation | undefined {
  if (first.item.kind !== 'payload') return undefined;
  if (isKnownMessage(files, first, later)) return 'same-message';
  if (isOtherSession(first.item, later.item)) return undefined;
  const apartMs = apartByNetwork(first, later);
  const isApart = apartMs !== undefined && apartMs > copyWindowMs;
  // One server's clock agrees with itself, so what it dates apart it has received apart, though it
  // may hand both on at once after a break. Clocks of two servers, or of gateways, prove nothing.
  if (isApart && isSameSource(first, later)) return undefined;
  if (later.inbound.receivedAt - first.receivedAt <= copyWindowMs) return 'in-window';
  return apartMs === undefined || isApart ? undefined : 'late';
}

/**
 * Not every server tells the address, so only two that differ say something. Two frames that were
 * opened here name their session, too: a network may give the same address again.
 */
function isOtherSession(first: VerifiedUplink, later: VerifiedUplink): boolean {
  const isOpened = first.phyPayload !== undefined && later.phyPayload !== undefined;
  if (isOpened && first.session !== later.session) return true;
  const [one, other] = [first.devAddr, later.devAddr];
  return one !== undefined && other !== undefined && one !== other;
}

/** Where a message does not tell its time, the receipt stands in: most come at once. */
function apartByNetwork(first: LedgerEntry, later: Reception): number | undefined {
  const firstTime = first.item.kind === 'payload' ? believableTime(first.item.rxTime) : undefined;
  const laterTime = believableTime(later.item.rxTime);
  if (laterTime === undefined) return undefined;
  return Math.abs(laterTime - (firstTime ?? first.receivedAt));
}

function isSameSource(first: LedgerEntry, { inbound, item }: Reception): boolean {
  return (
    first.credential === inbound.sender.credential &&
    first.item.adapter === item.adapter &&
    item.phyPayload === undefined
  );
}

function isKnownMessage(files: LedgerFiles, first: LedgerEntry, later: Reception): boolean {
  if (first.seq >= later.firstSeq) return false;
  if (isSameMessage(files, first, later)) return true;
  return copiesOf(files, first.seq).some(
    (copy) => copy.seq < later.firstSeq && isSameMessage(files, copy, later),
  );
}

/** By the sender's own identifier where both have one; else by the sender and the exact bytes. */
function isSameMessage(files: LedgerFiles, entry: LedgerEntry, { inbound, item }: Reception) {
  const known = entry.item;
  if (known.kind !== 'payload') return false;
  const isKeyed = known.messageKey !== undefined && item.messageKey !== undefined;
  if (isKeyed && known.adapter === item.adapter) {
    return known.messageKey === item.messageKey && Object.is(known.rxTime, item.rxTime);
  }
  return (
    entry.credential === inbound.sender.credential &&
    entry.route === inbound.route &&
    bodyOf(files, entry).equals(inbound.body)
  );
}

/** Whether it was heard by a gateway that no reception so far has told of. */
export function bringsReceptions(
  files: LedgerFiles,
  first: LedgerEntry,
  { rxInfo }: VerifiedUplink,
): boolean {
  const entries = [first, ...copiesOf(files, first.seq)];
  const heard = new Set(entries.flatMap(({ item }) => gatewaysOf(item)));
  return rxInfo.some(({ gatewayId }) => !heard.has(gatewayId));
}

function gatewaysOf(item: LedgerEntry['item']): string[] {
  return item.kind === 'payload' ? item.rxInfo.map(({ gatewayId }) => gatewayId) : [];
}

export function countCopies({ copies }: LedgerFiles, seq: number): number {
  return copies.getKeysCount(rangeOf(seq));
}

export function entryOf({ entries }: LedgerFiles, seq: number): LedgerEntry | undefined {
  const bytes = entries.get(seqKey(seq));
  return bytes && decodeEntry(seq, bytes);
}

export function copiesOf(files: LedgerFiles, seq: number): LedgerEntry[] {
  const keys = [...files.copies.getKeys(rangeOf(seq))];
  return keys.flatMap((key) => entryOf(files, seqOf(key, 1)) ?? []);
}

function rangeOf(seq: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: seqKey(seq, 0), end: seqKey(seq + 1, 0) };
}

const noBytes = Buffer.alloc(0);

/** The entry that holds it stays as long as those that share it. */
function bodyOf(files: LedgerFiles, { body }: LedgerEntry): Buffer {
  if (Buffer.isBuffer(body)) return body;
  const holder = entryOf(files, body.seq)?.body;
  return Buffer.isBuffer(holder) ? holder : noBytes;
}
