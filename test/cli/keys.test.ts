import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { runProgramIn } from '../end-to-end/program.ts';

const directory = mkdtempSync(join(tmpdir(), 'fieldgate-cli-keys-'));
const config = join(directory, 'gateway.yaml');
writeFileSync(config, 'version: 1\n');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const secret = '5a'.repeat(32);
const environment = {
  FIELDGATE__DATA_DIR: join(directory, 'data'),
  FIELDGATE__KEYS__PROTECTION__KIND: 'secret',
  FIELDGATE__KEYS__PROTECTION__SECRET: secret,
  FIELDGATE__KEYS__KEKS__0__LABEL: 'town',
  FIELDGATE__KEYS__KEKS__0__KEY: '000102030405060708090a0b0c0d0e0f',
};
const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  runProgramIn({ ...environment, ...more }, ...words, '-c', config);

describe('fieldgate keys', () => {
  it('makes the key file once, and tells of one that is not there yet', async () => {
    expect((await run(['keys', 'status'])).stderr).toContain('there is no key file');
    const made = await run(['keys', 'init', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { path, protection, keyId } = JSON.parse(made.stdout);
    expect(protection).toBe('secret');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path, 'utf8');
    expect(before).toContain(`"id":"${keyId}"`);
    expect(await run(['keys', 'init'])).toMatchObject({ code: 1, stdout: '' });
    expect(readFileSync(path, 'utf8')).toBe(before);
  }, 60_000);

  it('opens what another server exports wrapped, and rotates to another secret', async () => {
    // [RFC 3394, 4.1]
    const key = { kek_label: 'town', encrypted_key: 'H6aLCoEStEeu80vY+1p7gp0+hiNx0s/l' };
    const session = { dev_addr: '26011BDA', keys: { app_s_key: key, f_nwk_s_int_key: key } };
    const ids = { device_id: 'well-3', dev_eui: '70b3d57ed00000a1' };
    const file = join(directory, 'export.json');
    writeFileSync(file, JSON.stringify({ end_devices: [{ ids, session }] }));
    const done = await run(['devices', 'import', file]);
    expect([done.stderr, done.stdout]).toEqual(['', '1 devices registered, 0 refused\n']);
    const next = { FIELDGATE__KEYS__PROTECTION__SECRET: '5b'.repeat(32) };
    const alone = await run(['keys', 'rotate'], next);
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('another secret')]);
    const old = {
      ...{ ...next, FIELDGATE_FROM__KEYS__PROTECTION__KIND: 'secret' },
      FIELDGATE_FROM__KEYS__PROTECTION__SECRET: secret,
    };
    const rotated = await run(['keys', 'rotate', '--json', '--from', config], old);
    expect(JSON.parse(rotated.stdout)).toEqual({ resealed: 3, unreadable: 0 });
    const [status, exported] = await Promise.all([
      run(['keys', 'status'], next),
      run(['keys', 'export', '--kek', 'town'], next),
    ]);
    expect(status.stdout).toContain('3 keys under the newest key, 0 under older ones');
    const wrapped = '"AESKey": "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"';
    expect(exported.stdout).toContain(wrapped);
  }, 60_000);

  it('takes no secret from the arguments', async () => {
    const words = [['keys', 'init', '--secret', secret], ['keys', 'export'], ['keys']];
    const ends = await Promise.all(words.map((each) => run(each)));
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2]);
  }, 60_000);
});
