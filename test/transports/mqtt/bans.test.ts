/** Bans, clients that connect over and over, and accounts of devices that come and go. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RootDatabase } from 'lmdb';
import { openAuditLog } from '../../../gateway/holdings/audit-log.ts';
import {
  type DeviceCredentials,
  drawSecrets,
  openDeviceCredentials,
} from '../../../gateway/holdings/device-credentials.ts';
import { openStateJournal } from '../../../gateway/holdings/state-journal.ts';
import { openState } from '../../../gateway/ledger/lmdb-files.ts';
import { createBanBook } from '../../../gateway/transports/mqtt/bans.ts';
import type { MqttBrokerOptions } from '../../../gateway/transports/mqtt/options.ts';
import { type MqttBench, now, startBench } from './bench.ts';
import { connack, connectPacket, openRaw, type RawClient } from './wire.ts';

const log = { error: () => undefined };
let directory: string;
let state: RootDatabase<unknown, string>;
let bench: MqttBench | undefined;
let nowMs: number;

beforeEach(async () => {
  nowMs = now;
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-bans-'));
  state = openState({ directory });
});
afterEach(async () => {
  await bench?.stop();
  bench = undefined;
  await state.close();
  await rm(directory, { recursive: true, force: true });
});

const bansOf = () =>
  createBanBook({ store: openStateJournal(state, 'bans', log), bansMax: 10, now: () => nowMs });
const input = { kind: 'clientId', reason: 'test', by: 'somebody' } as const;

async function start(options: Partial<MqttBrokerOptions>): Promise<MqttBench> {
  bench = await startBench(options);
  return bench;
}

async function login(
  port: number,
  {
    username,
    password,
    clientId = 'c',
  }: { username?: string; password?: string; clientId?: string },
): Promise<RawClient> {
  const client = await openRaw(port);
  const given = { ...(username && { username }), ...(password && { password }) };
  client.send(connectPacket({ clientId, ...given }));
  await client.bytes(4).catch(() => '');
  return client;
}

describe('Ban book', () => {
  it('is read again by the next process, without what has run out', async () => {
    const first = bansOf();
    first.add({ ...input, value: 'a', until: now + 1_000 });
    first.add({ ...input, value: 'b', until: now + 9_000 });
    await first.flushed();
    nowMs += 5_000;
    const second = bansOf();
    expect(second.list().map(({ value }) => value)).toEqual(['b']);
    expect(second.find({ clientId: 'b' })).toMatchObject({ reason: 'test' });
    nowMs += 5_000;
    expect(second.find({ clientId: 'b' })).toBeUndefined();
    await second.flushed();
    expect(bansOf().list()).toEqual([]);
  });

  it('tells client ids, credentials and addresses apart', () => {
    const bans = createBanBook({ bansMax: 10, now: () => nowMs });
    bans.add({ ...input, kind: 'credential', value: 'x', until: now + 1 });
    expect(bans.find({ clientId: 'x', address: 'x' })).toBeUndefined();
    expect(bans.find({ credential: 'x' })).toBeDefined();
    bans.add({ ...input, value: 'c', credential: 'own', until: now + 1 });
    expect(bans.find({ clientId: 'c', credential: 'other' })).toBeUndefined();
    expect(bans.find({ clientId: 'c', credential: 'own' })).toBeDefined();
  });

  it('gives up its own bans for an operator’s when it is full', () => {
    const bans = createBanBook({ bansMax: 2, now: () => nowMs });
    bans.add({ ...input, value: '1', until: now + 1, by: 'gateway' });
    bans.add({ ...input, value: '2', until: now + 1 });
    expect(bans.add({ ...input, value: '3', until: now + 1 })).toBeDefined();
    expect(bans.add({ ...input, value: '4', until: now + 1 })).toBeUndefined();
    expect(bans.find({ clientId: '1' })).toBeUndefined();
  });
});

describe('Flapping client', () => {
  it('is banned for its own credential after so many connects in a minute', async () => {
    const { port, broker } = await start({ anonymous: true, limits: { connectsPerMinuteMax: 3 } });
    const city = { username: 'city', password: 'secret two' };
    for (let connect = 0; connect < 3; connect += 1) {
      expect((await login(port, city)).received()).toBe(connack(0));
    }
    expect((await login(port, city)).received()).toBe(connack(5));
    expect(broker.bans.list()).toMatchObject([
      { kind: 'clientId', value: 'c', credential: 'city', until: now + 300_000, by: 'gateway' },
    ]);
    expect((await login(port, { ...city, clientId: 'other' })).received()).toBe(connack(0));
    bench?.setNow(now + 300_000);
    expect((await login(port, { ...city, clientId: 'third' })).received()).toBe(connack(0));
  });

  it('is not banned when nobody knows who it is', async () => {
    const { port, broker } = await start({ anonymous: true, limits: { connectsPerMinuteMax: 1 } });
    for (let connect = 0; connect < 3; connect += 1) {
      expect((await login(port, {})).received()).toBe(connack(0));
    }
    expect(broker.bans.list()).toEqual([]);
  });

  it('without a client id is not counted', async () => {
    const { port } = await start({ limits: { connectsPerMinuteMax: 1 } });
    for (let connect = 0; connect < 3; connect += 1) {
      const nameless = { username: 'city', password: 'secret two', clientId: '' };
      expect((await login(port, nameless)).received()).toBe(connack(0));
    }
  });
});

describe('Credential of a device', () => {
  const profile = { publish: ['up/{deviceId}'], subscribe: [] };
  let credentials: DeviceCredentials;
  let port: number;
  const [drawn, second] = drawSecrets([{ deviceId: 'pump-9' }, { deviceId: 'pump-9' }]);
  const secret = drawn?.secret ?? '';
  const asDevice = (password: string) =>
    login(port, { username: 'pump-9', password, clientId: 'device' });

  beforeEach(async () => {
    credentials = openDeviceCredentials(state, () => bench?.now() ?? now);
    if (drawn !== undefined) await credentials.create([drawn]);
    const options = { deviceAccounts: credentials, deviceProfile: profile };
    ({ port } = await start({ ...options, limits: { authFailuresPerMinuteMax: 100 } }));
  });

  it('lets the device in with its secret alone, which is kept as a hash', async () => {
    expect((await asDevice(secret)).received()).toBe(connack(0));
    expect((await asDevice(`${secret}x`)).received()).toBe(connack(4));
    expect((await asDevice('')).received()).toBe(connack(4));
    expect(JSON.stringify([...credentials.list()])).not.toContain(secret);
    expect(secret).toHaveLength(32);
  });

  it('is rotated: both secrets are good until the old one runs out, and cuts who came with it', async () => {
    if (second === undefined) throw new Error('no second secret');
    const old = await asDevice(secret);
    expect(await credentials.rotate(second, { until: now + 60_000 })).toBe(true);
    expect((await asDevice(second.secret)).received()).toBe(connack(0));
    const again = await asDevice(secret);
    expect(again.received()).toBe(connack(0));
    bench?.setNow(now + 60_000);
    await Promise.all([old.closed(), again.closed()]);
    expect((await asDevice(secret)).received()).toBe(connack(4));
    expect((await asDevice(second.secret)).received()).toBe(connack(0));
  });

  it('is revoked: the connection ends, and nobody comes in any more', async () => {
    const client = await asDevice(secret);
    expect(await credentials.revoke('pump-9')).toBe(true);
    await client.closed();
    expect((await asDevice(secret)).received()).toBe(connack(4));
    expect(await credentials.revoke('pump-9')).toBe(false);
    if (drawn !== undefined) expect(await credentials.rotate(drawn, { until: now })).toBe(false);
  });

  it('cannot take the name of an account of the configuration', async () => {
    const [taken] = drawSecrets([{ deviceId: 'city' }]);
    if (taken !== undefined) await credentials.create([taken]);
    const client = await login(port, { username: 'city', password: taken?.secret ?? '' });
    expect(client.received()).toBe(connack(4));
  });
});

describe('Audit log', () => {
  it('keeps the newest entries, numbered on across a restart', async () => {
    const open = () => openAuditLog(state, { entriesMax: 5, now: () => nowMs, log });
    const first = open();
    for (const clientId of ['1', '2', '3', '4']) first.append({ event: 'connect', clientId });
    await first.flushed();
    const next = open();
    for (const clientId of ['5', '6', '7']) next.append({ event: 'kick', clientId, by: 'me' });
    await next.flushed();
    expect(next.read({ limit: 10 }).map(({ seq }) => seq)).toEqual([7, 6, 5, 4, 3]);
    expect(next.read({ limit: 1, before: 5, event: 'connect' })).toEqual([
      { seq: 4, at: now, event: 'connect', clientId: '4' },
    ]);
  });

  it('has what the broker does: connects, takeovers, refusals once a minute', async () => {
    const { port, audited } = await start({ anonymous: true });
    await login(port, {});
    await login(port, {});
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await login(port, { username: 'city', password: 'wrong', clientId: 'd' });
    }
    expect(audited.map(({ event }) => event)).toEqual(['connect', 'takeover', 'connect', 'refuse']);
    expect(audited[3]).toMatchObject({ clientId: 'd', credential: 'city', address: '127.0.0.1' });
  });
});
