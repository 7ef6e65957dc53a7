/**
 * CoAP on a real UDP socket, as bytes and with a client library: 2.04 means that the receiver has
 * resolved.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import coapClient from 'coap';
import fc from 'fast-check';
import { type Coap, createCoap } from '../../../gateway/transports/coap/coap.ts';
import { createGate } from '../mqtt/bench.ts';
import { createReceiver, now, type Receiver } from '../transport-bench.ts';
import { openUdpClient, type UdpClient } from '../udp-wire.ts';
import { acked, askBy, defaults, platform, pump, up } from './bench.ts';
import { type RequestPacket, requestPacket } from './wire.ts';

let receiver: Receiver;
let transport: Coap;
let port: number;
let client: UdpClient;

beforeEach(async () => {
  receiver = createReceiver();
  transport = createCoap(defaults, receiver.receive, receiver.hooks);
  const [address] = await transport.start();
  expect(address).toMatchObject({ name: 'coap', host: '127.0.0.1' });
  port = address?.port ?? 0;
  client = openUdpClient(port);
});

afterEach(async () => {
  client.close();
  receiver.receiveBy(async () => {});
  await transport.stop();
});

const ping = (messageId: number) => requestPacket({ code: 0, messageId, token: '' });

const ask = (packet: RequestPacket) => askBy(client, packet);

describe('A CoAP receipt', () => {
  it('is 2.04 in the acknowledgement, only after the receiver has resolved', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    client.send(requestPacket({ ...up, messageId: 0x1234 }));
    await receiver.receipts(1);
    // Not even an empty acknowledgement goes out: the pong of a later ping is the first answer.
    client.send(ping(7));
    expect(await client.answers(1)).toEqual(['70000007']);
    gate.open();
    expect((await client.answers(2))[1]).toBe('62441234cafe');
  });

  it('is given once more to a retransmission, which is not handed over again', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    const packet = requestPacket(up);
    client.send(packet);
    await receiver.receipts(1);
    client.send(packet);
    client.send(ping(7));
    expect(await client.answers(1)).toEqual(['70000007']);
    gate.open();
    await client.answers(2);
    client.send(packet);
    expect((await client.answers(3)).slice(1)).toEqual(['62440001cafe', '62440001cafe']);
    expect(receiver.received).toHaveLength(1);
    receiver.passMs(247_000);
    client.send(packet);
    await receiver.receipts(2);
  });

  it('is a message of its own to one that asks for no acknowledgement', async () => {
    expect(await ask({ ...up, type: 1 })).toBe('5244cafe');
  });

  it('is 5.03 with a time to come back when nothing could be written down', async () => {
    receiver.receiveBy(() => Promise.reject(new Error('disk full')));
    expect(await ask(up)).toBe(acked('a3', 'd10105'));
  });

  it('is 5.03 to more messages at once than the limit', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    for (const messageId of [1, 2, 3, 4]) client.send(requestPacket({ ...up, messageId }));
    expect(await client.answers(1)).toEqual(['62a30004cafed10105']);
    expect(receiver.turnedAway).toEqual(['coap:busy']);
    gate.open();
    await client.answers(4);
  });

  it('is sent before a stop has ended', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    client.send(requestPacket({ ...up, messageId: 5 }));
    await receiver.receipts(1);
    const stopped = transport.stop();
    client.send(requestPacket({ ...up, messageId: 6 }));
    gate.open();
    await stopped;
    expect(await client.answers(1)).toEqual(['62440005cafe']);
    expect(receiver.received).toHaveLength(1);
  });
});

describe('A CoAP request', () => {
  it('is handed over under its topic or source, without its token', async () => {
    expect(await ask(up)).toBe(acked('44'));
    const source = { path: 'ingest/platform', options: [[65_000, platform]] } as const;
    expect(await ask({ ...source, query: ['event=up', 'x=a b'], payload: 'x', format: 50 })).toBe(
      acked('44'),
    );
    const topic = { query: ['t=senml/a', `token=${platform}`], payload: Buffer.from([0x80]) };
    expect(await ask({ ...topic, format: 112 })).toBe(acked('44'));
    expect(await ask({ ...topic, path: 'data', format: 110 })).toBe(acked('44'));
    const [first, second, third, fourth] = receiver.received;
    expect(first).toMatchObject({
      transport: 'coap',
      route: 'up/pump-7',
      body: Buffer.from('{"a":1}'),
      receivedAt: now,
      sender: { credential: 'pump', vouches: 'credential', deviceId: 'pump-7' },
      dup: false,
    });
    expect(second).toMatchObject({
      route: '/ingest/platform?event=up&x=a%20b',
      adapter: 'modem-json',
      sender: { credential: 'platform', vouches: 'network-server' },
    });
    expect([first?.adapter, third?.adapter]).toEqual([undefined, undefined]);
    expect(third).toMatchObject({ route: 'senml/a', body: Buffer.from([0x80]) });
    expect(fourth).toMatchObject({ route: 'senml/a' });
    expect(JSON.stringify(receiver.received)).not.toContain('a-test-token');
  });

  it.each<[string, string, RequestPacket]>([
    ['4.01', '81', { ...up, query: [] }],
    ['4.01', '81', { ...up, query: ['token=wrong'] }],
    ['4.01', '81', { ...up, query: ['token='] }],
    ['4.04', '84', { ...up, path: 'ingest/pump' }],
    ['4.04', '84', { ...up, path: 'ingest/platform' }],
    ['4.04', '84', { ...up, path: 'up' }],
    ['4.04', '84', { ...up, path: 'up/pump-7/more' }],
    ['4.04', '84', { ...up, path: 'down/pump-7' }],
    ['4.04', '84', { ...up, path: 'up/+' }],
    ['4.04', '84', { ...up, path: 'up', query: [`token=${pump}`, `t=${'a/'.repeat(40)}`] }],
    ['4.05', '85', { ...up, code: 1 }],
    ['4.05', '85', { ...up, code: 3 }],
    ['4.00', '80', { ...up, payload: '' }],
    ['4.02', '82', { ...up, options: [[9, 'x']] }],
    ['4.02', '82', { ...up, options: [[65_001, 'x']] }],
    ['4.02', '82', { ...up, block1: { num: 0, more: false, exponent: 7 } }],
    ['5.05', 'a5', { ...up, options: [[35, 'coap://a/b']] }],
    ['5.05', 'a5', { ...up, options: [[39, 'http']] }],
    ['4.15', '8f', { ...up, format: 41 }],
    ['4.15', '8f', { ...up, options: [[12, Buffer.alloc(5)]] }],
  ])('is refused with %s (%s)', async (_name, code, packet) => {
    expect(await ask(packet)).toBe(acked(code));
    expect(receiver.received).toEqual([]);
    expect(receiver.turnedAway).toHaveLength(1);
  });

  it('is answered though its account goes before the receipt', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    client.send(requestPacket({ ...up, messageId: 1 }));
    await receiver.receipts(1);
    transport.setAccounts([]);
    client.send(requestPacket({ ...up, messageId: 2 }));
    expect(await client.answers(1)).toEqual([expect.stringMatching(/^6281/)]);
    gate.open();
    expect((await client.answers(2))[1]).toMatch(/^6244/);
  });

  it('outside its authority is written down and refused with 4.03', async () => {
    expect(await ask({ ...up, path: 'up/pump-8' })).toBe(acked('83'));
    expect(receiver.forbidden).toMatchObject([{ route: 'up/pump-8' }]);
    expect(receiver.received).toEqual([]);
  });

  it('may carry options that can be passed over', async () => {
    expect(
      await ask({
        ...up,
        options: [
          [6, ''],
          [258, 'x'],
          [2_050, 'x'],
          [3, 'gateway'],
        ],
      }),
    ).toBe(acked('44'));
  });

  it('comes on a connection that tells two senders and two runs apart', async () => {
    await ask(up);
    await ask(up);
    const other = openUdpClient(port);
    other.send(requestPacket(up));
    await other.answers(1);
    other.close();
    const [first, second, third] = receiver.received.map(({ sender }) => sender.connection);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('is dropped above the rate of its address, and taken again later', async () => {
    for (let n = 0; n < 2 * defaults.messagesPerSecondMax; n += 1) client.send(ping(n));
    await client.answers(2 * defaults.messagesPerSecondMax);
    client.send(requestPacket(up));
    expect(await receiver.refusals(1)).toEqual(['coap:flood']);
    receiver.passMs(1_000);
    expect(await ask(up)).toBe(acked('44'));
  });
});

describe('Datagrams that are no request', () => {
  it.each([
    ['', 'nothing', ''],
    ['', 'a header that ends early', '4002'],
    ['', 'another version', '800200017f'],
    ['', 'a message without receipt that ends early', '54020001aa'],
    ['', 'an acknowledgement that ends early', '64020001aa'],
    ['70000001', 'a token that is too long', '4902000100112233445566778899'],
    ['70000001', 'a token that ends early', '44020001aa'],
    ['70000001', 'an empty message with something in it', '40000001ff00'],
    ['70000001', 'an empty message with a token', '42000001cafe'],
    ['70000001', 'a payload marker without payload', '40020001ff'],
    ['70000001', 'an option that ends early', '40020001b5757000'],
    ['70000001', 'an option whose length ends early', '40020001bd'],
    ['70000001', 'an option of the reserved length', '40020001bf00'],
    ['70000001', 'an option of the reserved delta', '40020001f000'],
    ['70000001', 'an option whose delta ends early', '40020001e000'],
    ['70000001', 'more options than are read', `40020001${'00'.repeat(65)}`],
    ['70000001', 'an answer', '42450001cafe'],
    ['70000001', 'a message of a class that is reserved', '40e00001'],
  ])('are counted, and answered with "%s" when they are %s [RFC 7252, 4.2]', async (...row) => {
    client.send(Buffer.from(row[2], 'hex'));
    expect(await receiver.refusals(1)).toEqual(['coap:malformed']);
    client.send(ping(9));
    const expected = row[0] === '' ? ['70000009'] : [row[0], '70000009'];
    expect(await client.answers(expected.length)).toEqual(expected);
  });

  it('are passed over when they acknowledge or reset what nobody has sent', async () => {
    client.send(requestPacket({ ...up, type: 2 }));
    client.send(requestPacket({ ...up, type: 3 }));
    client.send(requestPacket({ code: 0, type: 1, token: '' }));
    client.send(ping(9));
    expect(await client.answers(1)).toEqual(['70000009']);
    expect(receiver.turnedAway).toEqual([]);
  });

  it('leave the door open whatever bytes they are', async () => {
    const sound = requestPacket({ ...up, token: '', block1: { num: 1, more: true, exponent: 2 } });
    const changed = fc
      .tuple(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length))
      .map(([at, byte, length]) => {
        const bytes = Buffer.from(sound);
        bytes[at] = byte;
        return bytes.subarray(0, length);
      });
    const anything = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    for (const [n, datagram] of fc.sample(fc.oneof(anything, changed), 300).entries()) {
      client.send(datagram);
      client.send(ping(0x4000 + n));
      const pong = `7000${(0x4000 + n).toString(16)}`;
      while (!client.received.includes(pong)) await client.answers(client.received.length + 1);
      receiver.passMs(1_000);
    }
    expect(await ask(up)).toBe(acked('44'));
  });
});

describe('The address CoAP listens on', () => {
  it('has to be a private one, unless the operator says otherwise', async () => {
    const open = { ...defaults, host: '0.0.0.0' };
    const refused = createCoap(open, receiver.receive, receiver.hooks);
    await expect(refused.start()).rejects.toThrow('allowUnencryptedPublic');
    const allowed = createCoap(
      { ...open, allowUnencryptedPublic: true },
      receiver.receive,
      receiver.hooks,
    );
    expect((await allowed.start())[0]?.port).toBeGreaterThan(0);
    await allowed.stop();
  });
});

describe('A client library', () => {
  const post = (path: string, payload: Buffer, format: string) =>
    new Promise<string>((resolve, reject) => {
      const request = coapClient.request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        pathname: path,
        query: `token=${platform}`,
        confirmable: true,
      });
      request.setOption('Content-Format', format);
      // The library sends in blocks of this size exponent once the option is there.
      if (payload.length > 512) request.setOption('Block1', Buffer.from([5]));
      request.on('response', (response) => resolve(response.code));
      request.on('error', reject);
      request.end(payload);
    });

  it('sends JSON, SenML in CBOR, and large bodies in blocks', async () => {
    expect(await post('/up/a', Buffer.from('{"a":1}'), 'application/json')).toBe('2.04');
    const pack = Buffer.from('81a300616101fb4000000000000000020361', 'hex');
    expect(await post('/up/b', pack, 'application/senml+cbor')).toBe('2.04');
    const large = Buffer.from(JSON.stringify({ a: 'x'.repeat(1_800) }));
    expect(await post('/up/c', large, 'application/json')).toBe('2.04');
    expect(receiver.received.map(({ route, body }) => [route, body.toString('hex')])).toEqual([
      ['up/a', '7b2261223a317d'],
      ['up/b', pack.toString('hex')],
      ['up/c', large.toString('hex')],
    ]);
  });
});
