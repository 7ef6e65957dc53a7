/** A receiver that the test holds in its hands, for the transports beside MQTT. */
import type { Inbound } from '../../gateway/model/inbound.ts';
import type { Receive } from '../../gateway/transports/transport.ts';
import type { TransportHooks } from '../../gateway/transports/transport-hooks.ts';

export const now = 1_750_000_000_000;

export interface Receiver {
  /** In the order of receipt. */
  readonly received: Inbound[];
  readonly forbidden: Inbound[];
  /** `transport:reason`, in the order in which they were turned away. */
  readonly turnedAway: string[];
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  /** Replaces what the receiver does; it resolves at once until then. */
  receiveBy(receive: Receive): void;
  /** Moves the monotonic clock on, which stands still otherwise. */
  passMs(milliseconds: number): void;
  /** Resolves once so many messages have been received in all. */
  receipts(count: number): Promise<readonly Inbound[]>;
  /** Resolves once so many have been turned away in all. */
  refusals(count: number): Promise<readonly string[]>;
}

export function createReceiver(): Receiver {
  const received: Inbound[] = [];
  const forbidden: Inbound[] = [];
  const turnedAway: string[] = [];
  const waiting = new Set<() => void>();
  let receive: Receive = async () => {};
  let passedMs = 0;
  const announce = () => {
    for (const check of waiting) check();
  };
  const reaches = <Element>(list: readonly Element[], count: number) =>
    new Promise<readonly Element[]>((resolve) => {
      const check = () => {
        if (list.length < count) return;
        waiting.delete(check);
        resolve(list);
      };
      waiting.add(check);
      check();
    });
  const silent = () => {};
  return {
    received,
    forbidden,
    turnedAway,
    receive: (inbound) => {
      received.push(inbound);
      announce();
      return receive(inbound);
    },
    hooks: {
      log: { info: silent, warn: silent, error: silent },
      clock: { now: () => now },
      monotonicMs: () => passedMs,
      onForbidden: async (inbound) => {
        forbidden.push(inbound);
      },
      onTurnedAway: (transport, reason) => {
        turnedAway.push(`${transport}:${reason}`);
        announce();
      },
    },
    receiveBy: (replacement) => {
      receive = replacement;
    },
    passMs: (milliseconds) => {
      passedMs += milliseconds;
    },
    receipts: (count) => reaches(received, count),
    refusals: (count) => reaches(turnedAway, count),
  };
}
