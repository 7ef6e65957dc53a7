/**
 * Who may push to one HTTP source, and how they prove it. Comparisons take the same time for any
 * guess.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Sender } from '../../model/inbound.ts';

export type HttpAuth = TokenAuth | BasicAuth | HmacAuth | RequestAuth;

export interface TokenAuth {
  readonly kind: 'token';
  readonly token: string;
  /** `authorization` expects `Bearer <token>`; any other header the token alone. */
  readonly header: string;
}

export interface BasicAuth {
  readonly kind: 'basic';
  readonly username: string;
  readonly password: string;
}

/** The body is signed. */
export interface HmacAuth {
  readonly kind: 'hmac';
  readonly secret: string;
  readonly header: string;
  readonly algorithm: 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** Stands before the digits in the header, as in `sha256=…`; often empty. */
  readonly prefix: string;
}

/** A sender's own way of proving a request, which only its format knows. */
export interface RequestAuth {
  readonly kind: 'request';
  /** `query` without its question mark. Total: false for what cannot be read. */
  readonly isGenuine: (request: { readonly query: string; readonly body: Buffer }) => boolean;
}

export interface HttpSource {
  /** The last segment of its path. */
  readonly name: string;
  /** Who reads what it sends. */
  readonly adapter: string;
  readonly auth: HttpAuth;
  readonly vouches: Exclude<Sender['vouches'], 'tls-client'>;
  /** The one device that this source belongs to. */
  readonly deviceId?: string | undefined;
}

/** Reads one header; undefined when it is absent. */
export type HeaderReader = (name: string) => string | undefined;

/** Whether nothing can be said before the body has been read. */
export function isOverBody({ kind }: HttpAuth): boolean {
  return kind === 'hmac' || kind === 'request';
}

export interface HttpRequest {
  readonly header: HeaderReader;
  /** Without its question mark. */
  readonly query: string;
  /** Undefined while it has not been read, for those that do not need it. */
  readonly body?: Buffer;
}

export function isGenuine(auth: HttpAuth, { header, query, body }: HttpRequest): boolean {
  switch (auth.kind) {
    case 'token':
      return isSameText(tokenOf(auth, header), auth.token);
    case 'basic':
      return isSameText(header('authorization') ?? '', basicHeader(auth));
    case 'hmac':
      return body !== undefined && isSigned(auth, header(auth.header) ?? '', body);
    case 'request':
      return body !== undefined && auth.isGenuine({ query, body });
  }
}

interface Demand {
  /** For `WWW-Authenticate`. */
  readonly challenge: string;
  /** For people. */
  readonly wanted: string;
}

/**
 * What a refused client is told to bring [RFC 9110, section 11.6.1]. A proof outside of
 * `Authorization` has no registered scheme: its kind and its place are named instead, since
 * `Bearer` would send the client on a wrong way.
 */
export function demandOf(auth: HttpAuth): Demand {
  if (auth.kind === 'hmac') {
    const { header, algorithm } = auth;
    const challenge = `HMAC realm="ingest", header="${header}", algorithm="${algorithm}"`;
    return { challenge, wanted: `the signature of the body in ${header}` };
  }
  if (auth.kind === 'request') {
    return { challenge: 'Hash realm="ingest", in="query"', wanted: 'the hash in the query' };
  }
  if (auth.kind === 'token' && auth.header.toLowerCase() !== 'authorization') {
    const challenge = `ApiKey realm="ingest", header="${auth.header}"`;
    return { challenge, wanted: `the token of this source in ${auth.header}` };
  }
  const scheme = auth.kind === 'basic' ? 'Basic' : 'Bearer';
  return { challenge: `${scheme} realm="ingest"`, wanted: 'the credential of this source' };
}

function tokenOf({ header: name }: TokenAuth, header: HeaderReader): string {
  const given = header(name) ?? '';
  if (name.toLowerCase() !== 'authorization') return given;
  return /^Bearer +(\S+) *$/i.exec(given)?.[1] ?? '';
}

/** Only the scheme's name may differ in case, so it is written as every client writes it. */
function basicHeader({ username, password }: BasicAuth): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function isSigned(auth: HmacAuth, given: string, body: Buffer): boolean {
  const { algorithm, secret, encoding, prefix } = auth;
  const digits = createHmac(algorithm, secret).update(body).digest(encoding);
  const plain = encoding === 'hex' ? given.toLowerCase() : given;
  const expected = encoding === 'hex' ? `${prefix.toLowerCase()}${digits}` : `${prefix}${digits}`;
  return isSameText(plain, expected);
}

/** Hashed first, because timingSafeEqual tells lengths apart. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(expected));
}
