/** Seeed SenseCAP S2120: a weather station for eight quantities. */
import { type ByteReader, type Collector, defineCodec, hexByte, Unreadable } from '../bytes.ts';

type Packet = (bytes: ByteReader, into: Collector) => void;

/** By the number that each packet begins with; newer firmware has 4a, 4b and 4c. */
const packets: ReadonlyMap<number, Packet> = new Map([
  [0x01, addAir],
  [0x02, addWeather],
  [0x03, addBattery],
  [0x04, readStatus],
  [0x05, (bytes) => bytes.skip(4)],
  [0x06, readError],
  [0x10, (bytes) => bytes.skip(9)],
  [0x4a, addAir],
  [0x4b, addWeather],
  [0x4c, addGust],
]);

export const seeedS2120 = defineCodec({
  name: 'seeed-s2120',
  title: 'Seeed SenseCAP S2120',
  source: "The maker's SenseCAP-Decoder (commit 44d1b62), S2120; its user guide was not at hand",
  read(bytes, into) {
    while (bytes.remaining > 0) {
      const number = bytes.u8();
      const packet = packets.get(number);
      if (packet === undefined) throw new Unreadable(`Packet ${hexByte(number)} is not known.`);
      packet(bytes, into);
    }
  },
});

function addAir(bytes: ByteReader, into: Collector): void {
  into.add('air_temperature', bytes.i16() / 10);
  into.add('relative_humidity', bytes.u8());
  into.add('illuminance', bytes.u32());
  into.add('uv_index', bytes.u8() / 10);
  into.add('wind_speed', bytes.u16() / 10);
}

function addWeather(bytes: ByteReader, into: Collector): void {
  into.add('wind_direction', bytes.u16());
  into.add('rain_intensity', bytes.u32() / 1000);
  into.add('air_pressure', bytes.u16() / 10);
}

function addGust(bytes: ByteReader, into: Collector): void {
  into.add('wind_gust', bytes.u16() / 10);
  into.add('rain_cumulative', bytes.u32() / 1000);
}

function addBattery(bytes: ByteReader, into: Collector): void {
  into.add('battery_level', bytes.u8());
}

/** Battery, then versions and intervals. */
function readStatus(bytes: ByteReader, into: Collector): void {
  addBattery(bytes, into);
  bytes.skip(8);
}

function readError(bytes: ByteReader, into: Collector): void {
  const code = bytes.u8();
  if (code !== 0) into.warn(`The station reports the error ${hexByte(code)} of its sensor.`);
}
