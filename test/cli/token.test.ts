import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openAccess } from '../../dashboard/access.ts';
import { systemClock } from '../../gateway/model/clock.ts';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('token create', () => {
  const create = ['token', 'create', '--config', 'gateway.yaml'];

  it('prints a token that the gateway knows, and keeps its hash alone', () => {
    const { status, stdout } = room.run([...create, '--name', 'grafana', '--role', 'operator']);
    expect(status).toBe(0);
    const file = room.at('data/access.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(stdout.trim());
    const access = openAccess(room.at('data'), systemClock);
    expect(access.byToken(stdout.trim())).toEqual({ name: 'grafana', role: 'operator' });
  });

  it('ends with 1 when the name is taken', () => {
    room.run([...create, '--name', 'twice']);
    const { status, stdout, stderr } = room.run([...create, '--name', 'twice']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('a token named twice exists already');
  });

  it('takes no token from the arguments', () => {
    expect(room.run([...create, '--name', 'a', '--token', 'mine']).status).toBe(2);
  });
});

describe('token revoke', () => {
  it('takes the token away, with the sessions opened with it', () => {
    const { stdout } = room.run(['token', 'create', '-c', 'gateway.yaml', '--name', 'lost']);
    const access = openAccess(room.at('data'), systemClock);
    const session = access.signIn(stdout.trim())?.session ?? '';
    expect(room.run(['token', 'revoke', '-c', 'gateway.yaml', '--name', 'lost']).status).toBe(0);
    expect(access.byToken(stdout.trim())).toBeUndefined();
    expect(access.bySession(session)).toBeUndefined();
    const again = room.run(['token', 'revoke', '-c', 'gateway.yaml', '--name', 'lost']);
    expect([again.status, again.stderr]).toEqual([1, 'fieldgate: no token is named lost\n']);
  });

  it('says it as JSON to a program', () => {
    const words = ['-c', 'gateway.yaml', '--name', 'short'];
    room.run(['token', 'create', ...words]);
    const { status, stdout } = room.run(['token', 'revoke', ...words, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ name: 'short', revoked: true });
  });
});
