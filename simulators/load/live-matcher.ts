/**
 * From when a message was due until a viewer of the live stream saw it, or something newer of its
 * device: the stream conflates, and a value that was passed over in a jam must not be left out of
 * the figures of that jam.
 */
import { createHistogram, type LatencySummary } from './histogram.ts';
import { type LoadMessage, watchedQuantity } from './load-message.ts';

export interface LiveFigures {
  readonly latency: LatencySummary;
  /** Messages that were shown themselves. */
  readonly shown: number;
  /** Messages in whose place a newer one was shown. */
  readonly conflated: number;
  readonly notShown: number;
  /** Shown with another value than they were sent with. */
  readonly altered: number;
}

export interface LiveRow {
  readonly device: string;
  readonly quantity: string;
  /** Epoch milliseconds that the reading tells. */
  readonly time: number;
  readonly value: unknown;
}

export interface LiveMatcher {
  sent(message: LoadMessage, due: number): void;
  /** `now` is the time at which it came. */
  shown(row: LiveRow, now: number): void;
  /** Messages that no viewer has seen yet. */
  outstanding(): number;
  figures(): LiveFigures;
}

interface Awaited {
  readonly time: number;
  readonly due: number;
  readonly value: number;
}

export function createLiveMatcher(): LiveMatcher {
  /** In the order of their times, oldest first; what one connection sends stays in order. */
  const awaited = new Map<string, Awaited[]>();
  const latency = createHistogram();
  const count = { outstanding: 0, shown: 0, conflated: 0, altered: 0 };
  return {
    sent({ device, time, values }, due) {
      const own = awaited.get(device) ?? [];
      own.push({ time, due, value: values[watchedQuantity] ?? Number.NaN });
      awaited.set(device, own);
      count.outstanding += 1;
    },
    shown({ device, quantity, time, value }, now) {
      const own = awaited.get(device);
      if (own === undefined || quantity !== watchedQuantity) return;
      const after = own.findIndex((one) => one.time > time);
      for (const one of own.splice(0, after === -1 ? own.length : after)) {
        count.outstanding -= 1;
        latency.record(now - one.due);
        if (one.time !== time) count.conflated += 1;
        else {
          count.shown += 1;
          if (one.value !== value) count.altered += 1;
        }
      }
    },
    outstanding: () => count.outstanding,
    figures: () => ({
      latency: latency.summary(),
      ...{ shown: count.shown, conflated: count.conflated },
      ...{ notShown: count.outstanding, altered: count.altered },
    }),
  };
}
