import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyPassword } from '../../gateway/transports/password.ts';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('hash-password', () => {
  it('reads the password from standard input and prints its hash', async () => {
    const { status, stdout } = room.run(['hash-password'], 'a long password\n');
    expect(status).toBe(0);
    expect(stdout).not.toContain('a long password');
    await expect(verifyPassword('a long password', stdout.trim())).resolves.toBe(true);
    await expect(verifyPassword('another password', stdout.trim())).resolves.toBe(false);
  });

  it('ends with 1 when the password is too short', () => {
    expect(room.run(['hash-password'], 'short\n')).toMatchObject({ status: 1, stdout: '' });
  });

  it('takes no password from the arguments', () => {
    expect(room.run(['hash-password', 'a long password']).status).toBe(2);
  });
});
