/**
 * Accepts as fast as it can and prints the number of each acknowledged message on a line of its
 * own, until it is killed. Arguments: the compiled ledger, the data directory, the first number.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';

const [compiled, directory, first] = process.argv.slice(2);
const { openLedger } = await import(join(compiled, 'lmdb-ledger.js'));
const ledger = await openLedger({ directory });
let next = Number(first);

async function send() {
  for (;;) {
    const number = next++;
    const body = Buffer.from(`message ${number} ${'.'.repeat(number % 3_000)}`);
    const sender = { credential: 'c', connection: '1', vouches: 'credential' };
    const item = { kind: 'payload', adapter: 'modem', deviceId: 'd', vouchedBy: 'mic', rxInfo: [] };
    const frame = { ...item, devAddr: '01020304', fCnt: number, phyPayload: Buffer.from([number]) };
    await ledger.accept({
      inbound: { transport: 'mqtt', route: 'r', body, receivedAt: Date.now(), sender, dup: false },
      items: [number % 2 === 0 ? { ...item, messageKey: `key ${number}` } : frame],
    });
    say(`${number}\n`);
  }
}

/** A reader that is slow for a moment is waited for. */
function say(line) {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

process.stdout.on('error', () => {});
for (let sender = 0; sender < 100; sender += 1) void send();
