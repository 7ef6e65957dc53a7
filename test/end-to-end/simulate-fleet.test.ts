/** `fieldgate simulate --fleet` as people use it: the compiled program against a real gateway. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type GatewayProcess, startGatewayProcess } from '../setup/gateway-process.ts';
import { runProgram, runProgramIn } from './program.ts';

const size = ['--fleet', '14', '--gateways', '12'];
let directory: string;
let setup: string;
let gateway: GatewayProcess;

/** A gateway as the set-up describes it, on ports of its own. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-fleet-'));
  setup = join(directory, 'setup');
  const ending = await runProgram('simulate', ...size, '--setup', setup);
  expect([ending.code, ending.stderr]).toEqual([0, '']);
  const { devices, mqtt, store, ledger, ingest } = parse(
    await readFile(join(setup, 'gateway.yaml'), 'utf8'),
  );
  gateway = await startGatewayProcess({
    config: {
      ...{ devices, store, ledger, mqtt: { clients: mqtt.clients } },
      ingest: {
        udp: { ...ingest.udp, port: 0 },
        basicStation: { ...ingest.basicStation, port: 0 },
      },
    },
  });
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await rm(directory, { recursive: true });
});

const toBridge = () => ['--to', `mqtt://127.0.0.1:${gateway.mqttPort}`];
const toAll = () => [
  ...toBridge(),
  ...['--to', `udp://127.0.0.1:${gateway.port('udp')}`],
  ...['--to', `ws://127.0.0.1:${gateway.port('basic-station')}`],
];

async function run(...words: string[]) {
  const accounts = ['--accounts', join(setup, 'accounts.yaml'), '--json'];
  const token = { FIELDGATE_TOKEN: gateway.token };
  const ending = await runProgramIn(token, 'simulate', ...size, ...accounts, ...words);
  return { ...ending, told: JSON.parse(ending.stdout) };
}

describe('fieldgate simulate --fleet', () => {
  it('sends all that gateways of three kinds hear, and finds it again', async () => {
    const memory = ['--memory', join(directory, 'fleet.json'), '--gateway', gateway.http];
    const first = await run(...toAll(), ...memory, '--for', '40m', '--speed', 'max');
    expect([first.code, first.told.verdict]).toMatchObject([
      0,
      { missing: 0, duplicated: 0, unknown: 0, notStored: 0, faults: {}, isSound: true },
    ]);
    const { joins, copies, heard, confirmed, confirmedAcknowledged, verdict, doors } = first.told;
    expect(Object.keys(doors).sort()).toEqual(['basic-station', 'gateway-bridge', 'semtech-udp']);
    expect(joins).toBeGreaterThan(10);
    expect(verdict.joins).toBeGreaterThanOrEqual(joins);
    expect(copies).toBeGreaterThan(heard);
    expect(confirmed).toBeGreaterThan(10);
    expect(confirmedAcknowledged).toBeLessThanOrEqual(confirmed);
    expect(verdict.owed).toBeGreaterThan(60);
    const again = await run(...toAll(), ...memory, '--for', '15m', '--speed', 'max');
    expect([again.code, again.told.verdict]).toMatchObject([0, { faults: {}, isSound: true }]);
  }, 60_000);

  it('says what a gateway refuses that has heard it before', async () => {
    const words = [...toBridge(), '--gateway', gateway.http, '--for', '20m', '--speed', 'max'];
    const { code, told } = await run(...words);
    expect([code, told.isGood]).toEqual([1, false]);
    expect(told.verdict.missing).toBeGreaterThan(0);
    expect(Object.keys(told.verdict.faults)).toEqual(['FRAME_REPLAYED']);
  }, 60_000);

  it('keeps the pace of the time it is told', async () => {
    const seed = ['--seed', 'pace', '--interval', '30s'];
    const { code, told, stderr } = await run(
      ...toBridge(),
      ...seed,
      '--for',
      '2m',
      '--speed',
      '60',
    );
    expect([code, told.isGood]).toEqual([0, true]);
    expect(stderr).toContain('×60 joins');
  }, 60_000);

  it('writes its devices for an import, for their owner alone', async () => {
    const file = join(directory, 'devices.json');
    const written = await runProgram('simulate', ...size, '--devices-out', file);
    expect(written.code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text).toBe(await readFile(join(setup, 'devices.json'), 'utf8'));
    const [first] = JSON.parse(text);
    expect(first).toMatchObject({ name: 'TEST fleet device 1', tags: { keys: 'test' } });
    const again = await runProgram('simulate', ...size, '--devices-out', file);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is there already')]);
    const token = join(directory, 'admin.token');
    await writeFile(token, gateway.token);
    const door = ['--url', gateway.http, '--token-file', token];
    const imported = await runProgram('devices', 'import', file, ...door);
    expect([imported.code, imported.stdout]).toEqual([0, '14 devices registered, 0 refused\n']);
  }, 60_000);

  it('prints the same bytes for the same seed', async () => {
    const words = ['simulate', ...size, '--dry-run', '--for', '20m', '--start'];
    const [first, second, other] = await Promise.all([
      runProgram(...words, '2026-06-15T06:00:00Z'),
      runProgram(...words, '2026-06-15T06:00:00Z'),
      runProgram(...words, '2026-06-15T06:00:00Z', '--seed', 'other'),
    ]);
    expect(second.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
    const [line = ''] = first.stdout.split('\n');
    expect(JSON.parse(line)).toMatchObject({
      ...{ kind: 'up', what: expect.any(String), phyPayload: expect.stringMatching(/^[0-9a-f]+$/) },
      gateways: expect.arrayContaining([expect.objectContaining({ rssi: expect.any(Number) })]),
    });
  }, 60_000);

  it('says that a door stays shut', async () => {
    const { code, stderr } = await runProgram('simulate', ...size, '--to', 'mqtt://127.0.0.1:1');
    expect(code).toBe(1);
    expect(stderr).toContain('ECONNREFUSED');
  });
});
