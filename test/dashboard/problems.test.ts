/** Refusals as the standards of HTTP want them, wherever they come from. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openApi } from '../../dashboard/openapi/openapi.ts';
import { methods } from '../../dashboard/openapi/refusals.ts';
import { statusPhrase } from '../../gateway/model/status-phrase.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  dashboard = await startDashboard();
});

afterAll(() => dashboard.stop());

async function refusalOf(path: string, init: Parameters<RunningDashboard['ask']>[1] = {}) {
  const response = await dashboard.ask(path, { token: dashboard.tokens.admin, ...init });
  const { status, headers } = response;
  return { status, headers, problem: JSON.parse(await response.text()) };
}

const operations = Object.entries(openApi.paths)
  .filter(([path]) => path.startsWith('/api/v1/'))
  .flatMap(([path, item]) =>
    methods
      .filter((method) => item[method] !== undefined)
      .map((method) => ({ path, method: method.toUpperCase(), operation: item[method] })),
  )
  .map(({ path, method, operation }) => ({
    ...{ method, address: path.replace('{seq}', '1').replace('{id}', 'a') },
    hasBody: operation?.requestBody !== undefined,
  }));

describe('A problem [RFC 9457, 4.2.1]', () => {
  it.each([
    [400, '/api/v1/devices?limit=0', {}],
    [401, '/api/v1/devices', { token: 'nobody' }],
    [403, '/api/v1/clients', { token: 'viewer' }],
    [404, '/api/v1/devices/nobody', {}],
    [404, '/api/nothing', {}],
    [405, '/api/v1/devices', { method: 'PUT' }],
    [413, '/api/v1/devices/m', { method: 'PUT', body: `"${'x'.repeat(5_000)}"` }],
    [415, '/api/v1/devices/m', { method: 'PUT', body: '<a/>', type: 'text/xml' }],
    [422, '/api/v1/devices/m', { method: 'PUT', body: '{"kind":"bicycle"}' }],
  ])('of status %i has its phrase as title and says more in detail: %s', async (...row) => {
    const [status, path, { token, type, ...init }] = [row[0], row[1], { ...noOptions, ...row[2] }];
    const headers: Record<string, string> = type === '' ? {} : { 'Content-Type': type };
    const known = token === 'viewer' ? dashboard.tokens.viewer : token;
    const { problem, ...answer } = await refusalOf(path, {
      ...{ method: init.method, headers },
      ...(init.body === '' ? {} : { body: init.body }),
      ...(known === '' ? {} : { token: known }),
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const title = statusPhrase(status);
    expect(problem).toMatchObject({ type: 'about:blank', title, status });
    expect(problem.detail).toMatch(/\w \w/);
    expect(problem.detail).not.toBe(title);
  });

  it('refuses a WebSocket on another path, and one of another site', async () => {
    const path = '/elsewhere';
    expect(await upgradeAt(path, dashboard.base)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    const refused = await upgradeAt('/live', 'http://elsewhere.example');
    const [head = '', body = ''] = refused.split('\r\n\r\n');
    expect(head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
    });
  });
});

const noOptions = { method: 'GET', body: '', token: '', type: '' };

/** All that the server says until it closes. */
function upgradeAt(path: string, origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(dashboard.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.once('error', reject).once('close', () => resolve(text));
    const lines = [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Origin: ${origin}`];
    const wish = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    socket.write(`${[...lines, ...wish, key].join('\r\n')}\r\n\r\n`);
  });
}

describe('A query parameter that is unknown', () => {
  it.each(operations)('is refused by $method $address with its name', async (operation) => {
    const { method, address } = operation;
    const { status, problem } = await refusalOf(`${address}?colour=red`, { method });
    expect(status).toBe(400);
    expect(problem.detail).toContain('unknown parameter colour');
  });

  it('has the near one named, and none when none is near', async () => {
    const near = await refusalOf('/api/v1/devices?lmit=5');
    expect(near.problem.detail).toMatch(/unknown parameter lmit; .*; did you mean limit\?$/);
    const far = await refusalOf('/api/v1/devices?colour=red');
    expect(far.problem.detail).not.toContain('did you mean');
  });

  it('changes nothing when it comes with a write', async () => {
    const body = '[{"id":"never","kind":"cellular"}]';
    const typo = await refusalOf('/api/v1/devices:import?atomc=true', { method: 'POST', body });
    expect(typo.problem.detail).toContain('did you mean atomic?');
    expect(dashboard.registry.get('never')).toBeUndefined();
  });
});

describe('A body', () => {
  const takers = operations.filter(({ hasBody }) => hasBody);

  it.each(takers)(
    'of another type is 415 at $method $address, with those that would do [RFC 9110, 15.5.16]',
    async ({ method, address }) => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const { status, problem, ...more } = await refusalOf(address, {
        method,
        headers,
        body: 'a=b',
      });
      expect(status).toBe(415);
      expect(problem.detail).toContain('application/json');
      expect(more.headers.get('accept')).toContain('application/json');
      expect(more.headers.get('accept-post') !== null).toBe(method === 'POST');
    },
  );

  it.each(takers)('of null is told at $method $address what is expected', async (operation) => {
    const { method, address } = operation;
    const token = dashboard.tokens.admin;
    const answer = await dashboard.ask(address, { method, token, body: 'null' });
    const text = await answer.text();
    expect(text).not.toContain('not valid JSON');
    // A rotation has nothing that must be said.
    if (address.endsWith(':rotate')) expect(answer.status).toBe(404);
    else expect([400, 422]).toContain(answer.status);
  });

  it('in a coding that is not known is 415 with those that are [RFC 9110, 15.5.16]', async () => {
    const headers = { 'Content-Encoding': 'zstd', 'Content-Type': 'application/json' };
    const init = { method: 'PUT', headers, body: '{}' };
    const { status, ...answer } = await refusalOf('/api/v1/devices/m', init);
    expect([status, answer.headers.get('accept-encoding')]).toEqual([415, 'gzip, deflate, br']);
  });
});

describe('A refusal', () => {
  it('with 405 and an answer to OPTIONS say what the very path has [RFC 9110, 15.5.6]', async () => {
    for (const [path, allowed] of [
      ['/api/v1/clients/a:disconnect', 'POST'],
      ['/api/v1/credentials/a', 'DELETE'],
      ['/api/v1/devices:import', 'POST'],
      ['/api/v1/credentials/a:rotate', 'POST'],
      ['/api/v1/codecs/a:dryrun', 'POST'],
      ['/api/v1/codecs/a', 'GET, HEAD, PUT, DELETE'],
      ['/api/v1/session', 'POST, DELETE'],
      ['/api/v1/openapi.json', 'GET, HEAD'],
      ['/healthz/ready', 'GET, HEAD'],
      ['/signin', 'GET, HEAD'],
      ['/', 'GET, HEAD'],
    ] as const) {
      const { status, headers } = await refusalOf(path, { method: 'PATCH' });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, allowed]);
      const asked = await dashboard.ask(path, { method: 'OPTIONS', token: null });
      expect([path, asked.status, asked.headers.get('allow')]).toEqual([path, 204, allowed]);
    }
  });

  it('with 405 comes also where a path beside it has the method', async () => {
    for (const [method, path] of [
      ['DELETE', '/api/v1/credentials/a:rotate'],
      ['GET', '/api/v1/codecs/a:dryrun'],
      ['PUT', '/api/v1/codecs/a:dryrun'],
    ] as const) {
      const { status, headers } = await refusalOf(path, { method });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, 'POST']);
    }
    // An id that ends like a verb is written with its colon encoded.
    const { status } = await refusalOf('/api/v1/credentials/a%3Arotate', { method: 'DELETE' });
    expect(status).toBe(404);
  });

  it('with 401 says how to sign in, also at the sign-in itself [RFC 9110, 15.5.2]', async () => {
    const init = { method: 'POST', body: '{"token":"nobody"}', token: null };
    for (const { status, headers } of [
      await refusalOf('/api/v1/devices', { token: null }),
      await refusalOf('/api/v1/session', init),
    ]) {
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="fieldgate"']);
    }
  });

  it('with 429 says when to come again [RFC 6585, 4]', async () => {
    const init = { method: 'POST', body: '{"token":"nobody"}', token: null };
    for (let n = 0; n < 20; n += 1) {
      const { status, headers, problem } = await refusalOf('/api/v1/session', init);
      if (status === 401) continue;
      const seconds = Number(headers.get('retry-after'));
      expect([status, problem.title]).toEqual([429, 'Too Many Requests']);
      expect(seconds >= 1 && seconds <= 60).toBe(true);
      return;
    }
    throw new Error('no limit was met');
  });
});
