/** Opens the InfluxDB store. */
import type { OnRejected } from '../admission.ts';
import type { ReadingReader, RecordWriter } from '../store.ts';
import { createInfluxReader } from './reader.ts';
import { connectInflux, type InfluxServerOptions, NotInfluxDb } from './server.ts';
import { createInfluxWriter } from './writer.ts';

export interface InfluxStoreOptions extends InfluxServerOptions {
  readonly onRejected?: OnRejected;
}

export interface InfluxStore {
  readonly writer: RecordWriter;
  readonly reader: ReadingReader;
  close(): Promise<void>;
}

/**
 * Rejects with NotInfluxDb when the server answers and is none. A server that is down does not keep
 * the gateway from starting: writes reject until it is there, and `reader.ping()` says why.
 */
export async function openInfluxStore(options: InfluxStoreOptions): Promise<InfluxStore> {
  const server = connectInflux(options);
  await server.ping().catch((error: unknown) => {
    if (error instanceof NotInfluxDb) throw error;
  });
  const writer = createInfluxWriter({ server, onRejected: options.onRejected ?? (() => {}) });
  const reader = createInfluxReader(server);
  return {
    writer,
    reader,
    async close() {
      await writer.close();
      await reader.close();
    },
  };
}
