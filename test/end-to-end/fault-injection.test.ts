/**
 * The calls that bring the ledger to its disk are made to fail in the running gateway. After a
 * failed write or flush nothing is acknowledged; what was acknowledged is there after a kill -9.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { failCalls } from '../setup/failing-calls.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeAble } from '../setup/tools.ts';
import { modemId, mqttClients } from './accounts.ts';
import { isAllStored, readinessOf, readingsOf, uplinksAfter } from './gateway-api.ts';
import { sendOne } from './one-message.ts';

const config = { mqtt: { clients: mqttClients } };
const qosOf = (value: number) => (value % 2 === 0 ? 1 : 2);

describeAble('ptrace', 'A gateway whose disk fails', () => {
  let gateway: GatewayProcess;
  let acknowledged: number[];
  let refused: number[];
  let next: number;

  beforeEach(async () => {
    gateway = await startGatewayProcess({ config });
    [acknowledged, refused, next] = [[], [], 0];
    await send(4);
    expect(refused).toEqual([]);
  }, 60_000);
  afterEach(() => gateway.stop());

  /** One after the other, each on a connection of its own. */
  async function send(count: number): Promise<void> {
    for (const end = next + count; next < end; next += 1) {
      const isAcknowledged = await sendOne(gateway, { value: next, qos: qosOf(next) });
      (isAcknowledged ? acknowledged : refused).push(next);
    }
  }

  /** With each commit a system call fails, and so do the messages of the commit. */
  async function sendWhileFailing(inject: string, count = 8): Promise<void> {
    const path = join(gateway.directory, 'data', 'ledger', 'data.mdb');
    const failing = await failCalls(gateway.pid, { path, inject });
    await send(count);
    expect(await failing.stop()).toBeGreaterThan(0);
  }

  const isReady = async () => (await readinessOf(gateway)).status === 200;

  /** Only what the disk holds counts; then all is sent again that was not acknowledged. */
  async function expectOnDisk(): Promise<void> {
    await gateway.kill('SIGKILL');
    gateway = await startGatewayProcess({ config, directory: gateway.directory });
    const before = await valuesInStore();
    expect(before.filter((value) => acknowledged.includes(value))).toEqual(acknowledged);
    for (const value of refused) {
      expect(await sendOne(gateway, { value, qos: qosOf(value), dup: true })).toBe(true);
    }
    const all = Array.from({ length: next }, (_, value) => value);
    expect(await valuesInStore()).toEqual(all);
    expect(await uplinksAfter(gateway, 0, 'outcome=accepted')).toHaveLength(next);
  }

  async function valuesInStore(): Promise<number[]> {
    await until('everything is stored', () => isAllStored(gateway));
    const readings = await readingsOf(gateway, modemId, 'illuminance');
    return readings.map(({ value }) => Number(value));
  }

  it.each([
    ['the flush fails', 'fdatasync:error=EIO'],
    ['the flush finds the disk full', 'fdatasync:error=ENOSPC'],
  ])(
    'acknowledges nothing when %s, and goes on when it does not',
    async (_name, inject) => {
      await sendWhileFailing(inject);
      expect(refused).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
      await until('it is ready without a message', isReady);
      await send(4);
      expect(acknowledged).toEqual([0, 1, 2, 3, 12, 13, 14, 15]);
      await expectOnDisk();
    },
    60_000,
  );

  it('acknowledges what was flushed and nothing else when every other flush fails', async () => {
    await sendWhileFailing('fdatasync:error=EIO:when=1+2');
    expect(refused.length).toBeGreaterThan(1);
    expect(acknowledged.length).toBeGreaterThan(4);
    await expectOnDisk();
  }, 60_000);

  // Whether it goes on depends on which page it was: after the root page, and when the database's
  // native code was harmed by its own error sentence, only a restart helps.
  it.each([
    ['the pages', 'writev:error=EIO'],
    ['the pages or the root page', 'pwrite64:error=EIO'],
    ['anything on a disk that is full', 'writev,pwritev,pwrite64:error=ENOSPC'],
  ])(
    'acknowledges nothing when it cannot write %s',
    async (_name, inject) => {
      for (let round = 0; round < 3 && gateway.isRunning(); round += 1) {
        const before = [...acknowledged];
        await sendWhileFailing(inject, 4);
        expect(acknowledged).toEqual(before);
        await send(1);
      }
      await expectOnDisk();
    },
    60_000,
  );
});
