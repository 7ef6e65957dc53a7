/** Certificates that are taken back: at the door, in a resumed session, and while connected. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readRevocationLists } from '../../../gateway/transports/mqtt/revocation-list.ts';
import { type Authority, createAuthority, type IssuedCertificate } from '../authority.ts';
import { type MqttBench, modem, startBench } from './bench.ts';
import { collect, connack, connectPacket, puback, publishPacket, type RawClient } from './wire.ts';

let directory = '';
let town: Authority;
let stranger: Authority;
let server: IssuedCertificate;
let own: IssuedCertificate;
let other: IssuedCertificate;
let empty: Buffer;
let bench: MqttBench;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mqtt-revoked-'));
  town = await createAuthority(directory, 'town');
  stranger = await createAuthority(directory, 'stranger');
  server = await town.issue('gateway');
  own = await town.issue('pump', ['pump-8', 'modem-1']);
  other = await town.issue('pump-7');
  empty = await town.list();
  await town.revoke('pump');
});
afterAll(() => rm(directory, { recursive: true }));

const secure = (crl?: Buffer) => ({ ...server, ca: town.ca, crl });

async function start(crl?: Buffer): Promise<void> {
  const tls = { host: '127.0.0.1', port: 0, requestCert: true, ...secure(crl) };
  const clients = [modem, { ...modem, username: 'modem-2', deviceId: 'pump-7' }];
  bench = await startBench({ tcp: undefined, tls, clients });
}

beforeEach(() => start(empty));
afterEach(() => bench.stop());

function openTls(certificate: IssuedCertificate, session?: Buffer): TLSSocket {
  const port = bench.ports.get('mqtts') ?? 0;
  const resumed = session === undefined ? {} : { session };
  return connect({ host: '127.0.0.1', port, ca: town.ca, ...certificate, ...resumed });
}

function sayHello(certificate: IssuedCertificate, username?: string): RawClient {
  const client = collect(openTls(certificate));
  client.send(connectPacket({ clientId: username ?? 'x', ...(username && { username }) }));
  return client;
}

describe('A revoked certificate', () => {
  it('is let in before it is revoked, by a name among its alternative names', async () => {
    expect(await sayHello(own).bytes(4)).toBe(connack(0));
    expect(bench.broker.clients()).toMatchObject([{ username: 'modem-1', vouches: 'tls-client' }]);
  });

  it.each(['PEM', 'DER'] as const)('is refused at the door by a list in %s', async (form) => {
    await bench.stop();
    await start(await town.list(form));
    expect(await sayHello(own, 'modem-1').closed()).toBe('');
    expect(await sayHello(other, 'modem-2').bytes(4)).toBe(connack(0));
  });

  it('is cut when the lists are read again, and no other; it is written down', async () => {
    const [revoked, kept] = [sayHello(own, 'modem-1'), sayHello(other, 'modem-2')];
    await Promise.all([revoked.bytes(4), kept.bytes(4)]);
    bench.broker.setSecureContext(secure(await town.list()));
    expect(await revoked.closed()).toBe(connack(0));
    kept.send(publishPacket({ topic: 'up/pump-7', id: 3 }));
    expect(await kept.bytes(8)).toBe(connack(0) + puback(3));
    expect(await sayHello(own, 'modem-1').closed()).toBe('');
    expect(bench.audited).toContainEqual(
      expect.objectContaining({
        ...{ event: 'disconnect', credential: 'modem-1', detail: 'certificate was revoked' },
      }),
    );
  });

  it('does not come in by a session from before', async () => {
    const first = openTls(own);
    const [session] = await once(first, 'session');
    first.destroy();
    const again = openTls(own, session);
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    bench.broker.setSecureContext(secure(await town.list()));
    const late = openTls(own, session);
    let isReused: boolean | undefined;
    late.once('secureConnect', () => {
      isReused = late.isSessionReused();
    });
    const client = collect(late);
    client.send(connectPacket({ clientId: 'x' }));
    expect(await client.closed()).toBe('');
    expect(isReused).toBe(false);
  });

  it('is cut, resumed session or not, when its authority is trusted no more', async () => {
    const first = openTls(own);
    const [session] = await once(first, 'session');
    first.destroy();
    const resumed = collect(openTls(own, session));
    resumed.send(connectPacket({ clientId: 'x' }));
    const whole = sayHello(other, 'modem-2');
    await Promise.all([resumed.bytes(4), whole.bytes(4)]);
    bench.broker.setSecureContext({ ...server, ca: town.ca });
    expect(bench.broker.counts().clients).toBe(2);
    bench.broker.setSecureContext({ ...server, ca: stranger.ca });
    expect(await Promise.all([resumed.closed(), whole.closed()])).toEqual([connack(0), connack(0)]);
  });

  it('leaves everything as it was when the list is unsound', async () => {
    expect(() => bench.broker.setSecureContext(secure(Buffer.from('no list')))).toThrow(/no certi/);
    expect(await sayHello(own, 'modem-1').bytes(4)).toBe(connack(0));
  });

  it('of a client that was connected is cut when it runs out', async () => {
    const client = sayHello(own);
    await client.bytes(4);
    bench.setNow(Date.now() + 3 * 86_400_000);
    expect(await client.closed()).toBe(connack(0));
    expect(bench.audited.at(-1)?.detail).toBe('certificate has run out');
  });
});

describe('Revocation lists', () => {
  it('are read from PEM and DER alike, one or several', async () => {
    const [pem, der] = [await town.list(), await town.list('DER')];
    const foreign = await stranger.list();
    const lists = readRevocationLists(Buffer.concat([foreign, pem]));
    expect(lists.map(({ serials }) => serials.size)).toEqual([0, 1]);
    const [fromDer] = readRevocationLists(der);
    expect(fromDer?.issuer).toBe(lists[1]?.issuer);
    expect([...(fromDer?.serials ?? [])]).toEqual([...(lists[1]?.serials ?? [])]);
    expect(fromDer?.nextUpdate).toBeGreaterThan(Date.now());
  });

  it('are refused cut off anywhere, whole only when whole', async () => {
    const der = await town.list('DER');
    for (let length = 0; length < der.length; length += 7) {
      expect(() => readRevocationLists(der.subarray(0, length))).toThrow(/revocation list/);
    }
    expect(() => readRevocationLists(town.ca)).toThrow(/no certificate revocation list/);
  });
});
