/** When memory is given back: after growth, in quiet moments, and again where nothing grows. */
import { describe, expect, it } from '@jest/globals';
import { createHeapRest } from '../../gateway/operation/heap-rest.ts';

const mib = 2 ** 20;

/** One look after the other, each with the memory and the work of that moment. */
function startRest() {
  const now = { ownMb: 100, busyShare: 0.1 };
  const said: (boolean | 'pages')[] = [];
  const done: { before: number; after: number }[] = [];
  const rest = createHeapRest({
    ownBytes: () => now.ownMb * mib,
    busyShare: () => now.busyShare,
    saveMemory: (isSaving) => said.push(isSaving),
    giveBackFreePages: () => said.push('pages'),
    onDone: ({ before, after }) => done.push({ before: before / mib, after: after / mib }),
  });
  const look = (ownMb: number, { times = 1, busyShare = 0.1 } = {}) => {
    Object.assign(now, { ownMb, busyShare });
    for (let time = 0; time < times; time += 1) rest.look();
  };
  return { look, said, done };
}

describe('Memory that has grown', () => {
  it('is saved for some looks, then free pages are given back, and then no more', () => {
    const { look, said, done } = startRest();
    look(100);
    look(228);
    expect(said).toEqual([]);
    look(600);
    expect(said).toEqual([true]);
    look(350, { times: 4 });
    expect(said).toEqual([true, false, 'pages']);
    expect(done).toEqual([]);
    look(150);
    expect(done).toEqual([{ before: 600, after: 150 }]);
    look(250, { times: 20 });
    expect(said).toEqual([true, false, 'pages']);
  });

  it('stays while there is work to do, and goes when that is over', () => {
    const { look, said } = startRest();
    look(100);
    look(900, { times: 50, busyShare: 0.9 });
    expect(said).toEqual([]);
    look(900);
    expect(said).toEqual([true]);
  });

  it('is saved no more as soon as there is work, and once that is over', () => {
    const { look, said, done } = startRest();
    look(100);
    look(600);
    look(500, { busyShare: 0.9 });
    expect(said).toEqual([true, false]);
    expect(done).toEqual([]);
    look(500);
    expect(said).toEqual([true, false, true]);
  });

  it('and is needed is left alone, but looked after now and then, ever more seldom', () => {
    const { look, said, done } = startRest();
    const once = [true, false, 'pages'];
    look(100);
    look(600, { times: 6 });
    expect(done).toEqual([{ before: 600, after: 600 }]);
    for (const [times, looks] of [4, 8, 16, 32, 60, 60].entries()) {
      look(600, { times: looks - 1 });
      expect(said).toHaveLength((times + 1) * once.length);
      look(600, { times: 6 });
      expect(done).toHaveLength(times + 2);
    }
  });

  it('anew is looked after as often as the first time', () => {
    const { look, done } = startRest();
    look(100);
    look(600, { times: 6 });
    look(600, { times: 500 });
    const times = done.length;
    look(1_000, { times: 6 });
    look(1_000, { times: 4 + 5 });
    expect(done).toHaveLength(times + 2);
  });

  it('and still goes away is looked after every ten seconds', () => {
    const { look, done } = startRest();
    look(100);
    look(1_400, { times: 5 });
    look(1_000);
    look(1_000, { times: 2 + 4 });
    look(600);
    expect(done).toEqual([
      { before: 1_400, after: 1_000 },
      { before: 1_000, after: 600 },
    ]);
    look(600, { times: 2 + 5 });
    expect(done).toHaveLength(3);
  });

  it('and has gone by itself counts from where it is', () => {
    const { look, said } = startRest();
    look(600);
    look(200);
    look(320);
    expect(said).toEqual([]);
    look(330);
    expect(said).toEqual([true]);
  });
});
