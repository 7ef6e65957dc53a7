/** What all Milesight EM300 models share: channel, type, little-endian value, repeated. */
import { type ByteReader, type Collector, hexByte, Unreadable, type Where } from '../bytes.ts';

export type Channel = (bytes: ByteReader, into: Collector) => void;

/** Channel and type as one number, as the guide's tables write them: 0x0367. */
export type Channels = ReadonlyMap<number, Channel>;

const common: Channels = new Map([
  [0x0175, (bytes, into) => into.add('battery_level', bytes.u8())],
  [0x0367, (bytes, into) => addTemperature(bytes, into)],
  [0x0468, (bytes, into) => addHumidity(bytes, into)],
  [0x05c8, (bytes, into) => into.add('pulse_count', bytes.u32le())],
  ...basicInformation(),
]);

/** Sent after joining: versions, serial number, class. Nothing of it is telemetry. */
function basicInformation(): [number, Channel][] {
  const lengths: [number, number][] = [
    [0xff01, 1],
    [0xff09, 2],
    [0xff0a, 2],
    [0xff0b, 1],
    [0xff0f, 1],
    [0xff16, 8],
    [0xfffe, 1],
    [0xffff, 2],
  ];
  return lengths.map(([key, length]) => [key, (bytes) => bytes.skip(length)]);
}

/** Reads every channel; `own` are those whose meaning or length depends on the model. */
export function readChannels(bytes: ByteReader, into: Collector, own: Channels): void {
  while (bytes.remaining > 0) {
    const id = bytes.u8();
    const type = bytes.u8();
    const key = id * 256 + type;
    const channel = own.get(key) ?? common.get(key);
    if (channel === undefined) {
      throw new Unreadable(`Milesight channel ${hexByte(id)}, type ${hexByte(type)} is not known.`);
    }
    channel(bytes, into);
  }
}

/** How a stored record begins: Unix time, temperature, humidity. */
export function readRecordStart(bytes: ByteReader, into: Collector): Where {
  const where = { time: bytes.u32le() * 1000 };
  addTemperature(bytes, into, where);
  addHumidity(bytes, into, where);
  return where;
}

function addTemperature(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('air_temperature', bytes.i16le() / 10, where);
}

function addHumidity(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('relative_humidity', bytes.u8() / 2, where);
}
