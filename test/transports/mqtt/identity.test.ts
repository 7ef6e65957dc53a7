/**
 * Who gets in: passwords, hashes, nobody, and how alike a wrong password and an unknown user are.
 */
import { describe, expect, it } from '@jest/globals';
import { createAttemptLimit } from '../../../gateway/transports/mqtt/attempt-limit.ts';
import { createMqttIdentity } from '../../../gateway/transports/mqtt/identity.ts';
import { hashPassword, verifyPassword } from '../../../gateway/transports/password.ts';
import { city, modem, now, startBench } from './bench.ts';
import { connack, connectPacket, connectRaw, openRaw, packet, text } from './wire.ts';

const quick = { n: 2, r: 1, p: 1 };
const badUserNameOrPassword = 4;
const notAuthorized = 5;

describe('Password hashes', () => {
  it('verify the password they were made of and no other', async () => {
    const hash = await hashPassword('pässword', quick);
    expect(hash).toMatch(/^scrypt\$2\$1\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect(await verifyPassword('pässword', hash)).toBe(true);
    expect(await verifyPassword('password', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  it('agree with the test vector of RFC 7914 section 12', async () => {
    const hash = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    ).toString('base64url');
    const salt = Buffer.from('SodiumChloride').toString('base64url');
    expect(await verifyPassword('pleaseletmein', `scrypt$16384$8$1$${salt}$${hash}`)).toBe(true);
  });

  it('are refused when they are of another form or would cost too much memory', async () => {
    const good = await hashPassword('x', quick);
    const bad = [
      '',
      'scrypt',
      good.replace('scrypt', 'bcrypt'),
      good.replace('$2$', '$3$'),
      good.replace('$2$', '$16777216$'),
      good.replace('$1$1$', '$1$99$'),
      good.slice(0, -40),
    ];
    for (const encoded of bad) expect(await verifyPassword('x', encoded)).toBe(false);
  });
});

describe('Login over the wire', () => {
  const refused = async (port: number, options: object) => {
    const client = await openRaw(port);
    client.send(connectPacket(options));
    return client.closed();
  };

  it('answers a wrong password and an unknown user with the same code', async () => {
    const bench = await startBench();
    const { username } = modem;
    expect(await refused(bench.port, { username, password: 'wrong' })).toBe(
      connack(badUserNameOrPassword),
    );
    expect(await refused(bench.port, { username: 'nobody', password: 'wrong' })).toBe(
      connack(badUserNameOrPassword),
    );
    expect(await refused(bench.port, { username })).toBe(connack(badUserNameOrPassword));
    await bench.stop();
  });

  it('refuses clients without a user name unless anonymous is on', async () => {
    const bench = await startBench();
    expect(await refused(bench.port, {})).toBe(connack(notAuthorized));
    await bench.stop();
    const open = await startBench({ anonymous: true });
    const client = await connectRaw(open.port);
    expect(client.received()).toBe(connack(0));
    expect(await refused(open.port, { username: 'nobody', password: 'x' })).toBe(
      connack(badUserNameOrPassword),
    );
    await open.stop();
  });

  it('closes on a password without a user name [MQTT-3.1.2-22]', async () => {
    const bench = await startBench({ anonymous: true });
    const client = await openRaw(bench.port);
    client.send(
      packet(0x10, text('MQTT'), Buffer.from([4, 0x42, 0, 60]), text('id'), text('password')),
    );
    expect(await client.closed()).toBe('');
    await bench.stop();
  });

  it('lets a hashed account in, and its wrong password out again afterwards', async () => {
    const passwordHash = await hashPassword('token', quick);
    const { password: _, ...account } = city;
    const bench = await startBench({ clients: [{ ...account, passwordHash }] });
    for (let times = 0; times < 3; times += 1) {
      const client = await connectRaw(bench.port, { username: 'city', password: 'token' });
      expect(client.received()).toBe(connack(0));
      const wrong = { clientId: 'other', username: 'city', password: 'tokem' };
      expect(await refused(bench.port, wrong)).toBe(connack(badUserNameOrPassword));
    }
    await bench.stop();
  });

  it('keeps a client id for the account that has it, and logs a takeover', async () => {
    const bench = await startBench();
    const first = await connectRaw(bench.port, {
      clientId: 'shared',
      username: 'modem-1',
      password: 'secret one',
    });
    const thief = { clientId: 'shared', username: 'city', password: 'secret two' };
    expect(await refused(bench.port, thief)).toBe(connack(2));
    expect(bench.logged).toContainEqual({ level: 'warn', event: 'mqtt-refused' });
    expect(first.socket.destroyed).toBe(false);
    await connectRaw(bench.port, {
      clientId: 'shared',
      username: 'modem-1',
      password: 'secret one',
    });
    // [MQTT-3.1.4-2]
    await first.closed();
    expect(bench.logged).toContainEqual({ level: 'warn', event: 'mqtt-takeover' });
    expect(bench.broker.clients()).toHaveLength(1);
    await bench.stop();
  });
});

describe('Failed attempts', () => {
  const identityAt = (clockMs: () => number, authFailuresPerMinuteMax: number) =>
    createMqttIdentity({
      rules: { clients: [{ ...modem, password: undefined, passwordHash: undefined }, city] },
      limits: { authFailuresPerMinuteMax, passwordChecksMax: 10 },
      monotonicMs: clockMs,
      now: () => now,
    });
  const login = (username: string, password: string, address: string) => ({
    username,
    password: Buffer.from(password),
    address,
    certificateNames: [],
  });

  it('shut the account out for that address, and for no other', async () => {
    let nowMs = 0;
    const identity = await identityAt(() => nowMs, 2);
    for (let times = 0; times < 3; times += 1) {
      await identity.login(login('city', 'guess', '10.0.0.1'));
    }
    expect(await identity.login(login('city', 'secret two', '10.0.0.1'))).toMatchObject({
      kind: 'refused',
      reason: 'too many failed attempts',
    });
    expect(await identity.login(login('city', 'secret two', '10.0.0.2'))).toMatchObject({
      kind: 'known',
    });
    nowMs += 300_000;
    expect(await identity.login(login('city', 'secret two', '10.0.0.1'))).toMatchObject({
      kind: 'known',
    });
  });

  it('are forgotten after a minute and never fill the memory', () => {
    let nowMs = 0;
    const limit = createAttemptLimit({
      attemptsMax: 1,
      windowMs: 60_000,
      shutMs: 300_000,
      keysMax: 2,
      monotonicMs: () => nowMs,
    });
    expect(limit.record('a')).toBe(false);
    nowMs += 60_000;
    expect(limit.record('a')).toBe(false);
    expect(limit.record('a')).toBe(true);
    expect(limit.isShut('a')).toBe(true);
    limit.record('b');
    limit.record('c');
    expect(limit.isShut('a')).toBe(false);
  });

  it('do not open an account that has no password at all', async () => {
    const identity = await identityAt(() => 0, 5);
    for (const password of ['', 'undefined', 'secret one']) {
      expect(await identity.login(login('modem-1', password, 'x'))).toMatchObject({
        kind: 'refused',
        returnCode: badUserNameOrPassword,
      });
    }
  });

  it('are told to come back when too many passwords wait to be checked', async () => {
    const identity = await identityAt(() => 0, 1_000);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => identity.login(login('nobody', 'x', 'y'))),
    );
    const codes = results.map((result) => (result.kind === 'refused' ? result.returnCode : 0));
    expect(codes.filter((code) => code === 3)).toHaveLength(8);
    expect(codes.filter((code) => code === badUserNameOrPassword)).toHaveLength(12);
  });
});
