/** What commands say of a data directory that cannot be. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
  writeFileSync(room.at('proc.yaml'), 'version: 1\ndataDir: /proc/fieldgate\n');
  writeFileSync(room.at('file.yaml'), 'version: 1\ndataDir: proc.yaml\n');
}, 120_000);

afterAll(() => room.remove());

describe('A data directory', () => {
  it.each([['serve'], ['token', 'create', '--name', 'a'], ['keys', 'init']])(
    'that cannot be made ends %s with 1 and the place',
    (...words) => {
      const { status, stdout, stderr } = room.run([...words, '--config', 'proc.yaml']);
      expect([status, stdout]).toEqual([1, '']);
      const sentence = 'no directory can be made there. Give another dataDir.';
      expect(stderr).toBe(`fieldgate: /proc/fieldgate: ${sentence}\n`);
    },
  );

  it('that is a file ends the start with 1', () => {
    const { status, stderr } = room.run(['serve', '--config', 'file.yaml']);
    expect(status).toBe(1);
    expect(stderr).toContain('proc.yaml: is a file, where a directory is wanted');
  });
});
