import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
}, 120_000);

afterAll(() => room.remove());

describe('devices', () => {
  const devices = (...words: string[]) => room.run(['devices', ...words, '-c', 'gateway.yaml']);

  it('imports a table, and writes each secret once to a file that only its owner reads', () => {
    const table = 'id,kind,agency\nmeter-1,cellular,Water\nmeter-2,cellular,Water\nbad id,x,y\n';
    writeFileSync(room.at('devices.csv'), table);
    const done = devices('import', 'devices.csv', '--credentials', 'out.csv');
    expect(done.status).toBe(1);
    expect(done.stdout).toBe('2 devices registered, 1 refused\n');
    expect(done.stderr).toContain('row 3: ');
    expect(statSync(room.at('out.csv')).mode & 0o777).toBe(0o600);
    const lines = readFileSync(room.at('out.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^meter-1,meter-1,[\w-]{32}$/);
    const secret = lines[1]?.split(',')[2] ?? '';
    expect(readFileSync(room.at('data/state/data.mdb')).includes(secret)).toBe(false);
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
    writeFileSync(room.at('empty.csv'), text);
    const { status, stdout, stderr } = devices('import', 'empty.csv');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(said);
  });

  it("imports objects one after another, as The Things Stack's tools write them", () => {
    const device = (digit: string) => ({
      ids: { device_id: `well-${digit}`, dev_eui: `70b3d57ed00000a${digit}` },
      name: `Well } ${digit} " {`,
    });
    const stream = `${JSON.stringify(device('1'), undefined, 2)}\n${JSON.stringify(device('2'))}`;
    writeFileSync(room.at('stream.json'), stream);
    expect(devices('import', 'stream.json')).toMatchObject({
      ...{ status: 0, stdout: '2 devices registered, 0 refused\n', stderr: '' },
    });
    writeFileSync(room.at('one.json'), JSON.stringify(device('3')));
    expect(devices('import', 'one.json').stdout).toBe('1 devices registered, 0 refused\n');
  });

  it.each(['{"id":"a"}x{"id":"b"}', '{"id":"a"}}', '{"id":"a"}\n{"id":b}', '{"id":"a"} {'])(
    'takes no half of a broken stream: %p',
    (text) => {
      writeFileSync(room.at('broken.json'), text);
      const { status, stdout, stderr } = devices('import', 'broken.json');
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain('begins like JSON and is none');
    },
  );

  it('lets no file steer the terminal', () => {
    writeFileSync(room.at('steering.csv'), 'id,kind,\u001b[2J\nmeter-9,cellular,x\n');
    expect(devices('import', 'steering.csv').stderr).not.toContain('\u001b');
  });

  it('rotates and revokes, and says who has no credential', () => {
    const rotated = devices('rotate', 'meter-2', 'nobody', '--credentials', 'new.csv');
    expect([rotated.status, rotated.stderr]).toEqual([1, 'fieldgate: nobody has no credential\n']);
    expect(readFileSync(room.at('new.csv'), 'utf8').trim().split('\n')).toHaveLength(2);
    expect(devices('revoke', 'meter-2').status).toBe(0);
    expect(devices('revoke', 'meter-2').status).toBe(1);
  });

  it('says it as JSON to a program, and names no secret there', () => {
    writeFileSync(room.at('told.csv'), 'id,kind\nmeter-3,cellular\nbad id,cellular\n');
    const imported = devices('import', 'told.csv', '--credentials', 'told-out.csv', '--json');
    expect(JSON.parse(imported.stdout)).toEqual({ registered: 1, refused: 1 });
    const rotated = devices('rotate', 'meter-3', '--credentials', 'told-new.csv', '--json');
    expect(JSON.parse(rotated.stdout)).toEqual({
      ...{ id: 'meter-3', rotated: true, oldUntil: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    const revoked = devices('revoke', 'nobody', 'meter-3', '--json');
    expect(revoked.status).toBe(1);
    expect(JSON.parse(revoked.stdout)).toEqual({ id: 'meter-3', revoked: true });
  });

  it('is told what is wrong with the words', () => {
    expect(devices('rotate', 'meter-1').status).toBe(2);
    const hours = ['--overlap-hours', 'long', '--credentials', 'x.csv'];
    expect(devices('rotate', 'meter-1', ...hours).status).toBe(2);
  });
});
