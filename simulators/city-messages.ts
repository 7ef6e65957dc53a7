/**
 * What a whole city sends, as one stream of messages in the order of their times: the hours that
 * have passed at even steps, and from then on each device at its own jittered pace. The same seed,
 * start and counters give the same stream, byte for byte.
 */
import type { CapturedMessage } from './capture/message.ts';
import type { CitySource } from './city-traffic.ts';
import { createRandom } from './random.ts';

export interface PastPlan {
  readonly seed: string;
  /** Epoch milliseconds; nothing is at it or later. */
  readonly until: number;
  readonly hours: number;
  readonly intervalMs: number;
}

const hourMs = 3_600_000;

export function pastSteps({ hours, intervalMs }: Omit<PastPlan, 'seed' | 'until'>): number {
  return Math.floor((hours * hourMs) / intervalMs);
}

/** All devices, one moment after the other, so that each device's frames go in order. */
export function* pastMessages(
  sources: readonly CitySource[],
  plan: PastPlan,
): Generator<CapturedMessage, void> {
  const { seed, until, intervalMs } = plan;
  const steps = pastSteps(plan);
  const first = until - steps * intervalMs;
  const random = createRandom(`${seed}\nbackfill`);
  for (let step = 0; step < steps; step += 1) {
    for (const source of sources) {
      const jitter = random.integer(0, Math.floor(intervalMs / 2));
      yield* messagesOf(source, first + step * intervalMs + jitter);
    }
  }
}

export interface LivePlan {
  readonly seed: string;
  /** Epoch milliseconds. */
  readonly from: number;
  /** For which it goes on; Infinity for ever. */
  readonly forMs: number;
  /** The mean time between two uplinks of a device. */
  readonly intervalMs: number;
}

/** A device pauses between 0.8 and 1.2 intervals, so in half of one it speaks once at most. */
const windowShare = 0.5;
const pauseShareMin = 0.8;
const pauseShareMax = 1.2;

export function* liveMessages(
  sources: readonly CitySource[],
  { seed, from, forMs, intervalMs }: LivePlan,
): Generator<CapturedMessage, void> {
  const random = createRandom(`${seed}\nlive`);
  const all = sources.map((source) => ({ source, time: from + random.integer(0, intervalMs) }));
  const windowMs = intervalMs * windowShare;
  for (let start = from; start < from + forMs; start += windowMs) {
    const end = Math.min(start + windowMs, from + forMs);
    const due = all.filter(({ time }) => time < end);
    for (const entry of due.sort((left, right) => left.time - right.time)) {
      yield* messagesOf(entry.source, Math.floor(entry.time));
      entry.time += intervalMs * random.between(pauseShareMin, pauseShareMax);
    }
  }
}

/** Empty while a modem has an outage. */
function* messagesOf(source: CitySource, at: number): Generator<CapturedMessage, void> {
  const { device, via, sender } = source;
  for (const { topic, payload } of source.messagesAt(at)) {
    yield { at, via, route: topic, body: payload, sender, device: device.id };
  }
}
