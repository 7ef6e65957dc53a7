/** The names in a client certificate that may stand for a user or a device. */
import type { PeerCertificate, TLSSocket } from 'node:tls';

/** A certificate as its connection keeps it, to be held against what is trusted later. */
export interface ClientCertificate {
  readonly names: readonly string[];
  readonly der: Buffer;
  /** SHA-256 of it and of those above it, as far as the client has shown them. */
  readonly fingerprints: readonly string[];
  /** Epoch milliseconds. */
  readonly validUntil: number;
}

export type CertificateCheck =
  | { readonly kind: 'none' }
  | { readonly kind: 'untrusted'; readonly reason: string }
  | ({ readonly kind: 'trusted' } & ClientCertificate);

/**
 * A certificate that no configured authority signed is worse than none: the client is turned away.
 */
export function checkClientCertificate(socket: TLSSocket): CertificateCheck {
  const certificate = socket.getPeerCertificate(true);
  if (certificate === null || Object.keys(certificate).length === 0) return { kind: 'none' };
  if (!socket.authorized) {
    return { kind: 'untrusted', reason: String(socket.authorizationError) };
  }
  const common: unknown = certificate.subject?.CN;
  const commonNames = Array.isArray(common) ? common : [common];
  const names = commonNames.filter((name) => typeof name === 'string' && name !== '');
  return {
    kind: 'trusted',
    names: [...names, ...readAltNames(certificate.subjectaltname)],
    // A copy: what the TLS library gives may be a view of more.
    der: Buffer.from(certificate.raw),
    fingerprints: chainOf(certificate),
    validUntil: Date.parse(certificate.valid_to),
  };
}

/** Longer chains than this are not made for devices. */
const chainLengthMax = 10;

function chainOf(certificate: PeerCertificate): readonly string[] {
  const fingerprints = new Set<string>();
  let link: object | undefined = certificate;
  while (link !== undefined && fingerprints.size < chainLengthMax) {
    const fingerprint: unknown = 'fingerprint256' in link ? link.fingerprint256 : undefined;
    // The last one is its own issuer.
    if (typeof fingerprint !== 'string' || fingerprints.has(fingerprint)) break;
    fingerprints.add(fingerprint);
    const above: unknown = 'issuerCertificate' in link ? link.issuerCertificate : undefined;
    link = typeof above === 'object' && above !== null ? above : undefined;
  }
  return [...fingerprints];
}

/**
 * Only plain DNS names, in the alphabet of device ids. Node puts names with other characters in
 * quotes; then nothing is taken, so that a crafted name cannot look like a list of several.
 */
export function readAltNames(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(', ')
    .filter((entry) => /^DNS:[A-Za-z0-9_.:-]{1,64}$/.test(entry))
    .map((entry) => entry.slice('DNS:'.length));
}
