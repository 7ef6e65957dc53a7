import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PbfWriter } from 'pbf';
import { isJson } from '../../../gateway/adapters/protobuf/either-form.ts';
import { depthMax, fieldsMax, WireReader } from '../../../gateway/adapters/protobuf/wire-reader.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replace(/ /g, ''), 'hex');
}

/** Reads one field with `read`, and gives the value or the problem. */
function readOne<T>(body: Buffer, read: (reader: WireReader) => T): T | string {
  const reader = new WireReader(body);
  expect(reader.next()).toBe(1);
  const value = read(reader);
  expect(reader.problem === undefined ? reader.next() : 0).toBe(0);
  return reader.problem ?? value;
}

describe('The wire reader', () => {
  it.each([
    ['08 00', 0],
    ['08 7f', 127],
    ['08 ac 02', 300],
    ['08 ff ff ff ff 0f', 4_294_967_295],
    ['08 80 80 80 80 10', 4_294_967_296],
    ['08 ff ff ff ff ff ff ff 0f', 9_007_199_254_740_991],
    ['08 ff ff ff ff ff ff ff ff ff 01', 2 ** 64],
  ])('reads %s as the unsigned number %d', (hex, value) => {
    expect(readOne(bytes(hex), (reader) => reader.uint64('x'))).toBe(value);
  });

  it.each([
    ['08 ff ff ff ff ff ff ff ff ff 01', -1],
    ['08 f9 ff ff ff ff ff ff ff ff 01', -7],
    ['08 80 80 80 80 f8 ff ff ff ff 01', -2_147_483_648],
    ['08 01', 1],
  ])('reads %s as the signed number %d', (hex, value) => {
    expect(readOne(bytes(hex), (reader) => reader.int64('x'))).toBe(value);
    expect(readOne(bytes(hex), (reader) => reader.int32('x'))).toBe(value);
    const bits = (reader: WireReader) => {
      reader.uint64('x');
      return reader.lastSigned();
    };
    expect(readOne(bytes(hex), bits)).toBe(value);
  });

  it.each([0, 1, -1, 0.1, 9.2, -7.25, 88.3, 21.37, 1e10, 3.4e38, 1.17549435e-38, 0.1 + 1e-7])(
    'gives the float %d no digits that it never had',
    (number) => {
      const writer = new PbfWriter();
      writer.writeFloatField(1, number);
      const read = readOne(Buffer.from(writer.finish()), (reader) => reader.float('x'));
      expect(Math.fround(Number(read))).toBe(Math.fround(number));
      expect(String(read).length).toBeLessThanOrEqual(String(Math.fround(number)).length);
    },
  );

  it('reads text of any language', () => {
    const writer = new PbfWriter();
    writer.writeStringField(1, 'Bakı şəhəri');
    expect(readOne(Buffer.from(writer.finish()), (r) => r.text('x'))).toBe('Bakı şəhəri');
  });

  it.each([
    ['0a 05 61', 'the body ends inside field 1', (r: WireReader) => r.text('x')],
    ['0a 01 ff', 'x is not UTF-8', (r: WireReader) => r.text('x')],
    ['08 01', 'x is not text', (r: WireReader) => r.text('x')],
    ['08 01', 'x is not bytes', (r: WireReader) => r.bytes('x')],
    ['08 01', 'x is not a message', (r: WireReader) => r.enter('x')],
    ['0a 00', 'x is not an integer', (r: WireReader) => r.uint32('x')],
    ['0a 00', 'x is not an integer', (r: WireReader) => r.int32('x')],
    ['0a 00', 'x is not an integer', (r: WireReader) => r.uint64('x')],
    ['0a 00', 'x is not an integer', (r: WireReader) => r.int64('x')],
    ['0a 00', 'x is not true or false', (r: WireReader) => r.flag('x')],
    ['0a 00', 'x is not a number', (r: WireReader) => r.float('x')],
    ['0a 00', 'x is not a number', (r: WireReader) => r.double('x')],
    ['0d 00 00', 'the body ends inside field 1', (r: WireReader) => r.float('x')],
    ['09 00 00', 'the body ends inside field 1', (r: WireReader) => r.double('x')],
    ['08', 'the body ends inside field 1', (r: WireReader) => r.skip()],
    ['09 00', 'the body ends inside field 1', (r: WireReader) => r.skip()],
    ['0d 00', 'the body ends inside field 1', (r: WireReader) => r.skip()],
    ['0a 7f', 'the body ends inside field 1', (r: WireReader) => r.skip()],
    ['0a ff ff ff ff ff ff ff ff 7f', 'the body ends inside field 1', (r: WireReader) => r.skip()],
    ['0b', 'field 1 has the unknown wire type 3', (r: WireReader) => r.skip()],
    [
      '08 ff ff ff ff ff ff ff ff ff ff 01',
      'field 1 is a number of more than 10 bytes',
      (r: WireReader) => r.skip(),
    ],
  ])('says of %s: %s', (hex, problem, read) => {
    expect(readOne<unknown>(bytes(hex), read)).toBe(problem);
  });

  it('stays inside a message whose field claims more than is left of it', () => {
    const reader = new WireReader(bytes('0a 02 0a 05 61 62 63 64 65'));
    reader.next();
    const outer = reader.enter('inner');
    reader.next();
    expect(reader.text('x')).toBe('');
    reader.leave(outer);
    expect(reader.next()).toBe(0);
    expect(reader.problem).toBe('the body ends inside field 1');
  });

  it.each(['00', '07', '80 80 80 80 10 00'])('refuses the field number of %s', (hex) => {
    const reader = new WireReader(bytes(hex));
    expect(reader.next()).toBe(0);
    expect(reader.problem).toBe('a field has no valid number');
  });

  it('refuses a tag that ends nowhere', () => {
    const reader = new WireReader(bytes('ff'));
    expect(reader.next()).toBe(0);
    expect(reader.problem).toBe('the body ends inside field 0');
  });

  it('keeps the first problem only', () => {
    const reader = new WireReader(bytes('08 01'));
    reader.next();
    reader.complain('one', 'right');
    reader.complain('other', 'right');
    expect(reader.problem).toBe('one is not right');
  });

  it('gives up on a body of more fields than any event has', () => {
    const body = Buffer.alloc((fieldsMax + 1) * 2, bytes('08 01'));
    const reader = new WireReader(body);
    let fields = 0;
    while (reader.next() !== 0) {
      fields += 1;
      reader.skip();
    }
    expect(fields).toBe(fieldsMax);
    expect(reader.problem).toBe(`the body has more than ${fieldsMax} fields`);
  });

  it('gives up on messages in messages without end', () => {
    let body = Buffer.alloc(0);
    for (let level = 0; level <= depthMax; level += 1) {
      const writer = new PbfWriter();
      writer.writeBytesField(1, body);
      body = Buffer.from(writer.finish());
    }
    const reader = new WireReader(body);
    while (reader.next() !== 0) reader.enter('x');
    expect(reader.problem).toBe(`x nests deeper than ${depthMax} levels`);
  });

  it('does not open a body that is too large', () => {
    const reader = new WireReader(Buffer.alloc(262_145));
    expect(reader.next()).toBe(0);
    expect(reader.problem).toBe('the body has more than 262144 bytes');
  });

  it('reads back whatever an independent writer wrote', () => {
    const value = fc.record({
      integer: fc.maxSafeNat(),
      signed: fc.integer(),
      double: fc.double({ noNaN: true }),
      flag: fc.boolean(),
      text: fc.string({ unit: 'grapheme' }),
      bytes: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(value, (written) => {
        const writer = new PbfWriter();
        writer.writeVarintField(1, written.integer);
        writer.writeVarintField(2, written.signed);
        writer.writeDoubleField(3, written.double);
        writer.writeBooleanField(4, written.flag);
        // The writer's own text is wrong beyond the basic plane.
        writer.writeBytesField(5, Buffer.from(written.text));
        writer.writeBytesField(6, written.bytes);
        const reader = new WireReader(Buffer.from(writer.finish()));
        const step = () => reader.next();
        step();
        expect(reader.uint64('integer')).toBe(written.integer);
        step();
        expect(reader.int32('signed')).toBe(written.signed);
        step();
        expect(reader.double('double')).toBe(written.double);
        step();
        expect(reader.flag('flag')).toBe(written.flag);
        step();
        expect(reader.text('text')).toBe(written.text);
        step();
        expect([...reader.bytes('bytes')]).toEqual([...written.bytes]);
        expect(step()).toBe(0);
        expect(reader.problem).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

describe('The first bytes of a message', () => {
  it.each(['{}', '{"a":1}', ' \r\n\t{ "a": 1}', '{\n}', ''])('tell JSON: %j', (text) => {
    expect(isJson(Buffer.from(text))).toBe(true);
  });

  it.each(['\n{@', '\n$3ac7', '\b{', '{', '  ', '[1]', 'x'])('tell no JSON object: %j', (text) => {
    expect(isJson(Buffer.from(text))).toBe(false);
  });
});
