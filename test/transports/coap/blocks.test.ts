/** Bodies that come in blocks [RFC 7959], on a real UDP socket. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Coap, createCoap } from '../../../gateway/transports/coap/coap.ts';
import { createReceiver, type Receiver } from '../transport-bench.ts';
import { openUdpClient, type UdpClient } from '../udp-wire.ts';
import { acked, askBy, defaults, up } from './bench.ts';
import type { RequestPacket } from './wire.ts';

let receiver: Receiver;
let transport: Coap;
let client: UdpClient;

beforeEach(async () => {
  receiver = createReceiver();
  transport = createCoap(defaults, receiver.receive, receiver.hooks);
  const [address] = await transport.start();
  client = openUdpClient(address?.port ?? 0);
});

afterEach(async () => {
  client.close();
  await transport.stop();
});

const ask = (packet: RequestPacket) => askBy(client, packet);

describe('A body in blocks', () => {
  const body = Buffer.from(`${'0123456789abcdef'.repeat(4)}end`);
  const block = (num: number, more = true, exponent = 1): RequestPacket => {
    const size = 2 ** (exponent + 4);
    return {
      ...up,
      payload: body.subarray(num * size, (num + 1) * size),
      block1: { num, more, exponent },
    };
  };

  it('is handed over once it is whole, and acknowledged only then', async () => {
    expect(await ask(block(0))).toBe(acked('5f', 'd10e09'));
    expect(await ask(block(1))).toBe(acked('5f', 'd10e19'));
    expect(receiver.received).toEqual([]);
    expect(await ask(block(2, false))).toBe(acked('44', 'd10e21'));
    expect(receiver.received.map(({ body: whole }) => whole)).toEqual([body]);
  });

  it('ends with the token of its account, also for who brings the new one', async () => {
    const [account, ...others] = defaults.accounts;
    if (account === undefined) throw new Error('there is no account');
    expect(await ask(block(0))).toBe(acked('5f', 'd10e09'));
    const token = 'a-test-token-of-another';
    transport.setAccounts([{ ...account, token }, ...others]);
    expect(await ask(block(1))).toBe(acked('81'));
    expect(await ask({ ...block(1), query: [`token=${token}`] })).toBe(acked('88', 'd10e19'));
    transport.setAccounts(defaults.accounts);
    expect(await ask(block(1))).toBe(acked('88', 'd10e19'));
    expect(receiver.received).toEqual([]);
  });

  it('goes on while its account is under the same token', async () => {
    expect(await ask(block(0))).toBe(acked('5f', 'd10e09'));
    transport.setAccounts(defaults.accounts.slice(0, 1));
    expect(await ask(block(1))).toBe(acked('5f', 'd10e19'));
    expect(await ask(block(2, false))).toBe(acked('44', 'd10e21'));
  });

  it('may be a single block', async () => {
    expect(await ask({ ...block(0, false, 6), payload: body })).toBe(acked('44', 'd10e06'));
    expect(receiver.received[0]?.body).toEqual(body);
  });

  it('has to start over when a block is missing, doubled or not full', async () => {
    await ask(block(0));
    expect(await ask(block(2, false))).toBe(acked('88', 'd10e21'));
    expect(await ask(block(1))).toBe(acked('88', 'd10e19'));
    await ask(block(0));
    expect(await ask({ ...block(1), payload: 'short' })).toBe(acked('88', 'd10e19'));
    for (const num of [0, 0, 1]) expect((await ask(block(num))).slice(2, 4)).toBe('5f');
    expect(await ask(block(2, false))).toBe(acked('44', 'd10e21'));
    expect(receiver.received.map(({ body: whole }) => whole)).toEqual([body]);
  });

  it('is refused when it is, or says that it will be, too large [RFC 7959, 2.9.3]', async () => {
    expect(await ask({ ...block(0), size1: 2_001 })).toBe(acked('8d', 'd22f07d0'));
    expect(await ask({ ...up, payload: 'x'.repeat(2_001) })).toBe(acked('8d', 'd22f07d0'));
    const large = (num: number): RequestPacket => ({
      ...up,
      payload: 'x'.repeat(1_024),
      block1: { num, more: true, exponent: 6 },
    });
    expect((await ask(large(0))).slice(2, 4)).toBe('5f');
    expect(await ask(large(1))).toBe(acked('8d', 'd22f07d0'));
    expect(receiver.received).toEqual([]);
  });

  it('asks for its token with the first block already', async () => {
    expect(await ask({ ...block(0), query: [] })).toBe(acked('81'));
  });
});
