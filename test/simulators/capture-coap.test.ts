/** Messages of a capture, sent over CoAP to the gateway's own listener and to receivers that err. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CoapOptions, createCoap } from '../../gateway/transports/coap/coap.ts';
import type { Transport } from '../../gateway/transports/transport.ts';
import { readCoapAnswer } from '../../simulators/capture/coap-message.ts';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { openWires } from '../../simulators/capture/wires.ts';
import { createReceiver, type Receiver } from '../transports/transport-bench.ts';

const pump = 'a-test-token-of-pump-7';
const platform = 'a-test-token-of-a-platform';
const options: CoapOptions = {
  ...{ host: '127.0.0.1', port: 0, allowUnencryptedPublic: false },
  accounts: [
    {
      ...{ name: 'pump', token: pump, deviceId: 'pump-7' },
      ...{ publish: [], vouches: 'credential' },
    },
    {
      ...{ name: 'platform', token: platform, adapter: 'modem-json' },
      ...{ publish: ['senml/+/a b'], vouches: 'network-server' },
    },
  ],
  ...{ bodyBytesMax: 20_000, blockwiseMax: 10, blockwiseBytesMax: 100_000 },
  ...{ messagesPerSecondMax: 1_000, inFlightMax: 100, stopTimeoutMs: 5_000 },
};
const accounts = {
  of: (sender?: string) =>
    sender === 'pump'
      ? { token: pump }
      : sender === 'platform'
        ? { username: 'platform', password: platform }
        : undefined,
};

function message(route: string, body: string, sender = 'pump'): CapturedMessage {
  return { at: 0, via: 'coap', route, body: Buffer.from(body), sender };
}

async function sendAll(port: number, messages: readonly CapturedMessage[]) {
  const targets = [`coap://127.0.0.1:${port}`];
  const wires = await openWires({ targets, accounts, clientId: 'test' });
  for (const one of messages) await wires.send(one);
  await wires.close(20_000);
  return wires.tally;
}

describe('Replay over CoAP', () => {
  let receiver: Receiver;
  let transport: Transport;
  let port = 0;

  beforeEach(async () => {
    receiver = createReceiver();
    transport = createCoap(options, receiver.receive, receiver.hooks);
    port = (await transport.start())[0]?.port ?? 0;
  });
  afterEach(() => transport.stop());

  it('comes to the routes that were captured, with the same bodies', async () => {
    const sent = [
      message('up/pump-7', '{"temperature":1}'),
      message('/ingest/platform', '[{"n":"a","v":1}]', 'platform'),
      message('/ingest/platform?event=up&x=%20y', '{}', 'platform'),
      message('senml/lab/a b', 'text', 'platform'),
    ];
    const tally = await sendAll(port, sent);
    expect(tally).toMatchObject({ sent: 4, acknowledged: 4, failed: 0, unaddressed: 0 });
    const took = receiver.received.map(({ route, body, sender }) => ({
      ...{ route, body: body.toString(), sender: sender.credential },
    }));
    expect(took).toHaveLength(4);
    expect(took).toEqual(
      expect.arrayContaining(
        sent.map(({ route, body, sender }) => ({ route, body: body.toString(), sender })),
      ),
    );
  });

  it.each([1_023, 1_024, 1_025, 17_000])('carries %i bytes whole', async (length) => {
    const body = `{"note":"${'x'.repeat(length - 11)}"}`;
    expect(body).toHaveLength(length);
    const tally = await sendAll(port, [message('up/pump-7', body)]);
    expect(tally).toMatchObject({ acknowledged: 1, failed: 0 });
    expect(receiver.received[0]?.body.toString()).toBe(body);
  });

  it('keeps the order of one sender', async () => {
    const sent = Array.from({ length: 100 }, (_, index) => message('up/pump-7', `{"n":${index}}`));
    await sendAll(port, sent);
    const bodies = receiver.received.map(({ body }) => body.toString());
    expect(bodies).toEqual(sent.map(({ body }) => body.toString()));
  });

  it.each([
    ['another device', message('up/pump-8', '{}'), '4.03'],
    ['nobody', message('up/pump-7', '{}', 'stranger'), '4.01'],
    ['a source that is none', message('/ingest/pump', '{}'), '4.04'],
  ])('says what was refused of %s', async (_, one, code) => {
    const tally = await sendAll(port, [one]);
    expect(tally).toMatchObject({ acknowledged: 0, failed: 1 });
    expect(tally.reasons).toEqual([`POST ${one.route} answers ${code}`]);
  });
});

describe('CoAP answer', () => {
  it.each([
    ['64440001aabbccdd', { code: '2.04', messageId: 1, token: 'aabbccdd', maxAge: undefined }],
    ['64a30002aabbccddd1013c', { code: '5.03', messageId: 2, token: 'aabbccdd', maxAge: 60 }],
    // An ETag before it, and a payload behind it.
    ['61a30003014201ff a2 0100ff31', { code: '5.03', messageId: 3, token: '01', maxAge: 256 }],
    ['61a3000301d101ff31', { code: '5.03', messageId: 3, token: '01', maxAge: 255 }],
    ['61a300030100ff', { code: '5.03', messageId: 3, token: '01', maxAge: undefined }],
    ['60000004', { code: '0.00', messageId: 4, token: '', maxAge: undefined }],
  ])('%s is read', (hex, expected) => {
    const answer = readCoapAnswer(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    const { code, messageId, token, maxAge } = answer ?? {};
    expect({ code, messageId, token: token?.toString('hex'), maxAge }).toEqual(expected);
  });

  it.each(['', '64', '644400', 'a4440001aabbccdd', '6f440001aabbccdd', '64440001aabb'])(
    'that is none is not read: %s',
    (hex) => expect(readCoapAnswer(Buffer.from(hex, 'hex'))).toBeUndefined(),
  );

  it('is not thrown at, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        readCoapAnswer(Buffer.from(bytes));
      }),
    );
  });
});

describe('Replay over CoAP to another receiver', () => {
  let socket: Socket;

  beforeEach(async () => {
    socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  });
  afterEach(() => {
    socket.close();
  });

  /** Answers each datagram with those that `answer` gives. */
  function answering(answer: (datagram: Buffer, count: number) => readonly Buffer[]): void {
    let count = 0;
    socket.on('message', (datagram: Buffer, from) => {
      count += 1;
      for (const one of answer(datagram, count)) socket.send(one, from.port, from.address);
    });
  }

  const withCode = (type: number, code: number, datagram: Buffer, more: readonly number[] = []) =>
    Buffer.concat([
      Buffer.of(0x40 | (type << 4) | 4, code, datagram[2] ?? 0, datagram[3] ?? 0),
      datagram.subarray(4, 8),
      Buffer.from(more),
    ]);

  it('takes an answer that comes after the acknowledgement', async () => {
    answering((datagram) =>
      datagram[0] === 0x60
        ? []
        : [Buffer.of(0x60, 0, datagram[2] ?? 0, datagram[3] ?? 0), withCode(0, 0x44, datagram)],
    );
    const tally = await sendAll(socket.address().port, [message('up/pump-7', '{}')]);
    expect(tally).toMatchObject({ acknowledged: 1, failed: 0 });
  });

  it('sends again what is not acknowledged, and comes back when it is told to', async () => {
    // Nothing, then 5.03 with a Max-Age of 0, then 2.04.
    answering((datagram, count) => {
      if (count === 1) return [];
      return [count === 2 ? withCode(2, 0xa3, datagram, [0xd0, 1]) : withCode(2, 0x44, datagram)];
    });
    const tally = await sendAll(socket.address().port, [message('up/pump-7', '{}')]);
    expect(tally).toMatchObject({ acknowledged: 1, failed: 0 });
  });

  it('gives up at a reset', async () => {
    answering((datagram) => [Buffer.of(0x70, 0, datagram[2] ?? 0, datagram[3] ?? 0)]);
    const tally = await sendAll(socket.address().port, [message('up/pump-7', '{}')]);
    expect(tally).toMatchObject({ acknowledged: 0, failed: 1 });
  });
});
