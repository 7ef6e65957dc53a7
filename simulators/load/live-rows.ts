/** The rows of the live stream with the names of their series, which it gives once a connection. */
import type { LiveRow } from './live-matcher.ts';

/** Gives the rows of each message of one viewer, over all of its connections. */
export function createLiveRowReader(): (text: string) => LiveRow[] {
  const series = new Map<unknown, { device: string; quantity: string }>();
  return (text) => {
    const message = objectOf(text);
    // Every connection begins with it, and numbers its series anew.
    if (message['t'] === 'hello') series.clear();
    if (message['t'] !== 'snap' && message['t'] !== 'd') return [];
    for (const entry of listsIn(message['series'])) {
      const [index, device, quantity] = entry;
      if (typeof device === 'string' && typeof quantity === 'string') {
        series.set(index, { device, quantity });
      }
    }
    return listsIn(message['rows']).flatMap(([index, time, value]) => {
      const identity = series.get(index);
      return identity === undefined || typeof time !== 'number'
        ? []
        : [{ ...identity, time, value }];
    });
  };
}

function listsIn(value: unknown): unknown[][] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry: unknown) => Array.isArray(entry));
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
