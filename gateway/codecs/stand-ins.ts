/**
 * What codecs expect of their platform, as harmless stand-ins written in the guest's own language:
 * `Buffer`, `atob`, `btoa`, `TextDecoder`, `TextEncoder`, `console`, `module.exports`. Nothing here
 * reaches out of the sandbox: there is no way out to reach.
 */
export const standIns = `(() => {
  'use strict';
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function toBase64(bytes) {
    let out = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const left = bytes.length - at;
      const group = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
      out += letters[group >> 18] + letters[(group >> 12) & 63];
      out += left > 1 ? letters[(group >> 6) & 63] : '=';
      out += left > 2 ? letters[group & 63] : '=';
    }
    return out;
  }

  function fromBase64(given) {
    const bytes = [];
    let bits = 0;
    let held = 0;
    for (const letter of String(given).replace(/-/g, '+').replace(/_/g, '/')) {
      const value = letters.indexOf(letter);
      if (value < 0) continue;
      held = ((held << 6) | value) & 0xffffff;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      bytes.push((held >> bits) & 255);
    }
    return bytes;
  }

  function toUtf8(given) {
    const bytes = [];
    for (const letter of String(given)) {
      const point = letter.codePointAt(0);
      if (point < 0x80) bytes.push(point);
      else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
      else if (point < 0x10000) {
        bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
      } else {
        bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63));
        bytes.push(0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
      }
    }
    return bytes;
  }

  function fromUtf8(bytes) {
    let out = '';
    for (let at = 0; at < bytes.length; ) {
      const first = bytes[at];
      at += 1;
      const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
      let point = more === 0 ? first : first & (0x3f >> more);
      let isWhole = more >= 0 && first < 0xf5;
      for (let count = 0; isWhole && count < more; count += 1) {
        isWhole = (bytes[at] & 0xc0) === 0x80;
        if (isWhole) {
          point = (point << 6) | (bytes[at] & 0x3f);
          at += 1;
        }
      }
      const isLetter = isWhole && point < 0x110000 && (point < 0xd800 || point > 0xdfff);
      out += String.fromCodePoint(isLetter ? point : 0xfffd);
    }
    return out;
  }

  const fromLatin = (given) => [...String(given)].map((letter) => letter.charCodeAt(0) & 255);
  const toLatin = (bytes, mask) => {
    let out = '';
    for (let at = 0; at < bytes.length; at += 1) out += String.fromCharCode(bytes[at] & mask);
    return out;
  };
  const fromHex = (given) => {
    const digits = /^(?:[0-9a-f]{2})*/i.exec(String(given))[0];
    const bytes = [];
    for (let at = 0; at < digits.length; at += 2) bytes.push(parseInt(digits.substr(at, 2), 16));
    return bytes;
  };
  const toHex = (bytes) => {
    let out = '';
    for (let at = 0; at < bytes.length; at += 1) out += (bytes[at] + 256).toString(16).slice(1);
    return out;
  };

  function encodingOf(name) {
    switch (String(name === undefined ? 'utf8' : name).toLowerCase()) {
      case 'hex':
        return { read: fromHex, write: toHex };
      case 'base64':
      case 'base64url':
        return { read: fromBase64, write: toBase64 };
      case 'ascii':
        return { read: fromLatin, write: (bytes) => toLatin(bytes, 127) };
      case 'latin1':
      case 'binary':
        return { read: fromLatin, write: (bytes) => toLatin(bytes, 255) };
      default:
        return { read: toUtf8, write: fromUtf8 };
    }
  }

  class Buffer extends Uint8Array {
    static from(given, encoding, length) {
      if (typeof given === 'string') return new Buffer(encodingOf(encoding).read(given));
      if (given instanceof ArrayBuffer) return new Buffer(given, encoding, length);
      return new Buffer(given.type === 'Buffer' && Array.isArray(given.data) ? given.data : given);
    }
    static alloc(size, fill) {
      return new Buffer(size).fill(fill === undefined ? 0 : fill);
    }
    static allocUnsafe(size) {
      return new Buffer(size);
    }
    static isBuffer(given) {
      return given instanceof Buffer;
    }
    static byteLength(given, encoding) {
      return typeof given === 'string' ? encodingOf(encoding).read(given).length : given.byteLength;
    }
    static concat(list) {
      return new Buffer(list.flatMap((part) => [...part]));
    }
    slice(start, end) {
      return this.subarray(start, end);
    }
    toString(encoding, start, end) {
      return encodingOf(encoding).write(this.subarray(start, end));
    }
    toJSON() {
      return { type: 'Buffer', data: [...this] };
    }
    equals(other) {
      return this.length === other.length && this.every((byte, at) => byte === other[at]);
    }
    write(given, offset = 0, encoding = 'utf8') {
      const bytes = encodingOf(encoding).read(given).slice(0, this.length - offset);
      this.set(bytes, offset);
      return bytes.length;
    }
    readUIntBE(offset, size) {
      let value = 0;
      for (let at = 0; at < size; at += 1) value = value * 256 + byteAt(this, offset + at);
      return value;
    }
    readUIntLE(offset, size) {
      let value = 0;
      for (let at = size - 1; at >= 0; at -= 1) value = value * 256 + byteAt(this, offset + at);
      return value;
    }
    readIntBE(offset, size) {
      return signed(this.readUIntBE(offset, size), size);
    }
    readIntLE(offset, size) {
      return signed(this.readUIntLE(offset, size), size);
    }
  }

  function byteAt(bytes, at) {
    if (at >= 0 && at < bytes.length) return bytes[at];
    throw new RangeError('the value of "offset" is out of range: ' + at);
  }
  const signed = (value, size) => (value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value);
  const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

  function addNumber(names, size, kind, isLittle) {
    const read = DataView.prototype['get' + kind];
    const write = DataView.prototype['set' + kind];
    for (const name of names) {
      Buffer.prototype['read' + name] = function (offset = 0) {
        byteAt(this, offset + size - 1);
        return read.call(viewOf(this), offset, isLittle);
      };
      Buffer.prototype['write' + name] = function (value, offset = 0) {
        byteAt(this, offset + size - 1);
        write.call(viewOf(this), offset, value, isLittle);
        return offset + size;
      };
    }
  }
  addNumber(['UInt8', 'Uint8'], 1, 'Uint8', false);
  addNumber(['Int8'], 1, 'Int8', false);
  for (const [end, isLittle] of [['BE', false], ['LE', true]]) {
    addNumber(['UInt16' + end, 'Uint16' + end], 2, 'Uint16', isLittle);
    addNumber(['UInt32' + end, 'Uint32' + end], 4, 'Uint32', isLittle);
    addNumber(['Int16' + end], 2, 'Int16', isLittle);
    addNumber(['Int32' + end], 4, 'Int32', isLittle);
    addNumber(['Float' + end], 4, 'Float32', isLittle);
    addNumber(['Double' + end], 8, 'Float64', isLittle);
    addNumber(['BigInt64' + end], 8, 'BigInt64', isLittle);
    addNumber(['BigUInt64' + end], 8, 'BigUint64', isLittle);
  }

  class TextDecoder {
    constructor(label = 'utf-8') {
      this.encoding = String(label).toLowerCase();
    }
    decode(given = []) {
      const bytes = given instanceof ArrayBuffer ? new Uint8Array(given) : given;
      return this.encoding.startsWith('utf') ? fromUtf8(bytes) : toLatin(bytes, 255);
    }
  }
  class TextEncoder {
    encode(given = '') {
      return new Uint8Array(toUtf8(given));
    }
  }

  define('Buffer', Buffer);
  define('TextDecoder', TextDecoder);
  define('TextEncoder', TextEncoder);
  define('atob', (given) => toLatin(fromBase64(given), 255));
  define('btoa', (given) => toBase64(fromLatin(given)));
  const quiet = () => {};
  const console = {};
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table', 'dir', 'assert']) {
    console[name] = quiet;
  }
  define('console', console);
  const module = { exports: {} };
  define('module', module);
  define('exports', module.exports);
})();`;
