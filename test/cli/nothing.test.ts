/** Commands that ask a gateway which has nothing to tell, or none at all. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningDashboard, startDashboard } from '../dashboard/running-dashboard.ts';
import { openCommandRoom } from './command-room.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  // It builds the program where none is.
  openCommandRoom().remove();
  dashboard = await startDashboard();
}, 120_000);

afterAll(() => dashboard.stop());

/** Beside this process, which is the gateway that is asked. */
function run(...words: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const program = resolve('dist/gateway/cli/fieldgate.js');
  const env = { PATH: process.env['PATH'], FIELDGATE_TOKEN: dashboard.tokens.admin };
  return new Promise((done) => {
    execFile(process.execPath, [program, ...words], { env }, (_error, stdout, stderr) =>
      done({ stdout, stderr }),
    );
  });
}

describe('A command that finds nothing', () => {
  it.each([
    [['unmapped'], 'no field without a place in the vocabulary has come\n'],
    [
      ['unmapped', '--codec', 'a'],
      'no field without a place in the vocabulary has come of these\n',
    ],
    [['unmapped', '--yaml'], 'mapping: []\n'],
    [['models', 'list'], 'no models are known\n'],
    [['models', 'list', '--find', 'a'], 'no models fit\n'],
    [['models', 'list', '--json'], ''],
    [['unmapped', '--json'], ''],
  ])('says so: %p', async (words, said) => {
    expect(await run(...words, '--url', dashboard.base)).toEqual({ stdout: said, stderr: '' });
  });

  it('says that no gateway answers', async () => {
    const { stderr } = await run('unmapped', '--url', 'http://127.0.0.1:2');
    expect(stderr).toContain('no gateway answers at http://127.0.0.1:2');
    expect(stderr).toContain('nothing listens there: start it, or give another address');
  });
});
