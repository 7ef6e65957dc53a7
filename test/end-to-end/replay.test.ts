/**
 * Record, replay, record again: through the compiled programs, over real sockets, from a gateway
 * with a day of traffic to an empty one. The reference is what the first gateway holds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { stringify } from 'yaml';
import { openCapture } from '../../simulators/capture/file-reader.ts';
import { createCaptureFile } from '../../simulators/capture/file-writer.ts';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { openWires } from '../../simulators/capture/wires.ts';
import { createDemoConfig } from '../../simulators/demo-config.ts';
import { createFrameSigner } from '../../simulators/lorawan/abp-device.ts';
import { replayAccounts, runCity } from '../../simulators/run.ts';
import { createScenario } from '../../simulators/scenario.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored, readingsOf, type StoredReading, uplinksAfter } from './gateway-api.ts';
import { runProgram } from './program.ts';

const scenario = createScenario({ seed: 'replay', devices: 18 });
const places = { dataDir: 'unused', httpPort: 0, mqttPort: 0 };
const { yaml, accounts } = createDemoConfig(scenario, places);
const webhook = {
  name: 'hook',
  adapter: 'modem-json',
  auth: { kind: 'token', token: 'hook-token-0123456789' },
};

let directory: string;
let source: GatewayProcess;

async function start(): Promise<GatewayProcess> {
  const { parse } = await import('yaml');
  const { devices, mqtt: broker } = parse(yaml);
  return startGatewayProcess({
    config: {
      ...{ devices, mqtt: { clients: broker.clients } },
      ingest: { webhooks: { sources: [webhook] }, udp: { host: '127.0.0.1', port: 0 } },
    },
  });
}

function portOf(gateway: GatewayProcess, name: string): number {
  const line = gateway.lines.find(({ event }) => event === 'listening');
  const addresses = Array.isArray(line?.['addresses']) ? line['addresses'] : [];
  return addresses.find((address) => address.name === name)?.port ?? 0;
}

async function accountsFile(): Promise<string> {
  const { gatewayBridge, chirpstack, theThingsStack, modems } = accounts;
  const named = [gatewayBridge, chirpstack, theThingsStack, ...Object.values(modems)];
  const entries = named.map((account) => [account.username, account]);
  const file = join(directory, `accounts-${entries.length}.yaml`);
  const hook = { hook: { token: webhook.auth.token } };
  await writeFile(file, stringify({ ...Object.fromEntries(entries), ...hook }));
  return file;
}

async function messagesOf(file: string): Promise<CapturedMessage[]> {
  const found: CapturedMessage[] = [];
  for await (const message of (await openCapture(file)).messages) found.push(message);
  return found;
}

/** What a message is, whenever it came; several connections have no order among each other. */
function essence(messages: readonly CapturedMessage[]): string[] {
  return messages
    .map(({ via, route, sender, device, body }) =>
      [via, route, sender, device, body.toString('base64')].join(' '),
    )
    .sort();
}

/** What a reading says; when it was received and its place in the ledger are its gateway's own. */
function pointsOf(readings: readonly StoredReading[]): string[] {
  return readings
    .map(({ seq: _seq, ...point }) => JSON.stringify({ ...point, receivedAt: '' }))
    .sort();
}

async function allReadings(gateway: GatewayProcess): Promise<string[]> {
  const points: string[] = [];
  for (const device of [...scenario.devices.map(({ id }) => id), 'hook-1']) {
    points.push(...pointsOf(await readingsOf(gateway, device)));
  }
  return points;
}

async function recordLedger(gateway: GatewayProcess, name: string): Promise<string> {
  const file = join(directory, name);
  const ending = await runProgram(
    'record',
    'ledger',
    join(gateway.directory, 'data'),
    '--out',
    file,
  );
  expect(ending.code).toBe(0);
  return file;
}

async function replayInto(gateway: GatewayProcess, file: string, ...words: string[]) {
  const targets = [
    `mqtt://127.0.0.1:${gateway.mqttPort}`,
    gateway.http,
    `udp://127.0.0.1:${portOf(gateway, 'udp')}`,
  ];
  const to = targets.flatMap((target) => ['--to', target]);
  const login = ['--accounts', await accountsFile()];
  const ending = await runProgram(
    'replay',
    file,
    ...to,
    ...login,
    '--speed',
    'max',
    '--json',
    ...words,
  );
  return { ...ending, outcome: JSON.parse(ending.stdout === '' ? '{}' : ending.stdout) };
}

async function sendByWebhookAndUdp(gateway: GatewayProcess): Promise<void> {
  const time = Date.now() - 60_000;
  const post = await fetch(`${gateway.http}/ingest/hook?device=hook-1`, {
    method: 'POST',
    headers: { authorization: `Bearer ${webhook.auth.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ deviceId: 'hook-1', ts: time, temperature: 21.5 }),
  });
  expect(post.status).toBe(204);
  const capture = join(directory, 'udp.ndjson');
  const file = await createCaptureFile(capture, { created: 'now', source: 'test' });
  const device = scenario.devices.find(
    ({ network, format }) => network === 'gateway-bridge' && format === 'elsys',
  );
  const sign = createFrameSigner(
    device ?? { devAddr: '01000000', nwkSKey: Buffer.alloc(16), appSKey: Buffer.alloc(16) },
  );
  for (let fCnt = 1_000; fCnt < 1_020; fCnt += 1) {
    const frame = sign({ fPort: 5, frmPayload: Buffer.from('0100e20229', 'hex'), fCnt });
    const header = Buffer.from('02000000fffe0000000001'.padStart(24, '0'), 'hex');
    Buffer.from('0200000002f1e1d000000001', 'hex').copy(header);
    header.writeUInt16BE(fCnt, 1);
    const packet = {
      time: new Date(time + fCnt).toISOString(),
      data: frame.toString('base64'),
      size: frame.length,
      rssi: -90,
      lsnr: 5,
      datr: 'SF7BW125',
      freq: 868.1,
      stat: 1,
      modu: 'LORA',
    };
    const body = Buffer.concat([header, Buffer.from(JSON.stringify({ rxpk: [packet] }))]);
    await file.add({ at: time + fCnt, via: 'udp', route: 'semtech-udp/02f1e1d000000001', body });
  }
  await file.close();
  const ending = await runProgram(
    'replay',
    capture,
    '--to',
    `udp://127.0.0.1:${portOf(gateway, 'udp')}`,
    '--speed',
    'max',
    '--json',
  );
  expect(JSON.parse(ending.stdout)).toMatchObject({ sent: 20, acknowledged: 20 });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-replay-'));
  source = await start();
  const wires = await openWires({
    targets: [`mqtt://127.0.0.1:${source.mqttPort}`],
    accounts: replayAccounts(accounts),
    clientId: 'simulated',
  });
  await runCity({ wires, scenario, backfillHours: 3, liveMs: 0 });
  await sendByWebhookAndUdp(source);
  await until('everything is stored', () => isAllStored(source));
}, 90_000);
afterAll(async () => {
  await source.stop();
  await rm(directory, { recursive: true });
});

describe('A ledger that was recorded', () => {
  it('replays into an empty gateway: the same messages, the same readings', async () => {
    const file = await recordLedger(source, 'first.ndjson.gz');
    const target = await start();
    try {
      const { code, stderr, outcome } = await replayInto(target, file);
      const recorded = await messagesOf(file);
      expect([code, stderr]).toEqual([0, '']);
      expect(outcome).toMatchObject({ sent: recorded.length, acknowledged: recorded.length });
      await until('everything is stored', () => isAllStored(target));
      const again = await messagesOf(await recordLedger(target, 'second.ndjson.gz'));
      expect(essence(again)).toEqual(essence(recorded));
      expect(new Set(recorded.map(({ via }) => via))).toEqual(new Set(['mqtt', 'http', 'udp']));
      const points = await allReadings(source);
      expect(points.length).toBeGreaterThan(500);
      expect(await allReadings(target)).toEqual(points);
    } finally {
      await target.stop();
    }
  }, 60_000);

  it('is the same through the API as from the disk', async () => {
    const token = join(directory, 'token');
    await writeFile(token, source.token);
    const file = join(directory, 'api.ndjson.gz');
    const words = ['--token-file', token, '--out', file, '--json'];
    const { code, stdout } = await runProgram('record', 'api', source.http, ...words);
    expect(code).toBe(0);
    const fromDisk = await messagesOf(await recordLedger(source, 'disk.ndjson.gz'));
    expect(JSON.parse(stdout).recorded).toBe(fromDisk.length);
    expect(await messagesOf(file)).toEqual(fromDisk);
  }, 60_000);

  it('is taken for what it is by the gateway that it came from', async () => {
    const file = await recordLedger(source, 'again.ndjson.gz');
    const before = (await uplinksAfter(source, 0)).length;
    const { code } = await replayInto(source, file, '--filter', 'route=application/*');
    expect(code).toBe(0);
    expect((await uplinksAfter(source, 0)).length).toBe(before);
  });

  it('comes shifted to now, with other keys and without anybody by its name', async () => {
    const secret = join(directory, 'secret');
    await writeFile(secret, 'a secret of some length');
    const file = join(directory, 'anonymous.ndjson.gz');
    const words = ['--anonymise', secret, '--filter', 'route=up/*', '--out', file];
    const { code } = await runProgram('record', 'ledger', join(source.directory, 'data'), ...words);
    expect(code).toBe(0);
    const text = (await messagesOf(file)).map(({ route, body }) => `${route} ${body}`).join('\n');
    for (const { id, network } of scenario.devices) {
      if (network === 'modem') expect(text).not.toContain(id);
    }
    const shown = await runProgram('replay', file, '--dry-run', '--speed', 'max', '--shift', 'now');
    expect(shown.code).toBe(0);
    const lines = shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBe((await messagesOf(file)).length);
    const newest = JSON.parse(lines.at(-1).text);
    const told = newest.ts ?? newest[0].bt * 1_000;
    expect(Math.abs(Date.now() - told)).toBeLessThan(3_600_000);
  });
});

describe('A broker that was listened to', () => {
  it('gives what passed, in its order, and replays it', async () => {
    const url = `mqtt://127.0.0.1:${source.mqttPort}`;
    const login = join(directory, 'listener.yaml');
    const { gatewayBridge } = accounts;
    await writeFile(login, stringify({ default: gatewayBridge }));
    // The city's accounts may read nothing, and the gateway's broker says so.
    const refused = await runProgram(
      'record',
      'mqtt',
      url,
      '--topic',
      'up/#',
      '--accounts',
      login,
      '--dry-run',
    );
    expect(refused.code).toBe(1);
    const listening = await startGatewayProcess({
      config: {
        mqtt: {
          clients: [
            { username: 'both', password: 'both-password', publish: ['up/#'], subscribe: ['up/#'] },
          ],
        },
      },
    });
    try {
      const both = { username: 'both', password: 'both-password' };
      await writeFile(login, stringify({ default: both }));
      const file = join(directory, 'heard.ndjson.gz');
      const program = resolve('dist/gateway/cli/fieldgate.js');
      const heardAt = `mqtt://127.0.0.1:${listening.mqttPort}`;
      const words = [
        'record',
        'mqtt',
        heardAt,
        '--topic',
        'up/#',
        '--accounts',
        login,
        '--out',
        file,
      ];
      const recorder = spawn(process.execPath, [program, ...words], { stdio: 'ignore' });
      await until(
        'the recorder listens',
        async () => (await listening.metric('fieldgate_mqtt_clients')) === 1,
      );
      const client = await mqtt.connectAsync(heardAt, both);
      // The subscription comes after the connection: until the first one is heard, try again.
      await until('it hears', async () => {
        await client.publishAsync('up/first', JSON.stringify({ ts: Date.now() }), { qos: 1 });
        return (await readFile(file).catch(() => Buffer.alloc(0))).length > 200;
      });
      const sent = Array.from(
        { length: 50 },
        (_, index) => `{"ts":${1_700_000_000_000 + index},"t":${index}}`,
      );
      for (const body of sent) await client.publishAsync('up/a', body, { qos: 1 });
      await client.endAsync();
      await until(
        'all of it is heard',
        async () => (await listening.metric('fieldgate_mqtt_clients')) === 1,
      );
      recorder.kill('SIGINT');
      await once(recorder, 'exit');
      const heard = (await messagesOf(file)).filter(({ route }) => route === 'up/a');
      expect(heard.map(({ body }) => body.toString())).toEqual(sent);
    } finally {
      await listening.stop();
    }
  }, 60_000);
});
