/** Dragino LDDS75 and DDS75-LB: distance by ultrasound, and a temperature probe. */
import { defineCodec, Unreadable } from '../bytes.ts';

/** What the device sends in place of a distance below its blind zone. */
const tooNearMm = 20;
const noSensorMm = 0;

export const draginoLdds75 = defineCodec({
  name: 'dragino-ldds75',
  title: 'Dragino LDDS75, DDS75-LB',
  source:
    "The maker's dragino-end-node-decoder (2026-07-02), LDDS75 V1.1.4; its manual was not at hand for 0 and 20 mm",
  fPorts: [2],
  read(bytes, into) {
    into.add('battery_voltage', (bytes.u16() & 0x3fff) / 1000);
    const distance = bytes.u16();
    bytes.skip(1);
    const probe = bytes.i16();
    const hasSensor = bytes.u8() !== 0;
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
    if (!hasSensor || distance === noSensorMm) into.warn('The ultrasonic sensor does not answer.');
    else if (distance === tooNearMm) into.warn('Something is too near to be measured.');
    else into.add('distance', distance / 1000);
    // Without a probe the device sends 0, which a probe in melting ice sends, too.
    if (probe !== 0) into.add('probe_temperature', probe / 10);
  },
});
