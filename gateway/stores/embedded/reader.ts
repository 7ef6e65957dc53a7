/** Answers questions from the embedded store. */
import { strict as assert } from 'node:assert';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { isQuality, isVouchedBy } from '../../model/stored-words.ts';
import {
  checkAggregateQuery,
  checkReadingQuery,
  QueryRefused,
  queryTimeoutMs,
} from '../query-limits.ts';
import type {
  AggregatedValue,
  AggregateQuery,
  ReadingQuery,
  ReadingReader,
  StoredReading,
} from '../store.ts';
import { shelfOf } from './shelf.ts';

/** Questions that may wait for their turn on the one connection. */
const waitingMax = 256;

export function createEmbeddedReader(connection: DuckDBConnection): ReadingReader {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  /** One at a time: DuckDB already spreads one query over its threads. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= waitingMax) return Promise.reject(new QueryRefused('too many questions wait'));
    waiting += 1;
    const result = tail.then(work).finally(() => {
      waiting -= 1;
    });
    tail = result.catch(() => undefined);
    return result;
  }

  async function ask(sql: string, values: Record<string, DuckDBValue>): Promise<Row[]> {
    const timer = setTimeout(() => connection.interrupt(), queryTimeoutMs);
    try {
      return (await connection.runAndReadAll(sql, values)).getRowsJS();
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async readings(query) {
      if (!checkReadingQuery(query)) return [];
      const { sql, values } = composeReadings(query);
      return (await inTurn(() => ask(sql, values))).map((row) => toReading(query.device, row));
    },
    async aggregate(query) {
      if (!checkAggregateQuery(query)) return [];
      const { sql, values } = composeAggregate(query);
      return (await inTurn(() => ask(sql, values))).map(toAggregated);
    },
    ping: () => inTurn(async () => void (await ask('SELECT 1', {}))),
    close: () => inTurn(async () => {}),
  };
}

type Row = readonly unknown[];

interface Question {
  readonly sql: string;
  readonly values: Record<string, DuckDBValue>;
}

function composeReadings(query: ReadingQuery): Question {
  const { after } = query;
  const points = composePoints({ ...query, from: Math.max(query.from, after?.time ?? 0) });
  if (after !== undefined) {
    points.values['afterTime'] = BigInt(after.time);
    points.values['afterQuantity'] = after.quantity;
    points.values['afterChannel'] = after.channel;
  }
  const later =
    after === undefined
      ? ''
      : 'WHERE (time, quantity, channel) > ($afterTime::BIGINT, $afterQuantity, $afterChannel)';
  return {
    sql: `SELECT quantity, channel, time::DOUBLE, value, state, quality, vouched_by, seq::DOUBLE
      FROM (${points.sql}) ${later} ORDER BY time, quantity, channel LIMIT ${query.limit}`,
    values: points.values,
  };
}

const aggregates: Readonly<Record<AggregateQuery['aggregate'], string>> = {
  mean: 'avg(value)',
  min: 'min(value)',
  max: 'max(value)',
  sum: 'sum(value)',
  count: 'count(value)::DOUBLE',
  last: 'arg_max(value, time)',
};

function composeAggregate(query: AggregateQuery): Question {
  const points = composePoints(query);
  points.values['every'] = BigInt(query.everyMs);
  return {
    sql: `SELECT ((time // $every::BIGINT) * $every::BIGINT)::DOUBLE AS start,
        ${aggregates[query.aggregate]}
      FROM (${points.sql}) WHERE quality IN (1, 2) AND value IS NOT NULL
      GROUP BY start ORDER BY start LIMIT ${query.limit}`,
    values: points.values,
  };
}

type PointsQuery = Pick<ReadingQuery, 'device' | 'quantity' | 'channel' | 'from' | 'to'>;

/**
 * Every point of the range once. Each table is narrowed by itself so that its blocks are skipped.
 */
function composePoints(query: PointsQuery): Question {
  const values: Record<string, DuckDBValue> = {
    shelf: shelfOf(query.device),
    device: query.device,
    from: BigInt(query.from),
    to: BigInt(query.to),
  };
  let narrow = `shelf = $shelf::UINTEGER AND device = $device
    AND time >= $from::BIGINT AND time < $to::BIGINT`;
  if (query.quantity !== undefined) {
    values['quantity'] = query.quantity;
    narrow += ' AND quantity = $quantity';
  }
  if (query.channel !== undefined) {
    values['channel'] = query.channel;
    narrow += ' AND channel = $channel';
  }
  const columns = 'quantity, channel, time, value, state, quality, vouched_by, seq, batch, rowid';
  return {
    sql: `SELECT * FROM (SELECT ${columns} FROM telemetry_settled WHERE ${narrow}
        UNION ALL SELECT ${columns} FROM telemetry_recent WHERE ${narrow})
      QUALIFY row_number() OVER (PARTITION BY quantity, channel, time
        ORDER BY seq DESC, batch DESC, rowid DESC) = 1`,
    values,
  };
}

/** The columns are those of composeReadings; the schema holds no other types. */
function toReading(device: string, row: Row): StoredReading {
  const [quantity, channel, time, value, state, quality, vouchedBy, seq] = row;
  assert(typeof quantity === 'string' && typeof channel === 'string', 'a point has its names');
  assert(typeof time === 'number' && typeof seq === 'number', 'a point has its time and its seq');
  const held = typeof value === 'number' ? value : state;
  assert(typeof held === 'number' || typeof held === 'string', 'a point has a value or a state');
  assert(isQuality(quality), 'the writer stores QARTOD flags only');
  assert(isVouchedBy(vouchedBy), 'the writer stores the words of the model only');
  return {
    device,
    quantity,
    ...(channel !== '' && { channel }),
    value: held,
    time,
    quality,
    vouchedBy,
    seq,
  };
}

function toAggregated(row: Row): AggregatedValue {
  const [time, value] = row;
  assert(typeof time === 'number' && typeof value === 'number', 'a window has a start and a value');
  return { time, value };
}
