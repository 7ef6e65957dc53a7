/** One uplink of a LoRaWAN device of the city: its payload in clear and how it was heard. */
import { hash } from 'node:crypto';
import type { DeviceValues } from '../device-curves.ts';
import { encodeCayenneLpp } from '../payload-cayenne-lpp.ts';
import { draginoLht65FPort, encodeLht65 } from '../payload-dragino.ts';
import { elsysFPort, encodeElsys } from '../payload-elsys.ts';
import { encodeEm300, milesightFPort } from '../payload-milesight.ts';
import type { CityDevice } from '../scenario.ts';
import type { Transmission } from './radio.ts';

export interface LorawanUplink {
  readonly device: CityDevice;
  readonly time: number;
  readonly fPort: number;
  readonly fCnt: number;
  readonly frmPayload: Buffer;
  /** What the network server's own codec made of it, for formats that have one there. */
  readonly object?: Readonly<Record<string, unknown>>;
  readonly transmission: Transmission;
  /** A UUID that is the same whenever this uplink is made again. */
  readonly messageId: string;
}

export interface PortPayload {
  readonly fPort: number;
  readonly frmPayload: Buffer;
  readonly object?: Readonly<Record<string, unknown>>;
}

const cayenneFPort = 1;
const decodedFPort = 10;

/** The bytes that a device of this kind and format sends for these values. */
export function encodePayload(device: CityDevice, values: DeviceValues): PortPayload {
  switch (device.format) {
    case 'elsys':
      return { fPort: elsysFPort, frmPayload: elsysPayload(device, values) };
    case 'lht65':
      return { fPort: draginoLht65FPort, frmPayload: lht65Payload(values) };
    case 'em300':
      return { fPort: milesightFPort, frmPayload: em300Payload(values) };
    case 'cayenne':
      return { fPort: cayenneFPort, frmPayload: cayennePayload(device, values) };
    case 'object':
      return decodedPayload(device, values);
    case 'flat-json':
    case 'thingsboard':
    case 'senml':
      throw new RangeError(`${device.format} is not carried by LoRaWAN`);
  }
}

function elsysPayload({ kind }: CityDevice, values: DeviceValues): Buffer {
  const { temperature, humidity } = values;
  const vdd = Math.round(values.batteryVoltage * 1000);
  if (kind === 'noise') {
    const sound = { peak: values.noisePeak, average: values.noiseAverage };
    return encodeElsys({ temperature, humidity, vdd, sound });
  }
  if (kind === 'water-level') {
    return encodeElsys({ temperature, humidity, vdd, distance: values.waterDistance * 1000 });
  }
  const light = Math.min(65_535, values.illuminance);
  return encodeElsys({ temperature, humidity, light, motion: 0, co2: values.co2, vdd });
}

function lht65Payload(values: DeviceValues): Buffer {
  const { temperature, humidity, illuminance } = values;
  return encodeLht65({
    battery: Math.round(values.batteryVoltage * 1000),
    batteryStatus: values.batteryLevel > 30 ? 3 : 1,
    temperature,
    humidity,
    external: { kind: 'illuminance', value: illuminance },
  });
}

function em300Payload(values: DeviceValues): Buffer {
  const { temperature, humidity, peopleTotal } = values;
  return encodeEm300({
    battery: values.batteryLevel,
    temperature,
    humidity,
    counter: peopleTotal,
  });
}

function cayennePayload({ kind }: CityDevice, values: DeviceValues): Buffer {
  if (kind === 'energy') {
    return encodeCayenneLpp([
      { channel: 1, field: 'power', value: values.power },
      { channel: 2, field: 'energy', value: values.energy },
      { channel: 3, field: 'voltage', value: values.mainsVoltage },
      { channel: 4, field: 'current', value: values.mainsCurrent },
    ]);
  }
  return encodeCayenneLpp([
    { channel: 1, field: 'presence', value: values.isOccupied ? 1 : 0 },
    { channel: 2, field: 'temperature', value: values.temperature },
    { channel: 3, field: 'voltage', value: values.batteryVoltage },
  ]);
}

/** A device with bytes of its own, which only its network server's codec can read. */
function decodedPayload({ kind }: CityDevice, values: DeviceValues): PortPayload {
  const fields =
    kind === 'bin'
      ? { fill_level: values.fillLevel, temperature: values.temperature }
      : {
          pm2_5: values.pm2_5,
          pm10: values.pm10,
          no2: values.no2,
          temperature: values.temperature,
          humidity: values.humidity,
        };
  const tenths = Object.entries(fields).map(
    ([name, value]) => [name, Math.round(value * 10)] as const,
  );
  const frmPayload = Buffer.alloc(tenths.length * 2);
  for (const [index, [, value]] of tenths.entries()) frmPayload.writeInt16BE(value, index * 2);
  const object = Object.fromEntries(tenths.map(([name, value]) => [name, value / 10]));
  return { fPort: decodedFPort, frmPayload, object };
}

/** A version 4 UUID in form, made from what identifies the uplink. */
export function uplinkMessageId(device: CityDevice, fCnt: number): string {
  const hex = hash('sha256', `${device.id}\n${fCnt}`);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(12, 15)}`];
  return [...parts, `8${hex.slice(15, 18)}`, hex.slice(18, 30)].join('-');
}
