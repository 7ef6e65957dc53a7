import { describe, expect, it } from '@jest/globals';
import type { AgainJob } from '../../gateway/pipeline/derive-again.ts';
import { createPassedOver } from '../../gateway/pipeline/passed-over.ts';
import { until } from '../setup/gateway-process.ts';

/** Jobs end when the test says so. */
function createAgain() {
  const jobs: AgainJob[] = [];
  let end = () => {};
  return {
    jobs,
    end: () => end(),
    start(job: AgainJob): Promise<void> {
      jobs.push(job);
      return new Promise((resolve) => (end = resolve));
    },
    async stop() {
      end();
    },
  };
}

describe('What a pass had no time for', () => {
  it('is derived again by itself, one codec after the other, and nothing else is', async () => {
    const again = createAgain();
    const passedOver = createPassedOver(again, { afterMs: 1 });
    for (const seq of [7, 3, 9]) passedOver.note('one', seq);
    passedOver.note('other', 4);
    await until('the first begins', () => again.jobs.length === 1);
    expect(again.jobs).toEqual([{ from: 3, to: 9, codec: 'one', seqs: new Set([3, 7, 9]) }]);
    again.end();
    await until('the next begins', () => again.jobs.length === 2);
    expect(again.jobs[1]).toEqual({ from: 4, to: 4, codec: 'other', seqs: new Set([4]) });
    passedOver.note('one', 12);
    again.end();
    await until('what came meanwhile begins', () => again.jobs.length === 3);
    expect(again.jobs[2]).toEqual({ from: 12, to: 12, codec: 'one', seqs: new Set([12]) });
    await passedOver.stop();
  });

  it('is remembered for 10,000 uplinks at most', async () => {
    const again = createAgain();
    const passedOver = createPassedOver(again, { afterMs: 1 });
    for (let seq = 1; seq <= 10_001; seq += 1) passedOver.note('one', seq);
    await until('it begins', () => again.jobs.length === 1);
    expect(again.jobs[0]?.to).toBe(10_000);
    await passedOver.stop();
  });

  it('waits for nothing once it is stopped', async () => {
    const again = createAgain();
    const passedOver = createPassedOver(again, { afterMs: 1 });
    passedOver.note('one', 1);
    passedOver.note('other', 2);
    await until('the first begins', () => again.jobs.length === 1);
    await passedOver.stop();
    passedOver.note('one', 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(again.jobs).toHaveLength(1);
  });
});
