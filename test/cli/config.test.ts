import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('config', () => {
  it('prints defaults that it finds nothing wrong with', () => {
    const { stdout } = room.run(['config', 'print']);
    writeFileSync(room.at('defaults.yaml'), stdout);
    expect(room.run(['config', 'check', 'defaults.yaml'])).toEqual({
      status: 0,
      stdout: 'defaults.yaml: no problems\n',
      stderr: '',
    });
  });

  it('is checked by --config, too, and without a file by the environment alone', () => {
    const ended = room.run(['config', 'check', '--config', 'gateway.yaml']);
    expect([ended.status, ended.stdout]).toEqual([0, 'gateway.yaml: no problems\n']);
    expect(room.run(['config', 'check']).stdout).toBe('environment: no problems\n');
    const set = { FIELDGATE__HTTP__PORT: 'eighty' };
    expect(room.run(['config', 'check'], '', set).stderr).toContain('FIELDGATE__HTTP__PORT');
    const twice = room.run(['config', 'check', 'gateway.yaml', '-c', 'gateway.yaml']);
    expect([twice.status, twice.stderr]).toEqual([2, expect.stringContaining('give one')]);
  });

  it('prints the JSON Schema', () => {
    expect(JSON.parse(room.run(['config', 'print', '--json-schema']).stdout)).toMatchObject({
      type: 'object',
      required: ['version'],
    });
  });

  it('says everything that is wrong and ends with 2', () => {
    writeFileSync(room.at('bad.yaml'), 'version: 1\nhttp: {port: -1, hots: x}\n');
    const { status, stderr } = room.run(['config', 'check', 'bad.yaml']);
    expect(status).toBe(2);
    expect(stderr).toContain('bad.yaml:2: http.port');
    expect(stderr).toContain('did you mean host?');
    const json = room.run(['config', 'check', '--json', 'bad.yaml']);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{}, {}] });
  });

  it('checks the environment with the file, and names that exist elsewhere', () => {
    writeFileSync(
      room.at('route.yaml'),
      'version: 1\ningest: {routes: [{topic: a, adapter: b}]}\n',
    );
    expect(room.run(['config', 'check', 'route.yaml']).stderr).toContain('no adapter is named b');
    const set = { FIELDGATE__HTTP__PORT: 'eighty' };
    expect(room.run(['config', 'check', 'gateway.yaml'], '', set).stderr).toContain(
      'FIELDGATE__HTTP__PORT: http.port',
    );
  });

  it('is read before the gateway starts', () => {
    const { status, stderr } = room.run(['serve', '--config', 'bad.yaml']);
    expect(status).toBe(2);
    expect(stderr).toContain('the configuration has 2 problems');
  });
});
