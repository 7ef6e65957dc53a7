/** Writes telemetry to the embedded store: append, commit, and now and then settle a sorted run. */
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { LinkSample, Reading } from '../../model/reading.ts';
import { admit, type OnRejected } from '../admission.ts';
import type { RecordBatch, RecordBundle, RecordWriter } from '../store.ts';
import { readWriterMark, removeBefore, settle, transact } from './schema.ts';
import { shelfOf } from './shelf.ts';

export interface EmbeddedWriterOptions {
  readonly connection: DuckDBConnection;
  readonly onRejected: OnRejected;
  /** Recent rows that make a run. More make longer pauses (1 s a million), fewer slower reads. */
  readonly runRows: number;
}

export interface EmbeddedWriter extends RecordWriter {
  /** Removes everything older than this epoch millisecond. */
  dropBefore(time: number): Promise<void>;
}

/** All work on the one connection is done in the order it was asked for. */
export async function createEmbeddedWriter(
  options: EmbeddedWriterOptions,
): Promise<EmbeddedWriter> {
  const { connection, onRejected, runRows } = options;
  const mark = await readWriterMark(connection);
  let { batch, recentRows } = mark;
  let highestSeq = mark.seq;
  let replaces = recentRows > 0;
  let tail: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  }

  async function store(records: RecordBatch): Promise<void> {
    batch += 1;
    await appendAll(connection, records, batch);
    recentRows += records.readings.length + records.links.length;
    const lowest = lowestSeq(records);
    // Rows that go on where the last batch ended are new; only older ones may replace settled ones.
    if (lowest <= highestSeq) replaces = true;
    highestSeq = Math.max(highestSeq, highestSeqOf(records));
  }

  /** A run that fails changes nothing; its rows are tried again with those of the next batch. */
  async function settleWhenDue(): Promise<void> {
    if (recentRows < runRows) return;
    await settle(connection, { replaces });
    recentRows = 0;
    replaces = false;
  }

  return {
    gather: () =>
      createBundle(onRejected, (records) => {
        const stored = inTurn(() => store(records));
        inTurn(settleWhenDue).catch(() => undefined);
        return stored;
      }),
    dropBefore: (time) => inTurn(() => removeBefore(connection, time)),
    close: () => inTurn(async () => {}),
  };
}

function createBundle(
  onRejected: OnRejected,
  store: (records: RecordBatch) => Promise<void>,
): RecordBundle {
  const readings: Reading[] = [];
  const links: LinkSample[] = [];
  let given = 0;
  return {
    get readings() {
      return given;
    },
    add(batch) {
      given += batch.readings.length;
      const admitted = admit(batch, onRejected);
      for (const reading of admitted.readings) readings.push(reading);
      for (const link of admitted.links) links.push(link);
    },
    async write() {
      if (readings.length + links.length > 0) await store({ readings, links });
    },
  };
}

/** Durable when it resolves: the commit is in DuckDB's synced write-ahead log. */
async function appendAll(
  connection: DuckDBConnection,
  records: RecordBatch,
  batch: number,
): Promise<void> {
  const batchBig = BigInt(batch);
  await transact(connection, async () => {
    if (records.readings.length > 0) {
      await append(connection, 'telemetry_recent', (appender) => {
        for (const reading of records.readings) appendReading(appender, reading, batchBig);
      });
    }
    if (records.links.length > 0) {
      await append(connection, 'link_recent', (appender) => {
        for (const link of records.links) appendLink(appender, link, batchBig);
      });
    }
  });
}

/**
 * An appender holds rows of its own: it must be closed before the commit, and cleared on failure.
 */
async function append(
  connection: DuckDBConnection,
  table: string,
  fill: (appender: DuckDBAppender) => void,
): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    fill(appender);
  } catch (error) {
    appender.clear();
    throw error;
  }
  appender.closeSync();
}

function appendReading(appender: DuckDBAppender, reading: Reading, batch: bigint): void {
  const { value } = reading;
  appender.appendUInteger(shelfOf(reading.device));
  appender.appendVarchar(reading.device);
  appender.appendVarchar(reading.quantity);
  appender.appendVarchar(reading.channel ?? '');
  appender.appendBigInt(BigInt(Math.round(reading.time)));
  appendDouble(appender, typeof value === 'number' ? value : undefined);
  appendText(appender, typeof value === 'string' ? value : undefined);
  appender.appendUTinyInt(reading.quality);
  appender.appendVarchar(reading.vouchedBy);
  appender.appendBigInt(BigInt(reading.seq));
  appender.appendBigInt(batch);
  appendText(appender, reading.agency);
  appendText(appender, reading.area);
  appender.endRow();
}

function appendLink(appender: DuckDBAppender, link: LinkSample, batch: bigint): void {
  appender.appendVarchar(link.device);
  appender.appendVarchar(link.gateway);
  appender.appendBigInt(BigInt(Math.round(link.time)));
  appender.appendBigInt(BigInt(link.seq));
  appender.appendBigInt(batch);
  appendCount(appender, link.fCnt);
  appendDouble(appender, link.rssi);
  appendDouble(appender, link.snr);
  appendCount(appender, link.spreadingFactor);
  appendDouble(appender, link.rsrp);
  appendDouble(appender, link.rsrq);
  appendDouble(appender, link.sinr);
  appender.endRow();
}

function appendDouble(appender: DuckDBAppender, value: number | undefined): void {
  if (value === undefined) appender.appendNull();
  else appender.appendDouble(value);
}

function appendCount(appender: DuckDBAppender, value: number | undefined): void {
  if (value === undefined) appender.appendNull();
  else appender.appendUInteger(value);
}

function appendText(appender: DuckDBAppender, value: string | undefined): void {
  if (value === undefined) appender.appendNull();
  else appender.appendVarchar(value);
}

function lowestSeq(records: RecordBatch): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const reading of records.readings) lowest = Math.min(lowest, reading.seq);
  for (const link of records.links) lowest = Math.min(lowest, link.seq);
  return lowest;
}

function highestSeqOf(records: RecordBatch): number {
  let highest = 0;
  for (const reading of records.readings) highest = Math.max(highest, reading.seq);
  for (const link of records.links) highest = Math.max(highest, link.seq);
  return highest;
}
