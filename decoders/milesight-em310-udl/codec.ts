/** Milesight EM310-UDL: distance by ultrasound, as waste bins and tanks have it. */
import { defineCodec } from '../bytes.ts';
import { type Channels, readChannels } from '../milesight-em300/channels.ts';

const channels: Channels = new Map([
  [0x0382, (bytes, into) => into.add('distance', bytes.u16le() / 1000)],
  [
    0x0400,
    (bytes, into) => into.add('digital_input', bytes.u8() === 0 ? 0 : 1, { channel: 'tilted' }),
  ],
]);

export const milesightEm310Udl = defineCodec({
  name: 'milesight-em310-udl',
  title: 'Milesight EM310-UDL',
  source: 'Milesight SensorDecoders (2026-07-30), em-series/em310-udl, table "Telemetry"',
  read: (bytes, into) => readChannels(bytes, into, channels),
});
