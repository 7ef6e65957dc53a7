/** The parts of the demonstration: its options, its config, its child process and its verdict. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readCityMemory, writeCityMemory } from '../../simulators/city-memory.ts';
import { createDemoConfig } from '../../simulators/demo-config.ts';
import { createDemoFleet } from '../../simulators/demo-fleet.ts';
import { startGateway } from '../../simulators/demo-gateway.ts';
import { parseDemoOptions } from '../../simulators/demo-options.ts';
import { assertPortIsFree } from '../../simulators/demo-run.ts';
import { failuresOf, summaryText } from '../../simulators/demo-summary.ts';
import { createFleetProgress } from '../../simulators/doors/fleet-run.ts';
import { parseMetrics, readStored } from '../../simulators/gateway-metrics.ts';
import { readLiveMessage } from '../../simulators/live-viewer.ts';
import { createScenario } from '../../simulators/scenario.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('Demo options', () => {
  it('have defaults', () => {
    expect(parseDemoOptions([])).toEqual({
      port: 8080,
      mqttPort: 0,
      devices: 60,
      joining: 6,
      networks: 'usual',
      seed: 'baku',
      open: true,
      backfillHours: 24,
      intervalMs: 5_000,
    });
  });

  it('are read from the command line', () => {
    const args = '--port 9000 --devices 5 --seed x --no-open --for 1.5m --mqtt-port 1883 --data d';
    expect(parseDemoOptions(args.split(' '))).toMatchObject({
      port: 9000,
      mqttPort: 1883,
      devices: 5,
      seed: 'x',
      open: false,
      forMs: 90_000,
      dataDir: 'd',
    });
  });

  it.each([['--for', '30'], ['--for', '60d'], ['--port', '70000'], ['--devices', '0'], ['--what']])(
    'refuse %s %s',
    (...args) => {
      expect(() => parseDemoOptions(args)).toThrow(/argument|unknown option/);
    },
  );
});

describe('Demo config', () => {
  const scenario = createScenario({ seed: 'config' });
  const places = { dataDir: '/d', httpPort: 8080, mqttPort: 0 };
  const { yaml, accounts, token } = createDemoConfig(scenario, places);
  const config = parse(yaml);

  it('has the shape that the gateway reads', () => {
    expect(Object.keys(config)).toEqual(['version', 'dataDir', 'http', 'mqtt', 'devices', 'store']);
    expect(config.version).toBe(1);
    expect(config.http).toEqual({
      host: '127.0.0.1',
      port: 8080,
      tokens: [{ name: 'demo', role: 'viewer', token }],
    });
    expect(config.mqtt.tcp).toEqual({ host: '127.0.0.1', port: 0 });
    expect(config.devices).toHaveLength(60);
  });

  it('gives keys to devices whose frames the gateway opens, and to no others', () => {
    for (const [index, device] of scenario.devices.entries()) {
      const entry = config.devices[index];
      expect('keys' in entry).toBe(device.network === 'gateway-bridge');
      if ('keys' in entry) {
        expect(entry.keys.nwkSKey).toMatch(/^[0-9a-f]{32}$/);
        expect(entry.devAddr).toMatch(/^[0-9a-f]{8}$/);
        expect(entry.activation).toBe('abp');
      }
    }
  });

  it('lets every account publish on its own topics only', () => {
    const clients: { username: string; publish: string[]; vouches: string; deviceId?: string }[] =
      config.mqtt.clients;
    expect(clients).toHaveLength(3 + Object.keys(accounts.modems).length);
    for (const { username, publish, deviceId } of clients.slice(3)) {
      expect(publish).toEqual([`up/${username}`]);
      expect(deviceId).toBe(username);
    }
    expect(clients.slice(0, 3).map(({ vouches }) => vouches)).toEqual([
      'credential',
      'network-server',
      'network-server',
    ]);
  });

  it('lets devices that join come by three kinds of doors', () => {
    const fleet = createDemoFleet('config', 6);
    const joined = parse(createDemoConfig(scenario, { ...places, fleet }).yaml);
    expect(joined.devices).toHaveLength(66);
    expect(joined.mqtt.clients.at(-1)).toMatchObject({
      username: 'fleet-bridge',
      publish: ['eu868/gateway/#'],
    });
    const { udp, basicStation } = joined.ingest;
    expect([udp.port, udp.gateways.length]).toEqual([0, 4]);
    expect([basicStation.port, basicStation.stations.length]).toEqual([0, 4]);
    expect(joined.ledger.copyWindowMs).toBe(600_000);
  });

  it('has other passwords in every run', () => {
    const again = createDemoConfig(scenario, places);
    expect(again.token).not.toBe(token);
    expect(again.accounts.chirpstack.password).not.toBe(accounts.chirpstack.password);
  });
});

describe('Gateway process', () => {
  const start = async (source: string, warnings: string[] = []) => {
    const program = join(directory, `${Date.now()}-${Math.random()}.mjs`);
    await writeFile(program, source);
    return startGateway({ program, args: [], onWarning: (line) => warnings.push(line) });
  };
  const ready = JSON.stringify({
    level: 30,
    event: 'listening',
    addresses: [{ name: 'http', host: '127.0.0.1', port: 1 }, { name: 'broken' }],
  });

  it('is ready when it says what it listens on, and ends when asked', async () => {
    const link = JSON.stringify({ level: 40, event: 'sign-in-link', url: 'http://l/' });
    const warnings: string[] = [];
    const gateway = await start(
      `console.log('not JSON'); console.log(${JSON.stringify(link)});
       console.log('{"level":40,"msg":"careful"}'); console.log(${JSON.stringify(ready)});
       setInterval(() => 0, 1000);`,
      warnings,
    );
    expect(gateway.addresses).toEqual([{ name: 'http', host: '127.0.0.1', port: 1 }]);
    expect(gateway.signInLink).toBe('http://l/');
    expect(warnings).toEqual(['careful']);
    await gateway.stop();
    expect(await gateway.exited).toMatch(/SIGTERM/);
  });

  it('fails with its last words when it ends early', async () => {
    await expect(start(`console.error('port taken'); process.exit(3);`)).rejects.toThrow(
      /code 3 before it was ready\nport taken/,
    );
  });
});

describe('Demo ports', () => {
  it('names the remedy when a port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(assertPortIsFree(port, '--port')).rejects.toThrow(
      `Port ${port} is taken. Choose another one with --port ${port + 1}.`,
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(assertPortIsFree(port, '--port')).resolves.toBeUndefined();
  });
});

describe('City memory', () => {
  it('moves counters on past anything a crash could have hidden', async () => {
    const file = join(directory, 'city.json');
    await writeCityMemory(file, { seed: 'a', counters: { one: 7 }, lastTime: 5 });
    expect(await readCityMemory(file, 'a')).toEqual({
      seed: 'a',
      counters: { one: 1_007 },
      lastTime: 5,
    });
    expect((await readdir(directory)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('knows nothing of another seed, and nothing before the first run', async () => {
    const file = join(directory, 'other.json');
    expect(await readCityMemory(file, 'a')).toBeUndefined();
    await writeCityMemory(file, { seed: 'b', counters: {}, lastTime: 5 });
    expect(await readCityMemory(file, 'a')).toBeUndefined();
  });
});

describe('Demo verdict', () => {
  const page = (outcomes: Record<string, number>, cursor: number, points: number): string =>
    [
      '# HELP fieldgate_uplinks_total Uplinks.',
      ...Object.entries(outcomes).map(
        ([outcome, count]) =>
          `fieldgate_uplinks_total{source="gateway-bridge",outcome="${outcome}"} ${count}`,
      ),
      'fieldgate_uplinks_total{source="modem",outcome="accepted"} 2 1700000000000',
      'fieldgate_ledger_seq 12',
      `fieldgate_cursor_seq{reader="derive"} ${cursor}`,
      `fieldgate_store_points_total{store="embedded"} ${points}`,
    ].join('\n');
  const progress = {
    phase: 'done' as const,
    backfillTotal: 0,
    messagesSent: 20,
    messagesAcknowledged: 20,
    messagesFailed: 0,
    uplinksSent: 10,
    uplinksAcknowledged: 10,
    at: undefined,
    networks: {},
    counters: {},
  };
  const live = { shown: 3, series: 2, faults: [] };
  const verdict = (text: string): string[] =>
    failuresOf({ progress, live, stored: readStored(parseMetrics(text)) });

  it('is good when everything acknowledged is stored', () => {
    expect(verdict(page({ accepted: 8, copy: 10 }, 12, 30))).toEqual([]);
  });

  it('names acknowledged uplinks that were not accepted', () => {
    expect(verdict(page({ accepted: 7, quarantined: 1 }, 12, 30))).toEqual([
      '1 acknowledged uplinks were not accepted',
    ]);
  });

  it('names a store that lags or holds too little', () => {
    expect(verdict(page({ accepted: 8 }, 11, 9))).toEqual([
      'the store has not read the ledger to its end',
      'only 9 points were stored for 10 uplinks',
    ]);
  });

  it('fails when the gateway went away', () => {
    expect(failuresOf({ progress, live, gatewayFault: 'the gateway ended with code 1' })).toEqual([
      'the gateway ended with code 1',
    ]);
  });

  it('counts what devices that join have handed in', () => {
    const told = { devices: 6, progress: createFleetProgress(), uplinksAcknowledged: 1 };
    const stored = readStored(parseMetrics(page({ accepted: 8 }, 12, 30)));
    expect(failuresOf({ progress, live, stored, fleet: told })).toEqual([
      '1 acknowledged uplinks were not accepted',
    ]);
    const text = summaryText({ progress, live, stored, fleet: told }).join('\n');
    expect(text).toContain('0 joins of 6 devices');
  });

  it('is told with its numbers', () => {
    const stored = readStored(parseMetrics(page({ accepted: 8, copy: 10 }, 12, 30)));
    const text = summaryText({ progress, live, stored }).join('\n');
    expect(text).toContain('10 sent, 10 acknowledged');
    expect(text).toContain('10 accepted, 10 copy');
    expect(text).toContain('30 points');
  });
});

describe('Live messages', () => {
  it('are counted by their rows', () => {
    const delta = {
      t: 'd',
      id: 1,
      from: 1,
      seq: 2,
      series: [[4, 'd', 'q', '', '']],
      rows: [[4], [5]],
    };
    expect(readLiveMessage(JSON.stringify(delta))).toEqual({
      kind: 'changes',
      rows: 2,
      series: [4],
    });
  });

  it.each(['', '[]', 'null', '{"t":"hb"}', '{"t":7}'])('mean nothing when they are %s', (text) => {
    expect(readLiveMessage(text)).toEqual({ kind: 'other' });
  });
});
