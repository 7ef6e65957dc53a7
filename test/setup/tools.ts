/** Which programs beyond npm this machine has; machine.mjs has installed what it could before. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';

export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A suite on a program; listed as skipped where it is missing, which machine.mjs forbids in CI. */
export function describeWith(program: string, name: string, suite: () => void): void {
  if (isInstalled(program)) describe(name, suite);
  else describe.skip(`${name} (needs ${program})`, suite);
}

/** A suite on what only this system has; elsewhere it is listed as skipped. */
export function describeOnLinux(name: string, suite: () => void): void {
  if (process.platform === 'linux') describe(name, suite);
  else describe.skip(`${name} (needs Linux)`, suite);
}

/** A suite on something that a sandbox may forbid; machine.mjs has tried it and said so. */
export function describeAble(ability: 'ptrace' | 'mount', name: string, suite: () => void): void {
  const found = process.env['FIELDGATE_TEST_ABILITIES'] ?? '';
  if (found.split(',').includes(ability)) describe(name, suite);
  else describe.skip(`${name} (needs ${ability}, which is forbidden here)`, suite);
}
