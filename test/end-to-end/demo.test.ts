/** `npm run demo` as people start it, for a few seconds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

describe('The demonstration', () => {
  it('ends well, with everything stored: of the city, and of the devices that join', async () => {
    const words = ['--no-open', '--port', '0', '--backfill', '1', '--devices', '12'];
    const child = spawn(
      process.execPath,
      [resolve('dist/simulators/demo.js'), ...words, '--joining', '5', '--for', '20s'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, text]).toEqual([0, expect.stringContaining('with 17 simulated devices')]);
    expect(text).toMatch(/Joining: {2}[1-9]\d* joins of 5 devices/);
    expect(text).toMatch(/Store: {4}\d+ points/);
    expect(text).not.toContain('Faults:');
  }, 60_000);
});
