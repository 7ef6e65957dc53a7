import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openAccess } from '../../dashboard/access.ts';
import { systemClock } from '../../gateway/model/clock.ts';
import { verifyPassword } from '../../gateway/transports/password.ts';

const program = resolve('dist/gateway/cli/fieldgate.js');
const config = 'version: 1\ndataDir: data\n';

let directory: string;

beforeAll(() => {
  if (!existsSync(program)) execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json']);
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-cli-'));
  writeFileSync(join(directory, 'gateway.yaml'), config);
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(words: readonly string[], input = '', environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    ...{ cwd: directory, input, encoding: 'utf8' },
    env: { PATH: process.env['PATH'], ...environment },
  });
  return { status, stdout, stderr };
}

describe('The command line', () => {
  it.each([
    [['--help'], 'serve'],
    [['token', '--help'], 'create'],
    [['config', 'check', '--help'], 'file'],
    [['decode', '--help'], 'elsys-generic'],
  ])('explains itself with %p', (words, expected) => {
    const { status, stdout } = run(words);
    expect(status).toBe(0);
    expect(stdout).toContain(expected);
  });

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it.each<[string[]]>([
    [['frobnicate']],
    [[]],
    [['serve', '--prot', '1']],
    [['config', 'check']],
    [['config', 'chek', 'x']],
    [['token', 'create']],
    [['token', 'create', '--name', 'a', '--role', 'king']],
    [['token', 'create', '--name', 'a', '--days', 'many']],
    [['token', 'create', '--name', 'two\nlines']],
    [['decode', '00']],
    [['decode', '0', '--codec', 'elsys-generic']],
    [['decode', 'xx', '--codec', 'elsys-generic']],
    [['decode', '00', '--codec', 'nobody-knows']],
    [['unmapped']],
    [['unmapped', '--url', 'localhost']],
    [['serve', '--config', 'nowhere.yaml']],
    [['decode', '00', '--codec', 'elsys-generic', '--f-port', '0']],
  ])('ends with 2 and a sentence when the words are wrong: %p', (words) => {
    const { status, stderr } = run(words);
    expect(status).toBe(2);
    expect(stderr.length).toBeGreaterThan(10);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('config', () => {
  it('prints defaults that it finds nothing wrong with', () => {
    const { stdout } = run(['config', 'print']);
    writeFileSync(join(directory, 'defaults.yaml'), stdout);
    expect(run(['config', 'check', 'defaults.yaml'])).toEqual({
      status: 0,
      stdout: 'defaults.yaml: no problems\n',
      stderr: '',
    });
  });

  it('prints the JSON Schema', () => {
    expect(JSON.parse(run(['config', 'print', '--json-schema']).stdout)).toMatchObject({
      type: 'object',
      required: ['version'],
    });
  });

  it('says everything that is wrong and ends with 2', () => {
    writeFileSync(join(directory, 'bad.yaml'), 'version: 1\nhttp: {port: -1, hots: x}\n');
    const { status, stderr } = run(['config', 'check', 'bad.yaml']);
    expect(status).toBe(2);
    expect(stderr).toContain('bad.yaml:2: http.port');
    expect(stderr).toContain('did you mean host?');
    const json = run(['config', 'check', '--json', 'bad.yaml']);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{}, {}] });
  });

  it('checks the environment with the file, and names that exist elsewhere', () => {
    writeFileSync(
      join(directory, 'route.yaml'),
      'version: 1\ningest: {routes: [{topic: a, adapter: b}]}\n',
    );
    expect(run(['config', 'check', 'route.yaml']).stderr).toContain('no adapter is named b');
    const set = { FIELDGATE__HTTP__PORT: 'eighty' };
    expect(run(['config', 'check', 'gateway.yaml'], '', set).stderr).toContain(
      'FIELDGATE__HTTP__PORT: http.port',
    );
  });

  it('is read before the gateway starts', () => {
    const { status, stderr } = run(['serve', '--config', 'bad.yaml']);
    expect(status).toBe(2);
    expect(stderr).toContain('the configuration has 2 problems');
  });
});

describe('decode', () => {
  const words = ['decode', '01 00-E2:02 29', '--codec', 'elsys-generic', '--f-port', '5'];

  it('prints a line for each value, hex in any spelling', () => {
    const { status, stdout } = run(words);
    expect(status).toBe(0);
    expect(stdout).toBe('air_temperature: 22.6 Cel\nrelative_humidity: 41 %\n');
  });

  it('prints JSON', () => {
    expect(JSON.parse(run([...words, '--json']).stdout)).toMatchObject({ ok: true });
  });

  it('ends with 1 when the codec cannot read it', () => {
    const { status, stderr } = run(['decode', '01', '--codec', 'elsys-generic']);
    expect(status).toBe(1);
    expect(stderr).toContain('fieldgate: ');
  });
});

describe('token create', () => {
  const create = ['token', 'create', '--config', 'gateway.yaml'];

  it('prints a token that the gateway knows, and keeps its hash alone', () => {
    const { status, stdout } = run([...create, '--name', 'grafana', '--role', 'operator']);
    expect(status).toBe(0);
    const file = join(directory, 'data/access.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(stdout.trim());
    const access = openAccess(join(directory, 'data'), systemClock);
    expect(access.byToken(stdout.trim())).toEqual({ name: 'grafana', role: 'operator' });
  });

  it('ends with 1 when the name is taken', () => {
    run([...create, '--name', 'twice']);
    const { status, stdout, stderr } = run([...create, '--name', 'twice']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('a token named twice exists already');
  });

  it('takes no token from the arguments', () => {
    expect(run([...create, '--name', 'a', '--token', 'mine']).status).toBe(2);
  });
});

describe('token revoke', () => {
  it('takes the token away, with the sessions opened with it', () => {
    const { stdout } = run(['token', 'create', '-c', 'gateway.yaml', '--name', 'lost']);
    const access = openAccess(join(directory, 'data'), systemClock);
    const session = access.signIn(stdout.trim())?.session ?? '';
    expect(run(['token', 'revoke', '-c', 'gateway.yaml', '--name', 'lost']).status).toBe(0);
    expect(access.byToken(stdout.trim())).toBeUndefined();
    expect(access.bySession(session)).toBeUndefined();
    const again = run(['token', 'revoke', '-c', 'gateway.yaml', '--name', 'lost']);
    expect([again.status, again.stderr]).toEqual([1, 'fieldgate: no token is named lost\n']);
  });
});

describe('devices', () => {
  const devices = (...words: string[]) => run(['devices', ...words, '-c', 'gateway.yaml']);
  const at = (name: string) => join(directory, name);

  it('imports a table, and writes each secret once to a file that only its owner reads', () => {
    const table = 'id,kind,agency\nmeter-1,cellular,Water\nmeter-2,cellular,Water\nbad id,x,y\n';
    writeFileSync(at('devices.csv'), table);
    const done = devices('import', 'devices.csv', '--credentials', 'out.csv');
    expect(done.status).toBe(1);
    expect(done.stdout).toBe('2 devices registered, 1 refused\n');
    expect(done.stderr).toContain('row 3: ');
    expect(statSync(at('out.csv')).mode & 0o777).toBe(0o600);
    const lines = readFileSync(at('out.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^meter-1,meter-1,[\w-]{32}$/);
    const secret = lines[1]?.split(',')[2] ?? '';
    expect(readFileSync(at('data/state/data.mdb')).includes(secret)).toBe(false);
    const again = devices('import', 'devices.csv', '--credentials', 'out.csv');
    expect([again.status, again.stderr]).toEqual([
      1,
      expect.stringContaining('out.csv: is there already'),
    ]);
  });

  it.each([
    ['', 'no header row'],
    ['id,kind\n', 'has no devices'],
    ['{"devices"', 'begins like JSON and is none'],
    ['{"meter": 1}', 'is neither a table nor a list of devices'],
  ])('ends with 1 and says so when a file has no devices: %p', (text, said) => {
    writeFileSync(at('empty.csv'), text);
    const { status, stdout, stderr } = devices('import', 'empty.csv');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(said);
  });

  it('lets no file steer the terminal', () => {
    writeFileSync(at('steering.csv'), 'id,kind,\u001b[2J\nmeter-9,cellular,x\n');
    expect(devices('import', 'steering.csv').stderr).not.toContain('\u001b');
  });

  it('rotates and revokes, and says who has no credential', () => {
    const rotated = devices('rotate', 'meter-2', 'nobody', '--credentials', 'new.csv');
    expect([rotated.status, rotated.stderr]).toEqual([1, 'fieldgate: nobody has no credential\n']);
    expect(readFileSync(at('new.csv'), 'utf8').trim().split('\n')).toHaveLength(2);
    expect(devices('revoke', 'meter-2').status).toBe(0);
    expect(devices('revoke', 'meter-2').status).toBe(1);
  });

  it('is told what is wrong with the words', () => {
    expect(devices('rotate', 'meter-1').status).toBe(2);
    const hours = ['--overlap-hours', 'long', '--credentials', 'x.csv'];
    expect(devices('rotate', 'meter-1', ...hours).status).toBe(2);
  });
});

describe('hash-password', () => {
  it('reads the password from standard input and prints its hash', async () => {
    const { status, stdout } = run(['hash-password'], 'a long password\n');
    expect(status).toBe(0);
    expect(stdout).not.toContain('a long password');
    await expect(verifyPassword('a long password', stdout.trim())).resolves.toBe(true);
    await expect(verifyPassword('another password', stdout.trim())).resolves.toBe(false);
  });

  it('ends with 1 when the password is too short', () => {
    expect(run(['hash-password'], 'short\n')).toMatchObject({ status: 1, stdout: '' });
  });

  it('takes no password from the arguments', () => {
    expect(run(['hash-password', 'a long password']).status).toBe(2);
  });
});
