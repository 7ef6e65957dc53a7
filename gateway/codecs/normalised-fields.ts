/**
 * The normalised payload that device repositories agreed on: fixed names in fixed units, one object
 * or several, each with a time of its own if it is from the device's memory.
 */
import type { DecodedValue } from '../../decoders/codec.ts';
import { mapField, mapObject } from '../../decoders/mapping.ts';

/** Path in a measurement → quantity and its unit there; what is not here is mapped by its name. */
const fields: ReadonlyMap<string, readonly [quantity: string, unit?: string]> = new Map([
  ['battery', ['battery_voltage', 'V']],
  ['soil.moisture', ['soil_moisture', '%']],
  ['soil.temperature', ['soil_temperature', 'Cel']],
  ['soil.ec', ['soil_conductivity', 'dS/m']],
  ['soil.pH', ['soil_ph']],
  ['air.temperature', ['air_temperature', 'Cel']],
  ['air.relativeHumidity', ['relative_humidity', '%']],
  ['air.pressure', ['air_pressure', 'hPa']],
  ['air.co2', ['co2', 'ppm']],
  ['air.lightIntensity', ['illuminance', 'lx']],
  ['wind.speed', ['wind_speed', 'm/s']],
  ['wind.direction', ['wind_direction', 'deg']],
  ['rain.intensity', ['rain_intensity', 'mm/h']],
  ['rain.cumulative', ['rain_cumulative', 'mm']],
  ['water.leak', ['water_leak']],
  ['water.temperature.current', ['water_temperature', 'Cel']],
  ['metering.water.total', ['water_volume', 'L']],
  ['action.motion.detected', ['motion']],
  ['action.motion.count', ['motion_count']],
  ['action.contactState', ['door']],
  ['position.latitude', ['latitude', 'deg']],
  ['position.longitude', ['longitude', 'deg']],
]);

/** Measurements in one uplink, and values in each. */
const measurementsMax = 64;
const depthMax = 3;

/** `normalized` is what `normalizeUplink` returned: `{ data }`, with one measurement or a list. */
export function normalisedValues(normalized: unknown): DecodedValue[] {
  if (typeof normalized !== 'object' || normalized === null || !('data' in normalized)) return [];
  const { data } = normalized;
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  const taken = new Set<string>();
  return list.slice(0, measurementsMax).flatMap((measurement, index) => {
    if (typeof measurement !== 'object' || measurement === null) return [];
    const time = timeOf(measurement);
    return valuesIn(measurement, []).map((value) =>
      apart({ ...value, ...(time === undefined ? {} : { time }) }, index, taken),
    );
  });
}

function timeOf(measurement: object): number | undefined {
  const text: unknown = Reflect.get(measurement, 'time');
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isFinite(time) ? time : undefined;
}

function valuesIn(object: object, path: readonly string[]): DecodedValue[] {
  return Object.entries(object).flatMap(([name, value]: [string, unknown]) => {
    const full = [...path, name];
    const key = full.join('.');
    if (key === 'time') return [];
    const field = fields.get(key);
    if (field === undefined && typeof value === 'object' && value !== null) {
      return full.length < depthMax ? valuesIn(value, full) : [];
    }
    return field === undefined ? byName(full, value) : byTable(field, value);
  });
}

function byTable([name, unit]: readonly [string, string?], value: unknown): DecodedValue[] {
  const field = mapField(name, value, unit);
  return field === null ? [] : [{ quantity: field.quantity, value: field.value }];
}

/** `water.temperature.min` has no quantity: it is kept under its own name. */
function byName(path: readonly string[], value: unknown): readonly DecodedValue[] {
  return mapObject({ [path.join('_')]: value });
}

/** Several measurements of one time are several sensors: the second is channel 2. */
function apart(value: DecodedValue, index: number, taken: Set<string>): DecodedValue {
  const seriesOf = (channel = '') => `${value.quantity} ${channel} ${value.time ?? ''}`;
  let channel = value.channel;
  for (let count = index + 1; taken.has(seriesOf(channel)); count += 1) channel = String(count);
  taken.add(seriesOf(channel));
  return channel === undefined ? value : { ...value, channel };
}
