import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/load.ts';
import { crossCheck } from '../../gateway/cross-check.ts';
import { kekOf, keyPlaceOf } from '../../gateway/holdings/device-key-place.ts';
import { configOf, fileOf, loaded, problemsOf } from './configuration-file.ts';

const key = '000102030405060708090a0b0c0d0e0f';
const found = (text: string) => crossCheck(configOf(loaded(`version: 1\n${text}`)));

describe('The settings of keys', () => {
  it('leave the key file in clear in dataDir, unless they say otherwise', () => {
    const place = keyPlaceOf(configOf(loaded('version: 1\n')), '/data');
    expect(place).toEqual({ path: '/data/device-keys.kek', protection: undefined });
    const text = `version: 1\nkeyFile: /etc/k\nkeys: {protection: {kind: secret, secret: ${key.repeat(2)}}}`;
    expect(keyPlaceOf(configOf(loaded(text)), '/data')).toMatchObject({
      ...{ path: '/etc/k', protection: { kind: 'secret' } },
    });
  });

  it('come by the environment, a PIN of digits as text', () => {
    const file = fileOf('version: 1\n', 'gateway.yaml');
    const at = 'FIELDGATE__KEYS__PROTECTION__';
    const result = loadConfig(file, {
      ...{ [`${at}KIND`]: 'pkcs11', [`${at}MODULE`]: file, [`${at}TOKEN_LABEL`]: 'town' },
      ...{ [`${at}KEY_LABEL`]: 'device-keys', [`${at}PIN__FILE`]: fileOf('048291\n', 'pin') },
    });
    const config = configOf(result);
    expect(config.keys.protection).toEqual({
      ...{ kind: 'pkcs11', module: file, tokenLabel: 'town', keyLabel: 'device-keys' },
      ...{ pin: '048291', hash: 'sha1', tool: 'pkcs11-tool' },
    });
    expect(crossCheck(config)).toEqual([]);
    expect(keyPlaceOf(config, '/data').protection?.kind).toBe('pkcs11');
  });

  it.each([
    ['{protection: {kind: secret}}', 'keys.protection.secret'],
    ['{protection: {kind: secret, secret: correct-horse-battery}}', 'keys.protection.secret'],
    [
      '{protection: {kind: pkcs11, module: lib.so, tokenLabel: t, keyLabel: k, pin: "1234"}}',
      'module',
    ],
    ['{protection: {kind: pkcs11, module: /lib.so, tokenLabel: t, keyLabel: k}}', 'pin'],
    ['{protection: {kind: vault}}', 'keys.protection'],
    ['{keks: [{label: "a b", key: 00}]}', 'keys.keks.0.label'],
    [`{keks: [{label: a, key: "${key}00"}]}`, 'keys.keks.0.key'],
  ])('are refused when they are %s, and no secret is repeated', (text, path) => {
    const problems = problemsOf(loaded(`version: 1\nkeys: ${text}\n`));
    expect(problems.map((problem) => problem.path).join(' ')).toContain(path);
    expect(JSON.stringify(problems)).not.toMatch(/correct-horse|0e0f/);
  });

  it('have each label once, in both places together, and both count', () => {
    const wrap = (label: string) => `{label: ${label}, key: ${key}}`;
    const both = (own: string, earlier: string) =>
      `keys: {keks: [${own}]}\ningest: {appSKeyWraps: [${earlier}]}`;
    expect(found(both(wrap('town'), wrap('sink')))).toEqual([]);
    const config = configOf(loaded(`version: 1\n${both(wrap('town'), wrap('sink'))}`));
    for (const label of ['town', 'sink']) expect(kekOf(config)(label)?.toString('hex')).toBe(key);
    expect(kekOf(config)('well')).toBeUndefined();
    const twice = { detail: 'town is taken already', isFatal: true };
    expect(found(both(wrap('town'), wrap('town')))).toEqual([
      { ...twice, path: 'keys.keks.0.label' },
    ]);
    expect(found(both(`${wrap('town')}, ${wrap('town')}`, ''))).toEqual([
      { ...twice, path: 'keys.keks.1.label' },
    ]);
  });

  it('name a module that is there', () => {
    const token = 'module: /nowhere/lib.so, tokenLabel: t, keyLabel: k, pin: "1234"';
    expect(found(`keys: {protection: {kind: pkcs11, ${token}}}`)).toEqual([
      { path: 'keys.protection.module', detail: 'cannot read /nowhere/lib.so', isFatal: true },
    ]);
  });
});
