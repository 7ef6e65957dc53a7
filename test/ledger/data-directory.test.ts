import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { claimDirectory, makeDataDirectory } from '../../gateway/ledger/data-directory.ts';
import { withDirectory } from './deliveries.ts';

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('The data directory', () => {
  it('has one owner at a time, whom a second one is told of', async () => {
    await withDirectory(async (directory) => {
      const claim = await claimDirectory(directory);
      await expect(claimDirectory(directory)).rejects.toThrow(`in use by process ${process.pid}`);
      await expect(claimDirectory(directory)).rejects.toThrow('Stop that process');
      await claim.release();
      await (await claimDirectory(directory)).release();
      expect(await readdir(directory)).toHaveLength(1);
    });
  });

  it('is made when it does not exist', async () => {
    await withDirectory(async (directory) => {
      const claim = await claimDirectory(join(directory, 'new', 'data'));
      await claim.release();
    });
  });

  it('is for nobody else to read, nor are those that are made above it', async () => {
    await withDirectory(async (directory) => {
      makeDataDirectory(join(directory, 'new', 'data'));
      for (const path of [join(directory, 'new'), join(directory, 'new', 'data')]) {
        expect((await stat(path)).mode & 0o777).toBe(0o700);
      }
    });
  });

  it('is refused where a file stands, and where none can be made', async () => {
    await withDirectory(async (directory) => {
      const file = join(directory, 'file');
      await writeFile(file, '');
      await expect(claimDirectory(file)).rejects.toThrow(`${file}: is a file, where a directory`);
      expect(() => makeDataDirectory(join(file, 'data'))).toThrow('ENOTDIR');
    });
    const none = '/proc/fieldgate: no directory can be made there';
    await expect(claimDirectory('/proc/fieldgate/data')).rejects.toThrow(none);
  });

  it('is taken over from a process that is gone', async () => {
    await withDirectory(async (directory) => {
      const pid = await deadPid();
      await writeFile(join(directory, 'owner.41'), JSON.stringify({ pid, startedAt: '123' }));
      await (await claimDirectory(directory)).release();
      expect(await readdir(directory)).toEqual(['owner.42']);
    });
  });

  it('is taken over when the pid is reused by a process that started later', async () => {
    await withDirectory(async (directory) => {
      const owner = { pid: process.pid, startedAt: '1' };
      await writeFile(join(directory, 'owner.1'), JSON.stringify(owner));
      await (await claimDirectory(directory)).release();
    });
  });

  it('is taken over when the owner file says nothing', async () => {
    await withDirectory(async (directory) => {
      await writeFile(join(directory, 'owner.1'), '');
      await (await claimDirectory(directory)).release();
    });
  });

  it('is refused while a process of somebody else owns it', async () => {
    await withDirectory(async (directory) => {
      const stat = await readFile('/proc/1/stat', 'utf8').catch(() => '');
      const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
      await writeFile(join(directory, 'owner.1'), JSON.stringify({ pid: 1, startedAt }));
      await expect(claimDirectory(directory)).rejects.toThrow('in use by process 1.');
    });
  });

  it('goes to exactly one of many that find a stale owner at once', async () => {
    await withDirectory(async (directory) => {
      const pid = await deadPid();
      for (let round = 0; round < 10; round += 1) {
        await writeFile(join(directory, 'owner.1'), JSON.stringify({ pid, startedAt: '123' }));
        const claims = await Promise.allSettled(
          Array.from({ length: 8 }, () => claimDirectory(directory)),
        );
        const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? claim.value : []));
        expect(won).toHaveLength(1);
        await won[0]?.release();
      }
    });
  });

  it('never has two owners while many claim and release it', async () => {
    await withDirectory(async (directory) => {
      let owners = 0;
      let claims = 0;
      const compete = async () => {
        for (let attempt = 0; attempt < 25; attempt += 1) {
          const claim = await claimDirectory(directory).catch(() => undefined);
          if (!claim) continue;
          owners += 1;
          claims += 1;
          expect(owners).toBe(1);
          await new Promise(setImmediate);
          owners -= 1;
          await claim.release();
        }
      };
      await Promise.all(Array.from({ length: 6 }, compete));
      expect(claims).toBeGreaterThan(0);
      expect(await readdir(directory)).toHaveLength(1);
    });
  });

  it('stays with a later owner when a slow claim finds an old number free', async () => {
    await withDirectory(async (directory) => {
      // A pipe holds the claim between its look at the numbers and its link of the next one.
      const pipe = join(directory, 'owner.5');
      execFileSync('mkfifo', [pipe]);
      const slow = claimDirectory(directory);
      const refused = expect(slow).rejects.toThrow('in use by process');
      const handle = await open(pipe, 'w');
      await writeFile(join(directory, 'owner.6'), '');
      const claim = await claimDirectory(directory);
      await handle.writeFile('nothing');
      await handle.close();
      await refused;
      expect(await readdir(directory)).toEqual(['owner.7']);
      await claim.release();
    });
  });

  it('is given up when every attempt is lost to another process', async () => {
    await withDirectory(async (directory) => {
      const claim = claimDirectory(directory, { attemptsMax: 0 });
      await expect(claim).rejects.toThrow('start only one of them');
    });
  });
});
