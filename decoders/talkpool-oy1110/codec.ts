/** Talkpool OY1110: temperature and humidity outdoors. */
import { defineCodec, Unreadable } from '../bytes.ts';

export const talkpoolOy1110 = defineCodec({
  name: 'talkpool-oy1110',
  title: 'Talkpool OY1110',
  source:
    "Talkpool OY1110 payload format, as The Things Network's device repository has it for its maker (talkpool/oy1110, commits 0a254aa and 9cd604c)",
  fPorts: [2],
  read(bytes, into) {
    const temperature = bytes.u8();
    const humidity = bytes.u8();
    const rest = bytes.u8();
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
    into.add('air_temperature', (temperature * 16 + (rest >> 4) - 800) / 10);
    into.add('relative_humidity', (humidity * 16 + (rest & 0x0f) - 250) / 10);
  },
});
