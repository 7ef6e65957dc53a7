/**
 * A past for a new gateway: what the city's devices would have measured, sent as fast as it is
 * acknowledged, as a modem gateway that had stored it sends it (ThingsBoard form, several samples a
 * message). One message holds many readings, since every message costs a receipt.
 */
import assert from 'node:assert/strict';
import { createCityWeather } from './city-weather.ts';
import type { DeviceValues } from './device-curves.ts';
import type { SensorKind } from './device-plan.ts';
import { createDeviceCurve, type DeviceCurve } from './device-values.ts';
import type { Envelope } from './networks/envelope.ts';
import type { CityDevice, Scenario } from './scenario.ts';

export const historyTopic = 'v1/gateway/telemetry';

export interface HistoryPlan {
  readonly scenario: Scenario;
  /** Epoch milliseconds; the first sample is at it, none is at `to` or later. */
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
  /** Absent: all that a device of this kind measures. */
  readonly fieldsMax?: number;
}

/** What a gateway reads of one device in one message. */
export const valuesPerMessageMax = 1_000;

export interface HistoryMessage extends Envelope {
  readonly readings: number;
}

/** Device by device within a stretch of time, so that a store gets its rows nearly in order. */
export function* historyMessages(plan: HistoryPlan): Generator<HistoryMessage, void> {
  const { scenario, from, to, intervalMs, fieldsMax } = plan;
  assert.ok(intervalMs > 0, 'time goes on');
  const weather = createCityWeather(scenario.seed);
  const devices = scenario.devices.map((device) => ({
    device,
    curve: createDeviceCurve(device, { seed: scenario.seed, weather }),
    fields: fieldsOf(device).slice(0, fieldsMax),
  }));
  const widest = Math.max(...devices.map(({ fields }) => fields.length));
  const samples = Math.floor(valuesPerMessageMax / widest);
  for (let start = from; start < to; start += samples * intervalMs) {
    const end = Math.min(to, start + samples * intervalMs);
    for (const { device, curve, fields } of devices) {
      yield messageOf({ device, curve, fields }, { start, end, intervalMs });
    }
  }
}

interface Field {
  readonly name: string;
  readonly decimals: number;
  readonly read: (values: DeviceValues) => number;
}

interface Source {
  readonly device: CityDevice;
  readonly curve: DeviceCurve;
  readonly fields: readonly Field[];
}

function messageOf(
  { device, curve, fields }: Source,
  { start, end, intervalMs }: { start: number; end: number; intervalMs: number },
): HistoryMessage {
  const samples: string[] = [];
  for (let time = start; time < end; time += intervalMs) {
    const values = curve.at(time);
    const texts = fields.map(
      ({ name, decimals, read }) => `"${name}":${Number(read(values).toFixed(decimals))}`,
    );
    samples.push(`{"ts":${time},"values":{${texts.join(',')}}}`);
  }
  const payload = Buffer.from(`{"${device.id}":[${samples.join(',')}]}`);
  return { topic: historyTopic, payload, readings: samples.length * fields.length };
}

function field(name: string, read: Field['read'], decimals = 1): Field {
  return { name, read, decimals };
}

const temperature = field('temperature', (values) => values.temperature);
const humidity = field('humidity', (values) => values.humidity);

/** The first one is what the device is there for. */
const fieldsByKind: Readonly<Record<SensorKind, readonly Field[]>> = {
  'air-quality': [
    field('pm2_5', (values) => values.pm2_5),
    field('pm10', (values) => values.pm10),
    field('no2', (values) => values.no2),
    ...[temperature, humidity],
  ],
  noise: [field('noise_level', (values) => values.noiseAverage), temperature, humidity],
  weather: [
    ...[temperature, humidity],
    field('air_pressure', (values) => values.pressure),
    field('wind_speed', (values) => values.windSpeed),
    field('rain_intensity', (values) => values.rainIntensity),
  ],
  'water-level': [field('water_level', (values) => values.waterLevel, 3)],
  parking: [field('occupancy_share', (values) => (values.isOccupied ? 1 : 0), 0), temperature],
  energy: [
    field('power', (values) => values.power, 0),
    field('energy', (values) => values.energy, 2),
    field('voltage', (values) => values.mainsVoltage),
  ],
  bin: [field('fill_level', (values) => values.fillLevel), temperature],
  people: [field('people_count', (values) => values.peopleTotal, 0), temperature],
};

function fieldsOf({ kind }: CityDevice): readonly Field[] {
  return fieldsByKind[kind];
}
