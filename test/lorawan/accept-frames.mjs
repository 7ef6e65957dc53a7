/**
 * A gateway's way from raw frame to disk in a process of its own, to be killed. Reads a reception a
 * line as JSON, writes what became of it, a line each. Arguments: the compiled gateway, the data
 * directory, the time, and the sessions as JSON with their keys in hex.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [compiled, directory, time, sessionsText] = process.argv.slice(2);
const { openLedger } = await import(join(compiled, 'ledger/lmdb-ledger.js'));
const { verifyDefaults, verifyUplink } = await import(join(compiled, 'lorawan/verify.js'));

const sessions = JSON.parse(sessionsText).map((session) => ({
  ...session,
  keys: Object.fromEntries(
    Object.entries(session.keys).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]),
  ),
}));
let now = Number(time);
const rule = { mode: 'after-silence', fCntMax: 16, silenceMs: 60_000, framesMax: 1_000 };
const ledger = await openLedger({
  ...{ directory, clock: { now: () => now }, resetRuleOf: () => rule },
});

async function accept({ time, gatewayId, hex }) {
  now = time;
  const phyPayload = Buffer.from(hex, 'hex');
  const verified = verifyUplink(
    { kind: 'frame', adapter: 'semtech-udp', phyPayload, rxInfo: [{ gatewayId, rssi: -80 }] },
    (devAddr) => sessions.filter((session) => session.devAddr === devAddr),
    (deviceId, name) => ledger.lastFrameCounter(deviceId, name),
    verifyDefaults,
  );
  if (verified.kind === 'fault') return verified.code;
  const sender = { credential: gatewayId, connection: '1', vouches: 'credential' };
  const body = Buffer.from(`${gatewayId} ${time} ${hex}`);
  const inbound = { transport: 'udp', route: 'r', body, receivedAt: time, sender, dup: false };
  const [receipt] = await ledger.accept({ inbound, items: [verified] });
  return receipt.isReset ? 'reset' : receipt.outcome;
}

process.stdout.write('open\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await accept(JSON.parse(line))}\n`);
}
