/**
 * Reads protobuf's wire format from bytes that nobody vouches for. It is our own because the
 * libraries throw, read past a truncated end, or build what nobody asked for; this one keeps the
 * first problem and then gives empty values, so that every loop over fields ends.
 */
import { isUtf8 } from 'node:buffer';
import { bodyBytesMax } from '../document.ts';

/** A larger message is no event of a sensor. */
export const fieldsMax = 65_536;
/** A JSON object inside a protobuf message takes three levels for each of its own. */
export const depthMax = 128;

const varintWire = 0;
const fixed64Wire = 1;
const bytesWire = 2;
const fixed32Wire = 5;

const word = 0x1_0000_0000;

export class WireReader {
  /** What is wrong with the message, in words for a person; undefined while nothing is. */
  problem: string | undefined;
  readonly #body: Buffer;
  #at = 0;
  #end: number;
  #field = 0;
  #wire = 0;
  #depth = 0;
  #fieldsLeft = fieldsMax;
  /** The two halves of the last varint or fixed value, as signed 32-bit integers. */
  #low = 0;
  #high = 0;

  constructor(body: Buffer) {
    this.#body = body;
    this.#end = body.length;
    if (body.length > bodyBytesMax) this.#fail(`the body has more than ${bodyBytesMax} bytes`);
  }

  /**
   * Moves to the next field and returns its number; 0 at the end of the message or at a problem.
   */
  next(): number {
    if (this.problem !== undefined || this.#at >= this.#end) return 0;
    this.#fieldsLeft -= 1;
    if (this.#fieldsLeft < 0) return this.#fail(`the body has more than ${fieldsMax} fields`);
    this.#readVarint();
    this.#field = this.#low >>> 3;
    this.#wire = this.#low & 7;
    if (this.problem !== undefined) return 0;
    if (this.#field === 0 || this.#high !== 0) return this.#fail('a field has no valid number');
    return this.#field;
  }

  /** True when the field holds text, bytes, a message or packed values. */
  isDelimited(): boolean {
    return this.#wire === bytesWire;
  }

  /** Passes over a field of no interest, still within the bounds of the message. */
  skip(): void {
    switch (this.#wire) {
      case varintWire:
        this.#readVarint();
        return;
      case fixed64Wire:
        this.#readFixed(8);
        return;
      case bytesWire: {
        const length = this.#readLength();
        this.#at += length;
        return;
      }
      case fixed32Wire:
        this.#readFixed(4);
        return;
      default:
        // Groups were given up before protobuf 3; nothing that is read here has ever used them.
        this.#fail(`field ${this.#field} has the unknown wire type ${this.#wire}`);
    }
  }

  /**
   * Goes into a message in a message. Returns what `leave` needs; loop over `next` in between.
   */
  enter(name: string): number {
    const outer = this.#end;
    if (!this.#is(bytesWire, name, 'a message')) return outer;
    if (this.#depth >= depthMax) {
      this.#fail(`${name} nests deeper than ${depthMax} levels`);
      return outer;
    }
    const length = this.#readLength();
    this.#depth += 1;
    this.#end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
    this.#depth -= 1;
  }

  text(name: string): string {
    if (!this.#is(bytesWire, name, 'text')) return '';
    const length = this.#readLength();
    const start = this.#at;
    this.#at += length;
    return this.#textBetween(start, this.#at, name);
  }

  /** Shares memory with the body. */
  bytes(name: string): Buffer {
    if (!this.#is(bytesWire, name, 'bytes')) return Buffer.alloc(0);
    const length = this.#readLength();
    const start = this.#at;
    this.#at += length;
    return this.#body.subarray(start, this.#at);
  }

  uint32(name: string): number {
    if (this.#is(varintWire, name, 'an integer')) this.#readVarint();
    return this.#low >>> 0;
  }

  int32(name: string): number {
    if (this.#is(varintWire, name, 'an integer')) this.#readVarint();
    return this.#low;
  }

  /** Beyond 2^53 the nearest number that there is. */
  uint64(name: string): number {
    if (this.#is(varintWire, name, 'an integer')) this.#readVarint();
    return (this.#high >>> 0) * word + (this.#low >>> 0);
  }

  int64(name: string): number {
    if (this.#is(varintWire, name, 'an integer')) this.#readVarint();
    return this.#high * word + (this.#low >>> 0);
  }

  /** The same bits that the last call of `uint64` gave, read as a signed number. */
  lastSigned(): number {
    return this.#high * word + (this.#low >>> 0);
  }

  flag(name: string): boolean {
    if (this.#is(varintWire, name, 'true or false')) this.#readVarint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** The shortest decimal that is this float: 9.2, not 9.199999809265137. NaN when it is none. */
  float(name: string): number {
    if (!this.#is(fixed32Wire, name, 'a number') || !this.#readFixed(4)) return 0;
    return shortest(this.#body.readFloatLE(this.#at - 4));
  }

  double(name: string): number {
    if (!this.#is(fixed64Wire, name, 'a number') || !this.#readFixed(8)) return 0;
    return this.#body.readDoubleLE(this.#at - 8);
  }

  /** Notes that the value just read is not what it has to be. */
  complain(name: string, expected: string): undefined {
    this.#fail(`${name} is not ${expected}`);
    return undefined;
  }

  #is(wire: number, name: string, expected: string): boolean {
    if (this.#wire === wire && this.problem === undefined) return true;
    this.#low = 0;
    this.#high = 0;
    this.#fail(`${name} is not ${expected}`);
    return false;
  }

  #fail(problem: string): 0 {
    this.problem ??= problem;
    return 0;
  }

  #truncated(): 0 {
    return this.#fail(`the body ends inside field ${this.#field}`);
  }

  #readFixed(size: number): boolean {
    if (this.#end - this.#at < size) {
      this.#truncated();
      return false;
    }
    this.#at += size;
    return true;
  }

  #readLength(): number {
    this.#readVarint();
    const length = this.#low >>> 0;
    if (this.#high !== 0 || length > this.#end - this.#at) return this.#truncated();
    return length;
  }

  #readVarint(): void {
    const first = this.#body[this.#at];
    if (first !== undefined && first < 0x80 && this.#at < this.#end) {
      this.#at += 1;
      this.#low = first;
      this.#high = 0;
    } else {
      this.#readLongVarint();
    }
  }

  /** 64 bits, seven in a byte: the fifth byte holds the last four of the lower half. */
  #readLongVarint(): void {
    let low = 0;
    let high = 0;
    let shift = 0;
    let byte: number | undefined = 0x80;
    for (; byte >= 0x80 && shift < 70; shift += 7) {
      byte = this.#at < this.#end ? this.#body[this.#at] : undefined;
      if (byte === undefined) {
        this.#truncated();
        byte = 0;
      }
      this.#at += 1;
      const bits = byte & 0x7f;
      if (shift <= 28) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      if (shift > 28) high |= bits << (shift - 32);
    }
    if (byte >= 0x80) this.#fail(`field ${this.#field} is a number of more than 10 bytes`);
    this.#low = low;
    this.#high = high;
  }

  #textBetween(start: number, end: number, name: string): string {
    const bytes = this.#body;
    for (let at = start; at < end; at += 1) {
      if ((bytes[at] ?? 0) >= 0x80) {
        const part = bytes.subarray(start, end);
        if (isUtf8(part)) return part.toString('utf8');
        this.#fail(`${name} is not UTF-8`);
        return '';
      }
    }
    return bytes.toString('latin1', start, end);
  }
}

/** A float has seven to nine digits; more of them were never measured. */
function shortest(float: number): number {
  const whole = Math.round(float);
  if (whole === float) return whole + 0;
  for (let scale = 10; scale <= 1_000_000; scale *= 10) {
    const rounded = Math.round(float * scale) / scale;
    if (Math.fround(rounded) === float) return rounded;
  }
  for (let digits = 6; digits < 9; digits += 1) {
    const rounded = Number(float.toPrecision(digits));
    if (Math.fround(rounded) === float) return rounded;
  }
  return float;
}
