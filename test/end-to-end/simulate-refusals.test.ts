/** What an operator hears of a simulation that cannot be right. */
import { describe, expect, it } from '@jest/globals';
import { runProgram } from './program.ts';

describe('A simulation that cannot be right', () => {
  it.each([
    [['--to', 'ftp://127.0.0.1'], 2, 'ftp://127.0.0.1 begins with none of mqtt://'],
    [['--to', 'mqtt://127.0.0.1:1', '--to', 'mqtt://127.0.0.1:2'], 2, 'two targets for mqtt'],
    [['--to', 'mqtt://name:word@127.0.0.1'], 2, 'a target holds no name or password'],
    [['--dry-run', '--scenario', 'none.yaml'], 2, '--scenario none.yaml: no such file'],
    [['--to', 'mqtt://127.0.0.1', '--accounts', 'none.yaml'], 2, 'none.yaml: no such file'],
  ])('is refused: %j', async (words, code, sentence) => {
    const ending = await runProgram('simulate', ...words);
    expect([ending.code, ending.stderr]).toEqual([code, expect.stringContaining(sentence)]);
    expect(ending.stderr).not.toMatch(/E[A-Z]{5}/);
  });
});
