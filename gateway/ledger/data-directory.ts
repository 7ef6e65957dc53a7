/**
 * One process owns a data directory. The owner is the file `owner.N` with the highest N: a claim
 * links a complete file to the next number, which only one process can, so that a stale owner is
 * taken over by exactly one. Numbers only grow; a released one says so and stays.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface DirectoryClaim {
  /** Lets the next process in at once; without it, it finds this one gone. */
  release(): Promise<void>;
}

/** Another process owns the directory. */
export class DirectoryInUse extends Error {}

interface Owner {
  /** 0 when it has released the directory. */
  readonly pid: number;
  /** When that process started, in the kernel's ticks: a reused pid has another. Linux only. */
  readonly startedAt: string;
}

const ownerFile = /^owner\.(\d{1,12})$/;

export interface ClaimOptions {
  /** Races lost in a row before the claim gives up; each means that another process came. */
  readonly attemptsMax?: number;
}

/**
 * Makes a directory and those above it, for nobody else to read. Node's own way of making several
 * never ends where the file system says that a new one is not there, as /proc does.
 */
export function makeDataDirectory(path: string): void {
  const missing: string[] = [];
  for (let above = path; !existsSync(above); above = dirname(above)) missing.unshift(above);
  for (const directory of missing) makeOne(directory);
  if (!statSync(path).isDirectory()) {
    throw new Error(`${path}: is a file, where a directory is wanted. Give another dataDir.`);
  }
}

function makeOne(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process was quicker.
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(`${directory}: no directory can be made there. Give another dataDir.`, {
      cause: error,
    });
  }
}

/**
 * Throws DirectoryInUse when another process owns the directory, naming it and the remedy. Makes
 * the directory.
 */
export async function claimDirectory(
  path: string,
  { attemptsMax = 20 }: ClaimOptions = {},
): Promise<DirectoryClaim> {
  makeDataDirectory(path);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const newest = (await claimNumbers(path)).at(-1) ?? 0;
    await refuseIfOwned(path, newest);
    const claim = await tryClaim(path, newest + 1);
    if (claim) return claim;
  }
  throw new Error(`${path} is claimed by several processes at once: start only one of them.`);
}

async function tryClaim(path: string, number: number): Promise<DirectoryClaim | undefined> {
  const own = join(path, `owner.${number}`);
  const draft = join(path, `claim.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(await thisProcess()), { mode: 0o600, flush: true });
  try {
    await link(draft, own);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const numbers = await claimNumbers(path);
  if (numbers.at(-1) !== number) {
    // This number was free because a later owner had already swept it away.
    await rm(own, { force: true });
    return undefined;
  }
  for (const older of numbers.slice(0, -1)) await rm(join(path, `owner.${older}`), { force: true });
  return { release: () => release(own, draft) };
}

async function release(own: string, draft: string): Promise<void> {
  await writeFile(draft, JSON.stringify({ pid: 0, startedAt: '' }), { mode: 0o600 });
  await rename(draft, own);
}

async function refuseIfOwned(path: string, number: number): Promise<void> {
  const owner = number === 0 ? undefined : await readOwner(join(path, `owner.${number}`));
  if (owner === undefined || !(await isRunning(owner))) return;
  throw new DirectoryInUse(
    `The data directory ${path} is in use by process ${owner.pid}. ` +
      `Stop that process, or give this one another dataDir.`,
  );
}

async function claimNumbers(path: string): Promise<number[]> {
  const names = await readdir(path);
  const numbers = names.flatMap((name) => ownerFile.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((left, right) => left - right);
}

/** Undefined for a file that is gone or says nothing: nobody can own the directory by it. */
async function readOwner(file: string): Promise<Owner | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const fields = /^\{"pid":(\d+),"startedAt":"(\d*)"\}$/.exec(text);
  return fields ? { pid: Number(fields[1]), startedAt: String(fields[2]) } : undefined;
}

async function thisProcess(): Promise<Owner> {
  return { pid: process.pid, startedAt: await startTicks(process.pid) };
}

async function isRunning({ pid, startedAt }: Owner): Promise<boolean> {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs as somebody else.
    if (codeOf(error) !== 'EPERM') return false;
  }
  return (await startTicks(pid)) === startedAt;
}

/**
 * Field 22 of /proc/<pid>/stat; the command's name before it may hold blanks and brackets. Empty
 * for a process that is gone or only waits to be reaped, and where there is no /proc.
 */
async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...fields] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  return state === 'Z' ? '' : (fields[18] ?? '');
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
