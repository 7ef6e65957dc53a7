/** Answers questions from InfluxDB by InfluxQL. */
import {
  checkAggregateQuery,
  checkReadingQuery,
  pageLengthMax,
  QueryRefused,
} from '../query-limits.ts';
import type {
  AggregatedValue,
  AggregateQuery,
  ReadingQuery,
  ReadingReader,
  StoredReading,
} from '../store.ts';
import { encodeName, fieldNamesOf, quoteIdentifier, quoteString } from './names.ts';
import { compareReadings, type Rows, readRows } from './rows.ts';
import type { Series } from './series.ts';
import type { InfluxServer } from './server.ts';
import { aggregateReadings } from './windows.ts';

/** The most readings that are aggregated here; see windows.ts. */
const readingsAggregatedMax = 200_000;
/** Points of one device at one millisecond; more are not read. */
const pointsPerTimeMax = 50_000;

export function createInfluxReader(server: InfluxServer): ReadingReader {
  async function fetchRows(query: ReadingQuery, from: number, rowLimit: number): Promise<Rows> {
    const series = await server.query(composeReadings({ ...query, from }, rowLimit));
    return readRows(query, series);
  }

  /**
   * A row is a point of several readings, so pages are cut here. When the answer is full, its last
   * instant may be incomplete: that instant is left to the next question.
   */
  async function readings(query: ReadingQuery): Promise<readonly StoredReading[]> {
    const { after, limit } = query;
    const page: StoredReading[] = [];
    let from = Math.max(query.from, after?.time ?? query.from);
    let rowLimit = limit + 32;
    for (;;) {
      const rows = await fetchRows(query, from, rowLimit);
      const complete = rows.count < rowLimit;
      for (const reading of rows.readings) {
        if (!complete && reading.time === rows.lastTime) break;
        if (after === undefined || compareReadings(reading, after) > 0) page.push(reading);
      }
      if (complete || page.length >= limit) return page.slice(0, limit);
      if (rows.lastTime === from) rowLimit = widen(rowLimit);
      from = rows.lastTime;
    }
  }

  async function readAll(query: AggregateQuery): Promise<readonly StoredReading[]> {
    const all: StoredReading[] = [];
    let after: ReadingQuery['after'];
    for (;;) {
      const page = await readings({ ...query, limit: pageLengthMax, ...(after && { after }) });
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < pageLengthMax) return all;
      if (all.length > readingsAggregatedMax) {
        throw new QueryRefused(`the range holds more than ${readingsAggregatedMax} readings`);
      }
      after = { time: last.time, quantity: last.quantity, channel: last.channel ?? '' };
    }
  }

  return {
    readings: async (query) => (checkReadingQuery(query) ? readings(query) : []),
    async aggregate(query) {
      if (!checkAggregateQuery(query)) return [];
      const series = await server.query(composeAggregate(query));
      // A device that has moved to another area has its points in two series, perhaps doubly.
      if (series.length > 1) return aggregateReadings(await readAll(query), query);
      return series.flatMap(toAggregated);
    },
    ping: () => server.ping(),
    close: async () => {},
  };
}

function widen(rowLimit: number): number {
  if (rowLimit >= pointsPerTimeMax) {
    throw new QueryRefused('too many channels at one instant; ask for one channel');
  }
  return Math.min(rowLimit * 4, pointsPerTimeMax);
}

function composeReadings(query: ReadingQuery, rowLimit: number): string {
  return `SELECT ${composeColumns(query.quantity)} FROM "telemetry"
    WHERE ${composeWhere(query)} ${composeHasQuantity(query.quantity)}
    ORDER BY time ASC LIMIT ${rowLimit}`;
}

function composeColumns(quantity: string | undefined): string {
  if (quantity === undefined) return '*';
  const { number, text, quality } = fieldNamesOf(quantity);
  const columns = new Set([number, text, quality, 'seq', 'vouched_by', 'channel']);
  return [...columns].map(quoteIdentifier).join(', ');
}

/** Every reading has its flag: without this, points of other quantities come as rows of nulls. */
function composeHasQuantity(quantity: string | undefined): string {
  if (quantity === undefined) return '';
  return `AND ${quoteIdentifier(fieldNamesOf(quantity).quality)} > 0`;
}

function composeAggregate(query: AggregateQuery): string {
  const { number, quality } = fieldNamesOf(query.quantity);
  const flag = quoteIdentifier(quality);
  // The cast passes over a field that holds texts instead of refusing the statement.
  return `SELECT ${query.aggregate}(${quoteIdentifier(number)}::float) FROM "telemetry"
    WHERE ${composeWhere(query)} AND (${flag} = 1 OR ${flag} = 2)
    GROUP BY time(${query.everyMs}ms), "agency", "area", "channel" fill(none)
    LIMIT ${query.limit}`;
}

type Narrowing = Pick<ReadingQuery, 'device' | 'channel' | 'from' | 'to'>;

function composeWhere({ device, channel, from, to }: Narrowing): string {
  const narrow = `"device" = ${quoteString(encodeName(device))} AND time >= ${from}ms
    AND time < ${to}ms`;
  if (channel === undefined) return narrow;
  return `${narrow} AND "channel" = ${quoteString(encodeName(channel))}`;
}

function toAggregated(series: Series): readonly AggregatedValue[] {
  const windows: AggregatedValue[] = [];
  for (const [time, value] of series.values) {
    if (typeof time === 'number' && typeof value === 'number') windows.push({ time, value });
  }
  return windows;
}
