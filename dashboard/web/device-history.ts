/** The charts' points of one device: a day of history by HTTP, then every reading of the stream. */
import { type Signal, signal } from '@preact/signals';
import type { Api } from './api.ts';
import { seriesKey } from './board.ts';
import { mergePoints, type Point, windowMs } from './history.ts';
import type { LiveClient } from './live-client.ts';
import type { LiveReading } from './live-subscription.ts';

export interface SeriesHistory {
  readonly quantity: string;
  readonly channel: string;
  /** UCUM. */
  readonly unit: string;
  readonly points: readonly Point[];
}

export interface DeviceHistory {
  /** By quantity and channel; undefined until the first answer. */
  readonly series: Signal<ReadonlyMap<string, SeriesHistory> | undefined>;
  readonly trouble: Signal<string | undefined>;
  /** Fetches the day again, when what was missing may be there now. */
  refresh(): void;
  close(): void;
}

/** Series of one device that are drawn; a device with more is misconfigured. */
const seriesMax = 64;
/** A stream that breaks again and again does not fetch the day anew each time. */
const fetchEveryMs = 5_000;
/** How long after a failure the day is asked for again. */
const retryMs = 20_000;
const seriesRateMs = 1_000;

/** Numbers only; states have no place on a value axis. */
function withHistory(
  known: ReadonlyMap<string, SeriesHistory>,
  readings: readonly LiveReading[],
  now: number,
): Map<string, SeriesHistory> {
  const merged = new Map(known);
  const added = new Map<string, { reading: LiveReading; points: Point[] }>();
  for (const reading of readings) {
    const { value, time, quality } = reading;
    if (typeof value !== 'number') continue;
    const key = seriesKey(reading);
    const group = added.get(key) ?? { reading, points: [] };
    group.points.push({ time, value, quality });
    added.set(key, group);
  }
  for (const [key, { reading, points }] of added) {
    if (!merged.has(key) && merged.size >= seriesMax) continue;
    const { quantity, channel, unit } = reading;
    const before = merged.get(key)?.points ?? [];
    merged.set(key, { quantity, channel, unit, points: mergePoints(before, points, now) });
  }
  return merged;
}

export function openHistory(options: {
  device: string;
  api: Api;
  live: LiveClient;
  /** Server time; where the reader paused, the time of the pause. */
  now: () => number;
}): DeviceHistory {
  const { device, api, live, now } = options;
  const series = signal<ReadonlyMap<string, SeriesHistory> | undefined>(undefined);
  const trouble = signal<string | undefined>(undefined);
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  function add(readings: readonly LiveReading[]): void {
    if (!isClosed) series.value = withHistory(series.peek() ?? new Map(), readings, now());
  }

  async function fetchDay(): Promise<void> {
    if (performance.now() - fetchedAt < fetchEveryMs) return;
    fetchedAt = performance.now();
    clearTimeout(retryTimer);
    const to = now();
    const answer = await api.history({ device, from: to - windowMs, to });
    if (isClosed) return;
    trouble.value = answer.ok ? undefined : answer.detail;
    if (!answer.ok) retryTimer = setTimeout(refresh, retryMs);
    add(answer.ok ? answer.value : []);
  }

  function refresh(): void {
    fetchedAt = Number.NEGATIVE_INFINITY;
    void fetchDay();
  }

  void fetchDay();
  const unsubscribe = live.subscribe({
    view: 'series',
    filter: { device },
    rateMs: seriesRateMs,
    sink: {
      snapshot(readings) {
        add(readings);
        void fetchDay();
      },
      delta: add,
      gap: () => void fetchDay(),
    },
  });
  return {
    series,
    trouble,
    refresh,
    close() {
      isClosed = true;
      clearTimeout(retryTimer);
      unsubscribe();
    },
  };
}
