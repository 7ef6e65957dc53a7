import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('The command line', () => {
  it.each([
    [['--help'], 'serve'],
    [['token', '--help'], 'create'],
    [['config', 'check', '--help'], 'file'],
    [['decode', '--help'], 'elsys-generic'],
  ])('explains itself with %p', (words, expected) => {
    const { status, stdout } = room.run(words);
    expect(status).toBe(0);
    expect(stdout).toContain(expected);
  });

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(room.run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it.each<[string[]]>([
    [['frobnicate']],
    [[]],
    [['serve', '--prot', '1']],
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
    const { status, stderr } = room.run(words);
    expect(status).toBe(2);
    expect(stderr.length).toBeGreaterThan(10);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
