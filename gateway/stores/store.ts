/**
 * The two seams to telemetry storage. Stores are views of the ledger: they may be dropped and
 * derived again.
 */

import type { VouchedBy } from '../model/inbound.ts';
import type { LinkSample, Quality, Reading } from '../model/reading.ts';

/**
 * Writes are idempotent: the same device, quantity, channel and time is the same point, the last
 * write wins.
 */
export interface RecordWriter {
  /** An empty bundle. */
  gather(): RecordBundle;
  close(): Promise<void>;
}

/**
 * Records on their way to the store. They may wait here for their turn, so a bundle keeps them in
 * the form in which they leave: thousands of objects that live for a second are what a collector
 * of garbage has most work with.
 */
export interface RecordBundle {
  /** How many readings it was given. */
  readonly readings: number;
  /** Takes records in the order of the ledger; not once it has been written. */
  add(batch: RecordBatch): void;
  /**
   * Resolves once the store says it has them all; rejects otherwise, and then the feed tries again.
   */
  write(): Promise<void>;
}

export interface RecordBatch {
  readonly readings: readonly Reading[];
  readonly links: readonly LinkSample[];
}

export interface ReadingQuery {
  readonly device: string;
  readonly quantity?: string;
  readonly channel?: string;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly to: number;
  readonly limit: number;
  /** Continue after this point of an earlier page, in the order of `time, quantity, channel`. */
  readonly after?: { readonly time: number; readonly quantity: string; readonly channel: string };
}

export interface AggregateQuery {
  readonly device: string;
  readonly quantity: string;
  readonly channel?: string;
  readonly from: number;
  readonly to: number;
  readonly everyMs: number;
  readonly aggregate: 'mean' | 'min' | 'max' | 'sum' | 'count' | 'last';
  readonly limit: number;
}

export interface StoredReading {
  readonly device: string;
  readonly quantity: string;
  readonly channel?: string;
  readonly value: number | string;
  readonly time: number;
  readonly quality: Quality;
  readonly vouchedBy: VouchedBy;
  readonly seq: number;
}

export interface AggregatedValue {
  /** The window's start, epoch milliseconds, aligned to the epoch. */
  readonly time: number;
  /** Only values of quality 1 and 2 are aggregated. */
  readonly value: number;
}

/** The store does not answer, or nobody can be asked: the reason is for a person. */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
}

export interface ReadingReader {
  /** Oldest first by time, then quantity, then channel. */
  readings(query: ReadingQuery): Promise<readonly StoredReading[]>;
  /** Windows without a value are left out: a gap stays a gap. */
  aggregate(query: AggregateQuery): Promise<readonly AggregatedValue[]>;
  /** Resolves when the store answers; rejects with the reason when it does not. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
