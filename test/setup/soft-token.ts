/** A PKCS#11 token of its own for a test: SoftHSM2, with what it keeps in a folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pkcs11Options } from '../../gateway/lorawan/pkcs11-token.ts';

const modules = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
];

export interface SoftToken {
  readonly options: Pkcs11Options;
  /** What the library finds the token by; for the environment of a process that is to use it. */
  readonly environment: { readonly SOFTHSM2_CONF: string };
  makeKey(label: string, type?: string, id?: string): void;
}

/** With one RSA key pair, `device-keys`; this process finds the token as its children do. */
export function makeSoftToken(folder: string): SoftToken {
  const tokens = join(folder, 'tokens');
  mkdirSync(tokens, { recursive: true });
  const config = join(folder, 'softhsm2.conf');
  writeFileSync(config, `directories.tokendir = ${tokens}\nlog.level = ERROR\n`);
  const env = { ...process.env, SOFTHSM2_CONF: config };
  const pin = '482913';
  const module = modules.find((path) => existsSync(path)) ?? '/usr/lib/softhsm/libsofthsm2.so';
  const init = ['--init-token', '--free', '--label', 'town', '--pin', pin, '--so-pin', '9999'];
  execFileSync('softhsm2-util', init, { stdio: 'pipe', env });
  const makeKey = (label: string, type = 'rsa:2048', id = '01') => {
    const login = ['--module', module, '--token-label', 'town', '--login', '--pin', pin];
    const words = ['--keypairgen', '--key-type', type, '--label', label, '--id', id];
    execFileSync('pkcs11-tool', [...login, ...words], { stdio: 'pipe', env });
  };
  makeKey('device-keys');
  // The library, in children of this process, finds its tokens by this.
  process.env['SOFTHSM2_CONF'] = config;
  return {
    options: {
      ...{ module, pin, tokenLabel: 'town', keyLabel: 'device-keys' },
      ...{ hash: 'sha1', tool: 'pkcs11-tool' },
    },
    environment: { SOFTHSM2_CONF: config },
    makeKey,
  };
}
