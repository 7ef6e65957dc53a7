/**
 * Sessions of Basics Station over real WebSockets: a station is not read while nothing can be
 * written.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { channelPlans } from '../../../gateway/model/channel-plan.ts';
import { toGpsMs } from '../../../gateway/model/gps-time.ts';
import {
  type BasicStationOptions,
  createBasicStation,
} from '../../../gateway/transports/lora/basic-station.ts';
import { routerConfigOf } from '../../../gateway/transports/lora/router-config.ts';
import type { Transport } from '../../../gateway/transports/transport.ts';
import { createGate } from '../mqtt/bench.ts';
import { createReceiver, now, type Receiver } from '../transport-bench.ts';
import { openStation, type StationClient } from './station-wire.ts';

const eui = '0102030405060708';
const locked = '1112131415161718';
const token = 'a-test-token-of-one-station';

const defaults: BasicStationOptions = {
  host: '127.0.0.1',
  port: 0,
  planName: 'EU868',
  plan: channelPlans.EU868,
  stations: new Map([
    [eui, undefined],
    [locked, token],
  ]),
  requestCert: false,
  messageBytesMax: 2_000,
  inFlightPerStationMax: 4,
  connectionsMax: 3,
  pingIntervalMs: 30_000,
  stopTimeoutMs: 5_000,
};

let receiver: Receiver;
let transport: Transport;
let port: number;
const clients: StationClient[] = [];

async function start(change: Partial<BasicStationOptions> = {}): Promise<void> {
  receiver = createReceiver();
  transport = createBasicStation({ ...defaults, ...change }, receiver.receive, receiver.hooks);
  const [address] = await transport.start();
  expect(address).toMatchObject({ name: 'basic-station', host: '127.0.0.1' });
  port = address?.port ?? 0;
}

async function open(path: string, options = {}, scheme = 'ws'): Promise<StationClient> {
  const client = await openStation(`${scheme}://127.0.0.1:${port}${path}`, options);
  clients.push(client);
  return client;
}

async function stop(): Promise<void> {
  receiver.receiveBy(async () => {});
  for (const { socket } of clients.splice(0)) socket.terminate();
  await transport.stop();
}

async function ask(router: unknown, options = {}): Promise<unknown> {
  const client = await open('/router-info', options);
  client.send({ router });
  const [answer] = await client.messages(1);
  await client.closed();
  return JSON.parse(answer ?? '');
}

const updf = (counter: number) => ({ msgtype: 'updf', FCnt: counter });
const timesync = { msgtype: 'timesync', txtime: 5 };

describe('A Basics Station', () => {
  beforeEach(() => start());
  afterEach(stop);

  it('is told where to go, in its own spelling of itself', async () => {
    expect(await ask('102:304:506:708')).toEqual({
      router: '102:304:506:708',
      muxs: '0:0:0:0',
      uri: `ws://127.0.0.1:${port}/traffic/${eui}`,
    });
    expect(await ask('ff::1')).toEqual({ router: 'ff::1', error: expect.any(String) });
    expect(receiver.turnedAway).toEqual(['basic-station:unknown-station']);
  });

  it('gets no answer to a question that names nobody', async () => {
    for (const question of ['{"router":7}', 'router', '{}', 'null']) {
      const client = await open('/router-info');
      client.send(question);
      await client.closed();
      expect(client.received).toEqual([]);
    }
    expect(new Set(receiver.turnedAway)).toEqual(new Set(['basic-station:malformed']));
  });

  it('is told its channels after it has said its version', async () => {
    const client = await open(`/traffic/${eui}`);
    const version = { msgtype: 'version', station: '2.0.6', protocol: 2 };
    client.send(version);
    const [answer] = await client.messages(1);
    expect(JSON.parse(answer ?? '')).toEqual(
      JSON.parse(JSON.stringify(routerConfigOf(channelPlans.EU868, now))),
    );
    const [inbound] = await receiver.receipts(1);
    expect(inbound).toMatchObject({
      transport: 'http',
      route: `basic-station/EU868/${eui}`,
      body: Buffer.from(JSON.stringify(version)),
      receivedAt: now,
      sender: { credential: eui, vouches: 'credential' },
      dup: false,
    });
  });

  it.each([`/router-${eui}`, '/traffic/router-102:304:506:708', `/${eui.toUpperCase()}`])(
    'may come by %s',
    async (path) => {
      const client = await open(path);
      client.send(updf(1));
      expect((await receiver.receipts(1))[0]?.route).toBe(`basic-station/EU868/${eui}`);
    },
  );

  it('is told the GPS time, with its own time digit by digit', async () => {
    const client = await open(`/traffic/${eui}`);
    const gpstime = toGpsMs(now) * 1_000;
    client.send('{"msgtype":"timesync","txtime":12666373963464221}');
    client.send({ msgtype: 'timesync', txtime: 123.456 });
    client.send({ msgtype: 'timesync', txtime: '1}' });
    expect(await client.messages(3)).toEqual([
      `{"msgtype":"timesync","txtime":12666373963464221,"gpstime":${gpstime}}`,
      `{"msgtype":"timesync","txtime":123.456,"gpstime":${gpstime}}`,
      `{"msgtype":"timesync","txtime":0,"gpstime":${gpstime}}`,
    ]);
    expect(receiver.received).toEqual([]);
  });

  it('hands in one message after the other is on disk', async () => {
    const gates = [createGate(), createGate()];
    receiver.receiveBy(() => gates[receiver.received.length - 1]?.opened ?? Promise.resolve());
    const client = await open(`/traffic/${eui}`);
    for (const counter of [1, 2]) client.send(updf(counter));
    client.send(timesync);
    await client.messages(1);
    expect(receiver.received).toHaveLength(1);
    gates[0]?.open();
    await receiver.receipts(2);
    gates[1]?.open();
    expect(receiver.received.map(({ body }) => JSON.parse(body.toString()).FCnt)).toEqual([1, 2]);
  });

  it('is not read while nothing can be written, and loses nothing', async () => {
    let isBroken = true;
    receiver.receiveBy(() =>
      isBroken ? Promise.reject(new Error('disk full')) : Promise.resolve(),
    );
    const client = await open(`/traffic/${eui}`);
    client.send(updf(1));
    await receiver.receipts(2);
    client.send(timesync);
    client.send(updf(2));
    // Several attempts later the question is still unread.
    await receiver.receipts(4);
    expect(client.received).toEqual([]);
    isBroken = false;
    await client.messages(1);
    const all = await receiver.receipts(6);
    const counters = all.map(({ body }) => JSON.parse(body.toString()).FCnt);
    expect(counters.at(-1)).toBe(2);
    expect(new Set(counters)).toEqual(new Set([1, 2]));
  });

  it('is not read while too many of its messages wait', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const client = await open(`/traffic/${eui}`);
    for (let counter = 0; counter < 4; counter += 1) client.send(updf(counter));
    await receiver.receipts(1);
    const before = await open(`/traffic/${eui}`);
    expect(await client.closed()).toBe(1006);
    before.send(timesync);
    // Another station is served, so this one is held, not slow.
    const other = await open(`/traffic/${locked}`, { headers: { Authorization: token } });
    other.send(timesync);
    await other.messages(1);
    expect(before.received).toEqual([]);
    gate.open();
    await before.messages(1);
    expect(await receiver.receipts(4)).toHaveLength(4);
  });

  it('hands in what cannot be read as well, so that it is written down', async () => {
    const client = await open(`/traffic/${eui}`);
    for (const text of ['{', 'null', '7', '{"msgtype":7}']) client.send(text);
    expect((await receiver.receipts(4)).map(({ body }) => body.toString())).toEqual([
      '{',
      'null',
      '7',
      '{"msgtype":7}',
    ]);
  });

  it('is cut off when it sends bytes or a message that is too long', async () => {
    const binary = await open(`/traffic/${eui}`);
    binary.socket.send(Buffer.from([1]));
    expect(await binary.closed()).toBe(1003);
    const long = await open(`/traffic/${eui}`);
    long.send('x'.repeat(2_001));
    expect(await long.closed()).toBe(1009);
  });

  it('that comes again takes the place of its older connection', async () => {
    const older = await open(`/traffic/${eui}`);
    const newer = await open(`/traffic/${eui}`);
    expect(await older.closed()).toBe(1006);
    newer.send(timesync);
    await newer.messages(1);
  });

  it.each([
    ['401', `/traffic/${locked}`, {}],
    ['401', `/traffic/${locked}`, { Authorization: `Bearer ${token}x` }],
    ['403', '/traffic/ff::1', {}],
    ['404', '/traffic/nobody', {}],
    ['404', '/', {}],
  ])('is refused with %s at %s', async (status, path, headers) => {
    await expect(open(path, { headers })).rejects.toThrow(status);
    expect(receiver.turnedAway).toHaveLength(1);
  });

  it('with a token has to show it at both doors', async () => {
    expect(await ask(locked)).toMatchObject({ error: expect.any(String) });
    const headers = { Authorization: `Bearer ${token}` };
    expect(await ask(locked, { headers })).toMatchObject({ uri: expect.any(String) });
    await open(`/traffic/${locked}`, { headers });
    expect(receiver.turnedAway).toEqual(['basic-station:unauthorized']);
  });

  it('finds no room when as many are there as may be', async () => {
    for (let n = 0; n < defaults.connectionsMax; n += 1) await open('/router-info');
    await expect(open('/router-info')).rejects.toThrow();
    expect(receiver.turnedAway).toEqual(['basic-station:busy']);
  });

  it('is waited for by a stop, until what it has handed in is on disk', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const client = await open(`/traffic/${eui}`);
    client.send(updf(1));
    await receiver.receipts(1);
    let isStopped = false;
    const stopped = transport.stop().then(() => {
      isStopped = true;
    });
    expect(await client.closed()).toBe(1001);
    expect(isStopped).toBe(false);
    gate.open();
    await stopped;
  });

  it('says that it speaks WebSocket to those who do not', async () => {
    expect((await fetch(`http://127.0.0.1:${port}/router-info`)).status).toBe(426);
  });
});

describe('A station that answers no ping', () => {
  afterEach(stop);

  it('is gone, while one that does is not', async () => {
    await start({ pingIntervalMs: 40 });
    const dead = await open(`/traffic/${eui}`, { autoPong: false });
    const headers = { Authorization: token };
    const alive = await open(`/traffic/${locked}`, { headers });
    expect(await dead.closed()).toBe(1006);
    alive.send(timesync);
    await alive.messages(1);
  });
});

describe('The address a station is told', () => {
  afterEach(stop);

  it('is the public one, with a port', async () => {
    await start({ publicUrl: 'wss://lns.example.net', stations: undefined });
    expect(await ask('::7')).toMatchObject({
      uri: 'wss://lns.example.net:443/traffic/0000000000000007',
    });
  });

  it('never comes from a header that is no name', async () => {
    await start();
    const headers = { Host: 'evil.example/x?' };
    expect(await ask(eui, { headers })).toMatchObject({
      uri: `ws://127.0.0.1:${port}/traffic/${eui}`,
    });
    expect(await ask(eui, { headers: { Host: 'gateway.example' } })).toMatchObject({
      uri: `ws://gateway.example:80/traffic/${eui}`,
    });
  });
});

describe('A station with a certificate', () => {
  const run = promisify(execFile);
  let folder: string;
  const at = (name: string) => join(folder, name);

  async function sign(name: string, issuer: string): Promise<void> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', at(`${name}.key`), '-subj', `/CN=${name}`];
    if (issuer === name) {
      await run('openssl', ['req', '-x509', ...key, ...files, '-out', at(`${name}.pem`)]);
      return;
    }
    await run('openssl', ['req', ...key, ...files, '-out', at(`${name}.csr`)]);
    const by = ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`), '-CAcreateserial'];
    const out = ['-in', at(`${name}.csr`), '-out', at(`${name}.pem`)];
    await run('openssl', ['x509', '-req', ...by, ...out]);
  }

  const filesOf = async (name: string) => ({
    cert: await readFile(at(`${name}.pem`)),
    key: await readFile(at(`${name}.key`)),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fieldgate-station-'));
    await sign('authority', 'authority');
    await sign('stranger', 'stranger');
    await sign('server', 'authority');
    await sign(eui, 'authority');
    await sign(locked, 'stranger');
    await start({
      requestCert: true,
      stations: undefined,
      tls: { ...(await filesOf('server')), ca: await readFile(at('authority.pem')) },
    });
  });

  afterAll(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('comes in under its own EUI, as tls-client', async () => {
    const options = { ...(await filesOf(eui)), rejectUnauthorized: false };
    const client = await open(`/traffic/${eui}`, options, 'wss');
    client.send(updf(1));
    expect((await receiver.receipts(1))[0]?.sender).toMatchObject({
      credential: eui,
      vouches: 'tls-client',
    });
    await expect(open('/traffic/::7', options, 'wss')).rejects.toThrow('401');
    const discovery = await open('/router-info', options, 'wss');
    discovery.send({ router: eui });
    expect((await discovery.messages(1))[0]).toContain(`"wss://127.0.0.1:${port}/traffic/`);
  });

  it('does not come in by a certificate of an unknown authority, or without one', async () => {
    const options = { ...(await filesOf(locked)), rejectUnauthorized: false };
    await expect(open(`/traffic/${locked}`, options, 'wss')).rejects.toThrow();
    const bare = { rejectUnauthorized: false };
    await expect(open(`/traffic/${eui}`, bare, 'wss')).rejects.toThrow();
  });
});
