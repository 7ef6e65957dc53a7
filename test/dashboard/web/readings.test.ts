import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeviceJson, QualityFlag } from '../../../dashboard/protocol.ts';
import { announceEveryMs, createAnnouncer } from '../../../dashboard/web/announcer.ts';
import { createBoard } from '../../../dashboard/web/board.ts';
import {
  countDevices,
  heldOrder,
  isSimulated,
  type OrderOptions,
  orderDevices,
  searchText,
} from '../../../dashboard/web/device-order.ts';
import { queryWords } from '../../../dashboard/web/fold.ts';
import {
  freshnessOf,
  intervalDefaultMs,
  intervalMinMs,
  intervalOf,
  noRhythm,
  noteTime,
} from '../../../dashboard/web/freshness.ts';
import {
  chartColumns,
  gapsOf,
  mergePoints,
  type Point,
  pointsMax,
  summarise,
  windowMs,
} from '../../../dashboard/web/history.ts';
import type { LiveReading } from '../../../dashboard/web/live-subscription.ts';

const minuteMs = 60_000;
const start = 1_800_000_000_000;

function rhythmOf(...minutes: number[]) {
  return minutes.reduce((rhythm, at) => noteTime(rhythm, start + at * minuteMs), noRhythm);
}

describe('Freshness', () => {
  it('assumes the default interval until three gaps were seen', () => {
    expect(intervalOf(rhythmOf(0, 10, 20))).toBe(intervalDefaultMs);
    expect(intervalOf(rhythmOf(0, 10, 20, 30))).toBe(10 * minuteMs);
  });

  it('is not led astray by one long silence, repeated times or a value that came late', () => {
    expect(intervalOf(rhythmOf(0, 10, 20, 600, 610, 605, 610, 620))).toBe(10 * minuteMs);
  });

  it('goes from fresh to late beyond 1.5 intervals and to silent beyond 3', () => {
    const rhythm = rhythmOf(0, 10, 20, 30);
    const at = (minutes: number) => freshnessOf(rhythm, start + (30 + minutes) * minuteMs);
    expect([0, 15, 15.1, 30, 30.1].map(at)).toEqual(['fresh', 'fresh', 'late', 'late', 'silent']);
    expect(freshnessOf(noRhythm, start)).toBe('none');
  });

  it('allows a fast sensor the jitter of the network', () => {
    const rhythm = rhythmOf(0, 0.01, 0.02, 0.03);
    expect(intervalOf(rhythm)).toBe(intervalMinMs);
  });
});

function reading(device: string, minutes: number, rest: Partial<LiveReading> = {}): LiveReading {
  return {
    device,
    quantity: 'air_temperature',
    channel: '',
    unit: 'Cel',
    time: start + minutes * minuteMs,
    value: 1,
    quality: 1,
    vouchedBy: 'mic',
    receivedAt: start,
    ledgerSeq: 1,
    ...rest,
  };
}

describe('The board', () => {
  it('keeps the newest value of each series whatever the order of arrival', () => {
    const board = createBoard();
    const readings = [reading('a', 2, { value: 2 }), reading('a', 1), reading('b', 1)];
    board.merge(readings);
    board.merge([reading('a', 2, { value: 3, quality: 4 })]);
    const values = [...board.device('a').value.readings.values()];
    expect(values.map((one) => [one.value, one.quality])).toEqual([[3, 4]]);
    expect(board.ids.value).toEqual(['a', 'b']);
  });

  it('does not take the values of a snapshot for a rhythm', () => {
    const board = createBoard();
    board.replace(['p', 'q', 'r', 's'].map((quantity, at) => reading('a', at, { quantity })));
    expect(board.device('a').value.rhythm.gapsMs).toEqual([]);
    expect(board.freshness('a', start + 3 * minuteMs)).toBe('fresh');
  });

  it('repaints only the devices that a delta names', () => {
    const board = createBoard();
    board.replace([reading('a', 1), reading('b', 1)]);
    const before = board.device('b').value;
    board.merge([reading('a', 2)]);
    expect(board.device('b').value).toBe(before);
  });
});

function point(minutes: number, value = 1, quality: QualityFlag = 1): Point {
  return { time: start + minutes * minuteMs, value, quality };
}

describe('A chart', () => {
  const points = [0, 10, 20, 30, 70, 80].map((at) => point(at, at));

  it('breaks the line in a gap of more than three intervals', () => {
    expect(gapsOf(points)).toEqual([{ from: point(30).time, to: point(70).time }]);
    expect(chartColumns(points).line).toEqual([0, 10, 20, 30, null, 70, 80]);
    expect(chartColumns(points).pointAt).toEqual([0, 1, 2, 3, -1, 4, 5]);
  });

  it('makes no gaps of an earlier, slower rhythm when most values came in a faster one', () => {
    const slow = [0, 15, 30, 45, 60, 75, 90, 105].map((at) => point(at));
    const fast = Array.from({ length: 60 }, (_, index) => point(106 + index / 6));
    expect(gapsOf([...slow, ...fast])).toEqual([]);
    expect(chartColumns([...slow, ...fast]).line).not.toContain(null);
  });

  it('keeps the silence between two rhythms, and within the slower one, a gap', () => {
    const slow = [0, 15, 30, 45, 180, 195, 210, 225].map((at) => point(at));
    const fast = Array.from({ length: 60 }, (_, index) => point(400 + index / 6));
    expect(gapsOf([...slow, ...fast])).toEqual([
      { from: point(45).time, to: point(180).time },
      { from: point(225).time, to: point(400).time },
    ]);
  });

  it('takes failed and missing values off the line and marks them and the suspect ones', () => {
    const flagged = [point(0, 1), point(10, 2, 3), point(20, -99, 4), point(30, 4, 9)];
    const columns = chartColumns(flagged);
    expect(columns.line).toEqual([1, 2, null, null]);
    expect(columns.suspect).toEqual([null, 2, null, null]);
    expect(columns.fail).toEqual([null, null, -99, null]);
    expect(columns.missing).toEqual([null, null, null, 4]);
  });

  it('is summed up without the failed and the missing values, which it counts apart', () => {
    const doubtful = [point(90, -99, 4), point(100, 100, 3), point(105, 0, 9), point(110, 0, 9)];
    const summary = summarise([...points, ...doubtful]);
    expect(summary).toMatchObject({
      count: 7,
      fail: 1,
      missing: 2,
      suspect: 1,
      gaps: 1,
      gapsMs: 40 * minuteMs,
    });
    expect([summary.min?.value, summary.max?.value]).toEqual([0, 100]);
    expect(summarise([])).toMatchObject({ count: 0, mean: 0 });
  });

  it('holds each time once, sorted, of the last day, and no more than its limit', () => {
    const times = fc.array(fc.integer({ min: -3 * 1_440, max: 0 }), { maxLength: 50 });
    fc.assert(
      fc.property(times, times, (known, added) => {
        const merged = mergePoints(
          known.map((at) => point(at, 1)),
          added.map((at) => point(at, 2)),
          start,
        );
        const kept = merged.map((one) => one.time);
        expect(kept).toEqual([...new Set(kept)].sort((left, right) => left - right));
        expect(kept.every((time) => time > start - windowMs)).toBe(true);
        const late = new Set(added.map((at) => point(at).time));
        expect(merged.every((one) => one.value === (late.has(one.time) ? 2 : 1))).toBe(true);
      }),
    );
    const many = Array.from({ length: pointsMax + 9 }, (_, at) => point(-at / 60, 1));
    expect(mergePoints([], many, start)).toHaveLength(pointsMax);
  });
});

function device(id: string, rest: Partial<DeviceJson> = {}): DeviceJson {
  return { id, kind: 'lorawan', registered: true, ...rest };
}

describe('The list', () => {
  const devices = [
    device('1', { name: 'Qax', area: 'Xətai' }),
    device('2', { name: 'Əhmədli', area: 'Xətai' }),
    device('3', { name: 'Lerik', area: 'Səbail' }),
  ];
  const common: OrderOptions = {
    devices,
    words: [],
    area: '',
    order: 'name',
    textOf: (one: DeviceJson) => searchText(one, ['Su']),
    freshnessOf: () => 'fresh',
  };
  const idsOf = (list: readonly DeviceJson[]) => list.map((one) => one.id).join('');

  it('is in the order of the alphabet, filtered by words and area', () => {
    expect(idsOf(orderDevices(common))).toBe('213');
    expect(idsOf(orderDevices({ ...common, area: 'Səbail' }))).toBe('3');
    expect(idsOf(orderDevices({ ...common, words: queryWords('ehmed su') }))).toBe('2');
  });

  it('puts silent before late before the rest when asked to', () => {
    const states = { '1': 'late', '2': 'fresh', '3': 'silent' } as const;
    const freshness = (id: string) => (id === '1' ? states[1] : id === '2' ? states[2] : states[3]);
    const order = 'attention';
    expect(idsOf(orderDevices({ ...common, order, freshnessOf: freshness }))).toBe('312');
  });

  it('does not move rows while it is held, and appends new ones', () => {
    expect(heldOrder(['a', 'b'], ['c', 'b', 'a'], true)).toEqual(['a', 'b', 'c']);
    expect(heldOrder(['a', 'b'], ['c', 'b', 'a'], false)).toEqual(['c', 'b', 'a']);
  });

  it('counts a late device as reporting and a silent one not', () => {
    const counts = countDevices(['fresh', 'late', 'silent', 'none', 'fresh']);
    expect(counts).toEqual({ all: 5, reporting: 3, late: 1, silent: 1 });
  });

  it('knows simulated devices by their tag', () => {
    expect(isSimulated(devices)).toBe(false);
    expect(isSimulated([device('4', { tags: { simulated: 'true' } })])).toBe(true);
    expect(isSimulated([device('5', { tags: { simulated: 'false' } })])).toBe(false);
  });
});

describe('The announcer', () => {
  it('speaks at most every 20 seconds and only when the sentence changed', () => {
    const { offer } = createAnnouncer();
    expect(offer('one', 0)).toBe('one');
    expect(offer('two', announceEveryMs - 1)).toBeUndefined();
    expect(offer('one', announceEveryMs)).toBeUndefined();
    expect(offer('two', announceEveryMs)).toBe('two');
  });
});
