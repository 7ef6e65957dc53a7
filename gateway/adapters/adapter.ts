/**
 * The seam to a sender's format: bytes in, uplinks out. Pure, total and fast: it runs before the
 * acknowledgement.
 */
import type { Fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import type { SourceEvent, Uplink } from '../model/uplink.ts';

export type Parsed = readonly [Uplink | SourceEvent, ...(Uplink | SourceEvent)[]] | Fault;

export interface Adapter {
  /** Unique, kebab-case: it stands in the config, in metrics and in the ledger. */
  readonly name: string;
  /** MQTT topic filters that are routed here unless the config says otherwise. */
  readonly topicFilters: readonly string[];
  /** Whether its senders have verified the frames' MIC: then they vouch as `network-server`. */
  readonly isNetworkServer: boolean;
  /**
   * Never throws, on any bytes. What it cannot read is INBOUND_MALFORMED with the place in the
   * detail.
   */
  parse(inbound: Inbound): Parsed;
}
