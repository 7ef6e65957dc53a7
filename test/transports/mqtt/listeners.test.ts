/** TLS with a made-up authority, WebSocket on its own port and on somebody else's server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import { WebSocket } from 'ws';
import { readAltNames } from '../../../gateway/transports/client-certificate.ts';
import { type Authority, createAuthority } from '../authority.ts';
import { startAbuseBench } from './abuse-bench.ts';
import { city, modem, startBench } from './bench.ts';
import { collect, connack, connectPacket, openRaw, puback, publishPacket } from './wire.ts';

const local = { host: '127.0.0.1', port: 0 };

describe('TLS listener', () => {
  let directory = '';
  let authority: Authority;
  let stranger: Authority;
  let server: { readonly cert: Buffer; readonly key: Buffer };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mqtt-tls-'));
    authority = await createAuthority(directory, 'town');
    stranger = await createAuthority(directory, 'stranger');
    server = await authority.issue('gateway');
  });
  afterAll(() => rm(directory, { recursive: true }));

  const startTls = () => {
    const tls = { ...local, ...server, ca: authority.ca, requestCert: true };
    return startBench({ tcp: undefined, tls });
  };

  it('takes a device by its certificate, without a password, as tls-client', async () => {
    const bench = await startTls();
    const own = await authority.issue('pump-7');
    const client = await connectAsync({
      protocol: 'mqtts',
      host: '127.0.0.1',
      port: bench.ports.get('mqtts') ?? 0,
      ca: authority.ca,
      ...own,
      username: modem.username,
    });
    await client.publishAsync('up/pump-7', 'x', { qos: 1 });
    expect(bench.received[0]?.sender).toMatchObject({
      credential: 'modem-1',
      deviceId: 'pump-7',
      vouches: 'tls-client',
    });
    expect(bench.broker.clients()).toMatchObject([{ username: 'modem-1', listener: 'mqtts' }]);
    await client.endAsync();
    await bench.stop();
  });

  it('finds the account by the common name when no user name is given', async () => {
    const bench = await startTls();
    const own = await authority.issue('modem-1');
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca, ...own }));
    client.send(connectPacket({ clientId: 'x' }));
    expect(await client.bytes(4)).toBe(connack(0));
    await bench.stop();
  });

  it('takes a password from a client without a certificate, as credential', async () => {
    const bench = await startTls();
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca }));
    client.send(connectPacket({ username: 'modem-1', password: 'secret one' }));
    client.send(publishPacket({ topic: 'up/pump-7', id: 3 }));
    expect(await client.bytes(8)).toBe(connack(0) + puback(3));
    expect(bench.received[0]?.sender.vouches).toBe('credential');
    await bench.stop();
  });

  it('does not let a certificate in under the name of another account', async () => {
    const bench = await startTls();
    const own = await authority.issue('pump-8');
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca, ...own }));
    client.send(connectPacket({ username: 'modem-1' }));
    expect(await client.closed()).toBe(connack(4));
    await bench.stop();
  });

  it('turns away a certificate of an unknown authority, whatever name it bears', async () => {
    const bench = await startTls();
    const forged = await stranger.issue('modem-1');
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca, ...forged }));
    client.send(connectPacket({ username: 'modem-1', password: 'secret one' }));
    expect(await client.closed()).toBe('');
    expect(bench.logged).toContainEqual({ level: 'warn', event: 'mqtt-turned-away' });
    await bench.stop();
  });

  it('answers a v5 CONNECT with 0x01 before it closes [MQTT-3.1.2-2]', async () => {
    const bench = await startTls();
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca }));
    client.send(connectPacket({ level: 5 }));
    expect(await client.closed()).toBe(connack(1));
    await bench.stop();
  });

  it('survives bytes that are no TLS', async () => {
    const bench = await startTls();
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTcp({ host: '127.0.0.1', port }));
    client.send(connectPacket());
    await client.closed();
    expect(bench.broker.counts().clients).toBe(0);
    await bench.stop();
  });

  it('takes new certificates without dropping clients', async () => {
    const bench = await startTls();
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: authority.ca }));
    client.send(connectPacket({ username: 'modem-1', password: 'secret one' }));
    await client.bytes(4);
    bench.broker.setSecureContext({ ...(await stranger.issue('renewed')), ca: stranger.ca });
    const renewed = collect(connectTls({ host: '127.0.0.1', port, ca: stranger.ca }));
    renewed.send(connectPacket({ clientId: '2', username: 'modem-1', password: 'secret one' }));
    expect(await renewed.bytes(4)).toBe(connack(0));
    client.send(publishPacket({ topic: 'up/pump-7', id: 3 }));
    expect(await client.bytes(8)).toBe(connack(0) + puback(3));
    await bench.stop();
  });

  it('reads only plain names from a certificate', () => {
    expect(readAltNames('DNS:pump-7, IP Address:127.0.0.1, DNS:modem-1')).toEqual([
      'pump-7',
      'modem-1',
    ]);
    expect(readAltNames('URI:"x, DNS:admin, y"')).toEqual([]);
    expect(readAltNames('DNS:+, DNS:a/b')).toEqual([]);
    expect(readAltNames(undefined)).toEqual([]);
  });
});

describe('WebSocket listener', () => {
  const asCity = { username: city.username, password: city.password ?? '' };

  it('speaks MQTT on its own port under /mqtt', async () => {
    const bench = await startBench({ webSocket: local });
    const url = `ws://127.0.0.1:${bench.ports.get('mqtt-websocket')}/mqtt`;
    const client = await connectAsync(url, asCity);
    await client.publishAsync('up/1', 'x', { qos: 1 });
    expect(bench.received[0]).toMatchObject({ transport: 'mqtt', route: 'up/1' });
    expect(bench.broker.clients()).toMatchObject([{ listener: 'mqtt-websocket' }]);
    await client.endAsync();
    await bench.stop();
  });

  it('takes one path of another HTTP server and leaves the others alone', async () => {
    const bench = await startBench();
    const server = createServer((_request, response) => response.end('page'));
    bench.broker.attachTo(server, '/mqtt');
    const others: (string | undefined)[] = [];
    server.on('upgrade', (request, socket) => {
      if (request.url === '/mqtt') return;
      others.push(request.url);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = await connectAsync(`ws://127.0.0.1:${port}/mqtt`, asCity);
    await client.publishAsync('up/1', 'x', { qos: 1 });
    expect(bench.received).toHaveLength(1);
    const other = new WebSocket(`ws://127.0.0.1:${port}/live`, 'fieldgate.live.v1');
    await new Promise((resolve) => other.on('error', resolve));
    expect(others).toEqual(['/live']);
    await client.endAsync();
    await bench.stop();
    server.close();
  });

  it('refuses a handshake without the subprotocol, or on another path [MQTT-6.0.0-3]', async () => {
    const bench = await startBench({ webSocket: local });
    const base = `ws://127.0.0.1:${bench.ports.get('mqtt-websocket')}`;
    const failure = (path: string, protocols: string[]) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(base + path, protocols);
        socket.on('error', ({ message }) => resolve(message));
        socket.on('open', () => resolve('open'));
      });
    expect(await failure('/mqtt', [])).toBe('Unexpected server response: 400');
    expect(await failure('/mqtt', ['soap'])).toBe('Unexpected server response: 400');
    expect(await failure('/other', ['mqtt'])).toBe('Unexpected server response: 404');
    await bench.stop();
  });

  it('takes packets divided and joined in any way by frames [MQTT-6.0.0-2]', async () => {
    const bench = await startBench({ anonymous: true, webSocket: local });
    const socket = new WebSocket(
      `ws://127.0.0.1:${bench.ports.get('mqtt-websocket')}/mqtt`,
      'mqtt',
    );
    await new Promise((resolve) => socket.on('open', resolve));
    const answers: Buffer[] = [];
    socket.on('message', (data: Buffer) => answers.push(data));
    const bytes = Buffer.concat([
      connectPacket(),
      publishPacket({ topic: 'up', payload: 'abc', id: 1 }),
      publishPacket({ topic: 'up', payload: 'def', id: 2 }),
    ]);
    for (const byte of bytes.subarray(0, 30)) socket.send(Buffer.from([byte]));
    socket.send(bytes.subarray(30));
    const expected = connack(0) + puback(1) + puback(2);
    while (Buffer.concat(answers).length < expected.length / 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(Buffer.concat(answers).toString('hex')).toBe(expected);
    socket.terminate();
    await bench.stop();
  });

  it('closes on a text frame [MQTT-6.0.0-1] and on one above the limit', async () => {
    const bench = await startBench({ anonymous: true, webSocket: local });
    const url = `ws://127.0.0.1:${bench.ports.get('mqtt-websocket')}/mqtt`;
    for (const data of ['text', Buffer.alloc(400_000)]) {
      const socket = new WebSocket(url, 'mqtt');
      await new Promise((resolve) => socket.on('open', resolve));
      socket.send(data);
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.on('close', resolve));
    }
    expect(bench.received).toEqual([]);
    await bench.stop();
  });
});

describe('Listeners', () => {
  it('let all in that come at once, over each, while those are served that were there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mqtt-burst-'));
    const authority = await createAuthority(directory, 'town');
    const tls = { ...local, ...(await authority.issue('gateway')) };
    const bench = await startAbuseBench({ tls, webSocket: local });
    const [tlsPort, webPort] = ['mqtts', 'mqtt-websocket'].map((name) => bench.ports.get(name));
    const urls = [`mqtt://127.0.0.1:${bench.port}`, `ws://127.0.0.1:${webPort}/mqtt`];
    const clients = await Promise.all(
      [...urls, `mqtts://127.0.0.1:${tlsPort}`].flatMap((url) =>
        Array.from({ length: 40 }, () => connectAsync(url, { ca: authority.ca })),
      ),
    );
    expect(bench.broker.counts()).toMatchObject({ connections: 121, clients: 121 });
    await bench.served();
    await Promise.all(clients.map((client) => client.endAsync()));
    expect(await bench.alone()).toEqual(['witness']);
    await bench.stop();
    await rm(directory, { recursive: true });
  }, 30_000);

  it('cut who connects and says nothing, and count it', async () => {
    const limits = { connectTimeoutMs: 50 };
    const bench = await startBench({ anonymous: true, limits });
    const client = await openRaw(bench.port);
    expect(await client.closed()).toBe('');
    expect(bench.broker.counts().limited.get('connectTimeoutMs')).toBe(1);
    expect(bench.logged.map(({ event }) => event)).toEqual(['mqtt-turned-away']);
    await bench.stop();
  });

  it('reject the start when a port is taken, and leave none open', async () => {
    const bench = await startBench();
    const taken = { host: '127.0.0.1', port: bench.port };
    await expect(startBench({ webSocket: taken })).rejects.toThrow('EADDRINUSE');
    await bench.stop();
  });
});
