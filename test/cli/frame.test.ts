import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keysOf, readFrameKeys } from '../../gateway/cli/frame-keys.ts';
import { type FrameReading, readFrame } from '../../gateway/cli/frame-reading.ts';
import { parseFrame } from '../../gateway/lorawan/frame.ts';
import { joinAccept, joinRequest } from '../lorawan/simulated-join.ts';
import { bytes, dataVectors, sessionOfVector, vectorOf } from '../lorawan/vectors.ts';

const program = resolve('dist/gateway/cli/fieldgate.js');
const frame = '40f17dbe4900020001954378762b11ff0d';
const nwkSKey = '44024241ed4ce9a68c6a8bc055233fd3';
const appSKey = 'ec925802ae430ca77fd3dd73cb2cc588';

let directory: string;
beforeAll(() => {
  if (!existsSync(program)) execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json']);
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-cli-'));
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (...words: readonly string[]) =>
  spawnSync(process.execPath, [program, 'frame', ...words], { encoding: 'utf8', cwd: directory });
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const reading = (hex: string, keys: Record<string, string> = {}, fCnt?: number): FrameReading => {
  const parsed = parseFrame(bytes(hex));
  if (parsed.kind === 'fault') throw new Error(parsed.detail);
  return readFrame(parsed, keysOf(keys, 'test'), fCnt);
};

describe('fieldgate frame', () => {
  it('prints a frame without keys, in hex of any spelling and in base64', () => {
    const spelt = run('40:F1:7D:BE 49-00020001954378762b11ff0d');
    expect(spelt).toMatchObject({ status: 0, stderr: '' });
    expect(spelt.stdout.split('\n')).toEqual([
      'UnconfirmedDataUp, 17 bytes',
      '  devAddr        49be7df1',
      '  fCtrl          none',
      '  fCnt           2 (16 bits of it)',
      '  fPort          1',
      '  payload        4 bytes, encrypted',
      '  MIC            2b11ff0d, not checked: its keys are not given',
      '',
    ]);
    expect(run(bytes(frame).toString('base64')).stdout).toBe(spelt.stdout);
  });

  it('checks and opens it with keys of a file', () => {
    const keys = file('keys.yaml', `id: 70b3d57ed0000001\nkeys:\n  nwkSKey: ${nwkSKey}\n`);
    const { status, stdout } = run(frame, '--keys', keys, '--app-skey', appSKey, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ mType: 'UnconfirmedDataUp', micVerdict: 'fits', fCnt: 2, payload: '74657374' },
    });
    const text = run(frame, '--keys', keys).stdout;
    expect(text).toContain('4 bytes, encrypted');
    expect(text).toContain('fits these keys');
    expect(run(frame, '--nwk-skey', appSKey)).toMatchObject({ status: 1 });
    expect(run(frame, '--nwk-skey', nwkSKey, '--f-cnt', '65538')).toMatchObject({ status: 1 });
  });

  it.each([
    [['zz'], 2, 'hex digits or base64'],
    [['400102'], 1, 'at least 12 bytes'],
    [[frame, '--nwk-skey', '00'], 2, 'nwkSKey is not a key of 32 hex digits'],
    [[frame, '--keys', 'nowhere.yaml'], 2, 'no such file'],
    [[frame, '--f-cnt', '-1'], 2, '4294967295'],
    [[frame, '--wings', '2'], 2, 'unknown option'],
  ])('says with %j what is wrong', (words, status, reason) => {
    const result = run(...words);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(reason);
  });

  it('repeats no key in its complaints', () => {
    for (const text of [`nwkSKey: ${nwkSKey}00`, `{ nwkSKey: ${nwkSKey}`, `- ${nwkSKey}`]) {
      const { status, stderr } = run(frame, '--keys', file('bad.yaml', text));
      expect(status).toBe(2);
      expect(stderr).not.toContain(nwkSKey);
    }
  });
});

describe('A frame with its keys', () => {
  it.each(
    dataVectors.filter(({ id, lorawan, keys }) => {
      const isWhole = keys['NwkSKey'] !== undefined || keys['NwkSEncKey'] !== undefined;
      return isWhole && (lorawan === '1.0' || id === 'lp-11-rekeyind');
    }),
  )('$id is read as published', (vector) => {
    const { keys, macVersion } = sessionOfVector(vector);
    const all =
      macVersion === '1.0' ? { nwkSKey: keys.fNwkSIntKey, appSKey: keys.appSKey } : { ...keys };
    const hex = Object.fromEntries(
      Object.entries(all).map(([name, key]) => [name, key.toString('hex')]),
    );
    const result = reading(vector.phyPayload, hex);
    if (vector.expect['micValid'] === false) expect(result.micVerdict).toBe('wrong');
    else if (vector.keys['NwkSKey'] !== undefined || macVersion === '1.1') {
      expect(['fits', 'wrong']).toContain(result.micVerdict);
    }
    const clear = vector.expect['frmPayload'];
    if (result.micVerdict === 'fits' && typeof clear === 'string' && vector.keys['AppSKey']) {
      expect(result.payload ?? '').toBe(clear);
    }
  });

  it('finds the counter beyond 16 bits', () => {
    const { phyPayload, keys } = vectorOf('lp-issue126-rollover');
    const result = reading(phyPayload, { nwkSKey: keys['NwkSKey'] ?? '' });
    expect(result).toMatchObject({ micVerdict: 'fits' });
    expect(result.fCnt).toBeGreaterThan(65_535);
  });

  const names = { joinEui: '70b3d57ed0000000', devEui: '70b3d57ed00000b1' };
  const appKey = Buffer.alloc(16, 7);
  const hexKey = appKey.toString('hex');

  it('of a join-request or a rejoin-request is checked', () => {
    const request = joinRequest(appKey, names, 5).toString('hex');
    expect(reading(request, { appKey: hexKey })).toMatchObject({ ...names, micVerdict: 'fits' });
    expect(reading(request, { nwkKey: nwkSKey })).toMatchObject({ micVerdict: 'wrong' });
    expect(reading(request)).toMatchObject({ devNonce: 5, micVerdict: 'unchecked' });
    const rejoin = `c000010203${'00'.repeat(8)}0500aabbccdd`;
    expect(reading(rejoin, { sNwkSIntKey: nwkSKey })).toMatchObject({ micVerdict: 'wrong' });
    expect(reading('ff00')).toMatchObject({ mType: 'Proprietary', micVerdict: 'unchecked' });
  });

  it('of a join-accept is opened, its channels too', () => {
    const grant = { joinNonce: 1, netId: '000013', devAddr: '26011bda' };
    const frequencies = Buffer.alloc(16);
    frequencies.writeUIntLE(8_671_000, 0, 3);
    const masks = Buffer.alloc(16);
    masks.writeUInt16LE(0xff00, 0);
    masks[15] = 1;
    const open = (cfList?: Buffer) =>
      reading(
        joinAccept({ appKey }, { ...grant, ...(cfList === undefined ? {} : { cfList }) }).toString(
          'hex',
        ),
        { appKey: hexKey },
      ).joinAccept;
    expect(open()).toEqual({
      ...{ ...grant, version: '1.0', rx1DrOffset: 0, rx2DataRate: 3, rxDelaySeconds: 1 },
    });
    expect(open(frequencies)).toMatchObject({ frequencies: [867_100_000] });
    expect(open(masks)?.channelMasks).toEqual(['ff00', '0000', '0000', '0000', '0000']);
    const of11 = { ...names, joinReqType: 255, devNonce: 1 };
    const newer = joinAccept({ appKey, nwkKey: appKey }, { ...grant, of11 }).toString('hex');
    expect(reading(newer, { nwkKey: hexKey })).toMatchObject({ micVerdict: 'unchecked' });
    expect(reading(newer)).toMatchObject({ micVerdict: 'unchecked' });
    const other = joinAccept({ appKey }, grant).toString('hex');
    expect(reading(other, { appKey: '00'.repeat(16) })).not.toMatchObject({ micVerdict: 'fits' });
  });

  it('of a file may stand at its top or below keys, and says what is no such file', () => {
    const path = file('flat.json', JSON.stringify({ appKey: hexKey, name: 'x' }));
    expect(readFrameKeys(path)).toEqual({ appKey });
    expect(() => readFrameKeys(file('list.yaml', '[1]'))).toThrow('holds no names');
    expect(() => readFrameKeys(file('large.yaml', ' '.repeat(70_000)))).toThrow('too large');
  });
});
