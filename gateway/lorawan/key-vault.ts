/**
 * Device keys at rest: AES-256-GCM under one key-encryption key in a file that only the gateway's
 * user may read. The device id and the key's name are authenticated along, so that a sealed key
 * opens in its own place only.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const algorithm = 'aes-256-gcm';
const masterKeyBytes = 32;
/** The new one, and those of rotations that were broken off. */
const masterKeysMax = 8;
const nonceBytes = 12;
const tagBytes = 16;
/** Any bit of these would let another account read the file. */
const foreignBits = 0o077;

export interface KeySlot {
  readonly deviceId: string;
  readonly keyName: string;
}

export interface KeyVault {
  /** Nonce, ciphertext and tag in one. */
  seal(slot: KeySlot, key: Buffer): Buffer;
  /** Undefined when the bytes were altered, moved from another slot or sealed under another key. */
  open(slot: KeySlot, sealed: Uint8Array): Buffer | undefined;
  /** Whether it is sealed under the newest key of the file. */
  isCurrent(slot: KeySlot, sealed: Uint8Array): boolean;
}

/**
 * Reads the key file, or creates it with mode 0600 when there is none. Throws at start-up, with the
 * remedy, when others may read the file or when it does not hold 32 bytes: it must never be
 * replaced in silence, since every sealed key would be lost.
 */
export function openKeyVault(path: string): KeyVault {
  const created = createMasterKey(path);
  let keys = created === undefined ? readMasterKeys(path) : [created];
  let stamp = stampOf(path);

  /** A rotation by another process writes the file anew; true when it has. */
  function hasChanged(): boolean {
    const now = stampOf(path);
    if (now === stamp) return false;
    stamp = now;
    try {
      keys = readMasterKeys(path);
      return true;
    } catch {
      // Somebody has spoilt the file: what is held still opens what there is, and a start says it.
      return false;
    }
  }

  const tryAll = (slot: KeySlot, sealed: Uint8Array): Buffer | undefined =>
    keys.map((key) => open(key, slot, sealed)).find((key) => key !== undefined);

  return {
    seal(slot, key) {
      hasChanged();
      return seal(newestOf(keys), slot, key);
    },
    open: (slot, sealed) =>
      tryAll(slot, sealed) ?? (hasChanged() ? tryAll(slot, sealed) : undefined),
    isCurrent: (slot, sealed) => open(newestOf(keys), slot, sealed) !== undefined,
  };
}

function newestOf([newest]: readonly Buffer[]): Buffer {
  assert(newest !== undefined, 'a key file holds a key');
  return newest;
}

/** Tells one file from the next; of one that is away for the moment nothing is known. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

/** In one step: who reads it meets the old keys or the new ones, the newest first. */
export function replaceMasterKeys(path: string, keys: readonly Buffer[]): void {
  assert(keys.length >= 1 && keys.length <= masterKeysMax, 'a key file holds a few keys');
  const beside = `${path}.${randomBytes(4).toString('hex')}`;
  const file = openSync(beside, 'wx', 0o600);
  try {
    writeSync(file, Buffer.concat(keys));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  syncFolder(dirname(path));
}

export function createRandomKey(): Buffer {
  return randomBytes(masterKeyBytes);
}

/** Undefined when the file is there already. */
function createMasterKey(path: string): Buffer | undefined {
  const file = openExclusively(path);
  if (file === undefined) return undefined;
  const masterKey = randomBytes(masterKeyBytes);
  try {
    writeSync(file, masterKey);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
  return masterKey;
}

function openExclusively(path: string): number | undefined {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if (isExisting(error)) return undefined;
    throw new Error(`The key file ${path} cannot be created: make its folder writable.`, {
      cause: error,
    });
  }
}

function isExisting(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}

/** Keys may be sealed a moment later: the file's name must be as durable as they are. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** The newest first; more than one only while a rotation is under way. */
export function readMasterKeys(path: string): readonly Buffer[] {
  const file = openSync(path, 'r');
  try {
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & foreignBits) !== 0) {
      throw new Error(
        `The key file ${path} has mode ${mode.toString(8)}, so that others may read it: ` +
          'run chmod 600 on it, and replace the device keys if others could.',
      );
    }
    const bytes = readFileSync(file);
    const count = bytes.length / masterKeyBytes;
    if (count < 1 || count > masterKeysMax || !Number.isInteger(count)) {
      throw new Error(
        `The key file ${path} holds ${bytes.length} bytes, not ${masterKeyBytes}: ` +
          'restore it from the backup that belongs to this data directory.',
      );
    }
    return Array.from({ length: count }, (_, place) =>
      bytes.subarray(place * masterKeyBytes, (place + 1) * masterKeyBytes),
    );
  } finally {
    closeSync(file);
  }
}

function seal(masterKey: Buffer, slot: KeySlot, key: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, masterKey, nonce).setAAD(slotBytes(slot));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function open(masterKey: Buffer, slot: KeySlot, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv(algorithm, masterKey, nonce, { authTagLength: tagBytes })
    .setAAD(slotBytes(slot))
    .setAuthTag(sealed.subarray(-tagBytes));
  const key = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
  try {
    decipher.final();
    return key;
  } catch {
    return undefined;
  }
}

/** The zero byte cannot stand in a device id, so two slots never give equal bytes. */
function slotBytes(slot: KeySlot): Buffer {
  return Buffer.from(`${slot.deviceId}\0${slot.keyName}`, 'utf8');
}
