/**
 * A sensor with its own 5G, LTE-M or NB-IoT modem: it publishes on `up/<deviceId>` with its own
 * account, a flat JSON object with the radio state in it, or SenML [RFC 8428].
 */
import type { DeviceValues } from '../device-curves.ts';
import { hashNoise, noiseKey, smoothNoise } from '../random.ts';
import type { CityDevice } from '../scenario.ts';
import type { Envelope } from './envelope.ts';

export type Modem = (values: DeviceValues, time: number) => Envelope;

export function createModem(device: CityDevice, seed: string): Modem {
  const cell = createCell(device, seed);
  const topic = `up/${device.id}`;
  return (values, time) => {
    const fields = measured(device, values);
    const body =
      device.format === 'senml' ? senml(device, fields, time) : flat(fields, cell(time), time);
    return { topic, payload: Buffer.from(JSON.stringify(body)) };
  };
}

interface Field {
  readonly name: string;
  /** A unit of the SenML registry [RFC 8428 12.1]; none for a plain number. */
  readonly unit?: string;
  readonly value: number;
}

function field(name: string, unit: string, value: number, decimals = 1): Field {
  const factor = 10 ** decimals;
  return { name, unit, value: Math.round(value * factor) / factor };
}

function measured({ kind }: CityDevice, values: DeviceValues): Field[] {
  switch (kind) {
    case 'weather':
      return [
        field('temperature', 'Cel', values.temperature),
        field('humidity', '%RH', values.humidity),
        field('pressure', 'hPa', values.pressure),
        field('wind_speed', 'm/s', values.windSpeed),
        field('wind_direction', 'deg', Math.round(values.windDirection) % 360, 0),
        field('rain_intensity', 'mm/h', values.rainIntensity),
      ];
    case 'water-level':
      return [
        field('water_level', 'm', values.waterLevel, 3),
        field('battery_voltage', 'V', values.batteryVoltage, 2),
      ];
    case 'energy':
      return [
        field('power', 'W', values.power, 0),
        field('energy', 'kWh', values.energy, 2),
        field('voltage', 'V', values.mainsVoltage),
        field('current', 'A', values.mainsCurrent, 2),
      ];
    case 'people':
      return [{ name: 'people_count', value: values.peopleTotal }];
    default:
      return [
        field('pm2_5', 'ug/m3', values.pm2_5),
        field('pm10', 'ug/m3', values.pm10),
        field('no2', 'ug/m3', values.no2),
        field('temperature', 'Cel', values.temperature),
        field('humidity', '%RH', values.humidity),
      ];
  }
}

function flat(fields: readonly Field[], cell: Cell, time: number): Record<string, unknown> {
  const entries = fields.map(({ name, value }) => [name, value]);
  return { ts: time, ...Object.fromEntries(entries), ...cell };
}

/** One record a value; the first carries the base name and the base time in seconds. */
function senml(device: CityDevice, fields: readonly Field[], time: number): unknown[] {
  return fields.map(({ name, unit, value }, index) => ({
    ...(index === 0 ? { bn: `${device.id}/`, bt: time / 1000 } : {}),
    n: name,
    ...(unit === undefined ? {} : { u: unit }),
    v: value,
  }));
}

interface Cell {
  readonly rat: 'NR-SA' | 'LTE-M' | 'NB-IoT';
  /** dBm */
  readonly rsrp: number;
  /** dB */
  readonly rsrq: number;
  readonly sinr: number;
  readonly band: number;
  readonly pci: number;
  /** 36 bits at most */
  readonly cell_id: number;
  /** The test network codes 001 and 01, which no operator has. */
  readonly mcc: string;
  readonly mnc: string;
}

/** The serving cell: good or bad by place, breathing slowly with the load. */
function createCell(device: CityDevice, seed: string): (time: number) => Cell {
  const key = noiseKey(seed, device.id, 'cell');
  const rat = device.model.startsWith('5G')
    ? 'NR-SA'
    : device.model.startsWith('LTE')
      ? 'LTE-M'
      : 'NB-IoT';
  const quality = hashNoise(key, 1);
  return (time) => {
    const fading = smoothNoise(key, time, 5 * 60_000);
    return {
      rat,
      rsrp: Math.round(-112 + 32 * quality + 5 * fading),
      rsrq: Math.round((-14 + 5 * quality + 1.5 * fading) * 2) / 2,
      sinr: Math.round((2 + 18 * quality + 4 * fading) * 2) / 2,
      band: rat === 'NR-SA' ? 78 : 20,
      pci: Math.floor(hashNoise(key, 2) * 504),
      cell_id: Math.floor(hashNoise(key, 3) * 2 ** 28),
      mcc: '001',
      mnc: '01',
    };
  };
}
