import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('decode', () => {
  const words = ['decode', '01 00-E2:02 29', '--codec', 'elsys-generic', '--f-port', '5'];

  it('prints a line for each value, hex in any spelling', () => {
    const { status, stdout } = room.run(words);
    expect(status).toBe(0);
    expect(stdout).toBe('air_temperature: 22.6 Cel\nrelative_humidity: 41 %\n');
  });

  it('prints JSON', () => {
    expect(JSON.parse(room.run([...words, '--json']).stdout)).toMatchObject({ ok: true });
  });

  it('ends with 1 when the codec cannot read it', () => {
    const { status, stderr } = room.run(['decode', '01', '--codec', 'elsys-generic']);
    expect(status).toBe(1);
    expect(stderr).toContain('fieldgate: ');
  });
});
