/** Which Basics Station may come in, by its EUI, its token and its certificate. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { parseStationEui } from '../../model/id6.ts';
import type { Sender } from '../../model/inbound.ts';
import { checkClientCertificate } from '../client-certificate.ts';

export interface StationRights {
  /** Tokens by EUI, undefined for a station that needs none; undefined lets any station in. */
  readonly stations: ReadonlyMap<string, string | undefined> | undefined;
  /** Every station has to show a certificate of a trusted authority that names its EUI. */
  readonly requestCert: boolean;
}

export type Admission =
  | { readonly kind: 'in'; readonly vouches: Exclude<Sender['vouches'], 'network-server'> }
  | { readonly kind: 'unknown-station' | 'unauthorized' };

export function admitStation(
  eui: string,
  request: IncomingMessage,
  { stations, requestCert }: StationRights,
): Admission {
  if (stations?.has(eui) === false) return { kind: 'unknown-station' };
  const token = stations?.get(eui);
  if (token !== undefined && !isSameText(tokenOf(request), token)) return { kind: 'unauthorized' };
  if (!requestCert) return { kind: 'in', vouches: 'credential' };
  return isCertified(eui, request)
    ? { kind: 'in', vouches: 'tls-client' }
    : { kind: 'unauthorized' };
}

/**
 * A station sends the lines of its key file as headers: `Authorization: Bearer …`, or the token
 * alone.
 */
function tokenOf({ headers }: IncomingMessage): string {
  return (headers.authorization ?? '').replace(/^Bearer +/i, '').trim();
}

function isCertified(eui: string, { socket }: IncomingMessage): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const certificate = checkClientCertificate(socket);
  if (certificate.kind !== 'trusted') return false;
  return certificate.names.some((name) => parseStationEui(name) === eui);
}

/** Hashed first, because timingSafeEqual tells lengths apart. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(expected));
}
