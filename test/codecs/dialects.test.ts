/** The dialects that codecs are written in, and the stand-ins that they expect. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { createSandbox, type Sandbox } from '../../gateway/codecs/sandbox.ts';
import { callOf } from '../../gateway/codecs/script.ts';
import { program, scriptOf, time, uplinkRequest, uplinkScript } from './scripts.ts';

describe('Codec dialects', () => {
  let sandbox: Sandbox;

  beforeAll(() => {
    sandbox = createSandbox({ limits: codecLimits, program });
  });
  afterAll(() => sandbox.close());

  async function call(source: string, request: object): Promise<unknown> {
    const made = callOf(time, { bytes: [1, 2], fPort: 3, variables: {}, ...request });
    const [texts = []] = await sandbox.run([{ script: scriptOf(source), calls: [made] }]);
    const [text = ''] = texts;
    return text.startsWith('v') ? JSON.parse(text.slice(1)) : text;
  }

  const uplinks: readonly (readonly [dialect: string, source: string])[] = [
    ['decodeUplink', 'function decodeUplink(i) { return { data: { b: i.bytes, p: i.fPort } } }'],
    ['a constant', 'const decodeUplink = (i) => ({ data: { b: i.bytes, p: i.fPort } })'],
    ['Decoder', 'function Decoder(bytes, port) { return { b: bytes, p: port } }'],
    ['Decode', 'function Decode(fPort, bytes) { return { b: bytes, p: fPort } }'],
    ['exports', 'exports.decodeUplink = (i) => ({ data: { b: i.bytes, p: i.fPort } })'],
    ['module.exports', 'module.exports = { Decoder(b, p) { return { b: b, p: p } } }'],
    ['a bare export', 'module.exports = (i) => ({ data: { b: i.bytes, p: i.fPort } })'],
    [
      'the newest of several',
      'function Decode() { throw 1 } function Decoder() { throw 2 } function decodeUplink(i) { return { data: { b: i.bytes, p: i.fPort } } }',
    ],
  ];

  it.each(uplinks)('reads uplinks by %s', async (_dialect, source) => {
    expect(await call(source, { kind: 'uplink' })).toEqual({ data: { b: [1, 2], p: 3 } });
  });

  it('calls the dialect that is asked for', async () => {
    const source = 'function Decode() { return { by: 1 } } function Decoder() { return { by: 2 } }';
    const by = (dialect: string) => call(source, { kind: 'uplink', dialect });
    expect(await by('Decoder')).toEqual({ data: { by: 2 } });
    expect(await by('decodeUplink')).toBe('ethe script has no decodeUplink');
  });

  it('hands in the time and the variables', async () => {
    const source =
      'function decodeUplink(i) { return { data: { t: i.recvTime.toISOString(), v: i.variables.k } } }';
    const data = { t: new Date(time).toISOString(), v: 'x' };
    expect(await call(source, { kind: 'uplink', variables: { k: 'x' } })).toEqual({ data });
    const older = 'function Decode(p, b, v) { return { v: v.k } }';
    expect(await call(older, { kind: 'uplink', variables: { k: 'x' } })).toEqual({
      data: { v: 'x' },
    });
  });

  it('lets a codec normalise what it has decoded, but not what it refuses', async () => {
    const source = `function decodeUplink(i) { return i.fPort === 9 ? { errors: ['no'] } : { data: { t: 1 }, warnings: ['w'] } }
      function normalizeUplink(i) { return { data: { air: { temperature: i.data.t } } } }`;
    expect(await call(source, { kind: 'uplink' })).toEqual({
      data: { t: 1 },
      warnings: ['w'],
      normalized: { data: { air: { temperature: 1 } } },
    });
    expect(await call(source, { kind: 'uplink', fPort: 9, isStrict: true })).toEqual({
      errors: ['no'],
    });
  });

  it('encodes and decodes downlinks', async () => {
    const source = `function encodeDownlink(i) { return { bytes: [i.data.on ? 1 : 0], fPort: 4 } }
      function decodeDownlink(i) { return { data: { on: i.bytes[0] === 1 } } }`;
    const encoded = { bytes: [1], fPort: 4 };
    expect(await call(source, { kind: 'encode', data: { on: true } })).toEqual(encoded);
    expect(await call(source, { kind: 'downlink' })).toEqual({ data: { on: true } });
    const older = 'function Encoder(o, p) { return new Uint8Array([o.a, p]) }';
    expect(await call(older, { kind: 'encode', data: { a: 5 } })).toEqual({ bytes: [5, 3] });
    const oldest = 'function Encode(p, o) { return null }';
    expect(await call(oldest, { kind: 'encode', data: {} })).toEqual({ bytes: null });
  });

  it('runs sloppy scripts: octal literals, undeclared names, a body of its own', async () => {
    const source = `for (i = 010, sum = 0; i > 0; i--) sum += i;
      function decodeUplink() {
        with ({ a: sum }) { return { data: { a: a, self: this === globalThis } } }
      }`;
    expect(await call(source, { kind: 'uplink' })).toEqual({ data: { a: 36, self: true } });
  });
});

describe('Stand-ins', () => {
  let sandbox: Sandbox;

  beforeAll(() => {
    sandbox = createSandbox({ limits: codecLimits, program });
  });
  afterAll(() => sandbox.close());

  /** The expression inside the sandbox, beside Node's own answer to it. */
  async function inside(expression: string): Promise<unknown> {
    const script = uplinkScript(`return { data: { got: ${expression} } };`);
    const [texts = []] = await sandbox.run([{ script, calls: [uplinkRequest([1])] }]);
    const parsed: unknown = JSON.parse((texts[0] ?? '').replace(/^v/, ''));
    return parsed;
  }

  const bytes = Buffer.from([0xff, 0xfe, 0x41, 0x42, 0x80, 0x00, 0x12, 0x34]);
  const list = `Buffer.from(${JSON.stringify([...bytes])})`;

  it.each([
    [`${list}.toString('hex')`, bytes.toString('hex')],
    [`${list}.toString('base64')`, bytes.toString('base64')],
    [`${list}.toString('latin1', 2, 4)`, 'AB'],
    [`${list}.toString('ascii', 2, 4)`, 'AB'],
    [`${list}.toString()`, bytes.toString()],
    [`${list}.readInt16BE(0)`, bytes.readInt16BE(0)],
    [`${list}.readUInt32LE(4)`, bytes.readUInt32LE(4)],
    [`${list}.readInt32LE(0)`, bytes.readInt32LE(0)],
    [`${list}.readInt8(1)`, bytes.readInt8(1)],
    [`${list}.readUIntBE(0, 6)`, bytes.readUIntBE(0, 6)],
    [`${list}.readIntLE(0, 3)`, bytes.readIntLE(0, 3)],
    [`${list}.readIntBE(0, 3)`, bytes.readIntBE(0, 3)],
    [`${list}.readUIntLE(0, 3)`, bytes.readUIntLE(0, 3)],
    [`String(${list}.readDoubleBE(0))`, String(bytes.readDoubleBE(0))],
    [`${list}.slice(2, 4)`, { type: 'Buffer', data: [0x41, 0x42] }],
    [`${list}.equals(${list})`, true],
    ["Buffer.from('é€😀').toString('hex')", Buffer.from('é€😀').toString('hex')],
    ["Buffer.from('w6nigqzwn5iA', 'base64').toString()", 'é€😀'],
    ["Buffer.from('01fz', 'hex').length", 1],
    ['Buffer.from(new ArrayBuffer(4), 1, 2).length', 2],
    [
      "Buffer.concat([Buffer.alloc(2, 7), Buffer.allocUnsafe(1).fill(1)]).toString('hex')",
      '070701',
    ],
    ["Buffer.byteLength('é')", 2],
    ['Buffer.isBuffer(Buffer.alloc(0))', true],
    [
      "(function () { var b = Buffer.alloc(4); b.writeUInt16BE(258, 1); b.write('z'); return b.toString('hex') })()",
      '7a010200',
    ],
    ["atob('AQL/')", '\u0001\u0002ÿ'],
    ["btoa('\\u0001\\u0002\\u00ff')", 'AQL/'],
    ['new TextDecoder().decode(new Uint8Array([0xc3, 0xa9, 0xff, 0x41]))', 'é\ufffdA'],
    ["new TextDecoder('latin1').decode(new Uint8Array([0xe9]))", 'é'],
    ["new TextEncoder().encode('é').length", 2],
    ["typeof console.log('x')", 'undefined'],
    ['typeof fetch + typeof setTimeout + typeof process', 'undefinedundefinedundefined'],
  ])('gives for %s what Node gives', async (expression, expected) => {
    expect(await inside(expression)).toEqual({ data: { got: expected } });
  });

  it('refuses to read behind the end', async () => {
    const script = uplinkScript(`return { data: { x: ${list}.readUInt16BE(7) } };`);
    const [texts] = await sandbox.run([{ script, calls: [uplinkRequest([1])] }]);
    expect(texts?.[0]).toContain('RangeError');
  });
});
