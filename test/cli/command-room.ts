/** The compiled command line in a directory of its own, as each suite of a command starts it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const program = resolve('dist/gateway/cli/fieldgate.js');
const config = 'version: 1\ndataDir: data\n';

export interface CommandRoom {
  /** The path of a file in the directory. */
  at(name: string): string;
  run(words: readonly string[], input?: string, environment?: Record<string, string>): Ended;
  remove(): void;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function openCommandRoom(): CommandRoom {
  if (!existsSync(program)) execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json']);
  const directory = mkdtempSync(join(tmpdir(), 'fieldgate-cli-'));
  writeFileSync(join(directory, 'gateway.yaml'), config);
  return {
    at: (name) => join(directory, name),
    run(words, input = '', environment = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
        ...{ cwd: directory, input, encoding: 'utf8' },
        env: { PATH: process.env['PATH'], ...environment },
      });
      return { status, stdout, stderr };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
