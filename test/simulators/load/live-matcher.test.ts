import { describe, expect, it } from '@jest/globals';
import { createLiveMatcher } from '../../../simulators/load/live-matcher.ts';
import { createLiveRowReader } from '../../../simulators/load/live-rows.ts';
import { createLoadSource, watchedQuantity } from '../../../simulators/load/load-message.ts';

const source = createLoadSource('live', 2);

/** Messages of the first device, due a second apart. */
function sentTo(matcher: ReturnType<typeof createLiveMatcher>, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const due = 10_000 + index * 1_000;
    const message = source.message(2 * index, due);
    matcher.sent(message, due);
    const value = message.values[watchedQuantity];
    return { device: message.device, quantity: watchedQuantity, time: due, value };
  });
}

describe('Live latency', () => {
  it('counts from when a message was due until it was shown', () => {
    const matcher = createLiveMatcher();
    const [first, second] = sentTo(matcher, 2);
    if (first !== undefined) matcher.shown(first, 10_040);
    if (second !== undefined) matcher.shown(second, 11_080);
    expect(matcher.figures()).toMatchObject({
      ...{ shown: 2, conflated: 0, notShown: 0, altered: 0 },
      latency: { count: 2, maxMs: 80, meanMs: 60 },
    });
  });

  it('lets what was passed over wait until something newer of its device is shown', () => {
    const matcher = createLiveMatcher();
    const last = sentTo(matcher, 3).at(-1);
    if (last !== undefined) matcher.shown(last, 12_500);
    expect(matcher.figures()).toMatchObject({ shown: 1, conflated: 2, notShown: 0 });
    expect(matcher.figures().latency).toMatchObject({ count: 3, maxMs: 2_500 });
  });

  it('is not deceived by other devices, other quantities and older values', () => {
    const matcher = createLiveMatcher();
    const [row] = sentTo(matcher, 1);
    if (row === undefined) throw new Error('one was sent');
    matcher.shown({ ...row, device: 'other' }, 11_000);
    matcher.shown({ ...row, quantity: 'other' }, 11_000);
    matcher.shown({ ...row, time: 9_999 }, 11_000);
    expect(matcher.figures()).toMatchObject({ shown: 0, conflated: 0, notShown: 1 });
  });

  it('sees when another value is shown than was sent', () => {
    const matcher = createLiveMatcher();
    const [row] = sentTo(matcher, 1);
    if (row !== undefined) matcher.shown({ ...row, value: 99 }, 10_500);
    expect(matcher.figures()).toMatchObject({ shown: 1, altered: 1 });
  });
});

describe('Rows of the live stream', () => {
  it('bear the names that their connection has given, once', () => {
    const rowsOf = createLiveRowReader();
    const series = [[4, 'd', 'q', '', 'Cel']];
    expect(rowsOf('{"t":"hello"}')).toEqual([]);
    expect(
      rowsOf(JSON.stringify({ t: 'snap', series, rows: [[4, 1, 2.5, 1, 'mic', 3, 9]] })),
    ).toEqual([{ device: 'd', quantity: 'q', time: 1, value: 2.5 }]);
    expect(rowsOf('{"t":"d","rows":[[4,2,"open"],[5,2,3]]}')).toEqual([
      { device: 'd', quantity: 'q', time: 2, value: 'open' },
    ]);
    rowsOf('{"t":"hello"}');
    expect(rowsOf('{"t":"d","rows":[[4,3,1]]}')).toEqual([]);
  });

  it.each(['', '[]', 'null', '{"t":"d","rows":7}', '{"t":"d","rows":[7]}'])(
    'are none in %s',
    (text) => {
      expect(createLiveRowReader()(text)).toEqual([]);
    },
  );
});
