/**
 * The durable log: the truth that everything else is derived from. One call writes an inbound
 * message down together with what makes it unique and with its frame counters, in one atomic step.
 *
 * Three words, never mixed: a *copy* is the same uplink by another way: another gateway, another
 * network server, or the frame itself beside a server's word for it; a *redelivery* is the same
 * message sent again by the transport, or one that comes late and tells nothing new; a *replay* is
 * an old counter with a valid MIC.
 */
import type { Fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import type { SourceEvent, VerifiedUplink } from '../model/uplink.ts';

/** What became of one item of an inbound message. Metrics and the API use these words. */
export type Outcome = 'accepted' | 'copy' | 'redelivery' | 'replayed' | 'quarantined' | 'event';

/** One thing that an inbound message turned out to hold. */
export type Item = VerifiedUplink | SourceEvent | QuarantinedItem;

export interface QuarantinedItem {
  readonly kind: 'quarantined';
  readonly fault: Fault;
  readonly adapter?: string;
  readonly deviceId?: string;
}

/** An inbound message with everything that was found in it; written as a whole or not at all. */
export interface Delivery {
  readonly inbound: Inbound;
  /** At least one; an empty message is a quarantined item. */
  readonly items: readonly Item[];
}

/** One line of the ledger. */
export interface LedgerEntry {
  /** Position in the ledger, from 1, without gaps until retention removes the oldest. */
  readonly seq: number;
  readonly outcome: Exclude<Outcome, 'redelivery'>;
  readonly receivedAt: number;
  readonly transport: Inbound['transport'];
  readonly route: string;
  readonly credential: string;
  readonly item: Item;
  /**
   * For a copy: the entry that holds the first reception of this uplink. That one's `vouchedBy` is
   * the reading's; the copy's own item says who vouches for it by its way.
   */
  readonly copyOf?: number;
  /** The inbound bytes, or the entry of the same delivery that holds them. */
  readonly body: Buffer | { readonly seq: number };
}

export interface Receipt {
  readonly outcome: Outcome;
  /**
   * The entry that holds this item; for a copy or a redelivery, where that is known, the first one.
   */
  readonly seq?: number;
  /** The device has begun to count its frames anew with this one, and that was taken. */
  readonly isReset?: true;
}

/** The writer: one per data directory, on the ingest thread. */
export interface Ledger {
  /**
   * Resolves after the delivery is on disk (fsync, in groups), with one receipt per item. Rejects
   * with LedgerUnavailable when it could not be written: then nothing of it may be acknowledged.
   */
  accept(delivery: Delivery): Promise<readonly Receipt[]>;
  /** The last accepted 32-bit uplink counter of a session; undefined before its first frame. */
  lastFrameCounter(deviceId: string, devAddr: string): number | undefined;
  /** The highest counter that a session ever had, where its counter may go back. */
  highestFrameCounter(deviceId: string, devAddr: string): number | undefined;
  /** The newest seq on disk; 0 when empty. */
  head(): number;
  /**
   * Removes entries older than the limits, oldest first, and none past `keepAfter`. Returns how
   * many.
   */
  retain(limits: RetentionLimits): Promise<number>;
  close(): Promise<void>;
}

export interface RetentionLimits {
  /** Entries received before this epoch millisecond may go. */
  readonly receivedBefore: number;
  /** The oldest entries may go while the ledger file is larger than this. */
  readonly sizeBytesMax: number;
  /** The slowest reader's cursor: entries above it stay. */
  readonly keepAfter: number;
}

/** A reader on any thread: never sees an entry that is not on disk, never holds one back. */
export interface LedgerReader {
  /** Entries with seq > after, oldest first, at most `limit`, and of several at most `bytesMax`. */
  read(after: number, limit: number, bytesMax?: number): LedgerEntry[];
  get(seq: number): LedgerEntry | undefined;
  /** Later receptions of the uplink that entry `seq` holds. */
  copiesOf(seq: number): LedgerEntry[];
  head(): number;
  /** The oldest seq still held; head() + 1 when empty. */
  tail(): number;
  close(): Promise<void>;
}

/** The disk said no: the only fault that withholds an acknowledgement. */
export class LedgerUnavailable extends Error {
  readonly code = 'LEDGER_UNAVAILABLE';
}
