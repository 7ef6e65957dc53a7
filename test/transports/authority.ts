/** A made-up certificate authority, for 127.0.0.1: it signs, revokes and writes its list down. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface IssuedCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Authority {
  readonly ca: Buffer;
  /** Signs a certificate with this common name, and with more alternative names. */
  issue(commonName: string, altNames?: readonly string[]): Promise<IssuedCertificate>;
  /** Takes back what it has issued last under this common name. */
  revoke(commonName: string): Promise<void>;
  /** The list of what it has taken back so far. */
  list(form?: 'PEM' | 'DER'): Promise<Buffer>;
}

const words = (text: string) => text.split(' ');

export async function createAuthority(directory: string, name: string): Promise<Authority> {
  const at = (file: string) => join(directory, `${name}-${file}`);
  const ec = words('-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes');
  const self = [...words('-x509 -days 2 -subj'), `/CN=${name}`];
  await run('openssl', ['req', ...self, ...ec, ...['-keyout', at('ca.key'), '-out', at('ca.pem')]]);
  await writeFile(at('index.txt'), '');
  const settings = ['[ca]', 'default_ca=own', '[own]', `database=${at('index.txt')}`];
  await writeFile(
    at('ca.cnf'),
    [...settings, 'default_md=sha256', 'default_crl_days=2', ''].join('\n'),
  );
  const own = ['ca', '-config', at('ca.cnf'), '-keyfile', at('ca.key'), '-cert', at('ca.pem')];
  return {
    ca: await readFile(at('ca.pem')),
    issue: async (commonName, altNames = []) => {
      const [key, csr, pem] = [at(`${commonName}.key`), at('csr'), at(`${commonName}.pem`)];
      const names = ['IP:127.0.0.1', ...altNames.map((each) => `DNS:${each}`)];
      await writeFile(at('san'), `subjectAltName=${names.join(',')}\n`);
      const subject = ['-subj', `/CN=${commonName}`];
      await run('openssl', ['req', ...ec, ...subject, '-keyout', key, '-out', csr]);
      const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
      const signed = ['-days', '2', '-extfile', at('san'), '-out', pem];
      await run('openssl', ['x509', '-req', '-in', csr, ...by, ...signed]);
      return { cert: await readFile(pem), key: await readFile(key) };
    },
    revoke: async (commonName) => {
      await run('openssl', [...own, '-revoke', at(`${commonName}.pem`)]);
    },
    list: async (form = 'PEM') => {
      await run('openssl', [...own, '-gencrl', '-out', at('crl.pem')]);
      const [from, to] = [at('crl.pem'), at('crl.out')];
      await run('openssl', ['crl', '-in', from, '-outform', form, '-out', to]);
      return readFile(to);
    },
  };
}
