/** Dragino LSE01 and SE01-LB: moisture, temperature and conductivity of soil. */
import { defineCodec, Unreadable } from '../bytes.ts';

const rawModeFlag = 0x80;

export const draginoLse01 = defineCodec({
  name: 'dragino-lse01',
  title: 'Dragino LSE01, SE01-LB',
  source:
    "The maker's dragino-end-node-decoder (2026-07-02), LSE01 V1.2.1; its manual was not at hand",
  fPorts: [2],
  read(bytes, into) {
    into.add('battery_voltage', (bytes.u16() & 0x3fff) / 1000);
    const probe = bytes.i16();
    const [moisture, temperature, conductivity] = [bytes.u16(), bytes.i16(), bytes.u16()];
    const flags = bytes.u8();
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
    // Without a probe the device sends 0, which a probe in melting ice sends, too.
    if (probe !== 0) into.add('probe_temperature', probe / 10);
    if ((flags & rawModeFlag) !== 0) {
      into.warn('The device is in its mode for calibration: its soil values are raw.');
      return;
    }
    into.add('soil_moisture', moisture / 100);
    into.add('soil_temperature', temperature / 100);
    into.add('soil_conductivity', conductivity / 1000);
  },
});
