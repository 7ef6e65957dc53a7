/**
 * The C library keeps what was freed between two blocks that are in use: after ten thousand TLS
 * connections that may be 200 MB. It gives those pages back only when it is asked to (glibc's
 * `malloc_trim`), and DuckDB asks when it closes a database (1.5.6, seen). So an empty one is
 * opened and closed. Holds up the thread that calls for some 30 ms; elsewhere than with glibc it
 * does nothing.
 */
import { DuckDBInstance } from '@duckdb/node-api';

export async function giveBackFreePages(): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  instance.closeSync();
}
