/** How much time scripts may lose, by a clock that the test sets. */
import { describe, expect, it } from '@jest/globals';
import { createPatience, type LateCall } from '../../gateway/codecs/patience.ts';

const late = (lostMs: number, isKilled = false): LateCall => ({
  ...{ lostMs, isKilled },
  reason: 'ran longer than it may',
});

const data = (slowMs: number) => ({ slowMs, hasData: true });

function atClock() {
  let time = 0;
  const patience = createPatience(100, () => time);
  const limitOf = (key: string) => {
    const turn = patience.turnOf(key);
    return 'isLeftAlone' in turn ? 'left alone' : turn.timeLimitMs;
  };
  const wait = (ms: number) => {
    time += ms;
  };
  return { patience, limitOf, wait };
}

describe('Patience with scripts', () => {
  it('gives each call the whole limit as long as nobody is late', () => {
    const { patience, limitOf } = atClock();
    patience.answered('good', data(0));
    expect([limitOf('good'), limitOf('new')]).toEqual([100, 100]);
  });

  it('takes what is lost from all, leaves the proven more, and fills up again', () => {
    const { patience, limitOf, wait } = atClock();
    patience.answered('good', data(0));
    patience.late('bad', late(70));
    expect([limitOf('good'), limitOf('bad')]).toEqual([30, 30]);
    patience.late('bad', late(90));
    expect([limitOf('good'), limitOf('new')]).toEqual([20, 10]);
    wait(500);
    expect(limitOf('new')).toBe(50);
    wait(60_000);
    expect(limitOf('new')).toBe(100);
  });

  it('charges slow calls that are answered, too', () => {
    const { patience, limitOf } = atClock();
    patience.answered('slow', data(70));
    expect(limitOf('new')).toBe(30);
  });

  it('leaves a script alone after three late calls, and after one when all is lost', () => {
    const { patience, limitOf } = atClock();
    expect([1, 2, 3].map(() => patience.late('first', late(10)))).toEqual([
      ...[undefined, undefined, 5_000],
    ]);
    expect(patience.late('second', late(100))).toBe(5_000);
    expect([limitOf('first'), limitOf('second'), limitOf('new')]).toEqual([
      ...['left alone', 'left alone', 10],
    ]);
  });

  it('counts a call that cost its thread twice', () => {
    const { patience } = atClock();
    patience.answered('killer', data(0));
    expect(patience.late('killer', late(100, true))).toBeUndefined();
    expect(patience.late('killer', late(10))).toBe(5_000);
  });

  it('takes answers without data for no proof', () => {
    const { patience } = atClock();
    patience.answered('failing', { slowMs: 95, hasData: false });
    expect(patience.late('failing', late(10))).toBe(5_000);
  });

  it('forgets late calls of long ago', () => {
    const { patience, wait } = atClock();
    const lateTwice = () => [1, 2].map(() => patience.late('bad', late(10)));
    expect(lateTwice()).toEqual([undefined, undefined]);
    wait(61_000);
    expect(lateTwice()).toEqual([undefined, undefined]);
    expect(patience.late('bad', late(10))).toBe(5_000);
  });

  it('tries a script with one call, and leaves it alone for longer each time', () => {
    const { patience, limitOf, wait } = atClock();
    const periods: (number | undefined)[] = [];
    patience.late('bad', late(10, true));
    periods.push(patience.late('bad', late(10, true)));
    for (let times = 0; times < 9; times += 1) {
      wait((periods.at(-1) ?? 0) - 1);
      expect(limitOf('bad')).toBe('left alone');
      wait(1);
      expect(patience.turnOf('bad')).toMatchObject({ callsMax: 1 });
      periods.push(patience.late('bad', late(10)));
    }
    expect(periods).toEqual([
      ...[5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000],
      ...[600_000, 600_000, 600_000],
    ]);
  });

  it('calls a script as before once it has answered, and forgives it in time', () => {
    const { patience, wait } = atClock();
    const strikeOut = () => [1, 2, 3].map(() => patience.late('bad', late(10))).at(-1);
    expect(strikeOut()).toBe(5_000);
    wait(5_000);
    patience.turnOf('bad');
    patience.answered('bad', data(0));
    expect(patience.turnOf('bad')).toMatchObject({ callsMax: Number.POSITIVE_INFINITY });
    expect(strikeOut()).toBe(10_000);
    wait(2_000_000);
    patience.turnOf('bad');
    patience.answered('bad', data(0));
    patience.turnOf('bad');
    expect(strikeOut()).toBe(5_000);
  });

  it('remembers so many scripts, and no more', () => {
    const { patience, limitOf } = atClock();
    patience.late('bad', late(100, true));
    for (let at = 0; at < 1_999; at += 1) patience.answered(`other ${at}`, data(0));
    expect(limitOf('bad')).toBe('left alone');
    for (let at = 0; at < 2_000; at += 1) patience.answered(`another ${at}`, data(0));
    expect(limitOf('bad')).not.toBe('left alone');
  });
});
