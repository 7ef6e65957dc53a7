import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openAccess } from '../../dashboard/access.ts';
import { systemClock } from '../../gateway/model/clock.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeEach(async () => {
  dashboard = await startDashboard();
});

afterEach(() => dashboard.stop());

const put = { method: 'PUT', body: '{"kind":"cellular"}' } as const;

async function signIn(token = dashboard.tokens.operator): Promise<string> {
  const body = JSON.stringify({ token });
  const response = await dashboard.ask('/api/v1/session', { method: 'POST', body, token: null });
  expect(response.status).toBe(204);
  return response.headers.get('set-cookie') ?? '';
}

const withCookie = (cookie: string, headers: Record<string, string> = {}) => ({
  token: null,
  headers: { Cookie: cookie.split(';')[0] ?? '', ...headers },
});

describe('A bearer token', () => {
  it.each([
    ['viewer', 403],
    ['operator', 201],
    ['admin', 201],
  ] as const)('of a %s gets %i for a PUT', async (role, status) => {
    const init = { ...put, token: dashboard.tokens[role] };
    expect((await dashboard.ask('/api/v1/devices/m', init)).status).toBe(status);
  });

  it('of a viewer may read, but neither delete nor import', async () => {
    const token = dashboard.tokens.viewer;
    expect((await dashboard.ask('/api/v1/devices', { token })).status).toBe(200);
    const gone = await dashboard.ask('/api/v1/devices/m', { token, method: 'DELETE' });
    expect(gone.status).toBe(403);
    const init = { token, method: 'POST', body: '[]' };
    expect((await dashboard.ask('/api/v1/devices:import', init)).status).toBe(403);
  });

  it.each(['', 'nobody', `fg_${'x'.repeat(600)}`])('"%s" is nobody\'s', async (token) => {
    expect((await dashboard.ask('/api/v1/devices', { token })).status).toBe(401);
  });

  it('made by another process is known at once, and ends with its lifetime', async () => {
    let now = Date.now();
    const elsewhere = openAccess(dashboard.directory, { now: () => now });
    const token = elsewhere.createToken('from the command line', 'viewer', 1_000) ?? '';
    expect((await dashboard.ask('/api/v1/devices', { token })).status).toBe(200);
    now += 1_000;
    expect(elsewhere.byToken(token)).toBeUndefined();
    expect(elsewhere.createToken('from the command line', 'viewer')).toBeDefined();
    expect((await dashboard.ask('/api/v1/devices', { token })).status).toBe(401);
  });

  it('is kept as a hash in a file that nobody else may read', async () => {
    await signIn();
    dashboard.access.createLink('admin');
    const file = join(dashboard.directory, 'access.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    for (const token of Object.values(dashboard.tokens)) expect(text).not.toContain(token);
    for (const { hash } of JSON.parse(text).entries) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of the configuration is known and never written down', () => {
    const configured = [{ name: 'c', role: 'viewer', token: 'configured-token' }] as const;
    const access = openAccess(dashboard.directory, systemClock, configured);
    expect(access.byToken('configured-token')).toEqual({ name: 'c', role: 'viewer' });
    access.createToken('d', 'viewer');
    expect(readFileSync(join(dashboard.directory, 'access.json'), 'utf8')).not.toContain('"c"');
  });

  it('outlives any number of sessions', () => {
    const file = join(dashboard.directory, 'access.json');
    const first = dashboard.access.signIn(dashboard.tokens.viewer)?.session ?? '';
    const { version, entries } = JSON.parse(readFileSync(file, 'utf8'));
    const crowd = Array.from({ length: 2_000 }, (_, index) => ({
      ...{ kind: 'session', name: 'crowd', role: 'viewer', hash: `hash ${index}` },
    }));
    writeFileSync(file, JSON.stringify({ version, entries: [...entries, ...crowd] }));
    const access = openAccess(dashboard.directory, systemClock);
    expect(access.bySession(first)).toBeDefined();
    access.signIn(dashboard.tokens.viewer);
    expect(access.bySession(first)).toBeUndefined();
    expect(access.byToken(dashboard.tokens.admin)?.role).toBe('admin');
  });
});

describe('A session', () => {
  it('has a cookie that scripts and other sites do not get', async () => {
    const cookie = await signIn();
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Lax');
    expect(cookie).not.toContain(dashboard.tokens.operator);
    expect((await dashboard.ask('/api/v1/devices', withCookie(cookie))).status).toBe(200);
  });

  it('may write from our own page and not from another site', async () => {
    const cookie = await signIn();
    const from = (Origin: string) =>
      dashboard.ask('/api/v1/devices/m', { ...put, ...withCookie(cookie, { Origin }) });
    expect((await from('https://elsewhere.example')).status).toBe(403);
    expect((await from('null')).status).toBe(403);
    expect((await from(dashboard.base)).status).toBe(201);
  });

  it('is not opened by a form of another site', async () => {
    const response = await dashboard.ask('/api/v1/session', {
      ...{ method: 'POST', token: null, body: JSON.stringify({ token: dashboard.tokens.viewer }) },
      headers: { Origin: 'https://elsewhere.example' },
    });
    expect(response.status).toBe(403);
  });

  it('is over after signing out', async () => {
    const cookie = await signIn();
    const out = await dashboard.ask('/api/v1/session', { method: 'DELETE', ...withCookie(cookie) });
    expect(out.status).toBe(204);
    expect((await dashboard.ask('/api/v1/devices', withCookie(cookie))).status).toBe(401);
  });

  it('is opened by a link once', async () => {
    const code = dashboard.access.createLink('admin');
    const first = await dashboard.ask(`/signin?code=${code}`, { token: null });
    expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
    const cookie = first.headers.get('set-cookie') ?? '';
    expect((await dashboard.ask('/api/v1/devices', withCookie(cookie))).status).toBe(200);
    const second = await dashboard.ask(`/signin?code=${code}`, { token: null });
    expect(second.headers.get('location')).toBe('/?signin=expired');
    expect(second.headers.get('set-cookie')).toBeNull();
  });

  it('is a session no more when it is sent as a token, nor a link as one', async () => {
    const session = /=([^;]+)/.exec(await signIn())?.[1] ?? '';
    const code = dashboard.access.createLink('admin');
    expect((await dashboard.ask('/api/v1/devices', { token: session })).status).toBe(401);
    expect((await dashboard.ask('/api/v1/devices', { token: code })).status).toBe(401);
  });

  it('has to wait after ten wrong guesses', async () => {
    const guess = (token: string) => {
      const body = JSON.stringify({ token });
      return dashboard.ask('/api/v1/session', { method: 'POST', body, token: null });
    };
    for (let count = 0; count < 10; count += 1) expect((await guess('wrong')).status).toBe(401);
    expect((await guess(dashboard.tokens.operator)).status).toBe(429);
    const link = dashboard.access.createLink('admin');
    expect((await dashboard.ask(`/signin?code=${link}`, { token: null })).status).toBe(429);
  });
});
