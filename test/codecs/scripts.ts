/** Codec scripts of our own for the tests: what vendors write, and what nobody should. */
import type { RequestCall } from '../../gateway/codecs/sandbox-messages.ts';
import { callOf, type Script, versionOf } from '../../gateway/codecs/script.ts';

export const program = new URL('./sandbox-program.mjs', import.meta.url);

/** 2026-06-01T00:00:00Z */
export const time = 1_780_272_000_000;

export function scriptOf(source: string, part: Partial<Script> = {}): Script {
  const id = part.id ?? 'script';
  const key = versionOf(source);
  return { id, title: id, variables: {}, source, key, version: key, ...part };
}

/** A `decodeUplink` with this body. */
export function uplinkScript(body: string, part: Partial<Script> = {}): Script {
  return scriptOf(`function decodeUplink(input) {\n${body}\n}`, part);
}

export function uplinkRequest(
  bytes: readonly number[],
  part: { fPort?: number; variables?: object; isStrict?: boolean } = {},
  at = time,
): RequestCall {
  const { fPort = 1, variables = {}, isStrict = true } = part;
  return callOf(at, { kind: 'uplink', bytes, fPort, variables, isStrict });
}

/** Scripts that keep, or try to keep, something from one call to the next, and plain ones. */
export const memorable: Readonly<Record<string, string>> = {
  plain: `function decodeUplink(input) {
    var b = input.bytes;
    return { data: { temperature: ((b[0] << 8) | b[1]) / 10, humidity: b[2] / 2 } };
  }`,
  'implicit globals': `function Decoder(bytes, port) {
    decoded = typeof decoded === 'undefined' ? { port: port } : decoded;
    for (i = 0; i < bytes.length; i++) decoded['byte_' + i] = bytes[i];
    return decoded;
  }`,
  'a counter': `var calls = 0; const seen = []; let last = null;
  function decodeUplink(input) {
    calls++; seen.push(input.bytes[0]); var before = last; last = input.bytes[0];
    return { data: { calls: calls, seen: seen.length, before: before } };
  }`,
  'changed built-ins': `function decodeUplink(input) {
    var had = [typeof Array.prototype.mine, typeof Math.mine, typeof Object.prototype.mine];
    Array.prototype.mine = input.bytes[0]; Math.mine = 1;
    Object.defineProperty(Object.prototype, 'mine', { value: 1, configurable: true });
    var swap = Math.sin; Math.sin = Math.cos; Math.cos = swap;
    JSON.stringify = function () { return 'mine'; };
    return { data: { had: had.join(), sine: Math.sin(0) } };
  }`,
  'functions as memory': `function decodeUplink(input) {
    decodeUplink.calls = (decodeUplink.calls || 0) + 1;
    console.calls = (console.calls || 0) + 1; Buffer.calls = (Buffer.calls || 0) + 1;
    module.exports.calls = (module.exports.calls || 0) + 1;
    return { data: { calls: decodeUplink.calls + console.calls + Buffer.calls } };
  }`,
  'symbols and expressions': `var pattern = /\\d/g;
  function decodeUplink(input) {
    var key = Symbol.for('kept'); var kept = globalThis[key]; globalThis[key] = 1;
    var found = pattern.test('12'); var tag = (function (t) { return t; })\`x\`; 
    return { data: { kept: typeof kept, found: found, lastIndex: pattern.lastIndex } };
  }`,
  'replaced entry': `function decodeUplink(input) {
    globalThis.decodeUplink = function () { return { data: { mine: 1 } }; };
    normalizeUplink = function () { return { data: { air: { temperature: 1 } } }; };
    return { data: { first: input.bytes[0] } };
  }`,
  'clock and chance': `function decodeUplink(input) {
    return { data: { now: Date.now(), at: new Date().toISOString(), chance: Math.random(),
      received: input.recvTime.toISOString() } };
  }`,
  'a clock read on load': `var loadedAt = Date.now(); var calls = 0;
  function decodeUplink(input) { calls++; return { data: { loadedAt: loadedAt, calls: calls } }; }`,
  'a promise kept': `var done = 0;
  function decodeUplink(input) {
    var before = done; Promise.resolve().then(function () { done++; });
    return { data: { before: before } };
  }`,
  'large and zeroed': `var table = new Uint8Array(200000);
  function decodeUplink(input) {
    var fresh = new Uint8Array(300000); var sum = 0;
    for (var i = 0; i < fresh.length; i += 997) { sum += fresh[i] + (table[i] || 0); }
    fresh.fill(input.bytes[0] + 1); table.fill(7);
    return { data: { sum: sum } };
  }`,
  'modules of Node': `module.exports.decodeUplink = function (input) {
    var buffer = Buffer.from(input.bytes);
    return { data: { hex: buffer.toString('hex'), first: buffer.readUInt8(0) } };
  };`,
  'thrown halfway': `var open = false;
  function decodeUplink(input) {
    if (open) throw new Error('still open');
    open = true;
    if (input.bytes[0] % 2) throw new Error('odd: ' + input.bytes[0]);
    open = false;
    return { data: { even: input.bytes[0] } };
  }`,
};
