/** What happens on the air of a fleet, as its gateways and their server know it. */
import type { Loss } from './air.ts';
import type { Answer } from './network-server.ts';
import type { Reception, Transmission } from './radio.ts';

export type UplinkKind = 'join-request' | 'rejoin-request' | 'data';

/** What a device has measured and told; absent for requests. */
export interface FleetReading {
  /** 0 for a session that was given to the device, 1 for its first join. */
  readonly session: number;
  readonly fCnt: number;
  /** Cel and %, as they are in the payload. */
  readonly temperature: number;
  readonly humidity: number;
  readonly confirmed: boolean;
}

export interface FleetUplink {
  readonly kind: 'up';
  /** Epoch milliseconds of the frame's end. */
  readonly time: number;
  readonly devEui: string;
  readonly what: UplinkKind;
  readonly phyPayload: Buffer;
  readonly transmission: Transmission;
  readonly reading?: FleetReading;
}

export interface FleetDownlink {
  readonly kind: 'down';
  readonly time: number;
  readonly devEui: string;
  readonly what: Answer['kind'];
  readonly phyPayload: Buffer;
  /** By which gateway, and what it heard: the answer is tied to it. */
  readonly answers: Reception;
  /** Hz, and the spreading factor of the receive window. */
  readonly frequency: number;
  readonly spreadingFactor: number;
  /** From the end of the uplink. */
  readonly delayMs: number;
}

export type FleetEvent = FleetUplink | FleetDownlink;

export interface FleetCounts {
  sent: number;
  heard: number;
  /** Receptions: a frame that three gateways heard is three. */
  copies: number;
  /** Uplinks that ask for an acknowledgement, each once, and those that got it. */
  confirmed: number;
  confirmedAcknowledged: number;
  /** Confirmed uplinks that were sent again. */
  repeated: number;
  readonly lost: Record<Loss, number>;
  joins: number;
  /** Devices that were moved to another data rate, and heard it. */
  adrMoves: number;
  downlinks: number;
  /** Answers that no gateway was free to send. */
  unanswered: number;
}

export interface FleetSpan {
  readonly from: number;
  /** No device wakes from here on; what is under way comes to its end. */
  readonly to: number;
  /** The mean time between two uplinks of a device. */
  readonly intervalMs: number;
}

export function createCounts(): FleetCounts {
  const lost = { 'too-weak': 0, collision: 0, 'gateway-busy': 0 };
  return {
    ...{ sent: 0, heard: 0, copies: 0, confirmed: 0, confirmedAcknowledged: 0, repeated: 0, lost },
    ...{ joins: 0, adrMoves: 0, downlinks: 0, unanswered: 0 },
  };
}
