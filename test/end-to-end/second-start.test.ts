/** Starts that are refused, and the start after a stop. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { stringify } from 'yaml';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { isAllStored, latestOf, readinessOf, readingsOf, uplinksAfter } from './gateway-api.ts';
import { runProgram } from './program.ts';

const config = { mqtt: { clients: mqttClients } };

describe('A gateway on the data directory of another', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    await until('it is ready', async () => (await readinessOf(gateway)).status === 200);
  }, 60_000);
  afterAll(() => gateway.stop());

  it('is refused with the process that has it and what to do, and ends with 1', async () => {
    const { code, stderr } = await runProgram(
      'serve',
      '-c',
      join(gateway.directory, 'gateway.yaml'),
    );
    expect(stderr).toBe(
      `fieldgate: The data directory ${join(gateway.directory, 'data')} is in use by process ` +
        `${gateway.pid}. Stop that process, or give this one another dataDir.\n`,
    );
    expect(code).toBe(1);
    expect(await readinessOf(gateway)).toMatchObject({ status: 200 });
  });

  it('is refused when its port is taken, and ends with 1', async () => {
    const file = join(gateway.directory, 'other.yaml');
    const port = Number(new URL(gateway.http).port);
    const dataDir = join(gateway.directory, 'other');
    await writeFile(file, stringify({ version: 1, dataDir, http: { port }, mqtt: { tcp: null } }));
    const { code, stderr } = await runProgram('serve', '--config', file);
    expect(stderr).toBe(
      `fieldgate: Port ${port} of 127.0.0.1: something listens there already. ` +
        'Stop it, or give this one another port.\n',
    );
    expect(code).toBe(1);
  });
});

describe('A wrong configuration', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fieldgate-config-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function serveWith(text: string) {
    const file = join(directory, 'gateway.yaml');
    await writeFile(file, text);
    const { code, stdout, stderr } = await runProgram('serve', '--config', file);
    return { code, stdout, lines: stderr.trimEnd().split('\n'), file };
  }

  it('ends the start with 2 and every problem with its line', async () => {
    const { code, lines, file, stdout } = await serveWith(`version: 1
dataDir: ${join('/proc', 'nowhere')}
htp:
  port: 1
http:
  port: 70000
mqtt:
  clients:
    - username: a
      password: short
store:
  kind: sqlite
`);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(lines[0]).toBe('fieldgate: the configuration has 4 problems:');
    const problems = lines.slice(1).map((line) => line.trim());
    expect(problems).toHaveLength(4);
    const about = (path: string) => problems.find((line) => line.includes(`: ${path}`));
    expect(about('htp')).toMatch(`${file}:4: htp: unknown key (did you mean http?)`);
    expect(about('http.port')).toMatch(`${file}:6: `);
    expect(about('mqtt.clients.0.password')).toMatch(`${file}:10: `);
    expect(about('store.kind')).toMatch(`${file}:12: `);
  });

  it('is told from text that is no YAML', async () => {
    const { code, lines, file } = await serveWith('version: 1\nhttp: {port: 1\n');
    expect(code).toBe(2);
    expect(lines[1]?.trim()).toMatch(new RegExp(`^${file}:\\d: YAML: `));
  });

  it('is told from a name that does not exist elsewhere', async () => {
    const route = '{topic: "a/+", adapter: chirpstak}';
    const { code, lines } = await serveWith(`version: 1\ningest:\n  routes: [${route}]\n`);
    expect(code).toBe(2);
    expect(lines[1]).toContain('ingest.routes.0.adapter: no adapter is named chirpstak; known: ');
  });
});

describe('A gateway that is stopped and started', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { ...modem });
    for (let hour = 0; hour < 24; hour += 1) {
      const ts = Date.UTC(2026, 0, 1, hour);
      const sample = { ts, values: { temperature: hour, humidity: 50 + hour, door: 'open' } };
      await client.publishAsync(`up/${modemId}`, JSON.stringify(sample), { qos: 1 });
    }
    await client.endAsync();
  }, 60_000);
  afterAll(() => gateway.stop());

  it('ends with 0 when it is told to, after what was under way', async () => {
    const latest = await until('the newest values', async () => {
      const items = await latestOf(gateway);
      return items.length === 3 && items.every(({ seq }) => seq === 24) ? items : undefined;
    });
    const { directory } = gateway;
    expect(await gateway.kill('SIGTERM')).toBe(0);
    expect(gateway.lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['stopped']));
    gateway = await startGatewayProcess({ config, directory });
    const again = await until('the values again', async () => {
      const items = await latestOf(gateway);
      return items.length === latest.length ? items : undefined;
    });
    const ageless = ({ ageSeconds: _age, ...item }: (typeof latest)[number]) => item;
    const inOrder = (items: typeof latest) =>
      items.map(ageless).sort((left, right) => (left.quantity < right.quantity ? -1 : 1));
    expect(inOrder(again)).toEqual(inOrder(latest));
    expect(await uplinksAfter(gateway, 0)).toHaveLength(24);
    await until('everything is stored', () => isAllStored(gateway));
    expect(await readingsOf(gateway, modemId, 'air_temperature')).toHaveLength(24);
  });
});
