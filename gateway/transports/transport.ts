/**
 * The seam to a wire: bytes come in, an acknowledgement goes out once the receiver has resolved.
 */
import type { Inbound } from '../model/inbound.ts';

/**
 * Resolves when everything in the message is on disk, or written down as quarantined: then, and
 * only then, the transport acknowledges. Rejects only with LedgerUnavailable: no acknowledgement.
 */
export type Receive = (inbound: Inbound) => Promise<void>;

export interface Transport {
  /** Resolves when every listener is bound, with the addresses it got (port 0 picks a free one). */
  start(): Promise<readonly ListeningAddress[]>;
  /** Stops accepting, lets receipts in flight finish, then closes. */
  stop(): Promise<void>;
}

export interface ListeningAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}
