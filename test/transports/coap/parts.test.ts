/** What CoAP is made of, without a socket: bodies in blocks within limits, and options as bytes. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBlockAssembly } from '../../../gateway/transports/coap/blocks.ts';
import {
  block1Option,
  readBlock1,
  readCoapMessage,
  readUintOption,
  uintOption,
  writeCoapReply,
} from '../../../gateway/transports/coap/message.ts';
import { createFloodLimit } from '../../../gateway/transports/flood-limit.ts';

describe('Bodies in blocks', () => {
  it('are never kept beyond the limits', () => {
    let nowMs = 0;
    const assembly = createBlockAssembly(
      { bodyBytesMax: 1_000, blockwiseMax: 3, blockwiseBytesMax: 1_000 },
      () => nowMs,
    );
    const first = (key: string) =>
      assembly.add(key, { num: 0, isLast: false, size: 64 }, Buffer.alloc(64)).kind;
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(first(key)).toBe('continue');
    expect(assembly.count()).toBe(3);
    const second = (key: string) =>
      assembly.add(key, { num: 1, isLast: false, size: 64 }, Buffer.alloc(64)).kind;
    expect(second('a')).toBe('incomplete');
    expect(second('e')).toBe('continue');
    // Two blocks of one and one of another cost more than 900 bytes: the oldest has gone.
    expect(assembly.count()).toBe(2);
    nowMs = 120_000;
    expect(first('f')).toBe('continue');
    expect(assembly.count()).toBe(1);
  });
});

describe('Options of a CoAP message', () => {
  it('come back from their bytes', () => {
    fc.assert(
      fc.property(fc.nat(0xff_ff_f), fc.boolean(), fc.nat(6), (num, isLast, exponent) => {
        const block = { num, isLast, size: 2 ** (exponent + 4) };
        const reply = writeCoapReply({
          type: 'acknowledgement',
          code: '2.31',
          messageId: 1,
          token: Buffer.alloc(0),
          options: [block1Option(block)],
        });
        const message = readCoapMessage(reply);
        expect(message?.code).toBe('2.31');
        expect(message === undefined ? undefined : readBlock1(message)).toEqual(block);
      }),
    );
    fc.assert(
      fc.property(fc.nat(0x7fff_ffff), (integer) => {
        const message = {
          type: 'reset',
          code: '0.00',
          messageId: 0,
          token: Buffer.alloc(0),
          options: [uintOption(60, integer)],
          payload: Buffer.alloc(0),
        } as const;
        expect(readUintOption(message, 60)).toBe(integer);
        expect(readUintOption(message, 61)).toBeUndefined();
      }),
    );
  });
});

describe('The flood limit', () => {
  it('lets each sender have its rate after its burst', () => {
    let nowMs = 0;
    const limit = createFloodLimit({
      perSecondMax: 2,
      burstMax: 3,
      keysMax: 2,
      monotonicMs: () => nowMs,
    });
    const admitted = (key: string, count: number) =>
      Array.from({ length: count }, () => limit.admit(key)).filter(Boolean).length;
    expect(admitted('a', 5)).toBe(3);
    expect(admitted('b', 5)).toBe(3);
    nowMs = 500;
    expect(admitted('a', 5)).toBe(1);
    nowMs = 60_000;
    expect(admitted('a', 5)).toBe(3);
  });

  it('remembers so many senders, and forgets the one that was quiet for longest', () => {
    const limit = createFloodLimit({
      perSecondMax: 1,
      burstMax: 1,
      keysMax: 2,
      monotonicMs: () => 0,
    });
    for (const key of ['a', 'b', 'c']) expect(limit.admit(key)).toBe(true);
    expect(limit.admit('c')).toBe(false);
    expect(limit.admit('a')).toBe(true);
  });
});
