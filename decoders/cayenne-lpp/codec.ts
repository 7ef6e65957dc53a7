/** Cayenne Low Power Payload: channel, type, big-endian value, repeated. */
import { type ByteReader, type Collector, defineCodec, hexByte, Unreadable } from '../bytes.ts';
import { standardGravity } from '../gravity.ts';

type Field = (bytes: ByteReader, into: Collector, channel: string) => void;

/**
 * Only the types known here: the length of an unknown one is unknown too, so it ends the reading.
 */
const fields: ReadonlyMap<number, Field> = new Map([
  [0, one('digital_input', (bytes) => bytes.u8())],
  [1, one('digital_output', (bytes) => bytes.u8())],
  [2, one('analog_input', (bytes) => bytes.i16() / 100)],
  [3, one('analog_output', (bytes) => bytes.i16() / 100)],
  [100, one('generic_sensor', (bytes) => bytes.u32())],
  [101, one('illuminance', (bytes) => bytes.u16())],
  [102, one('occupancy', (bytes) => (bytes.u8() === 0 ? 'vacant' : 'occupied'))],
  [103, one('air_temperature', (bytes) => bytes.i16() / 10)],
  [104, one('relative_humidity', (bytes) => bytes.u8() / 2)],
  [113, axes('acceleration', (bytes) => (bytes.i16() / 1000) * standardGravity)],
  [115, one('air_pressure', (bytes) => bytes.u16() / 10)],
  [116, one('voltage', (bytes) => bytes.u16() / 100)],
  [117, one('current', (bytes) => bytes.u16() / 1000)],
  [118, one('frequency', (bytes) => bytes.u32())],
  [120, one('percentage', (bytes) => bytes.u8())],
  [121, one('altitude', (bytes) => bytes.i16())],
  [125, one('concentration', (bytes) => bytes.u16())],
  [128, one('power', (bytes) => bytes.u16())],
  [130, one('distance', (bytes) => bytes.u32() / 1000)],
  [131, one('energy', (bytes) => bytes.u32() / 1000)],
  [132, one('direction', (bytes) => bytes.u16())],
  [133, one('device_time', (bytes) => bytes.u32())],
  [134, axes('angular_velocity', (bytes) => bytes.i16() / 100)],
  [135, readColour],
  [136, readPosition],
  [142, one('switch', (bytes) => (bytes.u8() === 0 ? 'off' : 'on'))],
]);

export const cayenneLpp = defineCodec({
  name: 'cayenne-lpp',
  title: 'Cayenne Low Power Payload',
  source:
    'myDevices Cayenne docs, LoRa, "Cayenne Low Power Payload"; extended types: ElectronicCats/CayenneLPP, src/CayenneLPP.h',
  read(bytes, into) {
    while (bytes.remaining > 0) {
      const channel = bytes.u8();
      const type = bytes.u8();
      const field = fields.get(type);
      if (field === undefined) {
        throw new Unreadable(
          `Cayenne LPP type ${type} (${hexByte(type)}) on channel ${channel} is not known.`,
        );
      }
      field(bytes, into, String(channel));
    }
  },
});

function one(quantity: string, value: (bytes: ByteReader) => number | string): Field {
  return (bytes, into, channel) => into.add(quantity, value(bytes), { channel });
}

function axes(quantity: string, value: (bytes: ByteReader) => number): Field {
  return (bytes, into, channel) => {
    for (const axis of ['x', 'y', 'z']) {
      into.add(quantity, value(bytes), { channel: `${channel}_${axis}` });
    }
  };
}

function readColour(bytes: ByteReader, into: Collector, channel: string): void {
  for (const part of ['red', 'green', 'blue']) {
    into.add('colour', bytes.u8(), { channel: `${channel}_${part}` });
  }
}

function readPosition(bytes: ByteReader, into: Collector, channel: string): void {
  into.add('latitude', bytes.i24() / 10_000, { channel });
  into.add('longitude', bytes.i24() / 10_000, { channel });
  into.add('altitude', bytes.i24() / 100, { channel });
}
