/** A worker thread that follows the ledger and posts what it sees, until it has seen enough. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { compiled, directory, until } = workerData;
const { openLedgerReader } = await import(join(compiled, 'lmdb-reader.js'));
const reader = openLedgerReader({ directory });
let cursor = 0;
while (cursor < until) {
  const page = reader.read(cursor, 50);
  if (page.length > 0) parentPort.postMessage(page.map(({ seq }) => seq));
  cursor = page.at(-1)?.seq ?? cursor;
}
await reader.close();
