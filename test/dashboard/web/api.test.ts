import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Api, createApi } from '../../../dashboard/web/api.ts';

const reading = {
  device: 'a',
  quantity: 'air_temperature',
  value: 1.5,
  unit: 'Cel',
  time: '2026-11-22T15:04:07Z',
  quality: 1,
  vouchedBy: 'mic',
  seq: 4,
};

describe('The API client', () => {
  let server: Server;
  let api: Api;
  let asked: string[];
  /** The status and the body of each answer, in turn. */
  let answers: [status: number, body: string][];

  beforeEach(async () => {
    asked = [];
    answers = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const [status, body] = answers.shift() ?? [500, ''];
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    api = createApi((path, init) => fetch(`http://127.0.0.1:${port}/${path}`, init));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const history = () => api.history({ device: 'a:1', from: 0, to: 1_000 });

  it('follows the cursor to the end and leaves out what is no reading', async () => {
    const aggregated = { time: '2026-11-22T15:04:07Z', value: 2 };
    answers.push([200, JSON.stringify({ items: [reading, aggregated, null], nextCursor: 'n/2' })]);
    answers.push([200, JSON.stringify({ items: [{ ...reading, channel: 'x' }] })]);
    const answer = await history();
    expect(answer).toMatchObject({ ok: true, value: [{ channel: '' }, { channel: 'x' }] });
    expect(asked[0]).toBe(
      '/api/v1/readings?device=a%3A1&from=1970-01-01T00:00:00.000Z&to=1970-01-01T00:00:01.000Z' +
        '&limit=1000',
    );
    expect(asked[1]?.endsWith('&cursor=n%2F2')).toBe(true);
  });

  it('takes the clock of the server from the last values', async () => {
    answers.push([200, JSON.stringify({ now: '2026-11-22T15:05:00Z', items: [reading] })]);
    const answer = await api.latest();
    expect(answer).toMatchObject({
      ok: true,
      value: { now: Date.UTC(2026, 10, 22, 15, 5), readings: [{ value: 1.5, unit: 'Cel' }] },
    });
  });

  it.each([
    ['no session', 401, '{}', 'signed-out'],
    ['a fault of the server', 500, '{}', 'failed'],
    ['an answer that is not JSON', 200, '<html>', 'failed'],
    ['a list without items', 200, '{}', 'failed'],
    ['JSON that is not an object', 200, '[]', 'failed'],
  ])('makes a value of %s', async (_, status, body, reason) => {
    answers.push([status, body]);
    expect(await history()).toMatchObject({ ok: false, reason });
  });

  it('makes a value of a lost connection', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await api.devices()).toMatchObject({ ok: false, reason: 'failed' });
    server.listen(0, '127.0.0.1');
  });

  it('tells a refused token from a server that fails', async () => {
    answers.push([204, ''], [401, '{}'], [503, '{}']);
    expect(await api.signIn('t')).toEqual({ ok: true, value: true });
    expect(await api.signIn('t')).toMatchObject({ reason: 'signed-out' });
    expect(await api.signIn('t')).toMatchObject({ reason: 'failed' });
  });
});
