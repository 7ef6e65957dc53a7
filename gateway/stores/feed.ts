/**
 * The one place of retries. Bundles go to the store in their order, at most two at a time; while
 * the store is down the feed waits with exponential back-off and full jitter, and says so.
 */
import { strict as assert } from 'node:assert';
import type { Clock } from '../model/clock.ts';
import type { RecordBundle } from './store.ts';

/** Bundles that are written at once. */
export const bundlesInFlightMax = 2;
/** Bundles offered and not yet stored; whoever offers more has not waited. */
export const bundlesOfferedMax = 16;

export interface FeedState {
  readonly kind: 'ok' | 'down';
  /** Epoch milliseconds at which this state began. */
  readonly since: number;
  /** Why the store is down, in the words of its last refusal. */
  readonly reason?: string;
}

/** How to wait between attempts; tests bring their own. */
export interface Backoff {
  /** `failures` counts from 1. Milliseconds. */
  delayMs(failures: number): number;
  /** Resolves after the delay, or at once when the signal aborts. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>;
}

export interface FeedOptions {
  readonly clock: Clock;
  readonly backoff?: Backoff;
  /** Called on each change between ok and down, and when the reason changes. */
  readonly onState?: (state: FeedState) => void;
}

export interface Feed {
  /** Resolves once the store holds the bundle and all before it; rejects only with FeedClosed. */
  offer(bundle: Pick<RecordBundle, 'write'>): Promise<void>;
  state(): FeedState;
  /** Ends all waiting and refuses what is not stored; the store stays open, it is not ours. */
  close(): Promise<void>;
}

/** The feed ended before the bundle was stored: the reader's cursor must stay where it is. */
export class FeedClosed extends Error {
  readonly code = 'FEED_CLOSED';
}

interface Offer {
  readonly bundle: Pick<RecordBundle, 'write'>;
  readonly stored: () => void;
  readonly refused: (reason: Error) => void;
  phase: 'waiting' | 'writing' | 'written' | 'failed';
}

export function createFeed(options: FeedOptions): Feed {
  const { clock } = options;
  const backoff = options.backoff ?? createBackoff({ random: Math.random });
  const closing = new AbortController();
  const offers: Offer[] = [];
  const writes = new Set<Promise<void>>();
  let pause: Promise<void> | undefined;
  let failures = 0;
  let state: FeedState = { kind: 'ok', since: clock.now() };

  function enter(kind: FeedState['kind'], reason?: string): void {
    if (state.kind === kind && state.reason === reason) return;
    const since = state.kind === kind ? state.since : clock.now();
    state = { kind, since, ...(reason !== undefined && { reason }) };
    options.onState?.(state);
  }

  /** After a failure one bundle at a time probes the store, until one is stored. */
  function pump(): void {
    if (closing.signal.aborted || pause !== undefined) return;
    const inFlightMax = failures === 0 ? bundlesInFlightMax : 1;
    for (const offer of offers.slice(0, inFlightMax)) {
      if (offer.phase === 'waiting') send(offer);
    }
  }

  function send(offer: Offer): void {
    offer.phase = 'writing';
    const write = attempt(offer).finally(() => {
      writes.delete(write);
      settle();
    });
    writes.add(write);
  }

  async function attempt(offer: Offer): Promise<void> {
    try {
      await offer.bundle.write();
      offer.phase = 'written';
      failures = 0;
    } catch (error) {
      offer.phase = 'failed';
      failures += 1;
      enter('down', describe(error));
    }
  }

  /** Offers are answered in order, so that a stored bundle means that all before it are stored. */
  function settle(): void {
    for (let first = offers[0]; first?.phase === 'written'; first = offers[0]) {
      offers.shift();
      first.stored();
    }
    if (!offers.some((offer) => offer.phase === 'failed')) {
      if (failures === 0) enter('ok');
      pump();
    } else if (!offers.some((offer) => offer.phase === 'writing')) {
      rewind();
    }
  }

  /**
   * Everything from the first failed bundle on is written again, also what a later one has
   * stored: else the late retry of an older one would overwrite a newer value of one point.
   */
  function rewind(): void {
    for (const offer of offers) offer.phase = 'waiting';
    failures = Math.max(failures, 1);
    pause = backoff.wait(backoff.delayMs(failures), closing.signal).then(() => {
      pause = undefined;
      pump();
    });
  }

  return {
    offer(bundle) {
      assert(offers.length < bundlesOfferedMax, 'more bundles are offered than the feed may hold');
      if (closing.signal.aborted) return Promise.reject(new FeedClosed('the feed is closed'));
      return new Promise((stored, refused) => {
        offers.push({ bundle, stored, refused, phase: 'waiting' });
        pump();
      });
    },
    state: () => state,
    async close() {
      closing.abort();
      await Promise.all([...writes, pause]);
      for (const offer of offers.splice(0)) offer.refused(new FeedClosed('the feed is closed'));
    },
  };
}

export interface BackoffOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly firstMs?: number;
  readonly ceilingMs?: number;
}

/**
 * Full jitter: any delay from nothing up to a bound that doubles, so that many feeds spread out.
 */
export function createBackoff(options: BackoffOptions): Backoff {
  const { random, firstMs = 250, ceilingMs = 30_000 } = options;
  assert(firstMs > 0, 'a back-off begins above zero');
  assert(ceilingMs >= firstMs, 'the ceiling of a back-off is not below its beginning');
  return {
    delayMs: (failures) => random() * Math.min(ceilingMs, firstMs * 2 ** (failures - 1)),
    wait: (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const finish = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', finish);
          resolve();
        };
        const timer = setTimeout(finish, delayMs);
        signal.addEventListener('abort', finish);
      }),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
