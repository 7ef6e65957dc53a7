/**
 * One ledger entry as bytes. A fixed head holds what is decided only when the entry is written and
 * what retention reads; then come the packed names and item, then the inbound bytes as they were.
 *
 *   0 version · 1 outcome · 2 transport · 3 zero · 4 body's seq (48 bits, 0: the body is here)
 *   10 copyOf (48 bits, 0: none) · 16 receivedAt (double) · 24 CRC-32 of all after the head
 *   28 length of the packed part (32 bits) · 32 packed [route, credential, item] · body
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { Inbound } from '../model/inbound.ts';
import { itemFromRow, itemToRow } from './item-codec.ts';
import type { Item, LedgerEntry } from './ledger.ts';

export const entryVersion = 1;

// Their places are the stored format: append, never reorder.
const outcomes = ['accepted', 'copy', 'replayed', 'quarantined', 'event'] as const;
const transports = ['mqtt', 'http', 'udp', 'coap'] as const;

const headBytes = 32;
const bodySeqAt = 4;
const copyOfAt = 10;
const receivedAtAt = 16;
const checksumAt = 24;
const packedLengthAt = 28;

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true });

export interface EntryHead {
  readonly receivedAt: number;
  readonly copyOf?: number;
  /** The entry that holds the body, when that is another one. */
  readonly bodySeq?: number;
}

/** The part of an entry that needs no database: made while the delivery waits. */
export interface PackedItem {
  readonly packed: Buffer;
  readonly inbound: Inbound;
}

/** What only the write transaction knows. */
export interface EntryStamp {
  readonly outcome: LedgerEntry['outcome'];
  readonly copyOf?: number;
  /** The entry that holds the body; without it this one does. */
  readonly bodySeq?: number;
}

export function packItem(inbound: Inbound, item: Item): PackedItem {
  return {
    packed: packr.pack([inbound.route, inbound.sender.credential, itemToRow(item)]),
    inbound,
  };
}

const sparePageBytes = 64 * 1024;
const sparePage = Buffer.allocUnsafeSlow(sparePageBytes);

/**
 * The bytes of an entry, good until the next call: LMDB copies them at once, so one page serves
 * them all and the collector has nothing to do.
 */
export function encodeEntry({ packed, inbound }: PackedItem, stamp: EntryStamp): Buffer {
  const body = stamp.bodySeq === undefined ? inbound.body : undefined;
  const length = headBytes + packed.length + (body?.length ?? 0);
  const page = length > sparePageBytes ? Buffer.allocUnsafeSlow(length) : sparePage;
  const bytes = page.subarray(0, length);
  bytes[0] = entryVersion;
  bytes[1] = outcomes.indexOf(stamp.outcome);
  bytes[2] = transports.indexOf(inbound.transport);
  bytes[3] = 0;
  bytes.writeUIntBE(stamp.bodySeq ?? 0, bodySeqAt, 6);
  bytes.writeUIntBE(stamp.copyOf ?? 0, copyOfAt, 6);
  bytes.writeDoubleBE(inbound.receivedAt, receivedAtAt);
  bytes.writeUInt32BE(packed.length, packedLengthAt);
  packed.copy(bytes, headBytes);
  body?.copy(bytes, headBytes + packed.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(headBytes)), checksumAt);
  return bytes;
}

/** Throws when the bytes are of another version, damaged or foreign. The body is not copied. */
export function decodeEntry(seq: number, bytes: Buffer): LedgerEntry {
  const head = decodeHead(seq, bytes);
  const checksum = bytes.readUInt32BE(checksumAt);
  assert.equal(crc32(bytes.subarray(headBytes)), checksum, `Ledger entry ${seq} is damaged`);
  const bodyAt = headBytes + bytes.readUInt32BE(packedLengthAt);
  const packed: unknown = packr.unpack(bytes.subarray(headBytes, bodyAt));
  assert.ok(Array.isArray(packed), `Ledger entry ${seq} is damaged`);
  const outcome = outcomes[bytes.readUInt8(1)];
  const transport = transports[bytes.readUInt8(2)];
  assert.ok(outcome !== undefined && transport !== undefined, `Ledger entry ${seq} is damaged`);
  return {
    seq,
    outcome,
    receivedAt: head.receivedAt,
    transport,
    route: String(packed[0]),
    credential: String(packed[1]),
    item: itemFromRow(packed[2]),
    ...(head.copyOf === undefined ? {} : { copyOf: head.copyOf }),
    body: head.bodySeq === undefined ? bytes.subarray(bodyAt) : { seq: head.bodySeq },
  };
}

/** The cheap part of an entry, for retention. */
export function decodeHead(seq: number, bytes: Buffer): EntryHead {
  assert.ok(bytes.length >= headBytes, `Ledger entry ${seq} is damaged`);
  const version = bytes[0];
  assert.equal(version, entryVersion, `Ledger entry ${seq} has the unknown version ${version}`);
  const copyOf = bytes.readUIntBE(copyOfAt, 6);
  const bodySeq = bytes.readUIntBE(bodySeqAt, 6);
  return {
    receivedAt: bytes.readDoubleBE(receivedAtAt),
    ...(copyOf === 0 ? {} : { copyOf }),
    ...(bodySeq === 0 ? {} : { bodySeq }),
  };
}
