/** Sensoneo Single Sensor 3.0: how far the waste in a bin is from its lid. */
import { type ByteReader, type Collector, defineCodec, Unreadable } from '../bytes.ts';

const headStart = 0xffff;
/** The kind of device, in the high half of the byte behind it. */
const singleSensor = 2;
const sonars = ['1', '2', '3', '4'];

/** What has caused the message, bit by bit. */
const fireEvent = 0x02;

export const sensoneoSingleSensor = defineCodec({
  name: 'sensoneo-single-sensor',
  title: 'Sensoneo Single Sensor 3.0',
  source:
    'Sensoneo "Single sensor 3.0, Payload description for LORA and NBIoT", table "TX data structure"',
  read(bytes, into) {
    if (bytes.u16() !== headStart) throw new Unreadable('The payload does not begin with ffff.');
    const kind = bytes.u8() >> 4;
    if (kind !== singleSensor) throw new Unreadable(`A device of kind ${kind} is not known.`);
    bytes.skip(5);
    const events = bytes.u8();
    addDistances(bytes, into);
    into.add('battery_voltage', 2.5 + bytes.u8() / 100);
    addTemperature(bytes.u8(), into);
    bytes.skip(2);
    if (bytes.remaining > 0) throw new Unreadable('The payload goes on after its end.');
    if ((events & fireEvent) !== 0) into.warn('The device reports heat as of a fire.');
  },
});

/** Four echoes of one measurement, in steps of 2 cm; 0 is no echo. */
function addDistances(bytes: ByteReader, into: Collector): void {
  for (const channel of sonars) {
    const steps = bytes.u8();
    if (steps > 0) into.add('distance', steps / 50, { channel });
  }
}

/** The source has it without a sign, and does not say how frost is written. */
function addTemperature(degrees: number, into: Collector): void {
  if (degrees < 128) into.add('device_temperature', degrees);
  else into.warn('The temperature was left out: it is beyond what the format can say.');
}
