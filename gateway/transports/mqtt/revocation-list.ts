/**
 * Certificate revocation lists [RFC 5280, section 5], as PEM or DER, one or several in a file. TLS
 * itself looks at them in a handshake only: connections that are open, and those that resume an
 * earlier session, are held against them here.
 */
import { readElement, readElements } from './der.ts';

export interface RevocationList {
  /** As the TLS library takes it, which reads one list of each text. */
  readonly pem: string;
  /** As canonicalName makes it. */
  readonly issuer: string;
  /** Serial numbers, as serialText makes them. */
  readonly serials: ReadonlySet<string>;
  /** Epoch milliseconds: after it, nobody of this issuer is let in. Absent when there is no end. */
  readonly nextUpdate?: number;
}

/** Throws a sentence when it is no revocation list. */
export function readRevocationLists(file: Buffer | string): readonly RevocationList[] {
  const bytes = Buffer.from(file);
  const blocks = [...bytes.toString('latin1').matchAll(pemBlock)];
  const lists =
    blocks.length > 0
      ? blocks.map(([, base64 = '']) => Buffer.from(base64, 'base64'))
      : readElements(bytes).map(({ whole }) => whole);
  if (lists.length === 0) throw new Error('no certificate revocation list in the file');
  return lists.map(readList);
}

const pemBlock = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;
const tags = { integer: 0x02, sequence: 0x30, utcTime: 0x17, generalizedTime: 0x18 } as const;

/**
 * TBSCertList: version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates, extensions;
 * the first, the fifth and those behind it may be missing.
 */
function readList(der: Buffer): RevocationList {
  const outer = readElement(der, 0);
  const [tbs] = outer?.tag === tags.sequence ? readElements(outer.content) : [];
  const fields = tbs?.tag === tags.sequence ? readElements(tbs.content) : [];
  const [, issuer, thisUpdate, ...rest] =
    fields[0]?.tag === tags.integer ? fields.slice(1) : fields;
  if (outer === undefined || issuer?.tag !== tags.sequence || !isTime(thisUpdate?.tag)) {
    throw new Error('the file is no certificate revocation list');
  }
  const next = isTime(rest[0]?.tag) ? rest[0] : undefined;
  const revoked = rest.find(({ tag }) => tag === tags.sequence);
  const entries = revoked === undefined ? [] : readElements(revoked.content);
  const serials = entries.flatMap(({ content }) => {
    const serial = readElement(content, 0);
    return serial === undefined ? [] : [serialText(serial.content)];
  });
  const base64 = outer.whole
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n');
  const nextUpdate = next === undefined ? Number.NaN : timeOf(next.content.toString('latin1'));
  return {
    pem: `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`,
    issuer: canonicalName(issuer.whole),
    serials: new Set(serials),
    ...(Number.isNaN(nextUpdate) ? {} : { nextUpdate }),
  };
}

function isTime(tag: number | undefined): boolean {
  return tag === tags.utcTime || tag === tags.generalizedTime;
}

/** UTCTime has two digits for the year, from 1950 to 2049 [RFC 5280, section 4.1.2.5.1]. */
function timeOf(text: string): number {
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return Number.NaN;
  const [, year = '', month, day, hour, minute, second] = match;
  const century = year.length === 4 ? '' : Number(year) < 50 ? '20' : '19';
  return Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** In hexadecimal without leading zeros. */
export function serialText(serial: Buffer | string): string {
  const hex = typeof serial === 'string' ? serial : serial.toString('hex');
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

/**
 * A distinguished name as text. Authorities write one name in several string types, in capitals
 * and with more spaces; those are equal [RFC 5280, section 7.1].
 */
export function canonicalName(name: Buffer): string {
  const outer = readElement(name, 0);
  const sets = outer === undefined ? [] : readElements(outer.content);
  return JSON.stringify(
    sets.map(({ content }) =>
      readElements(content).map((attribute) => {
        const [type, value] = readElements(attribute.content);
        const text = value?.content.toString('utf8').trim().replace(/\s+/g, ' ').toLowerCase();
        return [type?.content.toString('hex'), text];
      }),
    ),
  );
}

/** Issuer and serial number of a certificate [RFC 5280, section 4.1]. */
export function readIssue(
  certificate: Buffer,
): { readonly issuer: string; readonly serial: string } | undefined {
  const outer = readElement(certificate, 0);
  const [tbs] = outer === undefined ? [] : readElements(outer.content);
  const fields = tbs === undefined ? [] : readElements(tbs.content);
  // The version stands in a context tag before them, except in version 1.
  const [serial, , issuer] = fields[0]?.tag === tags.integer ? fields : fields.slice(1);
  if (serial?.tag !== tags.integer || issuer?.tag !== tags.sequence) return undefined;
  return { issuer: canonicalName(issuer.whole), serial: serialText(serial.content) };
}
