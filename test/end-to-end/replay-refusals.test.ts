/** What an operator hears of a replay that cannot be right. */
import { describe, expect, it } from '@jest/globals';
import { runProgram } from './program.ts';

describe('A replay that cannot be right', () => {
  it.each([
    [['none.ndjson'], 2, 'give either --to URL or --dry-run'],
    [['none.ndjson', '--dry-run', '--speed', '0'], 2, '0.001 to 1000000'],
    [['none.ndjson', '--dry-run', '--shift', 'soon'], 2, '`now`, or a number'],
    [['none.ndjson', '--dry-run', '--filter', 'colour=red'], 2, 'none of via'],
    [['none.ndjson', '--dry-run', '--paused'], 2, 'needs a terminal'],
    [['package.json', '--dry-run'], 1, 'it is not JSON'],
    [['none.ndjson', '--dry-run'], 2, 'fieldgate: none.ndjson: no such file'],
    [['test', '--dry-run'], 2, 'is a directory, not a file'],
  ])('is refused: %j', async (words, code, sentence) => {
    const ending = await runProgram('replay', ...words);
    expect([ending.code, ending.stderr]).toEqual([code, expect.stringContaining(sentence)]);
  });
});
