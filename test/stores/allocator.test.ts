import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { giveBackFreePages } from '../../gateway/stores/embedded/allocator.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function ownMb(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

/** Two hundred megabytes below the size of a mapping of its own; one block in 300 stays. */
async function leaveHoles(): Promise<readonly Buffer[]> {
  const blocks = Array.from({ length: 30_000 }, () => Buffer.allocUnsafeSlow(7_000).fill(1));
  const kept = blocks.filter((_, index) => index % 300 === 0);
  blocks.length = 0;
  for (let time = 0; time < 3; time += 1) {
    collectGarbage();
    await sleep(50);
  }
  return kept;
}

describe('Free pages of the C library', () => {
  it('go back to the system though blocks among them are in use, as DuckDB closes', async () => {
    const kept = await leaveHoles();
    const before = ownMb();
    await giveBackFreePages();
    expect(before - ownMb()).toBeGreaterThan(100);
    expect(kept.every((block) => block.every((byte) => byte === 1))).toBe(true);
  });
});
