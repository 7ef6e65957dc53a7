/** Dragino LHT65 and LHT65N: battery, built-in temperature and humidity, one external sensor. */
import { type ByteReader, type Collector, defineCodec, Unreadable, type Where } from '../bytes.ts';

const liveFPort = 2;
const datalogFPort = 3;

const recordBytes = 11;

/** What an unplugged temperature probe reports. */
const noProbe = 0x7fff;

/** The low byte of "Status & Ext": which external sensor; above it, flags. */
const extMask = 0x0f;
const pollReplyFlag = 0x40;
const notConnectedFlag = 0x80;

const timestampedProbe = 9;
const probeId = 15;

export const draginoLht65 = defineCodec({
  name: 'dragino-lht65',
  title: 'Dragino LHT65, LHT65N',
  source:
    'Dragino LHT65 user manual v1.8.5, section 2.4; LHT65N manual (wiki.dragino.com, rev. 223.4), sections 2.4 and 2.6',
  fPorts: [liveFPort, datalogFPort],
  read(bytes, into, fPort) {
    const flags = bytes.peek(7).last();
    const isDatalog = fPort === datalogFPort || (flags & pollReplyFlag) !== 0;
    if (isDatalog) readDatalog(bytes, into);
    else readLive(bytes, into, flags);
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
  },
});

function readLive(bytes: ByteReader, into: Collector, flags: number): void {
  const ext = flags & extMask;
  if (ext === timestampedProbe) readTimestamped(bytes, into);
  else if (ext === probeId) readProbeId(bytes, into);
  else readMeasurement(bytes, into, flags);
}

function readMeasurement(bytes: ByteReader, into: Collector, flags: number): void {
  const ext = flags & extMask;
  addBattery(bytes.u16(), into);
  addBuiltIn(bytes, into);
  bytes.skip(1);
  if (ext === 0 && bytes.remaining === 0) return;
  const external = bytes.take(4);
  if ((flags & notConnectedFlag) === 0) addExternal(external, ext, into);
  else into.warn('The cable of the external sensor is not connected.');
}

function readProbeId(bytes: ByteReader, into: Collector): void {
  addBattery(bytes.u16(), into);
  bytes.skip(9);
  into.warn('The device sent the serial number of its probe and no measurement.');
}

/** Ext 9 puts the probe where the battery voltage else is, and a Unix time behind. */
function readTimestamped(bytes: ByteReader, into: Collector): void {
  const probe = bytes.i16();
  const builtIn = bytes.take(4);
  const status = builtIn.peek(3).last() >> 6;
  bytes.skip(1);
  const where = at(bytes.u32());
  addProbe(probe, into, where);
  addBatteryStatus(status, into, where);
  addBuiltIn(builtIn, into, where);
}

/** Records of 11 bytes each; eleven zeros say that nothing was stored in the polled time. */
function readDatalog(bytes: ByteReader, into: Collector): void {
  while (bytes.remaining > 0) readRecord(bytes.take(recordBytes), into);
}

function readRecord(bytes: ByteReader, into: Collector): void {
  const external = bytes.take(2);
  const builtIn = bytes.take(4);
  const ext = bytes.u8() & extMask;
  const time = bytes.u32();
  if (time === 0) {
    into.warn('The device has no record of the polled time.');
    return;
  }
  const where = at(time);
  addExternal(external, ext, into, where);
  addBuiltIn(builtIn, into, where);
}

/** A device without a clock yet sends zero: its values are of now. */
function at(unixTime: number): Where {
  return unixTime === 0 ? {} : { time: unixTime * 1000 };
}

function addBattery(raw: number, into: Collector): void {
  into.add('battery_voltage', (raw & 0x3fff) / 1000);
  addBatteryStatus(raw >> 14, into);
}

function addBatteryStatus(code: number, into: Collector, where?: Where): void {
  into.add('battery_status', ['critical', 'low', 'ok'][code] ?? 'good', where);
}

/** The four highest bits of the humidity are not part of it: LHT65N keeps a status there. */
function addBuiltIn(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('air_temperature', bytes.i16() / 100, where);
  into.add('relative_humidity', (bytes.u16() & 0x0fff) / 10, where);
}

type External = (bytes: ByteReader, into: Collector, where?: Where) => void;

/**
 * By Ext number. Live there are four bytes, of which most sensors use two; in a record only two.
 */
const externals: ReadonlyMap<number, External> = new Map([
  [0, () => {}],
  [1, addProbeOf],
  [2, addProbeOf],
  [timestampedProbe, addProbeOf],
  [4, addInterrupt],
  [5, (bytes, into, where) => into.add('illuminance', bytes.u16(), where)],
  [
    6,
    (bytes, into, where) =>
      into.add('voltage', bytes.u16() / 1000, { channel: 'external', ...where }),
  ],
  [7, (bytes, into, where) => into.add('pulse_count', bytes.u16(), where)],
  [8, addLongCount],
]);

function addExternal(bytes: ByteReader, ext: number, into: Collector, where?: Where): void {
  const external = externals.get(ext);
  if (external === undefined) throw new Unreadable(`External sensor type ${ext} is not known.`);
  external(bytes, into, where);
}

function addProbeOf(bytes: ByteReader, into: Collector, where?: Where): void {
  addProbe(bytes.i16(), into, where);
}

function addProbe(raw: number, into: Collector, where?: Where): void {
  if (raw === noProbe) into.warn('The external temperature probe is not connected.');
  else into.add('probe_temperature', raw / 100, where);
}

/** The pin's level, then whether an edge on it caused this uplink. */
function addInterrupt(bytes: ByteReader, into: Collector, where?: Where): void {
  for (const channel of ['external', 'interrupt']) {
    into.add('digital_input', bytes.u8() === 0 ? 0 : 1, { channel, ...where });
  }
}

/** A record has room for the lower half of a 32-bit count only, which would look like a fall. */
function addLongCount(bytes: ByteReader, into: Collector, where?: Where): void {
  if (bytes.remaining >= 4) into.add('pulse_count', bytes.u32(), where);
  else into.warn('The count of a stored record was left out: it holds half of its digits.');
}
