import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ByteReader,
  type Collector,
  defineCodec,
  hexByte,
  Unreadable,
} from '../../decoders/bytes.ts';

function reader(hex: string): ByteReader {
  return new ByteReader(Buffer.from(hex, 'hex'));
}

function sentenceOf(read: () => unknown): string {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof Unreadable) return thrown.sentence;
  }
  return 'nothing was thrown';
}

describe('The byte reader', () => {
  it('reads big-endian numbers', () => {
    const bytes = reader('fe fe fffe fffe fffffe fffffe fffffffe fffffffe'.replaceAll(' ', ''));
    expect([bytes.u8(), bytes.i8()]).toEqual([254, -2]);
    expect([bytes.u16(), bytes.i16()]).toEqual([65_534, -2]);
    expect([bytes.u24(), bytes.i24()]).toEqual([16_777_214, -2]);
    expect([bytes.u32(), bytes.i32()]).toEqual([4_294_967_294, -2]);
    expect(bytes.remaining).toBe(0);
  });

  it('reads little-endian numbers', () => {
    const bytes = reader('feff feff feffff feffff feffffff feffffff 0000c03f'.replaceAll(' ', ''));
    expect([bytes.u16le(), bytes.i16le()]).toEqual([65_534, -2]);
    expect([bytes.u24le(), bytes.i24le()]).toEqual([16_777_214, -2]);
    expect([bytes.u32le(), bytes.i32le()]).toEqual([4_294_967_294, -2]);
    expect(bytes.f32le()).toBe(1.5);
  });

  it('reads 24-bit numbers in both orders as the bytes that were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_388_608, max: 8_388_607 }), (value) => {
        const bytes = Buffer.alloc(6);
        bytes.writeIntBE(value, 0, 3);
        bytes.writeIntLE(value, 3, 3);
        const signed = new ByteReader(bytes);
        expect([signed.i24(), signed.i24le()]).toEqual([value, value]);
        const unsigned = new ByteReader(bytes);
        const positive = value < 0 ? value + 16_777_216 : value;
        expect([unsigned.u24(), unsigned.u24le()]).toEqual([positive, positive]);
      }),
    );
  });

  it('reads from the middle of a larger buffer', () => {
    const bytes = new ByteReader(Buffer.from('00010203', 'hex').subarray(1, 3));
    expect(bytes.u16()).toBe(0x0102);
    expect(bytes.remaining).toBe(0);
  });

  it('takes a part that cannot see beyond itself', () => {
    const bytes = reader('0102030405');
    bytes.skip(1);
    const part = bytes.take(2);
    expect(bytes.peek(2).last()).toBe(5);
    expect([part.u16(), part.remaining, bytes.remaining]).toEqual([0x0203, 0, 2]);
    expect(sentenceOf(() => part.u8())).toContain('ends too early');
  });

  it('says where the bytes end and what it wanted to read', () => {
    const bytes = reader('010203');
    bytes.skip(2);
    expect(sentenceOf(() => bytes.u16())).toBe(
      'The payload ends too early: a field of length 2 begins at byte 2, and 1 are left.',
    );
    expect(bytes.remaining).toBe(1);
    expect(sentenceOf(() => reader('').last())).toContain('empty payload');
  });
});

function codecOf(read: (bytes: ByteReader, into: Collector) => void, fPorts?: readonly number[]) {
  const names = { name: 'a-codec', title: 'A codec', source: 'This test' };
  return defineCodec({ ...names, read, ...(fPorts === undefined ? {} : { fPorts }) });
}

const one = { bytes: Buffer.of(1), fPort: 2 };

describe('A defined codec', () => {
  it('rounds values, keeps channel, time and warnings', () => {
    const codec = codecOf((_bytes, into) => {
      into.add('air_temperature', 0.1 + 0.2);
      into.add('door', 'open', { channel: '1', time: 1000 });
      into.warn('A sentence.');
    });
    expect(codec.decode(one)).toEqual({
      ok: true,
      values: [
        { quantity: 'air_temperature', value: 0.3 },
        { quantity: 'door', value: 'open', channel: '1', time: 1000 },
      ],
      warnings: ['A sentence.'],
    });
  });

  it('refuses ports that are not its own, and no port when it names none', () => {
    expect(codecOf(() => {}, [2, 3]).decode({ ...one, fPort: 4 })).toEqual({
      ok: false,
      error: 'This device sends telemetry on port 2 or 3, not on 4.',
    });
    expect(codecOf(() => {}, [2]).decode(one).ok).toBe(true);
    expect(codecOf(() => {}).decode({ ...one, fPort: 223 }).ok).toBe(true);
  });

  it('refuses a payload without bytes', () => {
    const error = 'The payload is empty.';
    expect(codecOf(() => {}).decode({ bytes: Buffer.alloc(0), fPort: 1 })).toEqual({
      ok: false,
      error,
    });
  });

  it('gives no value of a payload whose later bytes cannot be read', () => {
    const codec = codecOf((bytes, into) => {
      into.add('co2', bytes.u8());
      into.add('co2', bytes.u8());
    });
    expect(codec.decode(one)).toHaveProperty('ok', false);
  });

  it('gives no value that is no number and no quantity that does not exist', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codecOf((_bytes, into) => into.add('co2', value)).decode(one)).toEqual({
        ok: false,
        error: 'The value of co2 is not a number.',
      });
    }
    expect(codecOf((_bytes, into) => into.add('temprature', 1)).decode(one)).toEqual({
      ok: false,
      error: 'The codec names a quantity that does not exist: temprature.',
    });
  });

  it('turns a defect of its own into an error', () => {
    const codec = codecOf(() => {
      throw new RangeError('out of range');
    });
    expect(codec.decode(one)).toEqual({
      ok: false,
      error: 'The codec itself failed: RangeError: out of range',
    });
  });

  it('writes bytes as data sheets do', () => {
    expect([hexByte(7), hexByte(255)]).toEqual(['0x07', '0xff']);
  });
});
