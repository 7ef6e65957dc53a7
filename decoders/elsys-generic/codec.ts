/** ELSYS sensors (ERS, EMS, ELT and their kin): type, big-endian value, repeated. */
import { type ByteReader, type Collector, defineCodec, hexByte, Unreadable } from '../bytes.ts';
import { standardGravity } from '../gravity.ts';

type Field = (bytes: ByteReader, into: Collector) => void;

/** Counts of the accelerometer at one g. */
const countsPerGravity = 63;

/** ERS Eye: one reference temperature and 8 by 8 pixels. */
const gridPixels = 64;

const occupancies = ['vacant', 'pending', 'occupied'];

const fields: ReadonlyMap<number, Field> = new Map([
  [0x01, one('air_temperature', (bytes) => bytes.i16() / 10)],
  [0x02, one('relative_humidity', (bytes) => bytes.u8())],
  [0x03, readAcceleration],
  [0x04, one('illuminance', (bytes) => bytes.u16())],
  [0x05, one('motion_count', (bytes) => bytes.u8(), 'pir')],
  [0x06, one('co2', (bytes) => bytes.u16())],
  [0x07, one('battery_voltage', (bytes) => bytes.u16() / 1000)],
  [0x08, one('voltage', (bytes) => bytes.u16() / 1000, '1')],
  [0x09, readPosition],
  [0x0a, one('pulse_count', (bytes) => bytes.u16(), '1_period')],
  [0x0b, one('pulse_count', (bytes) => bytes.u32(), '1')],
  [0x0c, one('probe_temperature', (bytes) => bytes.i16() / 10, '1')],
  [0x0d, one('digital_input', (bytes) => bytes.u8(), '1')],
  [0x0e, one('distance', (bytes) => bytes.u16() / 1000)],
  [0x0f, one('motion_count', (bytes) => bytes.u8(), 'acceleration')],
  [0x10, readInfrared],
  [0x11, readOccupancy],
  [0x12, one('water_leak', (bytes) => (bytes.u8() === 0 ? 'dry' : 'leak'))],
  [0x13, readGrid],
  [0x14, one('air_pressure', (bytes) => bytes.i32() / 1000)],
  [0x15, readSound],
  [0x16, one('pulse_count', (bytes) => bytes.u16(), '2_period')],
  [0x17, one('pulse_count', (bytes) => bytes.u32(), '2')],
  [0x18, one('voltage', (bytes) => bytes.u16() / 1000, '2')],
  [0x19, readFurtherProbe],
  [0x1a, one('digital_input', (bytes) => bytes.u8(), '2')],
  [0x1b, one('voltage', (bytes) => bytes.i32() / 1_000_000, 'load_cell')],
  [0x1c, one('tvoc', (bytes) => bytes.u16())],
  [0x3d, (bytes) => bytes.skip(4)],
]);

export const elsysGeneric = defineCodec({
  name: 'elsys-generic',
  title: 'ELSYS ERS, EMS, ELT series',
  source:
    'ELSYS "Sensor payload" (elsys.se, types 0x01 to 0x1C and 0x3D), with the maker\'s decoder of 2024',
  read(bytes, into) {
    while (bytes.remaining > 0) {
      const type = bytes.u8();
      const field = fields.get(type);
      if (field === undefined) {
        throw new Unreadable(`ELSYS data type ${hexByte(type)} is not known.`);
      }
      field(bytes, into);
    }
  },
});

function one(quantity: string, value: (bytes: ByteReader) => number | string, channel?: string) {
  const where = channel === undefined ? undefined : { channel };
  return (bytes: ByteReader, into: Collector) => into.add(quantity, value(bytes), where);
}

/** Rounded to 0.001 m/s2, where one count is 0.156: the count can always be had back. */
function readAcceleration(bytes: ByteReader, into: Collector): void {
  for (const channel of ['x', 'y', 'z']) {
    into.add('acceleration', (bytes.i8() / countsPerGravity) * standardGravity, { channel });
  }
}

/** The one little-endian field of the format. */
function readPosition(bytes: ByteReader, into: Collector): void {
  into.add('latitude', bytes.i24le() / 10_000);
  into.add('longitude', bytes.i24le() / 10_000);
}

function readInfrared(bytes: ByteReader, into: Collector): void {
  into.add('device_temperature', bytes.i16() / 10, { channel: 'infrared' });
  into.add('surface_temperature', bytes.i16() / 10, { channel: 'infrared' });
}

function readOccupancy(bytes: ByteReader, into: Collector): void {
  const code = bytes.u8();
  const occupancy = occupancies[code];
  if (occupancy === undefined) throw new Unreadable(`ELSYS occupancy ${code} is not known.`);
  into.add('occupancy', occupancy);
}

function readGrid(bytes: ByteReader, into: Collector): void {
  const reference = bytes.u8();
  for (let pixel = 1; pixel <= gridPixels; pixel += 1) {
    into.add('surface_temperature', reference + bytes.u8() / 10, { channel: `pixel_${pixel}` });
  }
}

function readSound(bytes: ByteReader, into: Collector): void {
  into.add('noise_level_max', bytes.u8());
  into.add('noise_level', bytes.u8());
}

/** Type 0x19 comes once for every further probe on the bus, in a fixed order: 2, 3, 4 … */
function readFurtherProbe(bytes: ByteReader, into: Collector): void {
  const before = into.values.filter(
    ({ quantity, channel }) => quantity === 'probe_temperature' && channel !== '1',
  );
  into.add('probe_temperature', bytes.i16() / 10, { channel: String(before.length + 2) });
}
