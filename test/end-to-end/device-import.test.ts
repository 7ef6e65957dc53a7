/** An atomic import into the compiled gateway: all devices or none, whenever the process dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GatewayProcess, startGatewayProcess } from '../setup/gateway-process.ts';

/** More than are written in one turn. */
const count = 2_000;
/** So that the kill falls while rows are read, sealed, written, and after. */
const killAfterMs = [40, 120, 200, 300, 450];

describe('An atomic import of many devices', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess();
  }, 60_000);
  afterAll(() => gateway.stop());

  const rowsOf = (round: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: (0x70b3d57e00000000n + BigInt(round * count + index)).toString(16),
      ...{ kind: 'lorawan', activation: 'otaa', joinEui: '70b3d57ed0000000' },
      keys: { appKey: (round * count + index).toString(16).padStart(32, '0') },
    }));

  async function importAll(round: number): Promise<unknown> {
    const response = await fetch(`${gateway.http}/api/v1/devices:import?atomic=true`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${gateway.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(rowsOf(round)),
    });
    return await response.json();
  }

  async function countOf(round: number): Promise<number> {
    const wanted = new Set(rowsOf(round).map(({ id }) => id));
    let found = 0;
    let cursor = '';
    for (;;) {
      const page = pageOf(await gateway.get(`/api/v1/devices?limit=1000${cursor}`));
      for (const { id } of page.items) if (wanted.has(id)) found += 1;
      if (page.nextCursor === undefined) return found;
      cursor = `&cursor=${page.nextCursor}`;
    }
  }

  async function dieAndStartAgain(): Promise<void> {
    await gateway.kill('SIGKILL');
    gateway = await startGatewayProcess({ directory: gateway.directory });
  }

  it('has all of them on disk when it answers', async () => {
    expect(await importAll(0)).toMatchObject({ imported: count, failed: 0 });
    await dieAndStartAgain();
    expect(await countOf(0)).toBe(count);
  }, 60_000);

  it('leaves all or none of them when it is killed meanwhile', async () => {
    const counts: number[] = [];
    for (const [place, afterMs] of killAfterMs.entries()) {
      const answer = importAll(place + 1).catch(() => 'cut off');
      await sleep(afterMs);
      await dieAndStartAgain();
      await answer;
      counts.push(await countOf(place + 1));
    }
    for (const one of counts) expect([0, count]).toContain(one);
    expect(await countOf(0)).toBe(count);
  }, 120_000);
});

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly nextCursor?: string;
}

function pageOf(answer: unknown): Page {
  const page: Page = JSON.parse(JSON.stringify(answer));
  return page;
}
