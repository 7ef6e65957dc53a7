/** Milesight EM300-TH, -MCS, -SLD and -ZLD; the pulse counter EM300-DI has a codec of its own. */
import { type ByteReader, type Collector, defineCodec } from '../bytes.ts';
import { type Channels, readChannels, readRecordStart } from './channels.ts';

const channels: Channels = new Map([
  [0x0500, (bytes, into) => into.add('water_leak', bytes.u8() === 0 ? 'dry' : 'leak')],
  [0x0600, (bytes, into) => into.add('door', bytes.u8() === 0 ? 'closed' : 'open')],
  [0x20ce, readRecord],
]);

export const milesightEm300 = defineCodec({
  name: 'milesight-em300',
  title: 'Milesight EM300-TH, EM300-MCS, EM300-SLD, EM300-ZLD',
  source:
    'Milesight EM300 Series User Guide, V1.x of 2020 and later, chapter 5 "Device Payload"; stored records: Milesight SensorDecoders, em-series',
  read: (bytes, into) => readChannels(bytes, into, channels),
});

/**
 * The last byte is a leak on one model, a magnet on another and reserved on the third, and nothing
 * in the payload says which: left unread, since a wrong alarm from the past helps nobody.
 */
function readRecord(bytes: ByteReader, into: Collector): void {
  readRecordStart(bytes, into);
  if (bytes.u8() !== 0) {
    into.warn('The status of a stored record was left out: its meaning depends on the model.');
  }
}
