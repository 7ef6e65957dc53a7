/**
 * Accepts one message for each line it reads and answers with the outcome, or with the error's
 * name. Arguments: the compiled ledger, the data directory.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [compiled, directory] = process.argv.slice(2);
const { openLedger } = await import(join(compiled, 'lmdb-ledger.js'));
const { LedgerUnavailable } = await import(join(compiled, 'ledger.js'));
const ledger = await openLedger({ directory });

for await (const line of createInterface({ input: process.stdin })) {
  const sender = { credential: 'c', connection: '1', vouches: 'credential' };
  const item = { kind: 'payload', adapter: 'modem', deviceId: 'd', vouchedBy: 'mic', rxInfo: [] };
  const body = Buffer.from(line.padEnd(5_000, '.'));
  const inbound = { transport: 'mqtt', route: 'r', body, receivedAt: 1, sender, dup: false };
  // Ten at once, so that a group fails as a whole.
  const parts = Array.from({ length: 10 }, (_, part) =>
    ledger.accept({ inbound, items: [{ ...item, messageKey: `${line} ${part}` }] }).then(
      ([receipt]) => receipt.outcome,
      (error) => (error instanceof LedgerUnavailable ? 'unavailable' : String(error)),
    ),
  );
  console.log([...new Set(await Promise.all(parts))].join(' '));
}
await ledger.close();
