/**
 * A disk that is full, really: a small tmpfs. Nothing is acknowledged while it is, the gateway says
 * why, and it goes on by itself once there is room again.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeAble } from '../setup/tools.ts';
import { modemId, mqttClients } from './accounts.ts';
import { isAllStored, readinessOf, readingsOf, uplinksAfter } from './gateway-api.ts';
import { sendOne } from './one-message.ts';

/** The files of a new gateway, and more than the ledger leaves free. */
const diskMb = 192;
const ballastBytes = 100_000;
/** Less than `ledger.diskReserveBytes`. */
const leftBytes = 16_777_216;

/** Leaves so much of the disk free; 0 fills it to its last byte. */
async function fill(path: string, leaveBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const bytes = Buffer.alloc(1_048_576);
  const file = await open(path, 'w');
  for (let left = bavail * bsize - leaveBytes; left > 0; ) {
    // What the gateway has written meanwhile is missing at the end: then it is full already.
    const written = await file.write(bytes, 0, Math.min(bytes.length, left)).catch(() => undefined);
    left = written === undefined ? 0 : left - written.bytesWritten;
  }
  await file.close();
}

describeAble('mount', 'A gateway whose disk is full', () => {
  let gateway: GatewayProcess;
  let directory: string;
  const qosOf = (value: number) => (value % 2 === 0 ? 1 : 2);
  const isReady = async () => (await readinessOf(gateway)).status === 200;
  const ledgerReason = async () => {
    const { dependencies } = await readinessOf(gateway);
    return dependencies.find(({ name }) => name === 'ledger')?.reason;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fieldgate-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m`, 'tmpfs', directory]);
    gateway = await startGatewayProcess({ directory, config: { mqtt: { clients: mqttClients } } });
    await until('it is ready', isReady);
  }, 60_000);
  afterAll(async () => {
    await gateway.kill('SIGTERM');
    execFileSync('umount', [directory]);
    await rmdir(directory);
  });

  it('acknowledges while there is room', async () => {
    for (let value = 0; value < 10; value += 1) {
      expect(await sendOne(gateway, { value, qos: qosOf(value), ballastBytes })).toBe(true);
    }
  });

  it.each([
    ['with less room than it leaves free', leftBytes, 10],
    ['on a disk that is full to its last byte', 0, 30],
  ])('acknowledges nothing at QoS 1 and 2 %s, and says why', async (_name, leaveBytes, first) => {
    await until('everything is stored', () => isAllStored(gateway));
    const head = await gateway.metric('fieldgate_ledger_seq');
    await fill(join(directory, 'ballast'), leaveBytes);
    for (let value = first; value < first + 10; value += 1) {
      expect(await sendOne(gateway, { value, qos: qosOf(value), ballastBytes })).toBe(false);
    }
    expect((await readinessOf(gateway)).status).toBe(503);
    expect(await ledgerReason()).toMatch('The disk is full');
    expect((await fetch(`${gateway.http}/healthz/live`)).status).toBe(200);
    expect(await gateway.metric('fieldgate_ledger_seq')).toBe(head);
    await rm(join(directory, 'ballast'));
    // Nobody has sent anything: whoever asks whether it is ready makes it try.
    await until('it is ready', isReady);
    for (let value = first; value < first + 10; value += 1) {
      const message = { value, qos: qosOf(value), ballastBytes, dup: true } as const;
      expect(await sendOne(gateway, message)).toBe(true);
    }
  });

  it('has each of them once in the ledger and in the store', async () => {
    const entries = await uplinksAfter(gateway, 0);
    expect(entries.map(({ outcome }) => outcome)).toEqual(Array(30).fill('accepted'));
    await until('everything is stored', () => isAllStored(gateway));
    const readings = await readingsOf(gateway, modemId, 'illuminance');
    const numbers = (from: number) => Array.from({ length: 10 }, (_, index) => from + index);
    expect(readings.map(({ value }) => value)).toEqual([0, 10, 30].flatMap(numbers));
  });
});
