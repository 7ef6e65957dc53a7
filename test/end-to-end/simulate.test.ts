/** `fieldgate simulate` as people use it: the compiled program against a real gateway. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { parseMessage } from '../../simulators/capture/message.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored } from './gateway-api.ts';
import { type Ending, runProgram } from './program.ts';

let directory: string;
let setup: string;
let gateway: GatewayProcess;

/** A gateway with the devices and accounts that the set-up wrote, on ports of its own. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-simulate-'));
  setup = join(directory, 'setup');
  const ending = await runProgram('simulate', '--setup', setup, '--devices', '18');
  expect(ending.code).toBe(0);
  const { devices, mqtt, store } = parse(await readFile(join(setup, 'gateway.yaml'), 'utf8'));
  gateway = await startGatewayProcess({
    config: { devices, store, mqtt: { clients: mqtt.clients } },
  });
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await rm(directory, { recursive: true });
});

function toGateway(): string[] {
  const accounts = join(setup, 'accounts.yaml');
  return ['--to', `mqtt://127.0.0.1:${gateway.mqttPort}`, '--accounts', accounts, '--json'];
}

function simulate(...words: string[]): Promise<Ending> {
  return runProgram('simulate', '--devices', '18', ...words);
}

const accepted = () => gateway.metric('fieldgate_uplinks_total', 'outcome="accepted"');
const replayed = () => gateway.metric('fieldgate_uplinks_total', 'outcome="replayed"');

describe('fieldgate simulate', () => {
  it('writes secrets for its owner alone, and none of them twice', async () => {
    for (const name of ['gateway.yaml', 'accounts.yaml', 'viewer.token']) {
      expect((await stat(join(setup, name))).mode & 0o777).toBe(0o600);
    }
    const again = await simulate('--setup', setup);
    expect(again.stderr).toContain('is there already, and is not written over');
    expect(again.code).toBe(1);
  });

  it('sends a city: its past, then its present, each uplink accepted', async () => {
    const memory = join(directory, 'city.json');
    const words = ['--backfill', '1h', '--for', '3s', '--interval', '1s', '--memory', memory];
    const first = await simulate(...toGateway(), ...words);
    expect(first.stderr).toContain('acknowledged');
    const outcome = JSON.parse(first.stdout);
    expect(first.code).toBe(0);
    expect(outcome.messagesAcknowledged).toBe(outcome.messagesSent);
    expect(outcome.uplinksSent).toBeGreaterThan(4 * 18 + 18);
    expect(Object.keys(outcome.networks).sort()).toEqual(
      ['chirpstack', 'gateway-bridge', 'modems', 'the-things-stack'].sort(),
    );
    await until('everything is stored', () => isAllStored(gateway));
    expect(await accepted()).toBe(outcome.uplinksAcknowledged);
    expect(await replayed()).toBe(0);
  });

  it('goes on where it was, when it keeps its counters', async () => {
    const before = await accepted();
    const memory = join(directory, 'city.json');
    const ending = await simulate(
      ...toGateway(),
      ...['--for', '1m', '--speed', 'max', '--interval', '20s', '--memory', memory],
    );
    const { uplinksAcknowledged } = JSON.parse(ending.stdout);
    expect(ending.code).toBe(0);
    expect(await accepted()).toBe(before + uplinksAcknowledged);
    expect(await replayed()).toBe(0);
  });

  it('ends well when it is interrupted, with a summary', async () => {
    const words = ['simulate', '--devices', '18', ...toGateway(), '--seed', 'baku'];
    const memory = ['--memory', join(directory, 'city.json')];
    const program = resolve('dist/gateway/cli/fieldgate.js');
    const child = spawn(process.execPath, [program, ...words, ...memory, '--interval', '1s']);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
    });
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    await until('it tells how far it is', () => /×1 sent [1-9]/.test(stderr));
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const { messagesSent, messagesAcknowledged, messagesFailed } = JSON.parse(stdout);
    expect(messagesSent).toBeGreaterThan(0);
    expect([messagesAcknowledged, messagesFailed]).toEqual([messagesSent, 0]);
  });

  it('says that a broker refuses it', async () => {
    const refused = await simulate('--to', `mqtt://127.0.0.1:${gateway.mqttPort}`, '--for', '1s');
    expect(refused.stderr).toMatch(/Not authorized|refused/);
    expect(refused.code).toBe(1);
  });
});

describe('A dry run', () => {
  const words = ['--dry-run', '--start', '2026-06-15T06:00:00Z', '--for', '5m'];

  it('prints the same bytes for the same seed', async () => {
    const [first, second] = await Promise.all([simulate(...words), simulate(...words)]);
    const lines = first.stdout.trimEnd().split('\n');
    const messages = lines.map((line, index) => parseMessage(line, index + 1));
    expect(messages.length).toBeGreaterThan(18 * 50);
    const times = messages.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(times[0]).toBeGreaterThanOrEqual(Date.UTC(2026, 5, 15, 6));
    expect(times.at(-1)).toBeLessThan(Date.UTC(2026, 5, 15, 6, 5));
    expect(second.stdout).toBe(first.stdout);
    expect(first.code).toBe(0);
  });

  it('shows two bad days at once', async () => {
    const days = ['flood', 'join-storm'].flatMap((name) => [
      ...['--scenario', `simulators/bad-days/${name}.yaml`],
    ]);
    const { stdout, code } = await simulate('--dry-run', ...days);
    const lines = stdout.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines.filter((line) => /phyPayload\W+"A/.test(line)).length).toBeGreaterThan(10);
    expect(lines.length).toBeGreaterThan(18 * 14 * 4);
  });
});
