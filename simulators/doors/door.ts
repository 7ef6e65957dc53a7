/** How simulated gateways hand in what they hear, and let their server's downlinks be heard. */
import type { FleetDownlink, FleetUplink } from '../lorawan/fleet-event.ts';
import type { Reception } from '../lorawan/radio.ts';

/**
 * `unknown` where the protocol has no acknowledgement: the sender has done what it can.
 */
export type Taken = 'acknowledged' | 'refused' | 'unknown';

export interface GatewayDoor {
  /** One reception of a frame by a gateway of this door. Never rejects. */
  up(uplink: FleetUplink, reception: Reception): Promise<Taken>;
  /** What its server tells a gateway of this door, and that the gateway has sent it. */
  down(downlink: FleetDownlink): Promise<Taken>;
  /** Messages handed in so far that nobody acknowledges: who waits for them has to ask. */
  unacknowledged(): number;
  close(): Promise<void>;
}

export const txPowerDbm = 14;
/** A concentrator counts microseconds in 32 bits, which wrap every 71 minutes. */
export function concentratorTime(epochMs: number): number {
  return (epochMs * 1_000) % 2 ** 32;
}
