/** Milesight AM307 and AM307L: the air indoors. Its sibling AM319 has channels of its own. */
import { type ByteReader, type Collector, defineCodec, type Where } from '../bytes.ts';
import { type Channels, readChannels } from '../milesight-em300/channels.ts';

const channels: Channels = new Map([
  [0x0500, (bytes, into) => addMotion(bytes, into)],
  [0x06cb, (bytes, into) => addLightLevel(bytes, into)],
  [0x077d, (bytes, into) => into.add('co2', bytes.u16le())],
  [0x087d, (bytes, into) => addVocLevel(bytes, into)],
  [0x08e6, (bytes, into) => into.add('voc', bytes.u16le())],
  [0x0973, (bytes, into) => addPressure(bytes, into)],
  [
    0x0e01,
    (bytes, into) => into.add('switch', bytes.u8() === 0 ? 'off' : 'on', { channel: 'buzzer' }),
  ],
  [0x20ce, (bytes, into) => readRecord(bytes, into, addVocLevel)],
  [0x21ce, (bytes, into) => readRecord(bytes, into, addVoc)],
]);

export const milesightAm307 = defineCodec({
  name: 'milesight-am307',
  title: 'Milesight AM307, AM307L',
  source: 'Milesight SensorDecoders (2026-07-30), am-series/am307, table "Telemetry"',
  read: (bytes, into) => readChannels(bytes, into, channels),
});

function addMotion(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('motion', bytes.u8() === 0 ? 'clear' : 'detected', where);
}

/** A step from 0 to 5, and not lux. */
function addLightLevel(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('generic_sensor', bytes.u8(), { channel: 'light_level', ...where });
}

/** The rating of the sensor's maker, from 1 (clean), which is no concentration. */
function addVocLevel(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('generic_sensor', bytes.u16le() / 100, { channel: 'tvoc_level', ...where });
}

function addVoc(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('voc', bytes.u16le(), where);
}

function addPressure(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('air_pressure', bytes.u16le() / 10, where);
}

/** Humidity has two bytes here and one in the message of now. */
function readRecord(bytes: ByteReader, into: Collector, addOrganic: typeof addVoc): void {
  const where = { time: bytes.u32le() * 1000 };
  into.add('air_temperature', bytes.i16le() / 10, where);
  into.add('relative_humidity', bytes.u16le() / 2, where);
  addMotion(bytes, into, where);
  addLightLevel(bytes, into, where);
  into.add('co2', bytes.u16le(), where);
  addOrganic(bytes, into, where);
  addPressure(bytes, into, where);
}
