import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatProblem, loadConfig } from '../../config/load.ts';
import { configOf, fileOf, loaded, placesOf, problemsOf } from './configuration-file.ts';

describe('Loading a configuration', () => {
  it('fills in every default when only the version is given', () => {
    const config = configOf(loaded('version: 1\n'));
    expect(config.http).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      tokens: [],
      bodyBytesMax: 1_048_576,
    });
    expect(config.mqtt.tcp).toEqual({ host: '127.0.0.1', port: 1883, proxyFrom: [] });
    expect(config.mqtt.anonymous).toBe(false);
    expect(config.store).toEqual({ kind: 'embedded', memoryLimitMb: 512, threads: 2 });
  });

  it('needs no file at all', () => {
    expect(configOf(loadConfig(undefined, {}))).toEqual(configOf(loaded('version: 1')));
  });

  it('keeps what the file says and fills in the rest of its section', () => {
    const config = configOf(loaded('version: 1\nhttp:\n  port: 0\nmqtt:\n  tcp: null\n'));
    expect(config.http).toMatchObject({ port: 0, host: '127.0.0.1' });
    expect(config.mqtt.tcp).toBeNull();
  });

  it('freezes the result down to its leaves', () => {
    const config = configOf(loaded('version: 1\nhttp: {tokens: [{name: a, token: 12345678a}]}\n'));
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.mqtt.limits)).toBe(true);
    expect(Object.isFrozen(config.http.tokens)).toBe(true);
    expect(Object.isFrozen(config.http.tokens[0])).toBe(true);
    expect(Reflect.set(config.http, 'port', 1)).toBe(false);
  });

  it('reports every error at once with its line', () => {
    const text = [
      'version: 1',
      'http:',
      '  port: 70000',
      '  hots: localhost',
      'mqtt:',
      '  clients:',
      '    - password: "12345678"',
      'log: {level: loud}',
      '',
    ].join('\n');
    expect(placesOf(loaded(text))).toEqual([
      '3 http.port',
      '4 http.hots',
      '7 mqtt.clients.0.username',
      '8 log.level',
    ]);
  });

  it('suggests the nearest key for a misspelt one', () => {
    const [problem] = problemsOf(loaded('version: 1\nhttp: {hots: localhost}\n'));
    expect(problem).toMatchObject({ detail: 'unknown key', remedy: 'did you mean host?' });
  });

  it('lists the known keys where none is near', () => {
    const [problem] = problemsOf(loaded('version: 1\nlog: {colourful: true}\n'));
    expect(problem?.remedy).toBe('known here: level');
  });

  it('suggests keys of both branches in a choice', () => {
    const [problem] = problemsOf(loaded('version: 1\nstore: {kind: influx, databse: x}\n'));
    expect(problem).toMatchObject({ path: 'store.databse', remedy: 'did you mean database?' });
  });

  it('never repeats a secret in a problem', () => {
    const text = 'version: 1\nhttp: {tokens: [{name: a, token: s3cret}]}\n';
    const [problem] = problemsOf(loaded(text));
    expect(problem?.path).toBe('http.tokens.0.token');
    expect(JSON.stringify(problem)).not.toContain('s3cret');
  });

  it('formats a problem on one line', () => {
    const problem = { at: 'a.yaml:3', path: 'http.hots', detail: 'unknown key' };
    expect(formatProblem(problem)).toBe('a.yaml:3: http.hots: unknown key');
    expect(formatProblem({ ...problem, remedy: 'did you mean host?' })).toBe(
      'a.yaml:3: http.hots: unknown key (did you mean host?)',
    );
  });
});

describe('A file that is not a configuration', () => {
  it.each([
    ['a list', '- a\n'],
    ['a text', 'fieldgate\n'],
    ['a number', '42\n'],
  ])('is refused in words when it is %s', (_, text) => {
    const [problem] = problemsOf(loaded(text, { FIELDGATE__HTTP__PORT: '0' }));
    expect(problem).toMatchObject({ path: 'file', detail: 'is not a map of settings' });
  });

  it.each([
    ['empty', ''],
    ['only a comment', '# nothing yet\n'],
  ])('lacks its version when it is %s', (_, text) => {
    const problems = problemsOf(loaded(text));
    expect(problems.map(({ path }) => path)).toEqual(['version']);
    expect(problems[0]?.detail).toContain('version: 1');
  });

  it('is told when its version is another', () => {
    expect(placesOf(loaded('version: 2\n'))).toEqual(['1 version']);
  });

  it('is told with the line of a duplicate key', () => {
    expect(placesOf(loaded('version: 1\nlog: {level: info}\nlog: {level: warn}\n'))).toEqual([
      '3 YAML',
    ]);
  });

  it('is told with the line of broken YAML', () => {
    expect(placesOf(loaded('version: 1\nhttp: {port: [}\n'))).toContain('2 YAML');
  });

  it('is refused when its aliases multiply without end', () => {
    const levels = 'bcdefghi'.split('').map((name, index) => {
      const from = 'abcdefgh'.charAt(index);
      return `${name}: &${name} [${Array(9).fill(`*${from}`).join(',')}]`;
    });
    const problems = problemsOf(loaded(['version: 1', 'a: &a [x]', ...levels].join('\n')));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path: 'YAML' });
  });

  it('is told when it cannot be read', () => {
    const [problem] = problemsOf(loadConfig('does-not-exist.yaml', {}));
    expect(problem).toMatchObject({
      at: 'does-not-exist.yaml',
      detail: 'cannot be read: no such file',
    });
    expect(problemsOf(loadConfig('.', {}))[0]).toMatchObject({
      detail: 'cannot be read: is a directory',
    });
  });
});

describe('Settings from the environment', () => {
  it('go before those of the file', () => {
    const result = loaded('version: 1\nhttp: {port: 1}\n', { FIELDGATE__HTTP__PORT: '2' });
    expect(configOf(result).http.port).toBe(2);
  });

  it.each(['DATA_DIR', 'DATADIR', 'dataDir'])('find a key written as %s', (name) => {
    const result = loaded('version: 1\n', { [`FIELDGATE__${name}`]: 'elsewhere' });
    expect(configOf(result).dataDir).toBe('elsewhere');
  });

  it('have the type of the setting: numbers, booleans, null and lists', () => {
    const { mqtt, http } = configOf(
      loaded('version: 1\n', {
        FIELDGATE__HTTP__BODY_BYTES_MAX: '2048',
        FIELDGATE__MQTT__ANONYMOUS: 'true',
        FIELDGATE__MQTT__TCP: 'null',
        FIELDGATE__MQTT__CLIENTS: '[{username: lns, vouches: network-server}]',
      }),
    );
    expect(http.bodyBytesMax).toBe(2_048);
    expect(mqtt).toMatchObject({ anonymous: true, tcp: null });
    expect(mqtt.clients[0]).toMatchObject({ username: 'lns', vouches: 'network-server' });
  });

  it('build entries of lists', () => {
    const { http } = configOf(
      loaded('version: 1\n', {
        FIELDGATE__HTTP__TOKENS__0__NAME: 'grafana',
        FIELDGATE__HTTP__TOKENS__0__TOKEN: '0123456789',
      }),
    );
    expect(http.tokens).toEqual([{ name: 'grafana', role: 'viewer', token: '0123456789' }]);
  });

  it.each(['12345678', 'true', '1e9', '0x10', 'null', '2026-01-01'])(
    'keep the password %s as the text it is',
    (password) => {
      const { store } = configOf(
        loaded('version: 1\nstore: {kind: influx}\n', { FIELDGATE__STORE__PASSWORD: password }),
      );
      expect(store).toMatchObject({ password });
    },
  );

  it('read a secret from the file that …__FILE names, without its line end', () => {
    const secret = fileOf('12345678\n', 'secret');
    const { store } = configOf(
      loaded('version: 1\nstore: {kind: influx}\n', { FIELDGATE__STORE__PASSWORD__FILE: secret }),
    );
    expect(store).toMatchObject({ password: '12345678' });
    expect(readFileSync(secret, 'utf8')).toBe('12345678\n');
  });

  it('are told by their variable when the secret file is missing, beside other errors', () => {
    const result = loaded('version: 1\nhttp: {port: -1}\n', {
      FIELDGATE__STORE__PASSWORD__FILE: 'no-such-secret',
    });
    expect(problemsOf(result).map(({ at }) => at.replace(/^.*yaml:/, ''))).toEqual([
      'FIELDGATE__STORE__PASSWORD__FILE',
      '2',
    ]);
  });

  it('are told by their variable when they are unknown or wrong', () => {
    const result = loaded('version: 1\n', {
      FIELDGATE__HTTP__PRT: '80',
      FIELDGATE__LOG__LEVEL: 'loud',
    });
    expect(problemsOf(result)).toEqual([
      expect.objectContaining({ at: 'FIELDGATE__HTTP__PRT', remedy: 'did you mean port?' }),
      expect.objectContaining({ at: 'FIELDGATE__LOG__LEVEL', path: 'log.level' }),
    ]);
  });

  it.each(['FIELDGATE__', 'FIELDGATE__FILE', 'FIELDGATE__HTTP____PORT'])(
    'are told when %s names no setting',
    (variable) => {
      const [problem] = problemsOf(loaded('version: 1\n', { [variable]: thisFile() }));
      expect(problem).toMatchObject({ at: variable });
    },
  );

  it('are told when the file has text in place of their section', () => {
    const problems = problemsOf(loaded('version: 1\nhttp: yes\n', { FIELDGATE__HTTP__PORT: '1' }));
    expect(problems.map(({ path }) => path)).toEqual(['FIELDGATE__HTTP__PORT', 'http']);
  });

  it('leave other variables alone', () => {
    expect(configOf(loaded('version: 1\n', { FIELDGATE_HTTP: 'x', PATH: '/bin' })).version).toBe(1);
  });
});

function thisFile(): string {
  return new URL(import.meta.url).pathname;
}
