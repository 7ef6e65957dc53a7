/** The names in a client certificate that may stand for a user or a device. */
import type { TLSSocket } from 'node:tls';

export type CertificateCheck =
  | { readonly kind: 'none' }
  | { readonly kind: 'untrusted'; readonly reason: string }
  | { readonly kind: 'trusted'; readonly names: readonly string[] };

/**
 * A certificate that no configured authority signed is worse than none: the client is turned away.
 */
export function checkClientCertificate(socket: TLSSocket): CertificateCheck {
  const certificate = socket.getPeerCertificate();
  if (certificate === null || Object.keys(certificate).length === 0) return { kind: 'none' };
  if (!socket.authorized) {
    return { kind: 'untrusted', reason: String(socket.authorizationError) };
  }
  const common: unknown = certificate.subject?.CN;
  const commonNames = Array.isArray(common) ? common : [common];
  const names = commonNames.filter((name) => typeof name === 'string' && name !== '');
  return { kind: 'trusted', names: [...names, ...readAltNames(certificate.subjectaltname)] };
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
