/**
 * A copy of a data directory, taken while its gateway runs or stands. First the state, then the
 * ledger, each as one snapshot: so nothing in the copy points past the ledger's end. Then the copy
 * is read through, each entry against its checksum, brought to disk, and only then given its name.
 *
 * What is derived from the ledger can be copied only while nobody writes it.
 */
import { cp, mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { open as openEnvironment } from 'lmdb';
import { claimDirectory, DirectoryInUse, makeDataDirectory } from '../ledger/data-directory.ts';
import { openLedgerReader } from '../ledger/lmdb-reader.ts';

export interface CopyOptions {
  readonly from: string;
  /** Must not exist, or be an empty directory. */
  readonly to: string;
  /** The file that opens sealed keys: left out if given, for whoever has both has the keys. */
  readonly keyFile: string | undefined;
  readonly tell: (step: CopyStep) => void;
}

export interface CopyStep {
  readonly step: 'copying' | 'checking';
  readonly what: string;
}

export interface DataCopy {
  readonly entries: number;
  /** Of the first and the last entry; 0 in an empty ledger. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  /** Names below the data directory that the copy has not. */
  readonly leftOut: readonly string[];
}

/** Copied by themselves, as LMDB sees them. */
const environments = ['state', 'ledger'];
/** Views of the ledger; see README, Stores. */
const derived = /^(?:catalogue|telemetry\.duckdb.*)$/;
/** Who owns the directory: nothing to take along. */
const ownership = /^(?:owner|claim)\./;
const entriesAtOnce = 1_000;

/** Rejects with a sentence; then nothing is left of the copy. */
export async function copyDataDirectory(options: CopyOptions): Promise<DataCopy> {
  const { from, to } = options;
  await stat(join(from, 'ledger', 'data.mdb')).catch(() => {
    throw new Error(`There is no ledger in ${from}: check dataDir.`);
  });
  await refuseTarget(from, to);
  const claim = await claimDirectory(from).catch((error: unknown) => {
    if (error instanceof DirectoryInUse) return undefined;
    throw error;
  });
  try {
    makeDataDirectory(dirname(to));
    const draft = await mkdtemp(`${to}.unfinished-`);
    try {
      return await copyInto(draft, options, claim !== undefined);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await claim?.release();
  }
}

async function copyInto(draft: string, options: CopyOptions, isWhole: boolean): Promise<DataCopy> {
  const { from, to, tell } = options;
  const { copied, leftOut } = await namesOf(options, isWhole);
  for (const name of [...environments, ...copied]) {
    tell({ step: 'copying', what: name });
    const isEnvironment = environments.includes(name);
    await (isEnvironment ? copyEnvironment : copyFiles)(join(from, name), join(draft, name));
  }
  const checked = await check(draft, tell);
  const bytes = await bringToDisk(draft);
  await rmdir(to).catch(() => {});
  await rename(draft, to);
  await sync(dirname(to));
  return { ...checked, bytes, leftOut };
}

async function refuseTarget(from: string, to: string): Promise<void> {
  const below = relative(resolve(from), resolve(to));
  if (below === '' || !below.startsWith('..')) {
    throw new Error(`${to}: lies in the data directory itself. Give a place outside of it.`);
  }
  const names = await readdir(to).catch(() => []);
  if (names.length > 0) throw new Error(`${to}: is there already, and is not written over`);
}

async function namesOf(
  { from, keyFile }: CopyOptions,
  isWhole: boolean,
): Promise<{ readonly copied: readonly string[]; readonly leftOut: readonly string[] }> {
  const names = (await readdir(from)).filter(
    (name) => !environments.includes(name) && !ownership.test(name),
  );
  const isCopied = (name: string) =>
    (isWhole || !derived.test(name)) &&
    (keyFile === undefined || resolve(from, name) !== resolve(keyFile));
  return { copied: names.filter(isCopied), leftOut: names.filter((name) => !isCopied(name)) };
}

/** Without its free pages. It may be written to meanwhile. */
async function copyEnvironment(from: string, to: string): Promise<void> {
  const environment = openEnvironment({ path: from, readOnly: true, maxDbs: 64 });
  try {
    await mkdir(to, { mode: 0o700 });
    await environment.backup(to, true);
  } finally {
    await environment.close();
  }
}

async function copyFiles(from: string, to: string): Promise<void> {
  await cp(from, to, {
    ...{ recursive: true, preserveTimestamps: true },
    filter: (path) => basename(path) !== 'lock.mdb',
  });
}

/** Throws when an entry is damaged. */
async function check(
  directory: string,
  tell: CopyOptions['tell'],
): Promise<Pick<DataCopy, 'entries' | 'firstSeq' | 'lastSeq'>> {
  const reader = openLedgerReader({ directory });
  try {
    const lastSeq = reader.head();
    const firstSeq = lastSeq === 0 ? 0 : reader.tail();
    let entries = 0;
    let place = 0;
    while (true) {
      const page = reader.read(place, entriesAtOnce);
      place = page.at(-1)?.seq ?? place;
      entries += page.length;
      if (page.length === 0) return { entries, firstSeq, lastSeq };
      tell({ step: 'checking', what: `entry ${place} of ${lastSeq}` });
      // The page is decoded in one piece: whoever wants to stop is heard between two.
      await new Promise((resume) => setImmediate(resume));
    }
  } finally {
    await reader.close();
    await rm(join(directory, 'ledger', 'lock.mdb'), { force: true });
  }
}

/** Returns the bytes of all files. */
async function bringToDisk(directory: string): Promise<number> {
  let bytes = 0;
  for (const each of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, each.name);
    if (each.isDirectory()) bytes += await bringToDisk(path);
    else if (each.isFile()) bytes += await sync(path);
  }
  await sync(directory);
  return bytes;
}

async function sync(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
