import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRandomKey } from '../../gateway/lorawan/key-ring.ts';
import { type Pkcs11Options, pkcs11Protection } from '../../gateway/lorawan/pkcs11-token.ts';
import { makeSoftToken, type SoftToken } from '../setup/soft-token.ts';
import { describeWith } from '../setup/tools.ts';
import { scratchFolder } from './scratch-folder.ts';

describeWith('softhsm2-util', 'A key on a PKCS#11 token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-token-'));
  let token: SoftToken;
  beforeAll(() => {
    token = makeSoftToken(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('unwraps what was wrapped for it, each time in other bytes', () => {
    const { options } = token;
    const key = createRandomKey();
    const protection = pkcs11Protection(options);
    const [one, two] = [protection.wrap(key), protection.wrap(key)];
    expect(one.equals(two)).toBe(false);
    const again = pkcs11Protection(options);
    for (const wrapped of [one, two]) {
      expect(wrapped.includes(key)).toBe(false);
      expect(again.unwrap(wrapped)).toEqual(key);
    }
  });

  it('is found by its label, among others', () => {
    const { options, makeKey } = token;
    makeKey('device-keys-2', 'rsa:2048', '02');
    makeKey('second', 'rsa:3072', '03');
    const second = pkcs11Protection({ ...options, keyLabel: 'second' });
    const key = createRandomKey();
    const wrapped = second.wrap(key);
    expect(wrapped).toHaveLength(384);
    expect(second.unwrap(wrapped)).toEqual(key);
    const first = pkcs11Protection(options);
    expect(() => first.unwrap(wrapped)).toThrow('does not open the key file');
    expect(() => first.unwrap(first.wrap(key).fill(1, 20, 24))).toThrow('does not open');
    makeKey('second', 'rsa:2048', '04');
    const twice = pkcs11Protection({ ...options, keyLabel: 'second' });
    expect(() => twice.unwrap(wrapped)).toThrow('is there 2 times');
  });

  it.each<[string, Partial<Pkcs11Options>, RegExp]>([
    ['no module', { module: '/nowhere/lib.so' }, /no module \/nowhere\/lib.so/],
    ['something that is no module', { module: '/etc/hostname' }, /is no PKCS#11 module/],
    ['no tool', { tool: 'no-such-pkcs11-tool' }, /not installed \(Debian package opensc\)/],
    ['another token', { tokenLabel: 'village' }, /no token is named village/],
    ['a wrong PIN', { pin: '000000' }, /the PIN of the token town is wrong; it was tried once/],
    ['a PIN of a wrong length', { pin: '1' }, /the PIN of the token town is wrong/],
    ['another key', { keyLabel: 'device' }, /the key device on the token town is not there/],
    ['a hash that it has not', { hash: 'sha256' }, /does not open the key file \(error: .*CKR_/],
  ])('says what is wrong with %s, and never the PIN', (_, change, reason) => {
    const { options } = token;
    const protection = pkcs11Protection({ ...options, ...change });
    expect(() => protection.wrap(createRandomKey())).toThrow(reason);
    expect(() => protection.wrap(createRandomKey())).not.toThrow(options.pin);
  });

  it('has to be an RSA key that is long enough', () => {
    const { options, makeKey } = token;
    makeKey('short', 'rsa:1024', '05');
    makeKey('curve', 'EC:prime256v1', '06');
    for (const keyLabel of ['short', 'curve']) {
      const protection = pkcs11Protection({ ...options, keyLabel });
      expect(() => protection.wrap(createRandomKey())).toThrow('no RSA key of 2048 bits');
    }
  });
});

/** In place of OpenSC's: it writes down what it was given, and says what it is told. */
function playedTool(folder: string, script: string): string {
  const path = join(folder, 'tool');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}

describe('The program that speaks to the token', () => {
  const options = (tool: string): Pkcs11Options => ({
    ...{ module: '/etc/hostname', tokenLabel: 'town', keyLabel: 'k', pin: '482913' },
    ...{ hash: 'sha1', tool },
  });

  it('has the PIN from its environment alone, and none of our secrets', () => {
    const tool = playedTool(
      scratchFolder(),
      'if env | grep -q "^FIELDGATE"; then echo "error: ours $*" >&2; exit 1; fi\n' +
        'echo "error: $PKCS11_PIN|$*" >&2; exit 1',
    );
    process.env['FIELDGATE__HTTP__TOKENS__0__TOKEN'] = 'a-secret-of-ours';
    const ask = () => pkcs11Protection(options(tool)).unwrap(Buffer.alloc(256));
    expect(ask).toThrow(/error: 482913\|.*--login --pin env:PKCS11_PIN/);
    delete process.env['FIELDGATE__HTTP__TOKENS__0__TOKEN'];
  });

  it.each([
    ['says nothing', 'exit 3', /cannot be listed \(no reason given\)/],
    ['says that the PIN is locked', 'echo "rv = CKR_PIN_LOCKED" >&2; exit 1', /PIN .* is locked/],
    [
      'lists a key without an id',
      'printf "Private Key Object\\n  label: k\\n"',
      /no id \(CKA_ID\)/,
    ],
    [
      'gives no public key',
      'case "$*" in *list*) printf "Private Key Object\\n  label: k\\n  ID: 01\\n";; *) echo x;; esac',
      /no RSA key/,
    ],
    [
      'opens to other bytes',
      'case "$*" in *list*) printf "Private Key Object\\n  label: k\\n  ID: 01\\n";; ' +
        `*read*) printf '%s' "$PUBLIC" | base64 -d;; *) echo x;; esac`,
      /does not open with it again/,
    ],
  ])('is not believed when it %s', (_, script, reason) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const der = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const tool = playedTool(scratchFolder(), `PUBLIC=${der}\n${script}`);
    expect(() => pkcs11Protection(options(tool)).wrap(createRandomKey())).toThrow(reason);
  });
});
