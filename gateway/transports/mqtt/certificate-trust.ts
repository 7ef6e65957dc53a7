/**
 * Whether a client certificate that was good once is good still: its authority is trusted, it is
 * not revoked, it has not run out. For connections that are open when the lists are read again, and
 * for those that resume an earlier TLS session, in which no certificate is looked at.
 */
import { X509Certificate } from 'node:crypto';
import type { ClientCertificate } from '../client-certificate.ts';
import { type RevocationList, readIssue } from './revocation-list.ts';

export interface CertificateTrust {
  /** Why it is not good any more; undefined while it is. */
  problemOf(certificate: ClientCertificate): string | undefined;
}

export interface CertificateTrustOptions {
  /** PEM of the authorities; without it those that the TLS library knows are not asked again. */
  readonly ca: string | Buffer | undefined;
  readonly lists: readonly RevocationList[];
}

export function createCertificateTrust({ ca, lists }: CertificateTrustOptions): CertificateTrust {
  const authorities = authoritiesIn(ca);
  const trusted = new Set(authorities.map(({ fingerprint256 }) => fingerprint256));

  function isTrusted({ der, fingerprints }: ClientCertificate): boolean {
    if (ca === undefined) return true;
    if (fingerprints.some((fingerprint) => trusted.has(fingerprint))) return true;
    // Of a resumed session only the certificate itself is known.
    const own = new X509Certificate(der);
    return authorities.some((above) => own.checkIssued(above) && own.verify(above.publicKey));
  }

  return {
    problemOf: (certificate) => {
      const issue = readIssue(certificate.der);
      const isRevoked = lists.some(
        ({ issuer, serials }) => issuer === issue?.issuer && serials.has(issue.serial),
      );
      if (isRevoked) return 'certificate was revoked';
      return isTrusted(certificate) ? undefined : 'authority of the certificate is not trusted';
    },
  };
}

function authoritiesIn(ca: string | Buffer | undefined): readonly X509Certificate[] {
  const blocks = ca
    ?.toString('latin1')
    .match(/-----BEGIN [^-]*CERTIFICATE-----[^-]+-----END [^-]+-----/g);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}
