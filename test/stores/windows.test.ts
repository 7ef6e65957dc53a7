import { describe, expect, it } from '@jest/globals';
import { parseSeries } from '../../gateway/stores/influx/series.ts';
import { aggregateReadings } from '../../gateway/stores/influx/windows.ts';
import { readingOf } from './sample.ts';

describe('Aggregation outside the database', () => {
  const readings = [
    readingOf({ time: 1_000, value: 4 }),
    readingOf({ time: 1_999, value: 2, quality: 2 }),
    readingOf({ time: 1_999, value: 100, quality: 4 }),
    readingOf({ time: 1_999, value: 'text' }),
    readingOf({ time: 5_000, value: 7 }),
  ];

  it.each([
    ['mean', 3],
    ['min', 2],
    ['max', 4],
    ['sum', 6],
    ['count', 2],
    ['last', 2],
  ] as const)('gives the %s of each window that has values', (aggregate, value) => {
    const found = aggregateReadings(readings, { everyMs: 1_000, aggregate, limit: 10 });
    expect(found).toEqual([
      { time: 1_000, value },
      { time: 5_000, value: aggregate === 'count' ? 1 : 7 },
    ]);
  });

  it('gives no more windows than asked for', () => {
    const query = { everyMs: 1_000, aggregate: 'sum', limit: 1 } as const;
    expect(aggregateReadings(readings, query)).toHaveLength(1);
  });
});

describe('An InfluxQL answer', () => {
  it.each([undefined, null, 7, 'x', [], {}, { results: {} }, { results: [null, { series: 3 }] }])(
    'without series is empty: %j',
    (answer) => {
      expect(parseSeries(answer)).toEqual([]);
    },
  );

  it('that holds an error is that error', () => {
    expect(() => parseSeries({ results: [{ error: 'timeout' }] })).toThrow('timeout');
  });

  it('that was cut off is refused', () => {
    const series = [{ name: 't', columns: ['time'], values: [[1]], partial: true }];
    expect(() => parseSeries({ results: [{ series }] })).toThrow('max-row-limit');
  });
});
