/**
 * The secret that makes device ids of IMEIs and the like; see adapters/mapping/hashed-identity.ts.
 * It belongs to the data directory and its backups: with another one each such device is a new one.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

const keyBytes = 32;

/** Reads the file, or creates it with mode 0600. Throws when it holds something else. */
export function openIdentityKey(path: string): Buffer {
  try {
    return createKey(path);
  } catch (error) {
    if (!isExisting(error)) throw error;
  }
  const key = readFileSync(path);
  if (key.length === keyBytes) return key;
  throw new Error(
    `The key file ${path} holds ${key.length} bytes, not ${keyBytes}: ` +
      'restore it from the backup that belongs to this data directory.',
  );
}

function createKey(path: string): Buffer {
  const file = openSync(path, 'wx', 0o600);
  try {
    const key = randomBytes(keyBytes);
    writeSync(file, key);
    fsyncSync(file);
    chmodSync(path, 0o400);
    return key;
  } finally {
    closeSync(file);
  }
}

function isExisting(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
