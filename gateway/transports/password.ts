/**
 * Passwords as scrypt hashes, `scrypt$N$r$p$salt$hash` with base64url salt and hash; and those
 * secrets that were drawn here as plain salted hashes, `sha256$salt$hash`.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

export interface ScryptCost {
  /** A power of two. A random secret of 16 bytes or more needs no more than 1024. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

export interface PasswordHash {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** RFC 7914 section 2 names these as the interactive parameters; about 40 ms on one core. */
export const defaultCost: ScryptCost = { n: 16_384, r: 8, p: 1 };

const saltBytes = 16;
const hashBytes = 32;
/** A hash from outside must not be able to take the machine's memory: 128 · N · r bytes. */
const memoryBytesMax = 128 * 1024 * 1024;

export async function hashPassword(password: string, cost = defaultCost): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(Buffer.from(password, 'utf8'), { salt, cost, length: hashBytes });
  const parts = [cost.n, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')];
  return `scrypt$${parts.join('$')}`;
}

/** False for a wrong password and for a hash that is not of the form; the time tells neither. */
export async function verifyPassword(password: Buffer | string, encoded: string): Promise<boolean> {
  const stored = parsePasswordHash(encoded);
  if (stored === undefined) return false;
  const given = Buffer.isBuffer(password) ? password : Buffer.from(password, 'utf8');
  const hash = await derive(given, { ...stored, length: stored.hash.length });
  return timingSafeEqual(hash, stored.hash);
}

/** 192 bits in letters that survive a spreadsheet. */
export function drawSecret(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * Only for what `drawSecret` has made: nobody can try so many, so that one hash is enough, and a
 * hundred thousand devices can be provisioned, and can log in after a power cut, in seconds.
 */
export function hashSecret(secret: string): string {
  const salt = randomBytes(saltBytes);
  return `sha256$${salt.toString('base64url')}$${digestOf(salt, secret).toString('base64url')}`;
}

export function verifySecret(secret: Buffer, encoded: string): boolean {
  const match = /^sha256\$([\w-]{22})\$([\w-]{43})$/.exec(encoded);
  if (match === null) return false;
  const [, salt = '', hash = ''] = match;
  const expected = Buffer.from(hash, 'base64url');
  return timingSafeEqual(digestOf(Buffer.from(salt, 'base64url'), secret), expected);
}

function digestOf(salt: Buffer, secret: Buffer | string): Buffer {
  return createHash('sha256').update(salt).update(secret).digest();
}

/** Undefined when the text is not a hash of this form, or costs more memory than is allowed. */
export function parsePasswordHash(encoded: string): PasswordHash | undefined {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/.exec(encoded);
  if (match === null) return undefined;
  const [, n, r, p, salt, hash] = match;
  const cost = { n: Number(n), r: Number(r), p: Number(p) };
  const stored = {
    cost,
    salt: Buffer.from(salt ?? '', 'base64url'),
    hash: Buffer.from(hash ?? '', 'base64url'),
  };
  const isSound = isCost(cost) && stored.salt.length >= 8 && stored.hash.length >= 16;
  return isSound ? stored : undefined;
}

function isCost({ n, r, p }: ScryptCost): boolean {
  const isPowerOfTwo = n > 1 && Number.isInteger(Math.log2(n));
  return isPowerOfTwo && r > 0 && p > 0 && p <= 16 && 128 * n * r <= memoryBytesMax;
}

function derive(
  password: Buffer,
  { salt, cost, length }: { salt: Buffer; cost: ScryptCost; length: number },
): Promise<Buffer> {
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: memoryBytesMax + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
