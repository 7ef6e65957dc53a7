/** The PROXY header before MQTT, in bytes as load balancers send them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createTrust, parseProxyHeader } from '../../../gateway/transports/mqtt/proxy-protocol.ts';
import { type MqttBench, startBench } from './bench.ts';
import { collect, connack, connectPacket, openRaw, puback, publishPacket } from './wire.ts';

const run = promisify(execFile);
const signature = '0d0a0d0a000d0a515549540a';
const line = (text: string) => Buffer.from(`${text}\r\n`);
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Address 203.0.113.9, port 51234, to 192.0.2.1, port 1883. */
const binary4 = hex(`${signature} 21 11 000c cb007109 c0000201 c822 075b`);
/** Address 2001:db8::9 to 2001:db8::1, and a TLV of type 0x04 with three bytes behind them. */
const binary6 = hex(
  `${signature} 21 21 002a 20010db8000000000000000000000009 20010db8000000000000000000000001` +
    'c822 075b 040003000000',
);
const local = hex(`${signature} 20 00 0000`);

describe('A PROXY header', () => {
  const whole: readonly [string, Buffer, string | undefined][] = [
    ['of version 1', line('PROXY TCP4 203.0.113.9 192.0.2.1 51234 1883'), '203.0.113.9'],
    [
      'of version 1 with IPv6 in a long spelling',
      line('PROXY TCP6 2001:0DB8:0:0::9 2001:db8::1 51234 1883'),
      '2001:db8::9',
    ],
    [
      'with IPv4 in IPv6',
      line('PROXY TCP6 ::ffff:203.0.113.9 ::ffff:192.0.2.1 51234 1883'),
      '203.0.113.9',
    ],
    ['of an unknown protocol', line('PROXY UNKNOWN'), undefined],
    [
      'of an unknown protocol with more',
      line('PROXY UNKNOWN ffff::1 ffff::1 65535 65535'),
      undefined,
    ],
    ['of version 2', binary4, '203.0.113.9'],
    ['of version 2 with IPv6 and a TLV', binary6, '2001:db8::9'],
    ['of the proxy itself', local, undefined],
    ['of version 2 without addresses', hex(`${signature} 21 00 0000`), undefined],
  ];
  it.each(whole)('%s is read to its end and not further', (_name, bytes, address) => {
    const found = { kind: 'whole', lengthBytes: bytes.length, address };
    expect(parseProxyHeader(Buffer.concat([bytes, connectPacket()]))).toEqual(found);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(parseProxyHeader(bytes.subarray(0, end))).toEqual({ kind: 'incomplete' });
    }
  });

  const wrong: readonly [string, Buffer][] = [
    ['MQTT', connectPacket()],
    ['another word', Buffer.from('PROXIES')],
    ['lower case', line('PROXY tcp4 203.0.113.9 192.0.2.1 51234 1883')],
    ['UDP', line('PROXY UDP4 203.0.113.9 192.0.2.1 51234 1883')],
    ['IPv6 as IPv4', line('PROXY TCP4 2001:db8::9 2001:db8::1 51234 1883')],
    ['a name', line('PROXY TCP4 example.org 192.0.2.1 51234 1883')],
    ['a port above 65535', line('PROXY TCP4 203.0.113.9 192.0.2.1 51234 65536')],
    ['a negative port', line('PROXY TCP4 203.0.113.9 192.0.2.1 -1 1883')],
    ['two blanks', line('PROXY TCP4  203.0.113.9 192.0.2.1 51234 1883')],
    ['too little', line('PROXY TCP4 203.0.113.9 192.0.2.1 51234')],
    ['a line without an end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(100)}`)],
    ['a line of 108 bytes', line(`PROXY UNKNOWN ${'x'.repeat(92)}`)],
    ['version 3', hex(`${signature} 31 11 000c cb007109 c0000201 c822 075b`)],
    ['an unknown command', hex(`${signature} 22 11 000c cb007109 c0000201 c822 075b`)],
    ['datagrams', hex(`${signature} 21 12 000c cb007109 c0000201 c822 075b`)],
    ['a path', hex(`${signature} 21 31 0002 6162`)],
    ['addresses cut short', hex(`${signature} 21 11 0008 cb007109 c0000201`)],
    ['64 kB of addresses', hex(`${signature} 21 11 ffff`)],
  ];
  it.each(wrong)('is not %s', (_name, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe('malformed');
  });

  it('is decided on for any bytes', () => {
    const beginning = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), hex(signature));
    fc.assert(
      fc.property(beginning, fc.uint8Array({ maxLength: 2_100 }), (start, rest) => {
        const bytes = Buffer.concat([start, rest]);
        const header = parseProxyHeader(bytes);
        if (header.kind === 'whole') expect(header.lengthBytes).toBeLessThanOrEqual(bytes.length);
        if (header.kind === 'incomplete') expect(bytes.length).toBeLessThan(2_064);
      }),
      { numRuns: 300 },
    );
  });

  it('is taken from an address or a range', () => {
    const isTrusted = createTrust(['192.0.2.1', '10.0.0.0/8', '2001:db8::/32']);
    const trusted = ['192.0.2.1', '::ffff:192.0.2.1', '10.255.0.1', '2001:db8:1::1'];
    expect(trusted.map(isTrusted)).toEqual([true, true, true, true]);
    expect(['192.0.2.2', '11.0.0.1', '2001:db9::1', 'unknown'].map(isTrusted)).toEqual(
      Array(4).fill(false),
    );
  });
});

describe('A listener behind a proxy', () => {
  let bench: MqttBench;
  afterEach(() => bench.stop());
  const start = (limits = {}, proxyFrom = ['127.0.0.1']) =>
    startBench({ tcp: { host: '127.0.0.1', port: 0, proxyFrom }, anonymous: true, limits });

  it.each([
    ['1', line('PROXY TCP4 203.0.113.9 192.0.2.1 51234 1883'), '203.0.113.9'],
    ['2', binary6, '2001:db8::9'],
    ['2, of the proxy itself', local, '127.0.0.1'],
  ])('knows the client by a header of version %s', async (_version, header, address) => {
    bench = await start();
    const client = await openRaw(bench.port);
    client.send(
      header,
      connectPacket({ clientId: 'far' }),
      publishPacket({ topic: 'up/x', id: 5 }),
    );
    expect(await client.bytes(8)).toBe(connack(0) + puback(5));
    expect(bench.broker.clients()).toMatchObject([{ clientId: 'far', address }]);
  });

  it('takes the header in any pieces', async () => {
    bench = await start();
    const client = await openRaw(bench.port);
    const bytes = Buffer.concat([binary4, connectPacket({ clientId: 'far' })]);
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.bytes(4)).toBe(connack(0));
    expect(bench.broker.clients()).toMatchObject([{ address: '203.0.113.9' }]);
  });

  it.each([
    ['without a header', connectPacket()],
    ['with a wrong one', line('PROXY TCP4 nobody 192.0.2.1 51234 1883')],
    ['with one that is too long', hex(`${signature} 21 11 ffff`)],
  ])('closes a connection %s', async (_name, bytes) => {
    bench = await start();
    const client = await openRaw(bench.port);
    client.send(bytes);
    expect(await client.closed()).toBe('');
    expect(bench.logged).toContainEqual({ level: 'warn', event: 'mqtt-turned-away' });
    expect(bench.broker.counts().connections).toBe(0);
  });

  it('closes a connection whose header does not come in time', async () => {
    bench = await start({ connectTimeoutMs: 100 });
    const silent = await openRaw(bench.port);
    const slow = await openRaw(bench.port);
    slow.send(binary4.subarray(0, 20));
    expect(await silent.closed()).toBe('');
    expect(await slow.closed()).toBe('');
  });

  it('believes no header from another address', async () => {
    bench = await start({}, ['192.0.2.1']);
    const liar = await openRaw(bench.port);
    liar.send(binary4, connectPacket());
    expect(await liar.closed()).toBe('');
    const honest = await openRaw(bench.port);
    honest.send(connectPacket({ clientId: 'near' }));
    expect(await honest.bytes(4)).toBe(connack(0));
    expect(bench.broker.clients()).toMatchObject([{ address: '127.0.0.1' }]);
  });

  it('counts connections by the address of the client, and in all before it is known', async () => {
    bench = await start({ connectionsPerAddressMax: 1, connectionsMax: 3 });
    const first = await openRaw(bench.port);
    first.send(binary4, connectPacket({ clientId: '1' }));
    expect(await first.bytes(4)).toBe(connack(0));
    const second = await openRaw(bench.port);
    second.send(binary4, connectPacket({ clientId: '2' }));
    expect(await second.closed()).toBe('');
    const other = await openRaw(bench.port);
    other.send(binary6, connectPacket({ clientId: '3' }));
    expect(await other.bytes(4)).toBe(connack(0));
    const waiting = await openRaw(bench.port);
    while (bench.broker.counts().connections < 3) await new Promise((done) => setTimeout(done, 5));
    expect(await (await openRaw(bench.port)).closed()).toBe('');
    waiting.socket.destroy();
    first.socket.destroy();
    while (bench.broker.counts().connections > 1) await new Promise((done) => setTimeout(done, 5));
    const again = await openRaw(bench.port);
    again.send(binary4, connectPacket({ clientId: '4' }));
    expect(await again.bytes(4)).toBe(connack(0));
  });
});

describe('A TLS listener behind a proxy', () => {
  let directory = '';
  let tls: { cert: Buffer; key: Buffer };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mqtt-proxy-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run('openssl', ['req', '-x509', ...ec, ...names, '-keyout', key, '-out', cert]);
    tls = { cert: await readFile(cert), key: await readFile(key) };
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('finds the header before the handshake', async () => {
    const at = { host: '127.0.0.1', port: 0, proxyFrom: ['127.0.0.0/8'], ...tls };
    const bench = await startBench({ tcp: undefined, tls: at, anonymous: true });
    const socket = connect({ host: '127.0.0.1', port: bench.ports.get('mqtts') ?? 0 });
    socket.write(binary4);
    const client = collect(connectTls({ socket, ca: tls.cert, servername: 'gateway' }));
    client.send(connectPacket({ clientId: 'far' }), publishPacket({ topic: 'up/x', id: 5 }));
    expect(await client.bytes(8)).toBe(connack(0) + puback(5));
    const known = { clientId: 'far', address: '203.0.113.9', listener: 'mqtts' };
    expect(bench.broker.clients()).toMatchObject([known]);
    client.socket.destroy();
    await bench.stop();
  });

  it('closes what begins with a handshake', async () => {
    const at = { host: '127.0.0.1', port: 0, proxyFrom: ['127.0.0.1'], ...tls };
    const bench = await startBench({ tcp: undefined, tls: at, anonymous: true });
    const port = bench.ports.get('mqtts') ?? 0;
    const client = collect(connectTls({ host: '127.0.0.1', port, ca: tls.cert }));
    expect(await client.closed()).toBe('');
    await bench.stop();
  });
});
