import { describe, expect, it } from '@jest/globals';
import type { SentMessage } from '../../../simulators/load/history-file.ts';
import { createLoadSource } from '../../../simulators/load/load-message.ts';
import { createComparison, type FoundItem, isSound } from '../../../simulators/load/oracle.ts';

const source = createLoadSource('oracle', 3);
const messages: SentMessage[] = Array.from({ length: 9 }, (_, number) => ({
  ...source.message(number, 1_000 + number),
  isAcknowledged: number !== 8,
}));

function itemOf({ device, fCnt, values }: SentMessage) {
  return { key: `${device} ${fCnt}`, content: JSON.stringify(values) };
}

const all: FoundItem[] = messages.map((message) => ({ ...itemOf(message), place: 'entry' }));

function compare(found: readonly FoundItem[]) {
  const comparison = createComparison(messages, (message) => [itemOf(message)]);
  for (const item of found) comparison.found(item);
  return comparison.result();
}

describe('The oracle of a load', () => {
  it('is content when everything is there once', () => {
    const result = compare(all);
    expect(result).toEqual({
      ...{ found: 9, missing: 0, duplicated: 0, altered: 0, unknown: 0, examples: [] },
    });
    expect(isSound(result)).toBe(true);
  });

  it('misses nothing that was never acknowledged', () => {
    expect(isSound(compare(all.slice(0, 8)))).toBe(true);
  });

  it('names what was acknowledged and is not there', () => {
    const result = compare(all.slice(1));
    expect(result).toMatchObject({ missing: 1, duplicated: 0, altered: 0, unknown: 0 });
    expect(result.examples[0]).toMatch(/^missing: 02f1e1d5/);
    expect(isSound(result)).toBe(false);
  });

  it('names what is there twice, also when nobody acknowledged it', () => {
    const result = compare([...all, ...all.slice(7), ...all.slice(8)]);
    expect(result).toMatchObject({ missing: 0, duplicated: 3, altered: 0 });
    expect(isSound(result)).toBe(false);
  });

  it('names what is there with another value', () => {
    const result = compare(
      all.map((item, index) => (index === 4 ? { ...item, content: '{}' } : item)),
    );
    expect(result).toMatchObject({ missing: 0, duplicated: 0, altered: 1 });
    expect(result.examples).toEqual([expect.stringContaining('is {}, sent {"air_temperature"')]);
    expect(isSound(result)).toBe(false);
  });

  it('names what nobody sent', () => {
    const result = compare([...all, { key: 'x 9', content: '', place: 'entry 7' }]);
    expect(result).toMatchObject({ found: 10, unknown: 1 });
    expect(isSound(result)).toBe(false);
  });

  it('gives a few examples of each and counts them all', () => {
    const strangers = Array.from({ length: 100 }, (_, index) => ({
      ...{ key: `x ${index}`, content: '', place: 'entry' },
    }));
    const result = compare(strangers);
    expect(result).toMatchObject({ missing: 8, unknown: 100 });
    expect(result.examples).toHaveLength(10);
  });
});
