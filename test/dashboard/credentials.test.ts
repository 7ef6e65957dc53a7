/** Credentials of devices over HTTP, and `fieldgate devices import` into a running gateway. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importCommand } from '../../gateway/cli/devices-import.ts';
import { connack, connectPacket, openRaw, type RawClient } from '../transports/mqtt/wire.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  dashboard = await startDashboard();
});
afterAll(() => dashboard.stop());

interface Json {
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor?: string;
  readonly secret?: string;
}

async function ask(
  method: string,
  path: string,
  body?: object,
  role: 'admin' | 'operator' = 'admin',
) {
  const token = dashboard.tokens[role];
  const init = { method, token, ...(body && { body: JSON.stringify(body) }) };
  const response = await dashboard.ask(`/api/v1${path}`, init);
  const text = await response.text();
  const parsed: Json = text === '' ? {} : JSON.parse(text);
  return { status: response.status, body: parsed };
}

async function create(...ids: readonly string[]): Promise<readonly string[]> {
  const devices = ids.map((deviceId) => ({ deviceId, agency: 'Water' }));
  const { body } = await ask('POST', '/credentials', { devices, application: 'wells' });
  return (body.items ?? []).map(({ secret, detail }) => String(secret ?? detail));
}

async function login(username: string, password: string): Promise<RawClient> {
  const client = await openRaw(dashboard.mqttPort);
  client.send(connectPacket({ clientId: `of ${username} ${password}`, username, password }));
  await client.bytes(4);
  return client;
}

describe('Credentials over HTTP', () => {
  it('are created in bulk, each secret shown once, and let the device in at once', async () => {
    const [secret = '', other, again, configured] = await create('p-1', 'p-2', 'p-1', 'configured');
    expect(secret).toMatch(/^[\w-]{32}$/);
    expect(other).not.toBe(secret);
    expect(again).toBe('named twice');
    expect(configured).toBe('an account of the configuration has this name');
    expect(await create('p-1')).toEqual(['has a credential; rotate it']);
    expect((await login('p-1', secret)).received()).toBe(connack(0));
    const { body } = await ask('GET', '/credentials?limit=1');
    expect(body).toEqual({
      items: [{ deviceId: 'p-1', agency: 'Water', application: 'wells', secrets: [{}] }],
      nextCursor: 'p-1',
    });
    const next = await ask('GET', '/credentials?limit=1&cursor=p-1');
    expect(next.body.items?.map(({ deviceId }) => deviceId)).toEqual(['p-2']);
    expect(JSON.stringify([body, next])).not.toContain(secret);
  });

  it('are rotated: who came with the old one is cut at the end of the overlap', async () => {
    const [old = ''] = await create('p-3');
    const client = await login('p-3', old);
    const rotated = await ask('POST', '/credentials/p-3:rotate', { overlapHours: 1 });
    expect((await login('p-3', old)).received()).toBe(connack(0));
    const last = await ask('POST', '/credentials/p-3:rotate', { overlapHours: 0 });
    expect(await client.closed()).toBe(connack(0));
    expect((await login('p-3', old)).received()).toBe(connack(4));
    expect((await login('p-3', rotated.body.secret ?? '')).received()).toBe(connack(4));
    expect((await login('p-3', last.body.secret ?? '')).received()).toBe(connack(0));
  });

  it.each(['/credentials/p-4', '/devices/p-4'])(
    'are revoked by DELETE %s: connections end, with who did it in the audit log',
    async (path) => {
      await ask('PUT', '/devices/p-4', { kind: 'cellular' });
      const [secret = ''] = await create('p-4');
      const client = await login('p-4', secret);
      expect((await ask('DELETE', path)).status).toBe(204);
      expect(await client.closed()).toBe(connack(0));
      expect((await login('p-4', secret)).received()).toBe(connack(4));
      const done = await ask('GET', '/audit?event=credential&limit=1');
      expect(done.body.items).toMatchObject([
        { credential: 'p-4', by: 'test admin', detail: 'revoked' },
      ]);
      const cut = await ask('GET', '/audit?event=disconnect&limit=1');
      expect(cut.body.items).toMatchObject([
        { credential: 'p-4', detail: 'credential was revoked' },
      ]);
    },
  );

  it('are for administrators, and refuse what they do not know', async () => {
    const devices = [{ deviceId: 'p-5' }];
    expect((await ask('POST', '/credentials', { devices }, 'operator')).status).toBe(403);
    expect((await ask('POST', '/credentials', { devices: [{ deviceId: 'a/b' }] })).status).toBe(
      400,
    );
    expect((await ask('POST', '/credentials', { devices, colour: 'red' })).status).toBe(400);
    expect((await ask('POST', '/credentials/p-1:rotate', { overlapHours: -1 })).status).toBe(400);
  });
});

describe('devices import into a running gateway', () => {
  const at = (name: string) => join(dashboard.directory, name);

  async function run(file: string, ...words: readonly string[]): Promise<void> {
    await writeFile(at('admin.token'), dashboard.tokens.admin);
    const where = ['--url', dashboard.base, '--token-file', at('admin.token')];
    await importCommand().parseAsync([at(file), ...where, ...words], { from: 'user' });
    process.exitCode = 0;
  }

  const table = (ids: readonly string[]) =>
    ['id,kind,agency', ...ids.map((id) => `${id},cellular,Water`), ''].join('\n');

  it('registers many, says what became of each, and writes each secret once', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `meter-${index}`);
    await writeFile(at('many.csv'), table([...ids, 'no/id']));
    await run('many.csv', '--credentials', at('secrets.csv'), '--results', at('results.csv'));
    expect((await stat(at('secrets.csv'))).mode & 0o777).toBe(0o600);
    const lines = (await readFile(at('secrets.csv'), 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(2_501);
    const results = (await readFile(at('results.csv'), 'utf8')).trim().split('\n');
    expect(results[1]).toBe('1,meter-0,registered,');
    expect(results.at(-1)).toMatch(/^2501,,refused,.*id/);
    expect(dashboard.registry.get('meter-2499')?.agency).toBe('Water');
    const [, username = '', password = ''] = lines.at(-1)?.split(',') ?? [];
    expect((await login(username, password)).received()).toBe(connack(0));
  });

  it('registers none when all or none are asked for and one is at fault', async () => {
    await writeFile(at('one-bad.csv'), table(['well-1', 'no/id', 'well-2']));
    const files = ['--credentials', at('none.csv'), '--results', at('why.csv')];
    await run('one-bad.csv', '--atomic', ...files);
    expect(dashboard.registry.get('well-1')).toBeUndefined();
    expect(await readFile(at('none.csv'), 'utf8')).toBe('id,username,password\n');
    const why = (await readFile(at('why.csv'), 'utf8')).trim().split('\n');
    expect(why.map((line) => line.split(',')[2])).toEqual(['result', ...Array(3).fill('refused')]);
    await writeFile(at('sound.csv'), table(['well-1', 'well-2']));
    await run('sound.csv', '--atomic');
    expect(dashboard.registry.get('well-2')?.id).toBe('well-2');
  });

  it('asks for nothing when the file of the secrets exists already', async () => {
    await writeFile(at('late.csv'), table(['late-1']));
    await writeFile(at('taken.csv'), 'somebody else’s');
    await expect(run('late.csv', '--credentials', at('taken.csv'))).rejects.toThrow('EEXIST');
    expect(dashboard.registry.get('late-1')).toBeUndefined();
  });
});
