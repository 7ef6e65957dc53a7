/**
 * What a codec is written with: a reader that checks its bounds, a collector that checks and rounds
 * what is read, and `defineCodec`, which turns everything unreadable into an error in words.
 */
import type { Codec, CodecInput, Decoded, DecodedValue } from './codec.ts';
import { quantityOf, roundToResolution } from './quantity.ts';

/**
 * Thrown by a codec for bytes it cannot read, and caught by `defineCodec` alone. Not an Error: it
 * costs no stack trace, since it says something about the payload and nothing about the code.
 */
export class Unreadable {
  readonly sentence: string;

  constructor(sentence: string) {
    this.sentence = sentence;
  }
}

/** Reads from the front; past the end it throws Unreadable. Plain names are big-endian. */
export class ByteReader {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#view.byteLength - this.#offset;
  }

  /** The next `length` bytes as a reader of their own. */
  take(length: number): ByteReader {
    const start = this.#advance(length);
    const { buffer, byteOffset } = this.#view;
    return new ByteReader(new Uint8Array(buffer, byteOffset + start, length));
  }

  /** The next `length` bytes as `take` gives them, without moving on. */
  peek(length: number): ByteReader {
    const start = this.#offset;
    const ahead = this.take(length);
    this.#offset = start;
    return ahead;
  }

  /** The last byte, whatever has been read: for a byte that says how to read those before it. */
  last(): number {
    const { byteLength } = this.#view;
    if (byteLength === 0) throw new Unreadable('There is no last byte in an empty payload.');
    return this.#view.getUint8(byteLength - 1);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  u24(): number {
    const start = this.#advance(3);
    return this.#view.getUint16(start) * 256 + this.#view.getUint8(start + 2);
  }

  i24(): number {
    const start = this.#advance(3);
    return this.#view.getInt16(start) * 256 + this.#view.getUint8(start + 2);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  u16le(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i16le(): number {
    return this.#view.getInt16(this.#advance(2), true);
  }

  u24le(): number {
    const start = this.#advance(3);
    return this.#view.getUint8(start + 2) * 65_536 + this.#view.getUint16(start, true);
  }

  i24le(): number {
    const start = this.#advance(3);
    return this.#view.getInt8(start + 2) * 65_536 + this.#view.getUint16(start, true);
  }

  u32le(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32le(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  f32le(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) {
      throw new Unreadable(
        `The payload ends too early: a field of length ${length} begins at byte ${start}, ` +
          `and ${this.remaining} are left.`,
      );
    }
    this.#offset = start + length;
    return start;
  }
}

export interface Where {
  readonly channel?: string;
  /** Epoch milliseconds, for a sample from the device's memory. */
  readonly time?: number;
}

/**
 * Takes what a codec reads, rounds it to the quantity's resolution and refuses what is no value.
 */
export class Collector {
  readonly values: DecodedValue[] = [];
  readonly warnings: string[] = [];

  add(quantity: string, value: number | string, where?: Where): void {
    if (quantityOf(quantity) === undefined) {
      throw new Unreadable(`The codec names a quantity that does not exist: ${quantity}.`);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new Unreadable(`The value of ${quantity} is not a number.`);
    }
    const settled = typeof value === 'number' ? roundToResolution(quantity, value) : value;
    this.values.push(
      where === undefined ? { quantity, value: settled } : { quantity, value: settled, ...where },
    );
  }

  /** For what is sound but worth knowing: a sensor that is not plugged in. */
  warn(sentence: string): void {
    this.warnings.push(sentence);
  }
}

export interface CodecDefinition {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** The ports that carry telemetry, where the maker fixes them; the others are refused. */
  readonly fPorts?: readonly number[];
  /** Reads the whole payload; throws Unreadable for what it cannot read. */
  read(bytes: ByteReader, into: Collector, fPort: number): void;
}

/** Makes a total codec of a reading function: all or an error, since half a payload looks whole. */
export function defineCodec(definition: CodecDefinition): Codec {
  const { name, title, source } = definition;
  return { name, title, source, decode: (input) => decodeWhole(definition, input) };
}

function decodeWhole({ fPorts, read }: CodecDefinition, { bytes, fPort }: CodecInput): Decoded {
  if (fPorts !== undefined && !fPorts.includes(fPort)) {
    return refuse(`This device sends telemetry on port ${fPorts.join(' or ')}, not on ${fPort}.`);
  }
  if (bytes.length === 0) return refuse('The payload is empty.');
  const into = new Collector();
  try {
    read(new ByteReader(bytes), into, fPort);
  } catch (thrown) {
    if (thrown instanceof Unreadable) return refuse(thrown.sentence);
    return refuse(`The codec itself failed: ${String(thrown)}`);
  }
  const { values, warnings } = into;
  return warnings.length > 0 ? { ok: true, values, warnings } : { ok: true, values };
}

function refuse(error: string): Decoded {
  return { ok: false, error };
}

/** 0x07 rather than 7: how data sheets write types and channels. */
export function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
