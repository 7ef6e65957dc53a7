import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Backoff,
  bundlesInFlightMax,
  bundlesOfferedMax,
  createBackoff,
  createFeed,
  FeedClosed,
  type FeedState,
} from '../../gateway/stores/feed.ts';

/** A store whose answers the test gives one by one. */
function createFakeStore() {
  const asked: { seq: number; say: (error?: string) => void }[] = [];
  let inFlight = 0;
  const written: number[] = [];
  const seen = { inFlightMost: 0, written };
  const bundleOf = (seq: number) => ({
    write: () =>
      new Promise<void>((resolve, reject) => {
        inFlight += 1;
        seen.inFlightMost = Math.max(seen.inFlightMost, inFlight);
        const say = (error?: string) => {
          inFlight -= 1;
          if (error !== undefined) return reject(new Error(error));
          seen.written.push(seq);
          resolve();
        };
        asked.push({ seq, say });
      }),
  });
  const next = async (seq: number) => {
    await settled();
    const question = asked.shift();
    expect(question?.seq).toBe(seq);
    return (error?: string) => question?.say(error);
  };
  return { bundleOf, asked, seen, next };
}

/** A back-off whose waits end when the test says so. */
function createFakeBackoff() {
  const failures: number[] = [];
  let end = () => {};
  const backoff: Backoff = {
    delayMs: (count) => {
      failures.push(count);
      return count;
    },
    wait: (_, signal) =>
      new Promise((resolve) => {
        end = resolve;
        signal.addEventListener('abort', () => resolve());
      }),
  };
  return { backoff, failures, endWait: () => end() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const fake = createFakeStore();
  const waits = createFakeBackoff();
  const clock = { time: 1_000, now: () => clock.time };
  const states: FeedState[] = [];
  const feed = createFeed({
    clock,
    backoff: waits.backoff,
    onState: (state) => states.push(state),
  });
  const stored: number[] = [];
  const offer = (seq: number) =>
    feed.offer(fake.bundleOf(seq)).then(
      () => void stored.push(seq),
      () => {},
    );
  return { ...fake, ...waits, clock, states, feed, stored, offer };
}

describe('The feed', () => {
  it('gives the store two bundles at a time and answers each when it is stored', async () => {
    const { feed, offer, next, asked, stored } = setUp();
    for (const seq of [1, 2, 3, 4]) offer(seq);
    const first = await next(1);
    const second = await next(2);
    expect(asked).toHaveLength(0);
    first();
    const third = await next(3);
    expect(stored).toEqual([1]);
    third();
    await settled();
    expect(stored).toEqual([1]);
    second();
    (await next(4))();
    await settled();
    expect(stored).toEqual([1, 2, 3, 4]);
    expect(feed.state()).toEqual({ kind: 'ok', since: 1_000 });
  });

  it('says that the store is down, since when and why, and that it is back', async () => {
    const { offer, next, clock, states, endWait, failures } = setUp();
    offer(1);
    clock.time = 2_000;
    (await next(1))('refused');
    await settled();
    clock.time = 3_000;
    endWait();
    (await next(1))('refused');
    await settled();
    endWait();
    (await next(1))('disk full');
    await settled();
    clock.time = 4_000;
    endWait();
    (await next(1))();
    await settled();
    expect(states).toEqual([
      { kind: 'down', since: 2_000, reason: 'refused' },
      { kind: 'down', since: 2_000, reason: 'disk full' },
      { kind: 'ok', since: 4_000 },
    ]);
    expect(failures).toEqual([1, 2, 3]);
  });

  it('writes a later batch again after the earlier one that failed beside it', async () => {
    const { offer, next, seen, stored, endWait, asked } = setUp();
    offer(1);
    offer(2);
    const first = await next(1);
    (await next(2))();
    await settled();
    first('refused');
    await settled();
    expect(stored).toEqual([]);
    endWait();
    const again = await next(1);
    expect(asked).toHaveLength(0);
    again();
    (await next(2))();
    await settled();
    expect(seen.written).toEqual([2, 1, 2]);
    expect(stored).toEqual([1, 2]);
  });

  it('probes a store that is down with one batch only', async () => {
    const { offer, next, asked, endWait } = setUp();
    for (const seq of [1, 2, 3]) offer(seq);
    const first = await next(1);
    (await next(2))('refused');
    first('refused');
    await settled();
    endWait();
    await next(1);
    expect(asked).toHaveLength(0);
  });

  it('ends its waiting and refuses what is not stored when it is closed', async () => {
    const { feed, bundleOf, next } = setUp();
    const offers = [feed.offer(bundleOf(1)), feed.offer(bundleOf(2))];
    const outcomes = Promise.allSettled(offers);
    const first = await next(1);
    (await next(2))('refused');
    first('refused');
    await settled();
    await feed.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(FeedClosed) });
    }
    await expect(feed.offer(bundleOf(3))).rejects.toThrow(FeedClosed);
  });

  it('lets a write that is on its way end before it closes, and answers it', async () => {
    const { feed, offer, next, stored } = setUp();
    offer(1);
    const first = await next(1);
    const closed = feed.close();
    first();
    await closed;
    await settled();
    expect(stored).toEqual([1]);
  });

  it('holds no more bundles than its limit', () => {
    const { feed, bundleOf } = setUp();
    for (let i = 0; i < bundlesOfferedMax; i += 1) feed.offer(bundleOf(i)).catch(() => {});
    expect(() => feed.offer(bundleOf(99))).toThrow('more bundles are offered');
  });

  it('stores every batch at least once, the last time in order, whatever fails', async () => {
    const outcome = fc.record({ fails: fc.boolean(), other: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 40 }), async (script) => {
        const { offer, asked, seen, stored, endWait } = setUp();
        for (let seq = 1; seq <= 8; seq += 1) offer(seq);
        const answers = [...script];
        for (let step = 0; stored.length < 8 && step < 400; step += 1) {
          await settled();
          const { fails, other } = answers.shift() ?? { fails: false, other: false };
          const [question] = asked.splice(other && asked.length > 1 ? 1 : 0, 1);
          if (question === undefined) endWait();
          else question.say(fails ? 'refused' : undefined);
        }
        expect(stored).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
        expect(seen.inFlightMost).toBeLessThanOrEqual(bundlesInFlightMax);
      }),
      { numRuns: 100 },
    );
  });
});

describe('The back-off', () => {
  it('doubles its bound from 250 ms to 30 s and jitters over all of it', () => {
    const longest = createBackoff({ random: () => 1 });
    const bounds = [1, 2, 3, 7, 8, 9, 1_000].map((failures) => longest.delayMs(failures));
    expect(bounds).toEqual([250, 500, 1_000, 16_000, 30_000, 30_000, 30_000]);
    expect(createBackoff({ random: () => 0 }).delayMs(9)).toBe(0);
    expect(createBackoff({ random: () => 0.5 }).delayMs(2)).toBe(250);
  });

  it('waits no longer once it is aborted', async () => {
    const { wait } = createBackoff({ random: Math.random });
    const closing = new AbortController();
    const waiting = wait(1e9, closing.signal);
    closing.abort();
    await waiting;
    await wait(1e9, closing.signal);
    await wait(1, new AbortController().signal);
  });
});
