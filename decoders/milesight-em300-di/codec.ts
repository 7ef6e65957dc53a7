/** Milesight EM300-DI: temperature, humidity, and one input that is a level or a pulse counter. */
import { type ByteReader, type Collector, defineCodec, Unreadable, type Where } from '../bytes.ts';
import { type Channels, readChannels, readRecordStart } from '../milesight-em300/channels.ts';

/** What the input of a stored record is set up as. */
const inputLevel = 1;
const inputCounter = 2;

const channels: Channels = new Map([
  [0x0500, addLevel],
  [0x8500, readLevelAlarm],
  [0x05e1, addConverted],
  [0x85e1, readConvertedAlarm],
  [0x20ce, readRecord],
  [0x21ce, readConvertedRecord],
]);

export const milesightEm300Di = defineCodec({
  name: 'milesight-em300-di',
  title: 'Milesight EM300-DI, EM300-DI-Hall',
  source:
    'Milesight EM300 Series User Guide, V1.x of 2020 and later, chapter 5 "Device Payload"; firmware 1.3 and later: Milesight SensorDecoders, em-series/em300-di',
  read: (bytes, into) => readChannels(bytes, into, channels),
});

function addLevel(bytes: ByteReader, into: Collector, where?: Where): void {
  into.add('digital_input', bytes.u8(), where);
}

function readLevelAlarm(bytes: ByteReader, into: Collector): void {
  addLevel(bytes, into);
  bytes.skip(1);
}

/**
 * From firmware 1.3 on the device multiplies its count with a factor and a unit of its owner's
 * choice, and sends factor and product, but not the unit. The count is what can be known.
 */
function addConverted(bytes: ByteReader, into: Collector, where?: Where): void {
  const amountPerStep = bytes.u16le();
  const pulsesPerStep = bytes.u16le();
  const amount = bytes.f32le();
  if (amountPerStep === 0 || pulsesPerStep === 0) {
    throw new Unreadable('The conversion factor of the counter is zero.');
  }
  into.add('pulse_count', (amount * pulsesPerStep) / amountPerStep, where);
}

function readConvertedAlarm(bytes: ByteReader, into: Collector): void {
  addConverted(bytes, into);
  bytes.skip(1);
}

function readRecord(bytes: ByteReader, into: Collector): void {
  const where = readRecordStart(bytes, into);
  const input = bytes.u8();
  const level = bytes.take(1);
  const pulses = bytes.take(4);
  if (input === inputLevel) addLevel(level, into, where);
  else if (input === inputCounter) into.add('pulse_count', pulses.u32le(), where);
  else throw new Unreadable(`Input type ${input} of a stored record is not known.`);
}

function readConvertedRecord(bytes: ByteReader, into: Collector): void {
  const where = readRecordStart(bytes, into);
  bytes.skip(1);
  const input = bytes.u8();
  const level = bytes.take(1);
  const converted = bytes.take(8);
  if (input === inputLevel) addLevel(level, into, where);
  else if (input === inputCounter) addConverted(converted, into, where);
  else throw new Unreadable(`Input type ${input} of a stored record is not known.`);
}
