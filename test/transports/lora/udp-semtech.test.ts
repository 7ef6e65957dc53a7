/**
 * A packet forwarder's exchange on a real UDP socket: PUSH_ACK means that the receiver has
 * resolved.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createUdpSemtech } from '../../../gateway/transports/lora/udp-semtech.ts';
import { isLoopback, isPrivate } from '../../../gateway/transports/private-address.ts';
import type { Transport } from '../../../gateway/transports/transport.ts';
import { createGate } from '../mqtt/bench.ts';
import { createReceiver, now, type Receiver } from '../transport-bench.ts';
import { datagramOf, gatewayEui, openUdpClient, types, type UdpClient } from '../udp-wire.ts';

const stranger = '00000000deadbeef';
const json = { stat: { rxnb: 1 } };

let receiver: Receiver;
let transport: Transport;
let client: UdpClient;

beforeEach(async () => {
  receiver = createReceiver();
  transport = createUdpSemtech(
    {
      host: '127.0.0.1',
      port: 0,
      gateways: new Set([gatewayEui, '0016c001ff10a1b3']),
      inFlightPerGatewayMax: 2,
      inFlightMax: 3,
      stopTimeoutMs: 5_000,
    },
    receiver.receive,
    receiver.hooks,
  );
  const [address] = await transport.start();
  expect(address).toMatchObject({ name: 'udp', host: '127.0.0.1' });
  client = openUdpClient(address?.port ?? 0);
});

afterEach(async () => {
  client.close();
  receiver.receiveBy(async () => {});
  await transport.stop();
});

const push = (token: number, gateway = gatewayEui) =>
  client.send(datagramOf({ type: types.pushData, token, gateway, json }));
const pull = (token: number, version = 2) =>
  client.send(datagramOf({ type: types.pullData, token, version }));

describe('PUSH_DATA', () => {
  it('is answered with PUSH_ACK only after the receiver has resolved', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    push(0xabcd);
    await receiver.receipts(1);
    // The PULL_ACK of a later datagram proves that the PUSH_ACK is held back, not slow.
    pull(1);
    expect(await client.answers(1)).toEqual(['02000104']);
    gate.open();
    expect(await client.answers(2)).toEqual(['02000104', '02abcd01']);
  });

  it('is not answered when nothing could be written down', async () => {
    receiver.receiveBy(() => Promise.reject(new Error('disk full')));
    push(7);
    await receiver.receipts(1);
    pull(8);
    expect(await client.answers(1)).toEqual(['02000804']);
  });

  it('is handed over as it came, under the EUI of its gateway', async () => {
    push(9);
    const [inbound] = await receiver.receipts(1);
    expect(inbound).toMatchObject({
      transport: 'udp',
      route: `semtech-udp/${gatewayEui}`,
      body: datagramOf({ type: types.pushData, token: 9, json }),
      receivedAt: now,
      sender: { credential: gatewayEui, vouches: 'credential' },
      dup: false,
    });
  });

  it('is answered in version 1 of the protocol too', async () => {
    client.send(datagramOf({ version: 1, type: types.pushData, json }));
    expect(await client.answers(1)).toEqual(['01123401']);
  });

  it('waits with so many others of its gateway, and of all, and is dropped above that', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    for (const token of [1, 2, 3]) push(token);
    expect(await receiver.refusals(1)).toEqual(['udp:busy']);
    for (const token of [4, 5]) push(token, '0016c001ff10a1b3');
    expect(await receiver.refusals(2)).toEqual(['udp:busy', 'udp:busy']);
    expect(receiver.received).toHaveLength(3);
    gate.open();
    await client.answers(3);
    push(6);
    expect((await client.answers(4))[3]).toBe('02000601');
  });
});

describe('Other datagrams', () => {
  it('keep the way back open by PULL_ACK, and are not written down', async () => {
    pull(0xfffe, 1);
    pull(0xffff);
    expect(await client.answers(2)).toEqual(['01fffe04', '02ffff04']);
    expect(receiver.received).toEqual([]);
  });

  it('may be a TX_ACK, which is written down and gets no answer', async () => {
    client.send(datagramOf({ type: types.txAck }));
    await receiver.receipts(1);
    pull(1);
    expect(await client.answers(1)).toEqual(['02000104']);
  });

  it('are dropped and counted when they name an unknown gateway', async () => {
    push(1, stranger);
    client.send(datagramOf({ type: types.pullData, gateway: stranger }));
    expect(await receiver.refusals(2)).toEqual(['udp:unknown-gateway', 'udp:unknown-gateway']);
    expect(receiver.received).toEqual([]);
    expect(client.received).toEqual([]);
  });

  it.each([
    ['is empty', ''],
    ['ends within its header', datagramOf({ type: types.pushData }).toString('hex').slice(0, 22)],
    ['is of version 0', datagramOf({ version: 0, type: types.pushData }).toString('hex')],
    ['is of version 3', datagramOf({ version: 3, type: types.pushData }).toString('hex')],
    ['is of a type that a server sends', datagramOf({ type: types.pushAck }).toString('hex')],
    ['is of no type', datagramOf({ type: 255 }).toString('hex')],
  ])('are counted and never answered when one %s', async (_name, hex) => {
    client.send(Buffer.from(hex, 'hex'));
    expect(await receiver.refusals(1)).toEqual(['udp:malformed']);
    pull(1);
    expect(await client.answers(1)).toEqual(['02000104']);
  });

  it('leave the door open whatever bytes they are', async () => {
    const anything = fc.uint8Array({ maxLength: 40 });
    const almost = fc
      .tuple(fc.constantFrom(1, 2), fc.nat(255), fc.nat(255), fc.constantFrom(0, 1, 2, 3, 4, 5))
      .chain((head) => anything.map((tail) => Uint8Array.from([...head, ...tail])));
    // A JSON object after type 3 is a downlink that was overheard, which is taken.
    const isDownlink = ([, , , type, next]: Uint8Array) => type === 3 && next === 0x7b;
    const others = fc.oneof(anything, almost).filter((bytes) => !isDownlink(bytes));
    const datagrams = fc.sample(others, 300);
    for (const datagram of datagrams) {
      const answered = client.received.length;
      client.send(Buffer.from(datagram));
      pull(0x7777);
      await client.answers(answered + 1);
    }
    expect(new Set(client.received)).toEqual(new Set(['02777704']));
    expect(receiver.received).toEqual([]);
    expect(receiver.turnedAway).toHaveLength(datagrams.length);
  });
});

describe('The stop', () => {
  it('waits for receipts in flight and sends their PUSH_ACK', async () => {
    const gate = createGate();
    receiver.receiveBy(() => gate.opened);
    push(1);
    await receiver.receipts(1);
    const stopped = transport.stop();
    push(2);
    gate.open();
    await stopped;
    expect(await client.answers(1)).toEqual(['02000101']);
    expect(receiver.received).toHaveLength(1);
  });

  it('lets a port that is taken be an error of the start', async () => {
    const options = {
      host: '127.0.0.1',
      gateways: undefined,
      inFlightPerGatewayMax: 1,
      inFlightMax: 1,
      stopTimeoutMs: 1,
    };
    const first = createUdpSemtech({ ...options, port: 0 }, receiver.receive, receiver.hooks);
    const port = (await first.start())[0]?.port ?? 0;
    const second = createUdpSemtech({ ...options, port }, receiver.receive, receiver.hooks);
    await expect(second.start()).rejects.toThrow('EADDRINUSE');
    await second.stop();
    await first.stop();
  });
});

describe('An address to listen on', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('is loopback when it is %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['10.0.0.1', '172.31.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', '127.0.0.1'])(
    'is private when it is %s',
    (host) => {
      expect(isPrivate(host)).toBe(true);
    },
  );

  it.each(['0.0.0.0', '::', '172.32.0.1', '100.128.0.1', '8.8.8.8', '2001:db8::1', 'example.com'])(
    'is public when it is %s',
    (host) => {
      expect(isPrivate(host)).toBe(false);
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe("A server's PULL_RESP", () => {
  const answer = Buffer.concat([Buffer.from([2, 1, 2, 3]), Buffer.from('{"txpk":{}}')]);

  it('is of the gateway that speaks from this address, and of none before', async () => {
    client.send(answer);
    push(1);
    await client.answers(1);
    client.send(answer);
    await receiver.receipts(2);
    const [first, second] = receiver.received;
    expect(first?.body[3]).toBe(types.pushData);
    expect(second).toMatchObject({ route: `semtech-udp/${gatewayEui}`, body: answer });
    expect(client.received).toHaveLength(1);
  });
});
