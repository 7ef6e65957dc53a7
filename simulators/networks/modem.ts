/**
 * A sensor with its own 5G, LTE-M or NB-IoT modem and its own account: it sends a flat JSON object
 * or ThingsBoard telemetry with the radio state among the values, or SenML [RFC 8428].
 */
import type { DeviceValues } from '../device-curves.ts';
import { noiseKey } from '../random.ts';
import type { CityDevice, Scenario } from '../scenario.ts';
import { createCellularRadio, type RadioState } from './cells.ts';
import type { Envelope } from './envelope.ts';
import { senderOf, webhookPath } from './network-servers.ts';
import { createOutages, createStore } from './outages.ts';

export interface Modem {
  /** What it sends when it has a network. */
  messages(values: DeviceValues, time: number): [Envelope, ...Envelope[]];
  /** The same with its outages: nothing during one, and all that was kept after it. */
  messagesThrough(values: DeviceValues, time: number): readonly Envelope[];
}

/** Records that go into one message of a burst. */
export const recordsPerMessageMax = 50;

export function createModem(device: CityDevice, scenario: Scenario): Modem {
  const radio = createCellularRadio(device, scenario);
  const store = createStore<ModemRecord>(
    createOutages(noiseKey(scenario.seed, device.id, 'outages')),
  );
  const topic = topicOf(device);
  const recordOf = (values: DeviceValues, time: number): ModemRecord => ({
    time,
    fields: measured(device, values),
    radio: radio(time),
  });
  const envelope = (body: unknown): Envelope => ({
    topic,
    payload: Buffer.from(JSON.stringify(body)),
  });
  return {
    messages: (values, time) => [envelope(bodyOf(device, [recordOf(values, time)]))],
    messagesThrough: (values, time) =>
      bodiesOf(device, store(recordOf(values, time), time)).map(envelope),
  };
}

/** `up/<device>` by MQTT and CoAP, as the gateway's own modems have it; else its webhook. */
function topicOf(device: CityDevice): string {
  return device.via === 'http' ? webhookPath(senderOf(device)) : `up/${device.id}`;
}

interface ModemRecord {
  readonly time: number;
  readonly fields: readonly Field[];
  readonly radio: RadioState;
}

/** Flat objects have one time each; the other forms take several records. */
function bodiesOf(device: CityDevice, records: readonly ModemRecord[]): unknown[] {
  const size = device.format === 'flat-json' ? 1 : recordsPerMessageMax;
  const bodies: unknown[] = [];
  for (let at = 0; at < records.length; at += size) {
    bodies.push(bodyOf(device, records.slice(at, at + size)));
  }
  return bodies;
}

function bodyOf(device: CityDevice, records: readonly ModemRecord[]): unknown {
  if (device.format === 'senml') return senml(device, records);
  const [first, ...others] = records;
  if (first === undefined) return {};
  if (device.format === 'flat-json') return { ts: first.time, ...valuesOf(first) };
  const samples = records.map((record) => ({ ts: record.time, values: valuesOf(record) }));
  return others.length === 0 ? samples[0] : samples;
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

/** The test network codes 001 and 01, which no operator has. */
const operator = { mcc: '001', mnc: '01' } as const;

function valuesOf({ fields, radio }: ModemRecord): Record<string, unknown> {
  const { cell, rsrp, rsrq, sinr } = radio;
  const { rat, band, pci, cellId, tac } = cell;
  const entries = fields.map(({ name, value }) => [name, value]);
  const state = { rat, rsrp, rsrq, sinr, band, pci, cell_id: cellId, tac };
  return { ...Object.fromEntries(entries), ...state, ...operator };
}

/**
 * One SenML record a value. The first carries the base name and the base time, in seconds; those of
 * later samples say how much later they are.
 */
function senml({ id }: CityDevice, records: readonly ModemRecord[]): unknown[] {
  const start = records[0]?.time ?? 0;
  return records.flatMap(({ time, fields }, sample) =>
    fields.map(({ name, unit, value }, index) => ({
      ...(sample === 0 && index === 0 ? { bn: `${id}/`, bt: start / 1000 } : {}),
      n: name,
      ...(unit === undefined ? {} : { u: unit }),
      ...(time === start ? {} : { t: (time - start) / 1000 }),
      v: value,
    })),
  );
}
