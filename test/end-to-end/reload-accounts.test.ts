/** The configuration file edited under a running gateway, and `kill -HUP`. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { parse, stringify } from 'yaml';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemGateway, modemId, mqttClients } from './accounts.ts';

let gateway: GatewayProcess;
let file: string;
beforeAll(async () => {
  gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients } } });
  file = join(gateway.directory, 'gateway.yaml');
}, 60_000);
afterAll(() => gateway.stop());

const come = (account: { readonly username: string; readonly password: string }) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { ...account, reconnectPeriod: 0 });

const linesOf = (event: string) => gateway.lines.filter((line) => line['event'] === event);

/** Gives the log line that answers the signal. */
async function hangUp(event: 'reloaded' | 'reload-failed') {
  const before = linesOf(event).length;
  process.kill(gateway.pid, 'SIGHUP');
  return until(event, () => linesOf(event)[before]);
}

async function write(clients: readonly object[], more: object = {}): Promise<void> {
  const { mqtt: written, ...rest } = parse(await readFile(file, 'utf8'));
  await writeFile(file, stringify({ ...rest, mqtt: { ...written, clients, ...more } }));
}

const auditOf = (event: string) =>
  until(`${event} in the audit log`, async () => {
    const text = JSON.stringify(await gateway.get(`/api/v1/audit?event=${event}`));
    return text.includes(`"${event}"`) && text;
  });

describe('SIGHUP after a change of the accounts', () => {
  it('lets a new account in, ends one that is gone, and leaves the others alone', async () => {
    const gone = await come(modemGateway);
    const ended = new Promise<void>((resolve) => gone.on('close', () => resolve()));
    const kept = await come(modem);
    const fresh = { username: 'fresh', password: 'a fresh password' };
    await expect(come(fresh)).rejects.toThrow(/Bad username or password|Not authorized/);
    const left = mqttClients.filter(({ username }) => username !== modemGateway.username);
    await write([...left, fresh]);
    expect(await hangUp('reloaded')).toMatchObject({
      accounts: {
        added: { count: 1, names: ['fresh'] },
        removed: { count: 1, names: [modemGateway.username] },
        changed: { count: 0 },
      },
      connections: { cut: 1, changed: 0 },
      needRestart: [],
    });
    await ended;
    await (await come(fresh)).endAsync();
    await expect(come(modemGateway)).rejects.toThrow();
    const body = '{"ts":1760000000000,"values":{"n":1}}';
    await kept.publishAsync(`up/${modemId}`, body, { qos: 1 });
    await kept.endAsync();
    expect(await auditOf('disconnect')).toContain('account is gone from the configuration');
    expect(await auditOf('reload')).toContain('1 new, 1 gone, 0 changed');
    expect(await gateway.metric('fieldgate_audit_events_total', 'event="reload"')).toBe(1);
  });

  it('names what has changed and waits for a restart, without its values', async () => {
    const limits = { connectionsMax: 7 };
    await write(mqttClients, { limits });
    const line = await hangUp('reloaded');
    expect(line['needRestart']).toEqual(['mqtt.limits.connectionsMax']);
    expect(JSON.stringify(line)).not.toContain(modem.password);
  });

  it('changes nothing when the file is unsound, and says where and what to do', async () => {
    const client = await come(modem);
    await write([{ ...modem, pasword: 'typed in a hurry' }]);
    const lineNumber =
      (await readFile(file, 'utf8')).split('\n').findIndex((line) => /pasword:/.test(line)) + 1;
    const { problems } = await hangUp('reload-failed');
    const where = `${file}:${lineNumber}: mqtt.clients.0.pasword`;
    expect(problems).toEqual([`${where}: unknown key (did you mean password?)`]);
    expect(client.connected).toBe(true);
    await (await come(modemGateway)).endAsync();
    await client.endAsync();
    expect(await auditOf('reload-failed')).toContain('1 problem: ');
  });

  it('changes nothing when the file is gone, or its text is no YAML', async () => {
    await writeFile(file, 'mqtt: [');
    expect(String((await hangUp('reload-failed'))['problems'])).toContain(`${file}:1: YAML`);
    await rm(file);
    expect(String((await hangUp('reload-failed'))['problems'])).toContain('no such file');
    await (await come(modem)).endAsync();
    expect(gateway.isRunning()).toBe(true);
  });
});
