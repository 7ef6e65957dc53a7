/**
 * The key file: the keys that seal all device keys, the newest first; more than one only while a
 * rotation is under way. In clear each is 32 bytes; under a protection the file is JSON with each
 * key wrapped, and every key but the oldest also sealed under the next older one. So a gateway that
 * holds the older key takes the newer one without asking the token again, and nobody who can only
 * wrap, as everybody can with a token's public key, gets a key of his own in front of ours.
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type KeyProtection, protectionNames } from './key-protection.ts';
import { openKey, sealKey } from './sealed-key.ts';

export interface KeyPlace {
  readonly path: string;
  /** Absent: the keys lie in the file in clear, and its mode is all that guards them. */
  readonly protection?: KeyProtection | undefined;
}

const masterKeyBytes = 32;
/** The new one, and those of rotations that were broken off. */
const masterKeysMax = 8;
const fileBytesMax = 65_536;
/** Any bit of these would let another account read the file. */
const foreignBits = 0o077;

const base64 = z.string().regex(/^[A-Za-z0-9+/]{4,2048}={0,2}$/);
const wrappedRing = z.strictObject({
  fieldgateKeys: z.literal(1),
  protection: z.enum(['secret', 'pkcs11']),
  keys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9a-f]{16}$/),
        wrapped: base64,
        underOlder: base64.optional(),
      }),
    )
    .min(1)
    .max(masterKeysMax),
});

type WrappedRing = z.infer<typeof wrappedRing>;
type WrappedEntry = WrappedRing['keys'][number];

export function createRandomKey(): Buffer {
  return randomBytes(masterKeyBytes);
}

/** Makes the file with one new key, mode 0600; undefined when it is there already. */
export function createKeyRing(place: KeyPlace): Buffer | undefined {
  // Before the file: what the token refuses must not leave an empty one.
  if (existsSync(place.path)) return undefined;
  const key = createRandomKey();
  const bytes = bytesOf(place.protection, [key]);
  const file = openExclusively(place.path);
  if (file === undefined) return undefined;
  writeAndClose(file, bytes);
  syncFolder(dirname(place.path));
  return key;
}

/** In one step: who reads it meets the old keys or the new ones, the newest first. */
export function replaceKeyRing(place: KeyPlace, keys: readonly Buffer[]): void {
  assert(keys.length >= 1 && keys.length <= masterKeysMax, 'a key file holds a few keys');
  const bytes = bytesOf(place.protection, keys);
  const beside = `${place.path}.${randomBytes(4).toString('hex')}`;
  writeAndClose(openSync(beside, 'wx', 0o600), bytes);
  renameSync(beside, place.path);
  syncFolder(dirname(place.path));
}

/** Tells one file from the next; of one that is away for the moment nothing is known. */
export function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

/** What the file says of itself; it may be of another protection than the configuration's. */
export function protectionIn(path: string): KeyProtection['kind'] | 'file' {
  const bytes = readGuarded(path);
  return isClear(bytes) ? 'file' : parseRing(path, bytes).protection;
}

/**
 * The keys, the newest first. `held` are those that the caller has read before: what they open
 * needs no protection, and a file in clear is taken under one only with a key of theirs in it.
 * Throws, with the remedy, when others may read the file or when it is not what it should be.
 */
export function readKeyRing(place: KeyPlace, held: readonly Buffer[] = []): readonly Buffer[] {
  const { path, protection } = place;
  const bytes = readGuarded(path);
  if (!isClear(bytes)) return openRing(parseRing(path, bytes), place, held);
  const keys = clearKeys(path, bytes);
  if (protection === undefined || keys.some((key) => held.some((own) => own.equals(key)))) {
    return keys;
  }
  throw new Error(
    `The key file ${path} holds its keys in clear, but keys.protection.kind is ` +
      `${protection.kind}: move them there with \`fieldgate keys rotate\`.`,
  );
}

function readGuarded(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const { mode: bits, size } = fstatSync(file);
    const mode = bits & 0o777;
    if ((mode & foreignBits) !== 0) {
      throw new Error(
        `The key file ${path} has mode ${mode.toString(8)}, so that others may read it: ` +
          'run chmod 600 on it, and replace the device keys if others could.',
      );
    }
    if (size > fileBytesMax) throw spoilt(path, `${size} bytes`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** A file of whole keys is in clear, whatever their first byte is. */
function isClear(bytes: Buffer): boolean {
  return bytes[0] !== 0x7b || bytes.at(-1) !== 0x0a || bytes.length % masterKeyBytes === 0;
}

function clearKeys(path: string, bytes: Buffer): readonly Buffer[] {
  const count = bytes.length / masterKeyBytes;
  if (count < 1 || count > masterKeysMax || !Number.isInteger(count)) {
    throw spoilt(path, `${bytes.length} bytes, not ${masterKeyBytes}`);
  }
  return Array.from({ length: count }, (_, place) =>
    bytes.subarray(place * masterKeyBytes, (place + 1) * masterKeyBytes),
  );
}

function parseRing(path: string, bytes: Buffer): WrappedRing {
  try {
    return wrappedRing.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw spoilt(path, 'JSON, but no wrapped keys');
  }
}

function spoilt(path: string, what: string): Error {
  return new Error(
    `The key file ${path} holds ${what}: ` +
      'restore it from the backup that belongs to this data directory.',
  );
}

/** From the oldest on: each opens the next newer one. */
function openRing(ring: WrappedRing, place: KeyPlace, held: readonly Buffer[]): readonly Buffer[] {
  const opened: Buffer[] = [];
  for (const entry of ring.keys.toReversed()) {
    const key = held.find((own) => keyIdOf(own) === entry.id) ?? openEntry(entry, opened.at(-1));
    opened.push(key);
  }
  return opened.toReversed();

  function openEntry(entry: WrappedEntry, older: Buffer | undefined): Buffer {
    const key =
      older === undefined
        ? protectionOf(ring, place).unwrap(Buffer.from(entry.wrapped, 'base64'))
        : openKey(older, chainSlot, Buffer.from(entry.underOlder ?? '', 'base64'));
    if (key !== undefined && keyIdOf(key) === entry.id) return key;
    throw spoilt(place.path, 'keys that do not belong together');
  }
}

function protectionOf({ protection: kind }: WrappedRing, place: KeyPlace): KeyProtection {
  const { path, protection } = place;
  if (protection?.kind === kind) return protection;
  throw new Error(
    `The key file ${path} is wrapped by ${protectionNames[kind]}, but keys.protection.kind is ` +
      `${protection?.kind ?? 'file'}: set it back, or move the keys with ` +
      '`fieldgate keys rotate --from <the old configuration>`.',
  );
}

/** Names a key without telling anything of it. */
export function keyIdOf(key: Buffer): string {
  return createHmac('sha256', key).update('fieldgate key id').digest('hex').slice(0, 16);
}

const chainSlot = { deviceId: '', keyName: 'newer' };

function bytesOf(protection: KeyProtection | undefined, keys: readonly Buffer[]): Buffer {
  if (protection === undefined) return Buffer.concat(keys);
  const entries = keys.map((key, index): WrappedEntry => {
    const older = keys[index + 1];
    return {
      id: keyIdOf(key),
      wrapped: protection.wrap(key).toString('base64'),
      ...(older && { underOlder: sealKey(older, chainSlot, key).toString('base64') }),
    };
  });
  const ring: WrappedRing = { fieldgateKeys: 1, protection: protection.kind, keys: entries };
  const text = JSON.stringify(ring);
  // Never a multiple of what keys in clear take: their length tells the two kinds apart.
  const isAmbiguous = (text.length + 1) % masterKeyBytes === 0;
  return Buffer.from(`${text}${isAmbiguous ? ' ' : ''}\n`);
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

function writeAndClose(file: number, bytes: Buffer): void {
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Keys may be sealed a moment later: the file's name must be as durable as they are. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
