/** What every transport beside MQTT is given by the page that assembles the gateway. */
import type { Clock } from '../model/clock.ts';
import type { Inbound } from '../model/inbound.ts';
import type { TransportLog } from './mqtt/options.ts';

export interface TransportHooks {
  readonly log: TransportLog;
  readonly clock: Clock;
  /** Monotonic milliseconds, so that setting the machine's clock neither opens nor shuts a door. */
  readonly monotonicMs: () => number;
  /** A message outside its sender's authority: writes it down; rejects as Receive does. */
  onForbidden(inbound: Inbound): Promise<void>;
  /** Counts what never became a message; both words come from closed lists. */
  onTurnedAway(transport: string, reason: string): void;
}
