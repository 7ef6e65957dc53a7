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
  /** After this long without an answer from the disk, senders are told so and may try again. */
  readonly commitTimeoutMs: number;
  /** For bodies without a time or counter of their own: a resend comes within this of the first. */
  readonly redeliveryWindowMs: number;
  /** How long an identity is kept at least; it goes after at most twice as long. */
  readonly identityWindowMs: number;
  /** Identities kept in both generations together, about 50 bytes of disk each. */
  readonly identitiesMax: number;
  /** A frame heard again within this of its first reception is a copy, later it is a replay. */
  readonly copyWindowMs: number;
  /** Copies of one frame that get an entry; further ones are acknowledged as redeliveries. */
  readonly copiesMax: number;
  /** Frames of one session whose copies are still awaited at the same time. */
  readonly recentFramesMax: number;
  /** Entries that retention removes in one transaction. */
  readonly retainBatchMax: number;
}

export const ledgerLimits: LedgerLimits = {
  queueLengthMax: 50_000,
  queueBytesMax: 64 * 1024 * 1024,
  groupItemsMax: 500,
  groupApplyMsMax: 8,
  commitTimeoutMs: 30_000,
  redeliveryWindowMs: 60_000,
  identityWindowMs: 7 * 24 * 60 * 60 * 1000,
  identitiesMax: 8_000_000,
  copyWindowMs: 10_000,
  copiesMax: 32,
  recentFramesMax: 8,
  retainBatchMax: 1_000,
};

/** Counts that are stored in 16 bits. */
const countMax = 0xffff;

/** A limit that is no positive whole number is a programming error, as the config is checked before. */
export function assertLimits(limits: LedgerLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    assert.ok(Number.isSafeInteger(value) && value > 0, `${name} is a positive whole number`);
  }
  assert.ok(limits.copiesMax <= countMax, 'copiesMax fits its 16 bits');
  assert.ok(limits.recentFramesMax <= 0xff, 'recentFramesMax fits its 8 bits');
}
