import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createSubscription } from '../../dashboard/live/subscription.ts';
import type { LiveRow, ServerMessage } from '../../dashboard/protocol.ts';
import { createHub, type Hub, type LiveSelection } from '../../gateway/live/hub.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** A viewer as the protocol describes one: it takes what it is told and checks that it joins on. */
function createViewer(hub: Hub, selection: LiveSelection) {
  const picture = new Map<number, LiveRow>();
  const named = new Set<number>();
  const holes: ServerMessage[] = [];
  let seq = 0;
  let isReady = true;
  let subscription = connect(undefined);

  function take(message: ServerMessage): void {
    if (message.t !== 'snap' && message.t !== 'd') return;
    for (const [index] of message.series ?? []) named.add(index);
    if (message.t === 'snap' && message.part === 1) picture.clear();
    if (message.t === 'd' && message.from !== seq + 1) holes.push(message);
    if (message.rows.some(([index]) => !named.has(index))) holes.push(message);
    for (const row of message.rows) picture.set(row[0], row);
    seq = message.seq;
  }

  function connect(resume: { epoch: string; seq: number } | undefined) {
    const made = createSubscription({
      ...{ id: 1, hub, selection, send: take, isReady: () => isReady },
    });
    made.listen(100);
    made.start(resume);
    return made;
  }

  return {
    picture,
    holes,
    pause() {
      isReady = false;
    },
    go() {
      isReady = true;
      subscription.catchUp();
    },
    reconnect() {
      subscription.close();
      subscription = connect({ epoch: hub.epoch, seq });
    },
    changeRate: (rateMs: number) => subscription.listen(rateMs),
    close: () => subscription.close(),
  };
}

type Step =
  | { readonly kind: 'apply'; readonly series: number; readonly time: number }
  | { readonly kind: 'tick' | 'pause' | 'go' | 'reconnect' | 'rate' };

const apply = fc.record({
  kind: fc.constant('apply' as const),
  series: fc.integer({ min: 0, max: 3 }),
  time: fc.integer({ min: 0, max: 5 }),
});
const other = fc.record({
  kind: fc.constantFrom(
    'tick' as const,
    'pause' as const,
    'go' as const,
    'reconnect' as const,
    'rate' as const,
  ),
});
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof({ weight: 3, arbitrary: apply }, other), {
  maxLength: 60,
});

describe('A viewer of last values', () => {
  it.each([1_000, 3])(
    'ends with the picture of a snapshot, whatever happens on the way, with %i rows kept',
    (replayRowsMax) => {
      fc.assert(
        fc.property(steps, fc.constantFrom(undefined, 'a'), (course, area) => {
          const hub = createHub({ replayRowsMax, clock: { now: () => 0 } });
          const selection = { view: 'latest', ...(area === undefined ? {} : { area }) } as const;
          const viewer = createViewer(hub, selection);
          for (const [at, step] of course.entries()) play(step, at, hub, viewer);
          viewer.go();
          jest.advanceTimersByTime(60_000);
          const { rows } = hub.snapshot(selection);
          expect(viewer.holes).toEqual([]);
          expect(new Map(viewer.picture)).toEqual(new Map(rows.map((row) => [row[0], [...row]])));
          viewer.close();
          hub.close();
        }),
        { numRuns: 300 },
      );
    },
  );

  it('is sent nothing when it goes on and nothing happened', () => {
    const hub = createHub({ replayRowsMax: 10, clock: { now: () => 0 } });
    const sent: ServerMessage[] = [];
    const subscription = createSubscription({
      ...{ id: 1, hub, selection: { view: 'latest' }, isReady: () => true },
      send: (message) => sent.push(message),
    });
    subscription.start(undefined);
    subscription.catchUp();
    expect(sent).toHaveLength(1);
  });
});

function play(step: Step, at: number, hub: Hub, viewer: ReturnType<typeof createViewer>): void {
  switch (step.kind) {
    case 'apply': {
      const area = step.series % 2 === 0 ? 'a' : 'b';
      const series = { device: `d${step.series}`, quantity: 'co2', channel: '', unit: '', area };
      hub.resetSender();
      hub.apply({ series: [series], rows: [[0, step.time, `value ${at}`, 1, 'mic', 0, at % 7]] });
      break;
    }
    case 'tick':
      jest.advanceTimersByTime(100);
      break;
    case 'rate':
      viewer.changeRate(100 + (at % 3) * 100);
      break;
    default:
      viewer[step.kind]();
  }
}
