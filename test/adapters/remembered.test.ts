import { describe, expect, it } from '@jest/globals';
import { remembered } from '../../gateway/adapters/remembered.ts';

function counting(entriesMax: number) {
  const asked: string[] = [];
  const ask = remembered((text) => {
    asked.push(text);
    return text === 'none' ? undefined : text.length;
  }, entriesMax);
  return { ask, asked };
}

describe('A remembered function', () => {
  it('computes once what is asked twice, also where the answer is nothing', () => {
    const { ask, asked } = counting(10);
    expect([ask('rsrp'), ask('rsrp'), ask('none'), ask('none')]).toEqual([
      4,
      4,
      undefined,
      undefined,
    ]);
    expect(asked).toEqual(['rsrp', 'none']);
  });

  it('forgets everything when it is full', () => {
    const { ask, asked } = counting(2);
    for (const text of ['a', 'b', 'c', 'c', 'a']) ask(text);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('holds on to no long text', () => {
    const { ask, asked } = counting(10);
    ask('x'.repeat(65));
    ask('x'.repeat(65));
    expect(asked).toHaveLength(2);
  });
});
