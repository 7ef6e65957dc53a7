/**
 * A load against the real gateway, and the oracle that compares them: it finds nothing where
 * nothing is wrong, also after a kill, and finds it where something is.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { stringify } from 'yaml';
import { checkGateway, type Verdict } from '../../simulators/load/gateway-check.ts';
import { readHistory } from '../../simulators/load/history-file.ts';
import { loadClock } from '../../simulators/load/load-clock.ts';
import { bodyOf, createLoadSource, topicOf } from '../../simulators/load/load-message.ts';
import { isGood, runLoadSession } from '../../simulators/load/load-session.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { mqttClients, networkServer } from './accounts.ts';
import { isAllStored } from './gateway-api.ts';
import { runProgram } from './program.ts';

const config = { mqtt: { clients: mqttClients } };
const nothingWrong = { missing: 0, duplicated: 0, altered: 0, unknown: 0 };

let directory: string;
let files: { accounts: string; token: string; history: string };
let gateway: GatewayProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-load-test-'));
  const [accounts, token] = [join(directory, 'accounts.yaml'), join(directory, 'token')];
  files = { accounts, token, history: join(directory, 'history.ndjson') };
  gateway = await startGatewayProcess({ config });
  await writeFile(accounts, stringify({ load: networkServer }));
  await writeFile(token, gateway.token);
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await rm(directory, { recursive: true });
});

function atGateway(): string[] {
  return ['--gateway', gateway.http, '--token-file', files.token, '--settle', '15s', '--json'];
}

async function check(file: string) {
  const ending = await runProgram('simulate', '--check', file, ...atGateway());
  return { ...ending, verdict: JSON.parse(ending.stdout === '' ? '{}' : ending.stdout).verdict };
}

async function verdictOf(file: string): Promise<Verdict> {
  const door = { url: gateway.http, token: gateway.token };
  const history = await readHistory(file);
  return checkGateway({ door, history, clock: loadClock, settleMs: 15_000 });
}

describe('A load on a gateway that does its work', () => {
  it('finds everything in the ledger and the store, and all of it live', async () => {
    const ending = await runProgram(
      ...['simulate', '--load', '--to', `mqtt://127.0.0.1:${gateway.mqttPort}`],
      ...['--accounts', files.accounts, '--rate', '200', '--connections', '50', '--for', '4s'],
      ...['--history', files.history, '--seed', 'honest', ...atGateway()],
    );
    const outcome = JSON.parse(ending.stdout);
    expect(outcome).toMatchObject({
      isGood: true,
      load: { planned: 800, sent: 800, acknowledged: 800, puback: { count: 800 } },
      live: { notShown: 0, altered: 0, latency: { count: 800 } },
      verdict: {
        ...{ messages: 800, acknowledged: 800, outcomes: { accepted: 800 } },
        ledger: { found: 800, ...nothingWrong },
        store: { found: 1_600, ...nothingWrong },
      },
    });
    expect(ending.code).toBe(0);
  });

  it('can be checked again by its history', async () => {
    const { code, verdict } = await check(files.history);
    expect(verdict).toMatchObject({ isSound: true, ledger: nothingWrong, store: nothingWrong });
    expect(code).toBe(0);
  });
});

describe('The oracle', () => {
  /** The history with one line changed, removed or added. */
  async function doctored(name: string, change: (lines: string[]) => string[]): Promise<string> {
    const lines = (await readFile(files.history, 'utf8')).trimEnd().split('\n');
    const file = join(directory, name);
    await writeFile(file, `${change(lines).join('\n')}\n`);
    return file;
  }

  it('finds missing what the history knows to be acknowledged and the gateway has not', async () => {
    const source = createLoadSource('honest', 200);
    const { number, ...message } = source.message(900, Date.now());
    const file = await doctored('missing', (lines) => [
      ...lines,
      JSON.stringify({ sent: number, ...message }),
      JSON.stringify({ acknowledged: number, ms: 1 }),
    ]);
    const { ledger, store, isSound } = await verdictOf(file);
    expect(ledger).toMatchObject({ ...nothingWrong, missing: 1 });
    expect(store).toMatchObject({ ...nothingWrong, missing: 2 });
    expect(ledger.examples[0]).toContain(`missing: ${message.device} 4`);
    expect(isSound).toBe(false);
  });

  it('finds altered what the gateway has with another value', async () => {
    const file = await doctored('altered', (lines) =>
      lines.map((line) => line.replace(/("sent":7,.*"air_temperature":)[^,]*/, '$112.34')),
    );
    const { ledger, store, isSound } = await verdictOf(file);
    expect(ledger).toMatchObject({ ...nothingWrong, altered: 1 });
    expect(store).toMatchObject({ ...nothingWrong, altered: 1 });
    expect(isSound).toBe(false);
  });

  it('finds unknown what the history has not', async () => {
    const file = await doctored('unknown', (lines) =>
      lines.filter((line) => !/"(sent|acknowledged)":7,/.test(line)),
    );
    const { ledger, isSound } = await verdictOf(file);
    expect(ledger).toMatchObject({ ...nothingWrong, unknown: 1 });
    expect(isSound).toBe(false);
  });

  it('finds duplicated what the ledger has twice', async () => {
    const line = (await readFile(files.history, 'utf8')).split('\n')[1] ?? '';
    const { sent: number, ...rest } = JSON.parse(line);
    const message = { number, ...rest };
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, networkServer);
    // Under another id the gateway has to take it for another message.
    await client.publishAsync(topicOf(message), bodyOf(message, 'deadbeef'), { qos: 1 });
    await client.endAsync();
    await until('it is stored', () => isAllStored(gateway));
    const { code, verdict } = await check(files.history);
    expect(verdict.ledger).toMatchObject({ ...nothingWrong, duplicated: 1 });
    expect(verdict.ledger.examples[0]).toContain(`duplicated: ledger entry 801 ${message.device}`);
    expect(code).toBe(1);
  });
});

describe('A load on a gateway that is killed in the middle of it', () => {
  it('finds every acknowledged message, once, in the ledger and the store', async () => {
    let own = await startGatewayProcess({ config });
    const { mqttPort, http, token } = own;
    const door = { host: '127.0.0.1', port: mqttPort, isTls: false };
    let isKilled = false;
    let restarted: Promise<GatewayProcess> | undefined;
    const restart = async (): Promise<GatewayProcess> => {
      await own.kill('SIGKILL');
      const port = Number(new URL(http).port);
      const places = { directory: own.directory, mqttPort };
      return startGatewayProcess({ config: { ...config, http: { port } }, ...places });
    };
    const outcome = await runLoadSession({
      plan: {
        ...{ door, account: networkServer, connections: 20, devices: 100, rate: 200 },
        ...{ forMs: 8_000, arrivals: 'poisson', rampMs: 200, drainMs: 30_000 },
        ...{ seed: 'killed', run: 'c0ffee00' },
      },
      ...{ clock: loadClock, signal: new AbortController().signal, settleMs: 30_000 },
      gateway: { url: http, token },
      onProgress({ acknowledged }) {
        if (acknowledged < 300 || isKilled) return;
        isKilled = true;
        restarted = restart();
      },
    });
    own = (await restarted) ?? own;
    await own.stop();
    expect(isKilled).toBe(true);
    expect(outcome.load).toMatchObject({ due: 1_600, acknowledged: 1_600, isOverloaded: false });
    expect(outcome.load.lostConnections).toBeGreaterThanOrEqual(20);
    expect(outcome.verdict?.ledger).toMatchObject({ found: 1_600, ...nothingWrong });
    expect(outcome.verdict?.store).toMatchObject({ found: 3_200, ...nothingWrong });
    expect(isGood(outcome)).toBe(true);
  }, 90_000);
});
