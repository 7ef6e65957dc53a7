/** Browan Tabs TBHV110, the "Healthy Home" sensor: the air indoors. */
import { defineCodec, Unreadable } from '../bytes.ts';

/** Temperatures are sent in whole degrees above this. */
const coldest = 32;

export const browanTbhv110 = defineCodec({
  name: 'browan-tbhv110',
  title: 'Browan Tabs TBHV110',
  source:
    "Browan's TBHV110 as The Things Network's device repository has it for its maker (browan/tbhv110, commit 004ed1c)",
  fPorts: [103],
  read(bytes, into) {
    bytes.skip(1);
    into.add('battery_voltage', (25 + (bytes.u8() & 0x0f)) / 10);
    into.add('device_temperature', (bytes.u8() & 0x7f) - coldest);
    into.add('relative_humidity', bytes.u8() & 0x7f);
    into.add('co2', bytes.u16le(), { channel: 'estimated' });
    into.add('generic_sensor', bytes.u16le(), { channel: 'voc' });
    into.add('air_quality_index', bytes.u16le());
    into.add('air_temperature', (bytes.u8() & 0x7f) - coldest);
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
  },
});
