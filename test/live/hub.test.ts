import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createChannel, type LiveDelta } from '../../gateway/live/channel.ts';
import { createHub, type Hub, type LiveSelection } from '../../gateway/live/hub.ts';
import { createReplayRing } from '../../gateway/live/replay-ring.ts';
import { createSeriesTable } from '../../gateway/live/series-table.ts';
import type { ReadingRow } from '../../gateway/model/reading-row.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const clock = { now: () => 10_000 };
const everything: LiveSelection = { view: 'latest' };

function rowOf(series: number, time: number, value: number | string = time, seq = 1): ReadingRow {
  return [series, time, value, 1, 'mic', 9_000, seq];
}

function hubOf(replayRowsMax = 100): Hub {
  const hub = createHub({ replayRowsMax, clock });
  const identity = (device: string, area: string) => ({
    ...{ device, quantity: 'co2', channel: '', unit: '[ppm]', area },
  });
  const series = [identity('a', 'north'), identity('b', 'north'), identity('c', 'south')];
  hub.apply({ series, rows: [] });
  return hub;
}

describe('The replay ring', () => {
  it('gives what came after a sequence, oldest first', () => {
    const ring = createReplayRing(3);
    for (let time = 1; time <= 5; time += 1) expect(ring.push(rowOf(0, time))).toBe(time);
    expect(ring.after(2)?.map(([, time]) => time)).toEqual([3, 4, 5]);
    expect(ring.after(5)).toEqual([]);
  });

  it.each([1, 6, -1])('does not know what came after %i of five when it holds three', (seq) => {
    const ring = createReplayRing(3);
    for (let time = 1; time <= 5; time += 1) ring.push(rowOf(0, time));
    expect(ring.after(seq)).toBeUndefined();
  });
});

describe('The series table', () => {
  const identity = { device: 'a', quantity: 'co2', channel: '', unit: '' };

  it('gives a series its number at first sight and never another', () => {
    const table = createSeriesTable();
    expect(table.indexOf(identity)).toBe(0);
    expect(table.indexOf({ ...identity, channel: '1' })).toBe(1);
    expect(table.indexOf(identity)).toBe(0);
    expect(table.indexesOf('a')).toEqual([0, 1]);
    expect(table.indexesOf('b')).toEqual([]);
    expect(table.size).toBe(2);
  });

  it('keeps the newest by time, then by place in the ledger', () => {
    const table = createSeriesTable();
    table.indexOf(identity);
    expect(table.update(rowOf(0, 5, 1, 5))).toBe(true);
    expect(table.update(rowOf(0, 4, 2, 6))).toBe(false);
    expect(table.update(rowOf(0, 5, 3, 4))).toBe(false);
    expect(table.update(rowOf(0, 5, 4, 5))).toBe(true);
    expect(table.latest(0)?.[2]).toBe(4);
  });
});

describe('A channel', () => {
  function channelOf(conflates: boolean) {
    const latest = new Map<number, ReadingRow>();
    let seq = 0;
    const channel = createChannel({
      ...{ rateMs: 100, conflates },
      ...{ latest: (index: number) => latest.get(index), seq: () => seq },
    });
    const offer = (row: ReadingRow) => {
      seq += 1;
      latest.set(row[0], row);
      channel.offer(row, true);
    };
    const pass = () => {
      seq += 1;
    };
    return { channel, offer, pass };
  }

  it('says nothing while nothing happens, and stands for what it leaves out', () => {
    const { channel, pass } = channelOf(true);
    const heard: LiveDelta[] = [];
    channel.join((delta) => heard.push(delta));
    jest.advanceTimersByTime(500);
    expect(heard).toEqual([]);
    pass();
    jest.advanceTimersByTime(100);
    expect(heard).toEqual([{ from: 1, seq: 1, rows: [], isComplete: true }]);
  });

  it('sends the last value of each series once a round when it conflates', () => {
    const { channel, offer } = channelOf(true);
    const heard: LiveDelta[] = [];
    channel.join((delta) => heard.push(delta));
    for (let time = 1; time <= 50; time += 1) offer(rowOf(time % 2, time));
    jest.advanceTimersByTime(100);
    expect(heard).toHaveLength(1);
    expect(heard[0]?.rows.map(([, time]) => time).sort()).toEqual([49, 50]);
  });

  it('sends every row when it does not, up to its bound, and says when some are missing', () => {
    const { channel, offer } = channelOf(false);
    const heard: LiveDelta[] = [];
    channel.join((delta) => heard.push(delta));
    for (let time = 1; time <= 20_001; time += 1) offer(rowOf(0, time));
    jest.advanceTimersByTime(100);
    offer(rowOf(0, 1));
    jest.advanceTimersByTime(100);
    expect(heard.map(({ rows }) => rows.length)).toEqual([20_000, 1]);
    expect(heard.map(({ isComplete }) => isComplete)).toEqual([false, true]);
  });

  it('stops its clock when the last listener leaves', () => {
    const { channel } = channelOf(true);
    const leave = channel.join(() => {});
    const leaveToo = channel.join(() => {});
    expect(leave()).toBe(1);
    expect(jest.getTimerCount()).toBe(1);
    expect(leaveToo()).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('The hub', () => {
  it('selects by device and by area', () => {
    const hub = hubOf();
    hub.apply({ series: [], rows: [rowOf(0, 1), rowOf(1, 2), rowOf(2, 3)] });
    const indexes = (selection: LiveSelection) =>
      hub.snapshot(selection).rows.map(([index]) => index);
    expect(indexes(everything)).toEqual([0, 1, 2]);
    expect(indexes({ view: 'latest', area: 'north' })).toEqual([0, 1]);
    expect(indexes({ view: 'latest', device: 'c' })).toEqual([2]);
    expect(indexes({ view: 'latest', device: 'c', area: 'north' })).toEqual([]);
    expect(indexes({ view: 'latest', device: 'nobody' })).toEqual([]);
  });

  it.each<LiveSelection>([
    everything,
    { view: 'latest', area: 'north' },
    { view: 'latest', area: 'nowhere' },
    { view: 'latest', device: 'c' },
    { view: 'latest', device: 'c', area: 'north' },
    { view: 'latest', device: 'b', area: 'north' },
  ])('tells a listener of %o what its snapshot would show, until it leaves', (selection) => {
    const hub = hubOf();
    const heard: number[] = [];
    const leave = hub.subscribe(selection, 100, ({ rows }) => {
      heard.push(...rows.map(([index]) => index));
    });
    hub.subscribe({ view: 'series', device: 'a' }, 100, () => {});
    hub.apply({ series: [], rows: [rowOf(0, 1), rowOf(1, 2), rowOf(2, 3)] });
    jest.advanceTimersByTime(100);
    expect(heard).toEqual(hub.snapshot(selection).rows.map(([index]) => index));
    leave();
    hub.apply({ series: [], rows: [rowOf(0, 4), rowOf(1, 5), rowOf(2, 6)] });
    jest.advanceTimersByTime(100);
    expect(heard).toHaveLength(hub.snapshot(selection).rows.length);
  });

  it('shares one channel among equal wishes and ends it with the last', () => {
    const hub = hubOf();
    const leaves = Array.from({ length: 5 }, () => hub.subscribe(everything, 100, () => {}));
    const other = hub.subscribe({ view: 'series' }, 100, () => {});
    expect(jest.getTimerCount()).toBe(2);
    for (const leave of leaves) leave();
    expect(jest.getTimerCount()).toBe(1);
    other();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps its numbers when the sender starts to count anew', () => {
    const hub = hubOf();
    hub.resetSender();
    const c = { device: 'c', quantity: 'co2', channel: '', unit: '[ppm]' };
    hub.apply({ series: [c], rows: [rowOf(0, 5), rowOf(7, 5)] });
    expect(hub.snapshot(everything).rows).toEqual([rowOf(2, 5)]);
  });

  it('tells the lag of the newest batch', () => {
    const hub = hubOf();
    expect(hub.lagMs()).toBe(0);
    hub.apply({ series: [], rows: [rowOf(0, 1)] });
    expect(hub.lagMs()).toBe(1_000);
  });

  it('does not know what was missed when it is long ago or never was', () => {
    const hub = hubOf(2);
    hub.apply({ series: [], rows: [rowOf(0, 1), rowOf(0, 2), rowOf(0, 3)] });
    expect(hub.since(0, everything)).toBeUndefined();
    expect(hub.since(4, everything)).toBeUndefined();
    expect(hub.since(1, everything)).toMatchObject({ from: 2, seq: 3, rows: [rowOf(0, 3)] });
    expect(hub.since(1, { view: 'series' })?.rows).toHaveLength(2);
  });

  it('never puts an older value over the one that a viewer has', () => {
    const hub = hubOf();
    hub.apply({ series: [], rows: [rowOf(0, 9, 'new')] });
    hub.apply({ series: [], rows: [rowOf(0, 3, 'late')] });
    expect(hub.since(1, everything)?.rows).toEqual([rowOf(0, 9, 'new')]);
  });
});
