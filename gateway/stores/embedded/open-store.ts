/**
 * Opens the embedded store: one DuckDB file, for installations without an InfluxDB.
 *
 * DuckDB opens a file once per process and takes a lock against other processes: writer and reader
 * share one instance, so both live on the thread that opened it (the derive worker), and other
 * threads ask that thread. Queries and commits run on DuckDB's own threads; appending does not.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import type { OnRejected } from '../admission.ts';
import type { ReadingReader } from '../store.ts';
import { createEmbeddedReader } from './reader.ts';
import { prepareSchema } from './schema.ts';
import { createEmbeddedWriter, type EmbeddedWriter } from './writer.ts';

export interface EmbeddedStoreOptions {
  /** A path, or `:memory:`. */
  readonly file: string;
  /** DuckDB's own limit; sorting spills to disk beyond it. At least 64. */
  readonly memoryLimitMb: number;
  readonly threads: number;
  /** Recent rows that are sorted away together; see writer.ts. */
  readonly runRows?: number;
  readonly onRejected?: OnRejected;
}

export interface EmbeddedStore {
  readonly writer: EmbeddedWriter;
  readonly reader: ReadingReader;
  /** Waits for work that was asked for, writes everything into the file and releases it. */
  close(): Promise<void>;
}

/** A run of this many rows pauses writing for half a second on two cores. */
const defaultRunRows = 500_000;

/** Rejects when the file is held by another process, damaged, or of another schema version. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const instance = await DuckDBInstance.create(options.file, {
    memory_limit: `${options.memoryLimitMb}MB`,
    threads: String(options.threads),
    // What is not built in would be fetched from the network, unasked and unverified by us.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    return await assemble(instance, options);
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function assemble(
  instance: DuckDBInstance,
  options: EmbeddedStoreOptions,
): Promise<EmbeddedStore> {
  const writing = await instance.connect();
  await prepareSchema(writing);
  const reading = await instance.connect();
  const writer = await createEmbeddedWriter({
    connection: writing,
    onRejected: options.onRejected ?? (() => {}),
    runRows: options.runRows ?? defaultRunRows,
  });
  const reader = createEmbeddedReader(reading);
  return {
    writer,
    reader,
    async close() {
      await Promise.all([writer.close(), reader.close()]);
      await writing.run('CHECKPOINT');
      reading.closeSync();
      writing.closeSync();
      instance.closeSync();
    },
  };
}
