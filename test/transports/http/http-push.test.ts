/** Webhooks on a real HTTP server: 2xx means that the receiver has resolved. */
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { createHttpPush, type HttpPush } from '../../../gateway/transports/http/http-push.ts';
import type { HttpSource } from '../../../gateway/transports/http/http-source.ts';
import { createGate } from '../mqtt/bench.ts';
import { createReceiver, now, type Receiver } from '../transport-bench.ts';

const token = 'a-test-token-of-one-source';
const hmac = {
  kind: 'hmac',
  secret: 'a test secret of another',
  header: 'X-Signature',
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: 'sha256=',
} as const;

const adapter = 'modem-json';
const sources: readonly HttpSource[] = [
  {
    name: 'city',
    adapter,
    auth: { kind: 'token', token, header: 'authorization' },
    vouches: 'network-server',
  },
  {
    name: 'keyed',
    adapter,
    auth: { kind: 'token', token, header: 'X-Api-Key' },
    vouches: 'credential',
    deviceId: 'pump-7',
  },
  {
    name: 'basic',
    adapter,
    auth: { kind: 'basic', username: 'tts', password: 'a test password' },
    vouches: 'network-server',
  },
  { name: 'signed', adapter, auth: hmac, vouches: 'credential' },
  {
    name: 'proven',
    adapter,
    auth: { kind: 'request', isGenuine: ({ query, body }) => query === `t=${body}` },
    vouches: 'network-server',
  },
  {
    name: 'signed-512',
    adapter,
    auth: { ...hmac, algorithm: 'sha512', encoding: 'base64', prefix: '' },
    vouches: 'credential',
  },
];

const limits = {
  bodyBytesMax: 1_000,
  queryLengthMax: 100,
  requestsPerSecondMax: 20,
  inFlightMax: 4,
  stopTimeoutMs: 5_000,
};

let receiver: Receiver;
let push: HttpPush;
let server: Server;
let port: number;

beforeEach(async () => {
  receiver = createReceiver();
  push = createHttpPush({ sources, limits }, receiver.receive, receiver.hooks);
  const app = express().use(push.router);
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const bearer = { Authorization: `Bearer ${token}` };

function post(path: string, headers: Record<string, string> = {}, body = '{}') {
  return fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
}

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return response.json();
}

describe('A webhook receipt', () => {
  it('answers 204 only after the receiver has resolved', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    let isAnswered = false;
    const answer = post('/ingest/city?event=up', bearer, '{"a":1}').then((response) => {
      isAnswered = true;
      return response;
    });
    await receiver.receipts(1);
    // A whole round trip of another client is time enough for an early answer to arrive.
    await post('/ingest/nobody');
    expect(isAnswered).toBe(false);
    gate.open();
    expect((await answer).status).toBe(204);
  });

  it('hands over the path with its query, the body and who sent it', async () => {
    await post('/ingest/city?event=up', bearer, '{"a":1}');
    await post('/ingest/keyed', { 'X-Api-Key': token, 'Content-Type': 'application/json' });
    const [first, second] = receiver.received;
    expect(first).toMatchObject({
      transport: 'http',
      route: '/ingest/city?event=up',
      adapter,
      body: Buffer.from('{"a":1}'),
      receivedAt: now,
      sender: { credential: 'city', vouches: 'network-server' },
      dup: false,
    });
    expect(second).toMatchObject({
      route: '/ingest/keyed',
      sender: { credential: 'keyed', vouches: 'credential', deviceId: 'pump-7' },
    });
  });

  it('tells two connections apart, and not two requests on one', async () => {
    const request = (n: number) =>
      `POST /ingest/city?n=${n} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Length: 1\r\n\r\n1';
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    sockets[0]?.write(request(0) + request(1));
    await receiver.receipts(2);
    sockets[1]?.write(request(2));
    await receiver.receipts(3);
    for (const socket of sockets) socket.destroy();
    const [first, second, third] = receiver.received.map(({ sender }) => sender.connection);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('answers 503 with a time to come back when nothing could be written down', async () => {
    receiver.receiveBy(() => Promise.reject(new Error('disk full')));
    const response = await post('/ingest/city', bearer);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(response)).toMatchObject({ status: 503, title: 'Service Unavailable' });
  });

  it('answers 503 to more requests at once than its limit', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const held = Array.from({ length: limits.inFlightMax }, () => post('/ingest/city', bearer));
    await receiver.receipts(limits.inFlightMax);
    expect((await post('/ingest/city', bearer)).status).toBe(503);
    gate.open();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect(receiver.turnedAway).toEqual(['http:busy']);
  });

  it('is waited for by a stop', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const answer = post('/ingest/city', bearer);
    await receiver.receipts(1);
    let isStopped = false;
    const stopped = push.stop().then(() => {
      isStopped = true;
    });
    await post('/ingest/nobody');
    expect(isStopped).toBe(false);
    expect((await post('/ingest/city', bearer)).status).toBe(503);
    gate.open();
    await stopped;
    expect((await answer).status).toBe(204);
  });
});

describe('The credential of a source', () => {
  it.each([
    ['no header', '/ingest/city', {}],
    ['a wrong token', '/ingest/city', { Authorization: 'Bearer wrong' }],
    ['a token without its scheme', '/ingest/city', { Authorization: token }],
    ['the token in the query', `/ingest/city?token=${encodeURIComponent(token)}`, {}],
    ['the bearer form in a header of its own', '/ingest/keyed', { 'X-Api-Key': `Bearer ${token}` }],
    ['the token of a source in the basic form', '/ingest/basic', bearer],
    ['a wrong password', '/ingest/basic', { Authorization: `Basic ${btoa('tts:wrong')}` }],
    ['no signature', '/ingest/signed', {}],
    ['a signature of other bytes', '/ingest/signed', { 'X-Signature': `sha256=${'0'.repeat(64)}` }],
  ])('refuses %s', async (_name, path, headers) => {
    const response = await post(path, headers);
    expect(response.status).toBe(401);
    expect(response.headers.has('www-authenticate')).toBe(true);
    expect(await problemOf(response)).toMatchObject({ status: 401 });
    expect(receiver.received).toEqual([]);
    expect(receiver.turnedAway).toEqual(['http:unauthorized']);
  });

  it.each([
    ['/ingest/city', 'Bearer realm="ingest"', 'credential'],
    ['/ingest/basic', 'Basic realm="ingest"', 'credential'],
    ['/ingest/keyed', 'ApiKey realm="ingest", header="X-Api-Key"', 'X-Api-Key'],
    [
      '/ingest/signed',
      'HMAC realm="ingest", header="X-Signature", algorithm="sha256"',
      'X-Signature',
    ],
    ['/ingest/proven', 'Hash realm="ingest", in="query"', 'query'],
  ])('is asked for at %s by its own scheme [RFC 9110, 11.6.1]', async (path, challenge, named) => {
    const response = await post(path);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge]);
    expect(await problemOf(response)).toMatchObject({ detail: expect.stringContaining(named) });
  });

  it('may be a user name and a password', async () => {
    const headers = { Authorization: `Basic ${btoa('tts:a test password')}` };
    expect((await post('/ingest/basic', headers)).status).toBe(204);
  });

  it('may be a signature of the raw body, in either case of its digits', async () => {
    const body = '{"a" : 1}';
    const digits = createHmac('sha256', hmac.secret).update(body).digest('hex');
    for (const signature of [`sha256=${digits}`, `sha256=${digits.toUpperCase()}`]) {
      expect((await post('/ingest/signed', { 'X-Signature': signature }, body)).status).toBe(204);
    }
    const changed = await post('/ingest/signed', { 'X-Signature': `sha256=${digits}` }, '{"a":1}');
    expect(changed.status).toBe(401);
  });

  it('may be what the format of the sender says of query and body', async () => {
    expect((await post('/ingest/proven?t=ab', {}, 'ab')).status).toBe(204);
    for (const path of ['/ingest/proven?t=abc', '/ingest/proven', '/ingest/proven?']) {
      expect((await post(path, {}, 'ab')).status).toBe(401);
    }
    expect(receiver.received).toHaveLength(1);
  });

  it('may be a longer signature in base64', async () => {
    const digits = createHmac('sha512', hmac.secret).update('{}').digest('base64');
    expect((await post('/ingest/signed-512', { 'X-Signature': digits })).status).toBe(204);
  });
});

describe('A webhook request', () => {
  it('is refused for a source that does not exist', async () => {
    const response = await post('/ingest/nobody', bearer);
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ status: 404 });
  });

  it.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/html'])(
    'is refused as %s',
    async (type) => {
      const response = await post('/ingest/city', { ...bearer, 'Content-Type': type });
      expect(response.status).toBe(415);
      // [RFC 9110, section 15.5.16]
      expect(response.headers.get('accept-post')).toContain('application/json');
      expect(receiver.received).toEqual([]);
    },
  );

  it.each([
    'application/json; charset=utf-8',
    'application/senml+json',
    'application/senml+cbor',
    'application/octet-stream',
    'application/x-protobuf',
    'text/xml',
  ])('is taken as %s', async (type) => {
    const response = await post('/ingest/city', { ...bearer, 'Content-Type': type });
    expect(response.status).toBe(204);
  });

  it('is refused when it is compressed', async () => {
    const response = await post('/ingest/city', { ...bearer, 'Content-Encoding': 'gzip' });
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-encoding')).toBe('identity');
  });

  it('is refused above the largest body, and taken at it', async () => {
    const largest = 'a'.repeat(limits.bodyBytesMax);
    expect((await post('/ingest/city', bearer, largest)).status).toBe(204);
    const response = await post('/ingest/city', bearer, `${largest}a`);
    expect(response.status).toBe(413);
    expect(await problemOf(response)).toMatchObject({ status: 413 });
  });

  it('is refused with a query that is too long', async () => {
    const response = await post(`/ingest/city?${'a'.repeat(limits.queryLengthMax)}`, bearer);
    expect(response.status).toBe(414);
  });

  it('is refused by any method but POST', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/ingest/city`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('costs nothing when its client breaks off in the body', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /ingest/city HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n`);
    socket.end('Content-Length: 100\r\n\r\n{');
    expect(await receiver.refusals(1)).toEqual(['http:broken-off']);
    expect(receiver.received).toEqual([]);
  });

  it('is refused above the rate of its source, and taken again later', async () => {
    const send = async () => (await post('/ingest/city', bearer)).status;
    const statuses: number[] = [];
    for (let n = 0; n < limits.requestsPerSecondMax + 5; n += 1) statuses.push(await send());
    expect(statuses.at(0)).toBe(204);
    expect(statuses).toContain(429);
    // Strangers use up nothing of it, and other sources have their own.
    expect((await post('/ingest/keyed', { 'X-Api-Key': token })).status).toBe(204);
    receiver.passMs(1_000);
    expect(await send()).toBe(204);
  });
});
