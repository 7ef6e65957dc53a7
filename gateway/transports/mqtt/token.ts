/**
 * JSON Web Tokens as passwords [RFC 7519, RFC 7515]: signed by an issuer of the configuration, with
 * a key of the configuration. A header may choose among those keys and never brings one.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isDeviceId } from '../../model/device.ts';
import type { AccountProfile } from './accounts.ts';

export type TokenAlgorithm = 'EdDSA' | 'ES256' | 'RS256';

export interface TokenKey {
  /** With it, only tokens that name it are checked with this key. */
  readonly keyId?: string | undefined;
  readonly algorithm: TokenAlgorithm;
  /** PEM. */
  readonly publicKey: string | Buffer;
}

export interface TokenIssuer extends AccountProfile {
  /** `iss` and `aud` have to be exactly these. */
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly TokenKey[];
  /** The claims with the device's id and with what the topic templates need. */
  readonly deviceIdClaim: string;
  readonly agencyClaim?: string | undefined;
  readonly applicationClaim?: string | undefined;
  /** By how much a clock may be wrong. */
  readonly clockSkewSeconds: number;
  /** A token that holds for longer is refused: it could not be taken back. */
  readonly lifetimeSecondsMax: number;
}

export type TokenCheck =
  | {
      readonly kind: 'valid';
      readonly deviceId: string;
      readonly agency?: string;
      readonly application?: string;
      /** Epoch milliseconds. */
      readonly expiresAt: number;
      readonly profile: AccountProfile;
      /** The issuer and the key, as markOf makes it. */
      readonly signedBy: string;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

const tokenLengthMax = 8_192;
const threeParts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Where a token would bring its own key from; and what nobody here understands. */
const forbiddenHeaders = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];
const claimLengthMax = 128;

interface ParsedIssuer extends TokenIssuer {
  readonly parsedKeys: readonly ParsedKey[];
}

interface ParsedKey extends TokenKey {
  readonly key: KeyObject;
}

/**
 * Each issuer with each of its keys, and what its devices may do: a token with none of these marks
 * is not trusted any more.
 */
export function marksOf(issuers: readonly TokenIssuer[]): ReadonlyMap<string, AccountProfile> {
  return new Map(
    issuers.flatMap((issuer) =>
      issuer.keys.map((key): [string, AccountProfile] => [markOf(issuer, parseKey(key)), issuer]),
    ),
  );
}

/** A token is not kept: when another one would be taken by now, its mark is another, too. */
function markOf(rule: TokenIssuer, { key }: ParsedKey): string {
  const { issuer, audience, deviceIdClaim, agencyClaim, applicationClaim } = rule;
  const claims = [deviceIdClaim, agencyClaim, applicationClaim, rule.lifetimeSecondsMax];
  return createHash('sha256')
    .update(JSON.stringify([issuer, audience, ...claims]))
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** True for what has the form of a token, so that it is not hashed as a password. */
export function isTokenShaped(text: string): boolean {
  return text.startsWith('eyJ') && threeParts.test(text);
}

/** Throws when a key is unreadable or is not one of its algorithm. */
export function createTokenCheck(
  issuers: readonly TokenIssuer[],
  now: () => number,
): (token: string) => TokenCheck {
  const parsed = issuers.map((issuer) => ({ ...issuer, parsedKeys: issuer.keys.map(parseKey) }));
  return (token) => {
    const parts = readToken(token);
    if (parts === undefined) return invalid('not a token');
    const { header, claims } = parts;
    const forbidden = forbiddenHeaders.find((name) => header.has(name));
    if (forbidden !== undefined) return invalid(`a header ${forbidden}`);
    // Not believed yet: it only says whose keys to try.
    const issuer = parsed.find(({ issuer }) => issuer === claims.get('iss'));
    if (issuer === undefined) return invalid('unknown issuer');
    const signer = findSigner(parts, issuer);
    if (typeof signer === 'string') return invalid(signer);
    const problem = findClaimProblem(claims, issuer, now());
    if (problem !== undefined) return invalid(problem);
    return readClaims(claims, { issuer, signedBy: markOf(issuer, signer) });
  };
}

function invalid(reason: string): TokenCheck {
  return { kind: 'invalid', reason };
}

type Fields = ReadonlyMap<string, unknown>;

interface TokenParts {
  readonly header: Fields;
  readonly claims: Fields;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function readToken(token: string): TokenParts | undefined {
  if (token.length > tokenLengthMax || !threeParts.test(token)) return undefined;
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = readFields(head);
  const claims = readFields(body);
  if (header === undefined || claims === undefined) return undefined;
  return {
    ...{ header, claims, signed: Buffer.from(`${head}.${body}`) },
    signature: Buffer.from(signature, 'base64url'),
  };
}

function readFields(text: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}

function parseKey(key: TokenKey): ParsedKey {
  const parsed = createPublicKey(key.publicKey);
  if (!fitsAlgorithm(parsed, key.algorithm)) {
    throw new Error(`a key for ${key.algorithm} is of another kind, or too short`);
  }
  return { ...key, key: parsed };
}

/** The key decides on the algorithm, never the token: an RSA key is no secret for HMAC. */
function fitsAlgorithm(key: KeyObject, algorithm: TokenAlgorithm): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (algorithm === 'EdDSA') return type === 'ed25519';
  if (algorithm === 'ES256') return type === 'ec' && details?.namedCurve === 'prime256v1';
  return type === 'rsa' && (details?.modulusLength ?? 0) >= 2_048;
}

/** The key that fits, or what is wrong with the signature. */
function findSigner(parts: TokenParts, { parsedKeys }: ParsedIssuer): ParsedKey | string {
  const algorithm = parts.header.get('alg');
  const keyId = parts.header.get('kid');
  const named = parsedKeys.filter((key) => key.keyId === undefined || key.keyId === keyId);
  if (named.length === 0) return 'unknown key id';
  const keys = named.filter((key) => key.algorithm === algorithm);
  if (keys.length === 0) return 'an algorithm that no key is for';
  return keys.find((key) => isSignatureOf(parts, key)) ?? 'wrong signature';
}

function isSignatureOf({ signed, signature }: TokenParts, { algorithm, key }: ParsedKey): boolean {
  try {
    if (algorithm === 'EdDSA') return verify(null, signed, key, signature);
    if (algorithm === 'RS256') return verify('sha256', signed, key, signature);
    // [RFC 7518, section 3.4]: R and S one after the other, not DER.
    return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

function findClaimProblem(claims: Fields, issuer: ParsedIssuer, nowMs: number): string | undefined {
  const { audience, clockSkewSeconds, lifetimeSecondsMax } = issuer;
  const given = claims.get('aud');
  const audiences: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (!audiences.includes(audience)) return 'for another audience';
  const now = nowMs / 1_000;
  const expires = claims.get('exp');
  const notBefore = claims.get('nbf') ?? 0;
  const issued = claims.get('iat') ?? now;
  if (!isTime(expires)) return 'no time of expiry';
  if (!isTime(notBefore) || !isTime(issued)) return 'a time that is no number';
  if (expires + clockSkewSeconds <= now) return 'expired';
  if (notBefore - clockSkewSeconds > now) return 'not valid yet';
  if (issued - clockSkewSeconds > now) return 'issued in the future';
  return expires - issued > lifetimeSecondsMax ? 'valid for too long' : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function readClaims(
  claims: Fields,
  { issuer, signedBy }: { readonly issuer: ParsedIssuer; readonly signedBy: string },
): TokenCheck {
  const { deviceIdClaim, agencyClaim, applicationClaim } = issuer;
  const deviceId = claims.get(deviceIdClaim);
  if (typeof deviceId !== 'string' || !isDeviceId(deviceId)) {
    return invalid(`the claim ${deviceIdClaim} is no device id`);
  }
  const agency = readName(claims, agencyClaim);
  const application = readName(claims, applicationClaim);
  const { publish, subscribe, retain, hide, clockSkewSeconds } = issuer;
  return {
    ...{ kind: 'valid', deviceId, profile: { publish, subscribe, retain, hide } },
    ...(agency === undefined ? {} : { agency }),
    ...(application === undefined ? {} : { application }),
    expiresAt: (Number(claims.get('exp')) + clockSkewSeconds) * 1_000,
    signedBy,
  };
}

function readName(claims: Fields, claim: string | undefined): string | undefined {
  const value = claim === undefined ? undefined : claims.get(claim);
  const isName = typeof value === 'string' && value.length <= claimLengthMax;
  return isName ? value : undefined;
}
