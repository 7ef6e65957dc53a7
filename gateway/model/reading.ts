/**
 * What the project makes of an uplink: one value of one quantity at one time, judged and vouched
 * for.
 */
import type { VouchedBy } from './inbound.ts';

/** QARTOD flags: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
export type Quality = 1 | 2 | 3 | 4 | 9;

export interface Reading {
  readonly device: string;
  /** A name of the vocabulary in decoders/quantity.ts, or `x_…` for a value without a mapping. */
  readonly quantity: string;
  /** Tells apart several sensors of one quantity on one device. */
  readonly channel?: string;
  /** A number, or text for a state. */
  readonly value: number | string;
  /** UCUM; empty for states, for pure numbers and for unmapped values. */
  readonly unit: string;
  /** Phenomenon time, epoch milliseconds. */
  readonly time: number;
  readonly receivedAt: number;
  readonly quality: Quality;
  readonly vouchedBy: VouchedBy;
  /** Its place in the ledger. */
  readonly seq: number;
  readonly agency?: string;
  readonly area?: string;
}

/** How well one gateway or cell heard one uplink. */
export interface LinkSample {
  readonly device: string;
  readonly gateway: string;
  readonly time: number;
  readonly seq: number;
  readonly fCnt?: number;
  readonly rssi?: number;
  readonly snr?: number;
  readonly spreadingFactor?: number;
  readonly rsrp?: number;
  readonly rsrq?: number;
  readonly sinr?: number;
}
