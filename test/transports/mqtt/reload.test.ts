/** Accounts that change while their clients are connected, on real sockets. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceAccount } from '../../../gateway/transports/mqtt/accounts.ts';
import { createMqttIdentity } from '../../../gateway/transports/mqtt/identity.ts';
import type { MqttAccountRules } from '../../../gateway/transports/mqtt/options.ts';
import { hashPassword, hashSecret } from '../../../gateway/transports/password.ts';
import { city, type MqttBench, modem, now, startBench } from './bench.ts';
import {
  type ConnectPacket,
  connack,
  connectPacket,
  connectRaw,
  openRaw,
  pingreq,
  puback,
  publishPacket,
  type RawClient,
  subscribePacket,
} from './wire.ts';

const pong = 'd000';
const suback = (qos: number) => `90030007${qos.toString(16).padStart(2, '0')}`;
const { username, password = '' } = modem;
const asModem = { username, password };
const asCity = { username: 'city', password: city.password ?? '' };

let bench: MqttBench;
const clients: RawClient[] = [];
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await bench.stop();
});

async function come(options: ConnectPacket): Promise<RawClient> {
  const client = await connectRaw(bench.port, options);
  clients.push(client);
  return client;
}

/** The answer to a CONNECT packet. */
async function answerTo(options: ConnectPacket): Promise<string> {
  const client = await openRaw(bench.port);
  clients.push(client);
  client.send(connectPacket({ clientId: 'asks', ...options }));
  return client.bytes(4);
}

/** Sends, waits for as many bytes more, and gives these. */
async function ask(client: RawClient, packet: Buffer, count: number): Promise<string> {
  const before = client.received().length;
  client.send(packet);
  return (await client.bytes(before / 2 + count)).slice(before);
}

const isAlive = async (client: RawClient) => (await ask(client, pingreq, 2)) === pong;
const take = (rules: Partial<MqttAccountRules>) =>
  bench.broker.setAccounts({ clients: [modem, city], ...rules });
const reasons = () =>
  bench.audited
    .filter(({ event }) => event === 'disconnect')
    .map(({ clientId, credential, detail }) => ({ clientId, credential, detail }));

describe('Accounts read again', () => {
  it('let in whom they have now, and nobody who is gone', async () => {
    const fresh = { ...modem, username: 'modem-2', password: 'secret new' };
    expect(await answerTo({ username: 'modem-2', password: 'secret new' })).toBe(connack(4));
    take({ clients: [fresh, city] });
    expect(await answerTo({ username: 'modem-2', password: 'secret new' })).toBe(connack(0));
    expect(await answerTo(asModem)).toBe(connack(4));
    expect(bench.broker.isConfigured('modem-2')).toBe(true);
    expect(bench.broker.isConfigured(username)).toBe(false);
  });

  it('leave everybody alone when nothing has changed', async () => {
    const client = await come({ clientId: 'm', ...asModem });
    expect(take({ clients: [{ ...modem }, { ...city }] })).toEqual({ cut: 0, changed: 0 });
    expect(await isAlive(client)).toBe(true);
    expect(reasons()).toEqual([]);
  });

  it('end the connections of an account that is gone, and no other', async () => {
    const gone = await come({ clientId: 'm', ...asModem });
    const kept = await come({ clientId: 'c', ...asCity });
    expect(take({ clients: [city] })).toEqual({ cut: 1, changed: 0 });
    expect(await gone.closed()).toBe(connack(0));
    expect(await isAlive(kept)).toBe(true);
    expect(reasons()).toEqual([
      { clientId: 'm', credential: username, detail: 'account is gone from the configuration' },
    ]);
  });

  it('end those whose password has changed, in clear or hashed', async () => {
    const hashed = {
      ...city,
      password: undefined,
      passwordHash: await hashPassword('first', cost),
    };
    take({ clients: [modem, hashed] });
    const one = await come({ clientId: 'm', ...asModem });
    const other = await come({ clientId: 'c', username: 'city', password: 'first' });
    const passwordHash = await hashPassword('second', cost);
    const changed = [
      { ...modem, password: 'secret new' },
      { ...hashed, passwordHash },
    ];
    expect(take({ clients: changed })).toEqual({ cut: 2, changed: 0 });
    await Promise.all([one.closed(), other.closed()]);
    expect(reasons().map(({ detail }) => detail)).toEqual([
      'password of the account has changed',
      'password of the account has changed',
    ]);
    expect(await answerTo({ username: 'city', password: 'first' })).toBe(connack(4));
    expect(await answerTo({ username: 'city', password: 'second' })).toBe(connack(0));
  });

  it('let anonymous clients stay under their new rule, and end them when they may not come', async () => {
    const up = { publish: ['up/#'], subscribe: [] };
    take({ anonymous: up });
    const client = await come({ clientId: 'a' });
    expect(take({ anonymous: { ...up, publish: ['other/#'] } })).toEqual({ cut: 0, changed: 1 });
    expect(await ask(client, publishPacket({ topic: 'up/x' }), 4)).toBe(puback(1));
    expect(bench.forbidden.map(({ route }) => route)).toEqual(['up/x']);
    expect(take({})).toEqual({ cut: 1, changed: 0 });
    await client.closed();
    expect(await answerTo({})).toBe(connack(5));
  });
});

const cost = { n: 2, r: 1, p: 1 };
describe('An identity whose accounts are read again', () => {
  const open = (rules: MqttAccountRules) =>
    createMqttIdentity({
      ...{ rules, now: () => now, monotonicMs: () => 0 },
      limits: { authFailuresPerMinuteMax: 5, passwordChecksMax: 10 },
    });
  const request = { username: 'city', address: '127.0.0.1', certificateNames: [] };
  const hashed = async (text: string) => {
    return { ...city, password: undefined, passwordHash: await hashPassword(text, cost) };
  };

  it('refuses a password that has changed while it was checked', async () => {
    const identity = await open({ clients: [await hashed('first')] });
    const next = { clients: [await hashed('second')] };
    const login = identity.login({ ...request, password: Buffer.from('first') });
    identity.setRules(next);
    expect(await login).toMatchObject({ kind: 'refused', returnCode: 4 });
  });

  it('lets in by the filters that hold when the password has been checked', async () => {
    const account = await hashed('first');
    const identity = await open({ clients: [account] });
    const login = identity.login({ ...request, password: Buffer.from('first') });
    identity.setRules({ clients: [{ ...account, publish: ['new'] }] });
    expect(await login).toMatchObject({ kind: 'known', account: { publish: ['new'] } });
  });

  it('holds a certificate without a password against its names alone', async () => {
    const identity = await open({ clients: [modem] });
    const names = ['pump-7'];
    const shown = { ...request, username: modem.username, certificateNames: names };
    const login = await identity.login({ ...shown, password: undefined });
    if (login.kind !== 'known') throw new Error(login.reason);
    expect(login.vouches).toBe('tls-client');
    identity.setRules({ clients: [{ ...modem, password: 'another one' }] });
    expect(identity.review(login, names)).toMatchObject({ vouches: 'tls-client' });
    identity.setRules({ clients: [{ ...modem, deviceId: 'pump-8' }] });
    expect(identity.review(login, names)).toBe('certificate is not for this account any more');
    identity.setRules({ clients: [] });
    expect(identity.review(login, names)).toBe('account is gone from the configuration');
  });
});

describe('Topic filters read again', () => {
  it('hold for the next message on a topic that was allowed, and for one that was not', async () => {
    const client = await come({ clientId: 'm', ...asModem });
    await ask(client, publishPacket({ topic: 'up/pump-7', id: 1 }), 4);
    expect(take({ clients: [{ ...modem, publish: ['new/{deviceId}'] }, city] })).toEqual({
      ...{ cut: 0, changed: 1 },
    });
    await ask(client, publishPacket({ topic: 'up/pump-7', id: 2 }), 4);
    await ask(client, publishPacket({ topic: 'new/pump-7', id: 3 }), 4);
    expect(bench.received.map(({ route }) => route)).toEqual(['up/pump-7', 'new/pump-7']);
    expect(bench.forbidden.map(({ route }) => route)).toEqual(['up/pump-7']);
    expect(bench.received[1]?.sender.connection).toBe(bench.received[0]?.sender.connection);
  });

  it('come with another device and another word of vouching', async () => {
    const client = await come({ clientId: 'm', ...asModem });
    take({ clients: [{ ...modem, deviceId: 'pump-8', vouches: 'network-server' }, city] });
    await ask(client, publishPacket({ topic: 'up/pump-8' }), 4);
    expect(bench.received[0]?.sender).toMatchObject({
      ...{ deviceId: 'pump-8', vouches: 'network-server', credential: username },
    });
  });

  it('refuse a filter at SUBACK that they cover no more, and grant a new one', async () => {
    const client = await come({ clientId: 'c', ...asCity });
    take({ clients: [modem, { ...city, subscribe: ['new/#'] }] });
    expect(await ask(client, subscribePacket(['up/#']), 5)).toBe(suback(0x80));
    expect(await ask(client, subscribePacket(['new/#']), 5)).toBe(suback(1));
  });

  it.each([0, 1])(
    'stop deliveries by a filter granted at QoS %i, and keep the others',
    async (qos) => {
      const client = await come({ clientId: 'c', ...asCity });
      await ask(client, subscribePacket(['up/#'], qos), 5);
      await ask(client, subscribePacket(['state/#'], qos), 5);
      // A part of the filter is still allowed; nobody has subscribed to that part alone.
      take({ clients: [modem, { ...city, subscribe: ['up/pump-7', 'state/#'] }] });
      await bench.broker.publish('up/pump-7', 'no');
      await bench.broker.publish('up/pump-9', 'no');
      await bench.broker.publish('state/pump-7', 'yes');
      const ping = await ask(
        client,
        Buffer.alloc(0),
        publishPacket({ topic: 'state/pump-7', payload: 'yes', qos: qos === 1 ? 1 : 0 }).length,
      );
      expect(Buffer.from(ping, 'hex').toString('latin1')).toContain('state/pump-7');
      expect(await isAlive(client)).toBe(true);
      expect(Buffer.from(client.received(), 'hex').toString('latin1')).not.toContain('no');
      expect(bench.broker.clients()[0]?.subscriptions).toEqual([{ filter: 'state/#', qos }]);
      expect(bench.broker.isWanted('up/pump-7')).toBe(false);
    },
  );

  it('may hide what is delivered, without taking the subscription away', async () => {
    const client = await come({ clientId: 'c', ...asCity });
    await ask(client, subscribePacket(['up/#'], 0), 5);
    take({ clients: [modem, { ...city, hide: ['up/secret'] }] });
    await bench.broker.publish('up/secret', 'no');
    await bench.broker.publish('up/open', 'yes');
    await ask(
      client,
      Buffer.alloc(0),
      publishPacket({ topic: 'up/open', payload: 'yes', qos: 0 }).length,
    );
    const words = Buffer.from(client.received(), 'hex').toString('latin1');
    expect(words).toContain('up/open');
    expect(words).not.toContain('up/secret');
  });

  it('take a lost filter from a lasting session, so that nothing waits for it', async () => {
    const lasting = { clientId: 'c', clean: false, ...asCity };
    const client = await come(lasting);
    await ask(client, subscribePacket(['up/#']), 5);
    take({ clients: [modem, { ...city, subscribe: ['state/#'] }] });
    client.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await bench.broker.publish('up/pump-7', 'no');
    expect(bench.broker.counts().waiting.messages).toBe(0);
    take({});
    const again = await come(lasting);
    expect(again.received()).toBe(connack(0));
  });
});

describe('Devices of provisioning and tokens, when accounts are read again', () => {
  const device: DeviceAccount = {
    ...{ username: 'pump-9', deviceId: 'pump-9' },
    secrets: [{ id: 's-1', hash: hashSecret('drawn secret') }],
  };
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const fleet = {
    ...{ issuer: 'fleet', audience: 'fieldgate', deviceIdClaim: 'sub', clockSkewSeconds: 0 },
    ...{ lifetimeSecondsMax: 86_400, publish: ['up/{deviceId}'], subscribe: [] },
    keys: [{ algorithm: 'EdDSA' as const, publicKey }],
  };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = () => {
    const claims = { iss: 'fleet', aud: 'fieldgate', sub: device.deviceId, exp: now / 1_000 + 60 };
    const text = `${encode({ alg: 'EdDSA' })}.${encode(claims)}`;
    return `${text}.${sign(null, Buffer.from(text), pair.privateKey).toString('base64url')}`;
  };
  const comeByToken = () => come({ clientId: 't', username: 'jwt', password: token() });

  it('put a token’s client under the new filters of its issuer', async () => {
    take({ tokenIssuers: [fleet] });
    const client = await comeByToken();
    const changed = { ...fleet, publish: ['new/{deviceId}'] };
    expect(take({ tokenIssuers: [changed] })).toEqual({ cut: 0, changed: 1 });
    await ask(client, publishPacket({ topic: 'new/pump-9' }), 4);
    expect(bench.received.map(({ route }) => route)).toEqual(['new/pump-9']);
  });

  it.each<[string, object]>([
    ['audience', { audience: 'other' }],
    ['claim of the device', { deviceIdClaim: 'device' }],
    ['longest lifetime', { lifetimeSecondsMax: 1 }],
  ])('end it when another %s is asked for', async (_, change) => {
    take({ tokenIssuers: [fleet] });
    const client = await comeByToken();
    expect(take({ tokenIssuers: [{ ...fleet, ...change }] })).toEqual({ cut: 1, changed: 0 });
    await client.closed();
    expect(reasons()[0]?.detail).toBe('issuer or key of the token is not trusted any more');
  });

  it('put a device under the new filters of all devices, and leave its secret alone', async () => {
    await bench.stop();
    const find = (name: string) => (name === device.username ? device : undefined);
    const deviceProfile = { publish: ['up/{deviceId}'], subscribe: [] };
    bench = await startBench({ deviceProfile, deviceAccounts: { find, generation: () => 1 } });
    const client = await come({ clientId: 'd', username: 'pump-9', password: 'drawn secret' });
    expect(take({ deviceProfile })).toEqual({ cut: 0, changed: 0 });
    const changed = { ...deviceProfile, publish: ['new/{deviceId}'] };
    expect(take({ deviceProfile: changed })).toEqual({ cut: 0, changed: 1 });
    await ask(client, publishPacket({ topic: 'new/pump-9' }), 4);
    expect(bench.received.map(({ route }) => route)).toEqual(['new/pump-9']);
    const taken = { ...modem, username: 'pump-9' };
    expect(take({ clients: [taken], deviceProfile: changed })).toEqual({ cut: 1, changed: 0 });
    await client.closed();
  });

  it('end it when the configuration has an account of its name now', async () => {
    take({ tokenIssuers: [fleet] });
    const client = await comeByToken();
    const taken = { ...modem, username: 'pump-9' };
    expect(take({ clients: [taken], tokenIssuers: [fleet] })).toEqual({ cut: 1, changed: 0 });
    await client.closed();
    expect(reasons()[0]?.detail).toBe('the configuration has an account of this name');
  });

  it('change nothing when a key is unsound', async () => {
    const client = await come({ clientId: 'm', ...asModem });
    const unsound = { ...fleet, keys: [{ algorithm: 'RS256' as const, publicKey }] };
    expect(() => take({ clients: [], tokenIssuers: [unsound] })).toThrow(/another kind/);
    expect(await isAlive(client)).toBe(true);
    expect(await answerTo(asModem)).toBe(connack(0));
  });
});
