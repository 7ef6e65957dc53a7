/** However the program is started, Node and the C library under it are told the same. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startGatewayProcess } from '../setup/gateway-process.ts';
import { readStartWords, startWords } from '../setup/start-words.ts';
import { openCommandRoom } from './command-room.ts';

describe('The start of the gateway', () => {
  it('is the same by its first line as by `npm start`', () => {
    const [firstLine = ''] = readFileSync('gateway/cli/fieldgate.ts', 'utf8').split('\n');
    expect(firstLine).toMatch(/^#!\/usr\/bin\/env -S /u);
    expect(readStartWords(firstLine)).toEqual(startWords());
  });

  it('has the C library give back what is free above 16 MiB, and map large pieces apart', async () => {
    // It builds the program where none is.
    openCommandRoom().remove();
    const gateway = await startGatewayProcess();
    try {
      const environment = readFileSync(resolve('/proc', String(gateway.pid), 'environ'), 'utf8');
      expect(environment.split('\0')).toContain('MALLOC_TRIM_THRESHOLD_=16777216');
    } finally {
      await gateway.stop();
    }
  });
});
