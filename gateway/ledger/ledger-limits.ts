/** Every bound of the ledger, with its default: nothing in it grows without one of these. */
import assert from 'node:assert/strict';

export interface LedgerLimits {
  /** Deliveries that may wait for their group; the next one is refused. */
  readonly queueLengthMax: number;
  /** Encoded bytes that may wait for their group. */
  readonly queueBytesMax: number;
  /** Items that one write transaction takes; a larger delivery has a transaction of its own. */
  readonly groupItemsMax: number;
  /** How long one group may hold the ingest thread before the rest waits for the next. */
  readonly groupApplyMsMax: number;
  /**
   * Bytes of the disk that stay free: below them nothing is taken. A group copies the pages it
   * changes, up to 20 MB of them, before it gives the old ones back.
   */
  readonly diskReserveBytes: number;
  /** After this long without an answer from the disk, senders are told so and may try again. */
  readonly commitTimeoutMs: number;
  /** For bodies without a time or counter of their own: a resend comes within this of the first. */
  readonly redeliveryWindowMs: number;
  /** How long an identity is kept at least; it goes after at most twice as long. */
  readonly identityWindowMs: number;
  /** Identities kept in both generations together, about 50 bytes of disk each. */
  readonly identitiesMax: number;
  /** An uplink that comes again, by any way, within this of its first reception is a copy. */
  readonly copyWindowMs: number;
  /** Copies of one uplink that get an entry; further ones are acknowledged as redeliveries. */
  readonly copiesMax: number;
  /** Entries that retention removes in one transaction. */
  readonly retainBatchMax: number;
}

export const ledgerLimits: LedgerLimits = {
  queueLengthMax: 50_000,
  queueBytesMax: 64 * 1024 * 1024,
  groupItemsMax: 500,
  groupApplyMsMax: 8,
  diskReserveBytes: 32 * 1024 * 1024,
  commitTimeoutMs: 30_000,
  redeliveryWindowMs: 60_000,
  identityWindowMs: 7 * 24 * 60 * 60 * 1000,
  identitiesMax: 8_000_000,
  copyWindowMs: 10_000,
  copiesMax: 32,
  retainBatchMax: 1_000,
};

/** All copies are looked at when an uplink comes once more. */
const copiesMaxMax = 1_000;

/**
 * A limit that is no positive whole number is a programming error, as the config is checked before.
 */
export function assertLimits(limits: LedgerLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    assert.ok(Number.isSafeInteger(value) && value > 0, `${name} is a positive whole number`);
  }
  assert.ok(limits.copiesMax <= copiesMaxMax, 'copiesMax is at most a thousand');
}
