/** Aggregates readings here, where the database would count a point of two tag sets twice. */
import type { AggregatedValue, AggregateQuery, StoredReading } from '../store.ts';

interface Window {
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
}

/**
 * Takes readings in the order of their time; states and values of other qualities are passed over.
 */
export function aggregateReadings(
  readings: readonly StoredReading[],
  query: Pick<AggregateQuery, 'everyMs' | 'aggregate' | 'limit'>,
): readonly AggregatedValue[] {
  const windows = new Map<number, Window>();
  for (const { time, value, quality } of readings) {
    if (typeof value !== 'number' || quality > 2) continue;
    const start = time - (time % query.everyMs);
    const window = windows.get(start);
    if (window === undefined) {
      windows.set(start, { count: 1, sum: value, min: value, max: value, last: value });
      continue;
    }
    window.count += 1;
    window.sum += value;
    window.min = Math.min(window.min, value);
    window.max = Math.max(window.max, value);
    window.last = value;
  }
  const all = [...windows].map(([time, window]) => ({ time, value: finish(window, query) }));
  return all.slice(0, query.limit);
}

function finish(window: Window, query: Pick<AggregateQuery, 'aggregate'>): number {
  return query.aggregate === 'mean' ? window.sum / window.count : window[query.aggregate];
}
