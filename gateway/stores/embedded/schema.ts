/**
 * The tables of the embedded store and how rows move between them.
 *
 * Rows are appended to `telemetry_recent` as they come: no index is paid for. From time to time all
 * of them move as one run, sorted by device, to `telemetry_settled`. DuckDB keeps the least and the
 * greatest value of each column for every 122,880 rows, so that a query for one device skips nearly
 * all of a sorted run. For text it keeps only the first eight bytes, which all devices of one maker
 * share, hence the numeric `shelf`: a hash of the device id that sorts and prunes.
 *
 * A point that was written twice is there twice until a run is made; readers take the row with the
 * highest `seq`, then of the latest `batch`.
 */
import type { DuckDBConnection } from '@duckdb/node-api';

/** Raised whenever a table changes; an older file is dropped and derived again. */
const schemaVersion = 1;

const telemetryColumns = `shelf UINTEGER NOT NULL, device VARCHAR NOT NULL,
  quantity VARCHAR NOT NULL, channel VARCHAR NOT NULL, time BIGINT NOT NULL, value DOUBLE,
  state VARCHAR, quality UTINYINT NOT NULL, vouched_by VARCHAR NOT NULL, seq BIGINT NOT NULL,
  batch BIGINT NOT NULL, agency VARCHAR, area VARCHAR`;

const linkColumns = `device VARCHAR NOT NULL, gateway VARCHAR NOT NULL, time BIGINT NOT NULL,
  seq BIGINT NOT NULL, batch BIGINT NOT NULL, f_cnt UINTEGER, rssi DOUBLE, snr DOUBLE,
  spreading_factor UINTEGER, rsrp DOUBLE, rsrq DOUBLE, sinr DOUBLE`;

const pointOrder = 'PARTITION BY device, quantity, channel, time ORDER BY seq DESC, batch DESC';
const linkOrder = 'PARTITION BY device, gateway, time ORDER BY seq DESC, batch DESC';

/** The views `telemetry` and `link` hold every point once, for whoever reads the file with SQL. */
const statements = [
  'CREATE TABLE IF NOT EXISTS store_schema (version INTEGER NOT NULL)',
  `CREATE TABLE IF NOT EXISTS telemetry_recent (${telemetryColumns})`,
  `CREATE TABLE IF NOT EXISTS telemetry_settled (${telemetryColumns})`,
  `CREATE TABLE IF NOT EXISTS link_recent (${linkColumns})`,
  `CREATE TABLE IF NOT EXISTS link_settled (${linkColumns})`,
  `CREATE OR REPLACE VIEW telemetry AS SELECT device, quantity, channel, time, value, state,
     quality, vouched_by, seq, agency, area
   FROM (FROM telemetry_settled UNION ALL FROM telemetry_recent)
   QUALIFY row_number() OVER (${pointOrder}) = 1`,
  `CREATE OR REPLACE VIEW link AS SELECT * EXCLUDE (batch)
   FROM (FROM link_settled UNION ALL FROM link_recent)
   QUALIFY row_number() OVER (${linkOrder}) = 1`,
];

/** Throws when the file was made by another version of this schema. */
export async function prepareSchema(connection: DuckDBConnection): Promise<void> {
  for (const statement of statements) await connection.run(statement);
  const version = await readNumber(connection, 'SELECT max(version) FROM store_schema');
  if (version === undefined) {
    await connection.run(`INSERT INTO store_schema VALUES (${schemaVersion})`);
  } else if (version !== schemaVersion) {
    throw new Error(
      `the embedded store has schema ${version} and this program writes ${schemaVersion}: ` +
        'remove the file, the ledger fills a new one',
    );
  }
}

/** Where the last process that wrote to this file left off. */
export interface WriterMark {
  readonly batch: number;
  readonly seq: number;
  readonly recentRows: number;
}

export async function readWriterMark(connection: DuckDBConnection): Promise<WriterMark> {
  const both = 'FROM (FROM telemetry_settled UNION ALL FROM telemetry_recent)';
  const links = 'FROM (FROM link_settled UNION ALL FROM link_recent)';
  const [batch, linkBatch, seq, rows, linkRows] = [
    await readNumber(connection, `SELECT max(batch)::DOUBLE ${both}`),
    await readNumber(connection, `SELECT max(batch)::DOUBLE ${links}`),
    await readNumber(connection, `SELECT max(seq)::DOUBLE ${both}`),
    await readNumber(connection, 'SELECT count(*)::DOUBLE FROM telemetry_recent'),
    await readNumber(connection, 'SELECT count(*)::DOUBLE FROM link_recent'),
  ];
  return {
    batch: Math.max(batch ?? 0, linkBatch ?? 0),
    seq: seq ?? 0,
    recentRows: (rows ?? 0) + (linkRows ?? 0),
  };
}

export interface SettleOptions {
  /** Some recent rows may replace settled ones: those are looked for and removed. */
  readonly replaces: boolean;
}

/** Moves all recent rows into one sorted run, each point once; atomic, and readers never notice. */
export async function settle(connection: DuckDBConnection, options: SettleOptions): Promise<void> {
  await transact(connection, async () => {
    if (options.replaces) {
      await removeReplaced(connection, 'telemetry', ['device', 'quantity', 'channel', 'time']);
      await removeReplaced(connection, 'link', ['device', 'gateway', 'time']);
    }
    await connection.run(`INSERT INTO telemetry_settled FROM telemetry_recent
      QUALIFY row_number() OVER (${pointOrder}, rowid DESC) = 1
      ORDER BY shelf, device, quantity, channel, time`);
    await connection.run(`INSERT INTO link_settled FROM link_recent
      QUALIFY row_number() OVER (${linkOrder}, rowid DESC) = 1
      ORDER BY device, gateway, time`);
    await connection.run('DELETE FROM telemetry_recent');
    await connection.run('DELETE FROM link_recent');
  });
  await connection.run('CHECKPOINT');
}

/** Only the time span of the recent rows is searched, and a settled row of a higher seq stays. */
async function removeReplaced(
  connection: DuckDBConnection,
  table: 'telemetry' | 'link',
  key: readonly string[],
): Promise<void> {
  const sameKey = key.map((column) => `old.${column} = fresh.${column}`).join(' AND ');
  await connection.run(`DELETE FROM ${table}_settled AS old USING ${table}_recent AS fresh
    WHERE ${sameKey} AND old.seq <= fresh.seq
      AND old.time >= (SELECT min(time) FROM ${table}_recent)
      AND old.time <= (SELECT max(time) FROM ${table}_recent)`);
}

/** Retention: removes every point with a time before `time`, in epoch milliseconds. */
export async function removeBefore(connection: DuckDBConnection, time: number): Promise<void> {
  await transact(connection, async () => {
    for (const table of ['telemetry_settled', 'telemetry_recent', 'link_settled', 'link_recent']) {
      await connection.run(`DELETE FROM ${table} WHERE time < $1::BIGINT`, [BigInt(time)]);
    }
  });
  await connection.run('CHECKPOINT');
}

/** A failed statement leaves the connection usable and the tables as they were. */
export async function transact(
  connection: DuckDBConnection,
  work: () => Promise<void>,
): Promise<void> {
  await connection.run('BEGIN TRANSACTION');
  try {
    await work();
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function readNumber(connection: DuckDBConnection, sql: string): Promise<number | undefined> {
  const rows = (await connection.runAndReadAll(sql)).getRowsJS();
  const value = rows[0]?.[0];
  return typeof value === 'number' ? value : undefined;
}
