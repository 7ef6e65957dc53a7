/** Decentlab DL-LID: distance by laser, as statistics of some hundred samples. */
import { type ByteReader, type Collector, defineCodec } from '../bytes.ts';
import { readBlocks } from '../decentlab-dl-pm/blocks.ts';

export const decentlabDlLid = defineCodec({
  name: 'decentlab-dl-lid',
  title: 'Decentlab DL-LID',
  source: "The maker's decentlab-decoders (2025-11-14), DL-LID; its data sheet was not at hand",
  read: (bytes, into) => readBlocks(bytes, into, [addDistance, addBattery]),
});

/** The median is the distance: single echoes from spray or branches do not move it. */
function addDistance(bytes: ByteReader, into: Collector): void {
  const [mean, least, greatest, median] = [bytes.u16(), bytes.u16(), bytes.u16(), bytes.u16()];
  bytes.skip(10);
  const samples = bytes.u16();
  bytes.skip(2);
  if (samples === 0) {
    into.warn('No sample of the distance was taken.');
    return;
  }
  into.add('distance', median / 1000);
  into.add('distance', mean / 1000, { channel: 'mean' });
  into.add('distance', least / 1000, { channel: 'min' });
  into.add('distance', greatest / 1000, { channel: 'max' });
}

function addBattery(bytes: ByteReader, into: Collector): void {
  into.add('battery_voltage', bytes.u16() / 1000);
}
