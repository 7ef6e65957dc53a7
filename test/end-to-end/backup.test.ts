/**
 * `fieldgate backup`: a copy taken while uplinks come in holds all that had been acknowledged when
 * it began, and a gateway that is started on it has their readings again.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLedgerFiles, seqKey } from '../../gateway/ledger/lmdb-files.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { mqttClients } from './accounts.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';
import { differenceOf, startHistory } from './kill-history.ts';
import { type Ending, runProgram, runProgramIn } from './program.ts';

const config = { mqtt: { clients: mqttClients } };
const directory = mkdtempSync(join(tmpdir(), 'fieldgate-backup-'));
const at = (...names: string[]) => join(directory, ...names);
const backUp = (from: string, to: string, ...words: string[]) =>
  runProgram('backup', to, '-c', join(from, 'gateway.yaml'), ...words);
const valuesOf = (entries: readonly { object?: Readonly<Record<string, unknown>> }[]) =>
  entries.map(({ object }) => Number(object?.['luminosity']));

describe('A backup of a gateway that runs', () => {
  let before: number[];
  let atLeast: number;
  let done: Ending;
  let devices: readonly string[];
  let standing: string;
  let restored: GatewayProcess;

  beforeAll(async () => {
    const gateway = await startGatewayProcess({ config });
    standing = gateway.directory;
    const history = startHistory({ gateway: () => gateway, clients: 20, everyMs: 50 });
    devices = history.devices;
    await sleep(1_500);
    before = history.acknowledged();
    done = await backUp(standing, at('copy'), '--json');
    atLeast = before.length;
    await history.finish();
    await gateway.kill('SIGTERM');
    mkdirSync(at('restored'));
    // Moved into place, as its help says.
    renameSync(at('copy'), at('restored', 'data'));
    copyFileSync(
      join(standing, 'data', 'device-keys.kek'),
      at('restored', 'data', 'device-keys.kek'),
    );
    restored = await startGatewayProcess({ config, directory: at('restored') });
    await until('everything is stored', () => isAllStored(restored), 60_000);
  }, 120_000);
  afterAll(async () => {
    await restored.stop();
    rmSync(standing, { recursive: true });
    rmSync(directory, { recursive: true, force: true });
  });

  it('says what it has checked and what it has left out', () => {
    expect(done).toMatchObject({ code: 0 });
    const said = JSON.parse(done.stdout);
    expect(said).toMatchObject({
      ...{ directory: at('copy'), firstSeq: 1, bytes: expect.any(Number) },
      leftOut: expect.arrayContaining(['catalogue', 'device-keys.kek', 'telemetry.duckdb']),
    });
    expect(said.entries).toBe(said.lastSeq);
    expect(said.entries).toBeGreaterThanOrEqual(atLeast);
    expect(done.stderr).toContain('Left out, as the gateway runs: ');
    expect(done.stderr).toContain('Left out: the key file.');
  });

  it('has every message that was acknowledged before, once', async () => {
    const written = valuesOf(await uplinksAfter(restored, 0));
    const known = new Set(before);
    const ofBefore = written.filter((value) => known.has(value));
    expect(before.length).toBeGreaterThan(0);
    expect(differenceOf(ofBefore, before)).toEqual({ missing: [], tooMany: [] });
  });

  it('has the readings of all its messages again', async () => {
    const written = valuesOf(await uplinksAfter(restored, 0));
    const stored = await Promise.all(
      devices.map((device) => readingsOf(restored, device, 'illuminance')),
    );
    const values = stored.flat().map(({ value }) => Number(value));
    expect(differenceOf(values, written)).toEqual({ missing: [], tooMany: [] });
  });

  it('is for its owner alone', () => {
    expect(statSync(at('restored', 'data')).mode & 0o077).toBe(0);
  });

  it('of one that stands has the embedded store, too', async () => {
    const whole = await backUp(standing, at('whole'), '--with-key-file');
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/ ledger entries \(1 to \d+\), each checked; /);
    expect(readdirSync(at('whole')).toSorted()).toEqual(
      readdirSync(join(standing, 'data'))
        .filter((name) => !name.startsWith('owner.'))
        .toSorted(),
    );
    expect(readdirSync(at('whole'))).toContain('telemetry.duckdb');
  });

  it.each([
    ['is there already', () => at('restored'), 'is there already, and is not written over'],
    ['lies in dataDir', () => join(standing, 'data', 'copy'), 'lies in the data directory itself'],
  ])('is refused where its place %s', async (_, place, sentence) => {
    const refused = await backUp(standing, place());
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(sentence);
  });

  it('fails and leaves nothing behind when an entry is damaged', async () => {
    const files = openLedgerFiles({ directory: join(standing, 'data') }, { readOnly: false });
    const bytes = files.entries.get(seqKey(2)) ?? Buffer.alloc(0);
    const last = bytes.length - 1;
    bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
    await files.entries.put(seqKey(2), bytes);
    await files.root.close();
    const names = readdirSync(directory);
    const failed = await backUp(standing, at('damaged'));
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('Ledger entry 2 is damaged');
    expect(readdirSync(directory)).toEqual(names);
  });
});

describe('A backup of nothing', () => {
  it('is refused, and makes no data directory', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'fieldgate-backup-'));
    writeFileSync(join(empty, 'gateway.yaml'), 'version: 1\n');
    const environment = { FIELDGATE__DATA_DIR: join(empty, 'data') };
    const words = ['backup', join(empty, 'copy'), '-c', join(empty, 'gateway.yaml')];
    const refused = await runProgramIn(environment, ...words);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('There is no ledger in ');
    expect(readdirSync(empty)).toEqual(['gateway.yaml']);
    rmSync(empty, { recursive: true });
  });
});
