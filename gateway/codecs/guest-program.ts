/**
 * What runs inside the sandbox before any codec: it calls the codec by the dialect it is written in
 * and hands out one text. It keeps hold of what it needs, so that a codec that changes built-ins
 * spoils only its own result. The text starts with `v` and JSON, or with `e` and a message.
 */
import type { CodecLimits } from './limits.ts';

/** Evaluated in the script's own scope, where its `let` and `const` are seen too. */
export const lookUpProgram = `({
  decodeUplink: typeof decodeUplink === 'function' ? decodeUplink : undefined,
  Decode: typeof Decode === 'function' ? Decode : undefined,
  Decoder: typeof Decoder === 'function' ? Decoder : undefined,
  normalizeUplink: typeof normalizeUplink === 'function' ? normalizeUplink : undefined,
  encodeDownlink: typeof encodeDownlink === 'function' ? encodeDownlink : undefined,
  Encode: typeof Encode === 'function' ? Encode : undefined,
  Encoder: typeof Encoder === 'function' ? Encoder : undefined,
  decodeDownlink: typeof decodeDownlink === 'function' ? decodeDownlink : undefined,
  exported: typeof module === 'object' && module !== null ? module.exports : undefined,
})`;

/**
 * Where an uplink lies for the guest, and what it answers: the time as a 64-bit float; as 32-bit
 * numbers the port, the length, whether the answer has to be a text, and, where it is numbers, how
 * many they are and how long the text with their names; the numbers, as 64-bit floats; the bytes of
 * the uplink. Written and read in the machine's byte order, which WebAssembly has fixed.
 */
export const uplinkLayout = {
  ...{ timeAt: 0, fPortAt: 8, lengthAt: 12, isTextAt: 16, countAt: 20, namesLengthAt: 24 },
  ...{ valuesAt: 32, valuesMax: 64, bytesAt: 544, bytesMax: 1_024 },
  /** The bytes before the first uplink. */
  mark: 0xa5,
} as const;

/**
 * Gives `adopt` (the functions of a script), `run` (one call: JSON in, text out) and `runUplink`
 * (the uplink as it was put in; variables and dialect as JSON if it has any; text out, or the names
 * of the numbers handed out, with a line feed between them).
 */
export function guestProgram(limits: CodecLimits): string {
  const { resultCharactersMax: charactersMax, resultFieldsMax: fieldsMax } = limits;
  return guestText.replace('limitsAsJson', JSON.stringify({ charactersMax, fieldsMax }));
}

const guestText = `(() => {
  'use strict';
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { keys } = Object;
  const { isFinite, isNaN } = Number;
  const ADate = Date;
  const text = String;
  const input = new ArrayBuffer(${uplinkLayout.bytesAt + uplinkLayout.bytesMax});
  const times = new Float64Array(input, ${uplinkLayout.timeAt}, 1);
  const numbers = new Uint32Array(input, ${uplinkLayout.fPortAt}, 5);
  const values = new Float64Array(input, ${uplinkLayout.valuesAt}, ${uplinkLayout.valuesMax});
  const payload = new Uint8Array(input, ${uplinkLayout.bytesAt}).fill(${uplinkLayout.mark});
  const limits = limitsAsJson;
  const valuesMax = Math.min(limits.fieldsMax, ${uplinkLayout.valuesMax});
  /** What most codecs are called with: nobody has touched it when a call begins. */
  const usualInput = { bytes: roomFor(64), fPort: 0, recvTime: new ADate(0), variables: {} };
  let found = {};

  function adopt(own) {
    const { exported } = own;
    found = own;
    if (exported === null) return;
    if (typeof exported !== 'object' && typeof exported !== 'function') return;
    for (const name in own) {
      const given = exported[name];
      if (own[name] === undefined && typeof given === 'function') own[name] = given;
    }
    const isBare = own.decodeUplink === undefined && typeof exported === 'function';
    if (isBare && !own.Decode && !own.Decoder) own.decodeUplink = exported;
  }

  function run(request) {
    try {
      const call = parse(request);
      const result = calls[call.kind](call);
      if (call.isStrict) inspectResult(result);
      return handOut(result);
    } catch (error) {
      return 'e' + wordsOf(error);
    }
  }

  function runUplink(settings) {
    try {
      const result = settings === undefined ? usualUplink() : setUplink(parse(settings));
      const names = handOutNumbers(result);
      if (names !== undefined) return names;
      inspectResult(result);
      return handOut(result);
    } catch (error) {
      return 'e' + wordsOf(error);
    }
  }

  function usualUplink() {
    const { decodeUplink } = found;
    if (typeof decodeUplink !== 'function') return setUplink({ variables: {} });
    takeBytes(usualInput.bytes);
    usualInput.fPort = numbers[0];
    usualInput.recvTime.setTime(times[0]);
    return resultOf(decodeUplink(usualInput));
  }

  function setUplink({ dialect, variables }) {
    const bytes = takeBytes([]);
    return uplink({ bytes, fPort: numbers[0], recvTime: times[0], variables, dialect });
  }

  function takeBytes(bytes) {
    const length = numbers[1];
    for (let at = 0; at < length; at += 1) bytes[at] = payload[at];
    return bytes;
  }

  /** An empty list that need not grow. */
  function roomFor(count) {
    const list = [];
    for (let at = 0; at < count; at += 1) list[at] = 0;
    list.length = 0;
    return list;
  }

  /** Named numbers and nothing else, as most results are, need no text: that is half of a call. */
  function handOutNumbers({ data, warnings, errors, normalized }) {
    if (numbers[2] > 0 || normalized !== undefined || !isNone(warnings) || !isNone(errors)) return;
    if (typeof data !== 'object' || data === null || isArray(data)) return;
    if (data.toJSON !== undefined) return;
    const names = keys(data);
    const count = names.length;
    if (count === 0 || count > valuesMax) return;
    for (let at = 0; at < count; at += 1) {
      const value = data[names[at]];
      if (typeof value !== 'number' || value - value !== 0) return;
      values[at] = value;
    }
    const all = names.join('\\n');
    numbers[3] = count;
    numbers[4] = all.length;
    return all;
  }

  function isNone(list) {
    return list === undefined || (isArray(list) && list.length === 0);
  }

  function handOut(result) {
    const output = stringify(result);
    if (output.length <= limits.charactersMax) return 'v' + output;
    return 'ereturned ' + output.length + ' characters, more than ' + limits.charactersMax;
  }

  const decoders = ['decodeUplink', 'Decode', 'Decoder'];
  const encoders = ['encodeDownlink', 'Encode', 'Encoder'];
  const calls = { uplink, downlink, encode, functions };

  function pick(dialect, names) {
    const wanted = dialect === undefined ? names : [dialect];
    for (let at = 0; at < wanted.length; at += 1) {
      if (typeof found[wanted[at]] === 'function') return wanted[at];
    }
    throw 'the script has no ' + (dialect === undefined ? names[0] : dialect);
  }

  function uplink({ bytes, fPort, recvTime, variables, dialect }) {
    const name = pick(dialect, decoders);
    const decode = found[name];
    if (name === 'Decode') return { data: decode(fPort, bytes, variables) };
    if (name === 'Decoder') return { data: decode(bytes, fPort) };
    return resultOf(decode({ bytes, fPort, recvTime: new ADate(recvTime), variables }));
  }

  function resultOf(output) {
    const { data, warnings, errors } = plain(output, 'decodeUplink');
    const hasFailed = isArray(errors) && errors.length > 0;
    if (hasFailed || typeof found.normalizeUplink !== 'function') return { data, warnings, errors };
    const normalizeUplink = found.normalizeUplink;
    const normalized = plain(normalizeUplink({ data }), 'normalizeUplink');
    return { data, warnings, errors, normalized };
  }

  function functions() {
    return keys(found).filter((name) => typeof found[name] === 'function');
  }

  function downlink({ bytes, fPort, recvTime, variables }) {
    const decodeDownlink = found[pick(undefined, ['decodeDownlink'])];
    const input = { bytes, fPort, recvTime: new ADate(recvTime), variables };
    const { data, warnings, errors } = plain(decodeDownlink(input), 'decodeDownlink');
    return { data, warnings, errors };
  }

  function encode({ data, fPort, variables, more }) {
    const name = pick(undefined, encoders);
    const encodeDownlink = found[name];
    if (name === 'Encode') return { bytes: listOf(encodeDownlink(fPort, data, variables)) };
    if (name === 'Encoder') return { bytes: listOf(encodeDownlink(data, fPort)) };
    const output = plain(encodeDownlink({ ...more, data, fPort, variables }), name);
    const { bytes, fPort: chosen, warnings, errors } = output;
    return { bytes: listOf(bytes), fPort: chosen, warnings, errors };
  }

  /** Typed arrays are lists of bytes too, but JSON would make objects of them. */
  function listOf(bytes) {
    if (bytes === undefined || bytes === null || isArray(bytes)) return bytes;
    const list = [];
    for (let at = 0; at < bytes.length; at += 1) list[at] = bytes[at];
    return list;
  }

  function plain(output, name) {
    if (typeof output !== 'object' || output === null) throw name + ' returned no object';
    if (typeof output.then === 'function') throw name + ' returned a promise';
    return output;
  }

  /**
   * Errors of the codec's own stand for themselves; data that cannot be trusted is refused whole.
   */
  function inspectResult(result) {
    const { data, errors, normalized } = result;
    if (isArray(errors) && errors.length > 0) {
      result.data = undefined;
      return;
    }
    if (typeof data !== 'object' || data === null) throw 'returned no data';
    const left = { fields: limits.fieldsMax, characters: limits.charactersMax };
    inspect(data, { name: 'data', above: undefined, depth: 0 }, left);
    if (normalized !== undefined) inspectValue(normalized.data, 'normalized data', undefined, left);
  }

  function inspect(object, place, left) {
    if (place.depth > 16) throw 'data contains itself, or is nested too deeply';
    const names = keys(object);
    left.fields -= names.length;
    if (left.fields < 0) throw 'returned more fields than are taken';
    for (let at = 0; at < names.length; at += 1) {
      const name = names[at];
      if (name === '__proto__' || name === 'constructor' || name === 'prototype') {
        throw pathOf(place) + ' has a field named ' + name;
      }
      const value = object[name];
      if (typeof value !== 'number' || !isFinite(value)) inspectValue(value, name, place, left);
    }
  }

  /** One that is no plain number. */
  function inspectValue(value, name, above, left) {
    if (typeof value === 'object') {
      if (value === null) return;
      inspect(value, { name, above, depth: above === undefined ? 0 : above.depth + 1 }, left);
    } else if (typeof value === 'string') {
      left.characters -= value.length;
      if (left.characters < 0) throw 'returned more text than is taken';
    } else if (typeof value === 'number' && !isFinite(value)) {
      throw pathOf({ name, above }) + ' is ' + (isNaN(value) ? 'NaN' : 'infinite');
    } else if (typeof value === 'function') throw pathOf({ name, above }) + ' is a function';
  }

  function pathOf({ name, above }) {
    return above === undefined ? name : pathOf(above) + '.' + name;
  }

  function wordsOf(error) {
    try {
      if (typeof error !== 'object' || error === null) return text(error).slice(0, 256);
      const { name, message } = error;
      if (message === undefined) return stringify(error).slice(0, 256);
      const words = name === undefined || name === 'Error' ? text(message) : name + ': ' + message;
      return words.slice(0, 256);
    } catch {
      return 'threw something that says nothing';
    }
  }

  return { adopt, run, runUplink };
})()`;
