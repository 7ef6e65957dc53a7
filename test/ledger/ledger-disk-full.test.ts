import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { compileLedger } from './compiled-ledger.ts';
import { withDirectory } from './deliveries.ts';

const script = fileURLToPath(new URL('./accept-on-small-disk.mjs', import.meta.url));

let target: string;
let compiled: string;

beforeAll(async () => {
  target = await mkdtemp(join(tmpdir(), 'fieldgate-compiled-'));
  compiled = await compileLedger(target);
});

afterAll(() => rm(target, { recursive: true, force: true }));

/**
 * A limit on the size of a file fails a write as a full disk does, and needs no mount and no root.
 */
function startOnSmallDisk(directory: string): ChildProcessWithoutNullStreams {
  const limited = 'trap "" XFSZ; ulimit -S -f 2048; exec "$0" "$@"';
  return spawn('sh', ['-c', limited, process.execPath, script, compiled, directory]);
}

function giveSpace(child: ChildProcessWithoutNullStreams): void {
  execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
}

describe('A ledger whose disk is full', () => {
  it('rejects whole groups, and takes them when there is space again', async () => {
    await withDirectory(async (directory) => {
      const child = startOnSmallDisk(directory);
      const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const ask = async (line: string): Promise<unknown> => {
        child.stdin.write(`${line}\n`);
        return (await answers.next()).value;
      };
      let accepted = 0;
      while ((await ask(`message ${accepted}`)) === 'accepted') accepted += 1;
      expect(accepted).toBeGreaterThan(0);
      // The first one that failed, again: it is refused and not half known.
      expect(await ask(`message ${accepted}`)).toBe('unavailable');
      const reader = openLedgerReader({ directory });
      expect(reader.head()).toBe(accepted * 10);
      giveSpace(child);
      expect(await ask(`message ${accepted}`)).toBe('accepted');
      expect(await ask(`message ${accepted}`)).toBe('redelivery');
      expect(await ask('message 0')).toBe('redelivery');
      expect(reader.head()).toBe(accepted * 10 + 10);
      await reader.close();
      const closed = once(child, 'close');
      child.stdin.end();
      expect(await closed).toEqual([0, null]);
    });
  });
});
