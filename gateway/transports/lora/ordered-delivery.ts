/**
 * Messages of one sender whose protocol knows no acknowledgement: each is handed over after the one
 * before it is on disk, and again until it is. Out of order, a frame counter would look replayed.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { Inbound } from '../../model/inbound.ts';
import type { Receive } from '../transport.ts';

export interface OrderedDelivery {
  push(inbound: Inbound): void;
  /**
   * True while its sender is to be kept from sending: nothing can be written, or too much waits.
   */
  isHeld(): boolean;
  /** Called when `isHeld` changes; the last one set is the one called. */
  onChange(listener: (isHeld: boolean) => void): void;
  /** Resolves when nothing waits. */
  empty(): Promise<void>;
}

export interface OrderedDeliveryOptions {
  /** Waiting messages from which on the sender is held; it may go on below half of it. */
  readonly lengthMax: number;
  /** Ends the attempts; what waits then is lost, as it is when the process ends. */
  readonly signal: AbortSignal;
}

const firstRetryMs = 100;
const retryMsMax = 5_000;

export function createOrderedDelivery(
  receive: Receive,
  { lengthMax, signal }: OrderedDeliveryOptions,
): OrderedDelivery {
  assert.ok(lengthMax > 0);
  const waiting: Inbound[] = [];
  let listener = (_isHeld: boolean): void => {};
  let isFailing = false;
  let isFull = false;
  let wasHeld = false;
  let running: Promise<void> = Promise.resolve();

  function announce(): void {
    if (waiting.length >= lengthMax) isFull = true;
    if (waiting.length <= lengthMax / 2) isFull = false;
    const isHeld = isFailing || isFull;
    if (isHeld === wasHeld) return;
    wasHeld = isHeld;
    listener(isHeld);
  }

  async function writeDown(inbound: Inbound): Promise<void> {
    for (let retryMs = firstRetryMs; !signal.aborted; retryMs = Math.min(2 * retryMs, retryMsMax)) {
      try {
        await receive(inbound);
        isFailing = false;
        return;
      } catch {
        isFailing = true;
        announce();
        await wait(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async function run(): Promise<void> {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      await writeDown(next);
      waiting.shift();
      announce();
    }
  }

  return {
    push: (inbound) => {
      waiting.push(inbound);
      announce();
      if (waiting.length === 1) running = run();
    },
    isHeld: () => wasHeld,
    onChange: (replacement) => {
      listener = replacement;
    },
    empty: () => running,
  };
}
