/** Files that the words of a command name, when they are not what they should be. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandRoom, openCommandRoom } from './command-room.ts';

let room: CommandRoom;

beforeAll(() => {
  room = openCommandRoom();
  mkdirSync(room.at('folder'));
  writeFileSync(room.at('empty'), '');
  writeFileSync(room.at('binary'), Buffer.from([1, 0, 2, 0xff]));
  writeFileSync(
    room.at('latin.csv'),
    Buffer.from('id,kind,name\nmeter-1,cellular,Caf\xe9\n', 'latin1'),
  );
  writeFileSync(room.at('wide.csv'), Buffer.from('\uFEFFid,kind\nmeter-1,cellular\n', 'utf16le'));
}, 120_000);

afterAll(() => room.remove());

const url = ['--url', 'http://127.0.0.1:1'];
const token = { FIELDGATE_TOKEN: 'a' };
const commands: [string, (file: string) => string[]][] = [
  ['serve', (file) => ['serve', '--config', file]],
  ['config check', (file) => ['config', 'check', file]],
  ['devices import', (file) => ['devices', 'import', file, '-c', 'gateway.yaml']],
  ['devices import, its token', (file) => ['devices', 'import', 'x', ...url, '--token-file', file]],
  ['models put', (file) => ['models', 'put', 'a/b', file, ...url]],
  ['models list', (file) => ['models', 'list', ...url, '--token-file', file]],
  ['codecs put', (file) => ['codecs', 'put', 'a', `${file}.js`, ...url]],
  ['codecs map', (file) => ['codecs', 'map', 'a', file, ...url]],
  ['frame', (file) => ['frame', '40F17DBE4900020001954378762B11FF0D', '--keys', file]],
  ['record pcap', (file) => ['record', 'pcap', file, '--dry-run']],
  ['record csv', (file) => ['record', 'csv', file, '--device', 'a', '--dry-run']],
  ['record set', (file) => ['record', 'set', 'air-quality-italy', file, '--dry-run']],
  ['record api', (file) => ['record', 'api', 'http://127.0.0.1:1', '--token-file', file]],
  ['record ledger', (file) => ['record', 'ledger', file, '--dry-run']],
  ['codecs check', (file) => ['codecs', 'check', file]],
  ['replay', (file) => ['replay', file, '--dry-run']],
  ['replay, its accounts', (file) => ['replay', 'x', '--accounts', file, '--to', 'udp://a:1']],
  ['simulate', (file) => ['simulate', '--scenario', file, '--dry-run']],
];

describe('A file that the words name', () => {
  it.each(commands)('ends %s with 2 and a sentence when it is not there', (_name, words) => {
    const { status, stderr } = room.run(words('nowhere'), '', token);
    expect(stderr).toMatch(/no such file|cannot be read|no file|no directory/);
    expect(stderr).not.toMatch(/ENOENT|^\s+at /m);
    expect(status).toBe(2);
  });

  it.each([
    ['devices', 'import', 'folder', '-c', 'gateway.yaml'],
    ['replay', 'folder', '--dry-run'],
    ['record', 'csv', 'folder', '--device', 'a', '--dry-run'],
    ['frame', '40F17DBE4900020001954378762B11FF0D', '--keys', 'folder'],
    ['models', 'put', 'a/b', 'folder', ...url],
  ])('ends with 2 when it is a directory: %p', (...words) => {
    const { status, stderr } = room.run(words, '', token);
    expect(stderr).toContain('folder: is a directory, not a file');
    expect(status).toBe(2);
  });

  it.each([
    ['latin.csv', 'is not written in UTF-8'],
    ['wide.csv', 'is written in UTF-16'],
    ['binary', 'is not text'],
    ['empty', 'no header row'],
  ])('is refused when it is no text of UTF-8, or none at all: %s', (file, sentence) => {
    const { status, stderr } = room.run(['devices', 'import', file, '-c', 'gateway.yaml']);
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
  });

  it('may begin with a byte order mark and have line ends of two characters', () => {
    const rows = '\uFEFFid,kind\r\nmeter-1,cellular\r\n';
    writeFileSync(room.at('marked.csv'), rows);
    writeFileSync(room.at('marked.json'), '\uFEFF[{"id":"meter-2","kind":"cellular"}]\r\n');
    writeFileSync(room.at('marked.yaml'), '\uFEFFversion: 1\r\ndataDir: data\r\n');
    for (const file of ['marked.csv', 'marked.json']) {
      expect(room.run(['devices', 'import', file, '-c', 'marked.yaml'])).toEqual({
        status: 0,
        stdout: '1 devices registered, 0 refused\n',
        stderr: '',
      });
    }
  });
});

describe('An empty word', () => {
  it.each([
    [['devices', 'revoke', '', '-c', 'gateway.yaml'], 'an argument is empty'],
    [['derive', '--from', '1', '--device', '', ...url], '--device is empty'],
    [['serve', '--config', ''], '--config is empty'],
    [['models', 'list', '--find='], '--find is empty'],
  ])('ends with 2, since it would often mean everything: %p', (words, sentence) => {
    const { status, stderr } = room.run(words, '', token);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });
});

describe('The address of a gateway', () => {
  it.each([
    'http://127.0.0.1:99999',
    'http://',
    '127.0.0.1:8080',
    'ftp://127.0.0.1',
    'http://user:pass@127.0.0.1:8080',
  ])('ends with 2 when it is none: %s', (address) => {
    const { status, stderr } = room.run(['models', 'list', '--url', address], '', token);
    expect(stderr).toMatch(/^fieldgate: --url /);
    expect(status).toBe(2);
  });
});
