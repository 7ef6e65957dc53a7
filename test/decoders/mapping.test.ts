import { describe, expect, it } from '@jest/globals';
import { depthMax, leavesMax, membersMax } from '../../decoders/flatten.ts';
import {
  mapField,
  mapObject,
  nameLengthMax,
  textLengthMax,
  unitOf,
} from '../../decoders/mapping.ts';
import { convertUnit, parseUnit } from '../../decoders/unit-conversion.ts';

type Row = [name: string, value: unknown, unit: string | undefined, expected: string];

/** `quantity[channel] value unit`, or "nothing". */
function shown(name: string, value: unknown, unit?: string): string {
  const field = mapField(name, value, unit);
  if (field === null) return 'nothing';
  const channel = field.channel === undefined ? '' : `[${field.channel}]`;
  return `${field.quantity}${channel} ${field.value} ${field.unit}`.trim();
}

function listed(object: object): string[] {
  return mapObject(object).map(
    ({ quantity, value, channel }) =>
      `${quantity}${channel === undefined ? '' : `[${channel}]`} ${value}`,
  );
}

const names: Row[] = [
  ['temperature', 21.5, undefined, 'air_temperature 21.5 Cel'],
  ['temp', 21.5, undefined, 'air_temperature 21.5 Cel'],
  ['TempC_SHT', '22.10', undefined, 'air_temperature 22.1 Cel'],
  ['Hum_SHT', 50.1, undefined, 'relative_humidity 50.1 %'],
  ['humidity', 50, undefined, 'relative_humidity 50 %'],
  ['relativeHumidity', 50, undefined, 'relative_humidity 50 %'],
  ['BatV', 3.012, undefined, 'battery_voltage 3.012 V'],
  ['vdd', 3616, undefined, 'battery_voltage 3.616 V'],
  ['batteryVoltage', 3.85, undefined, 'battery_voltage 3.85 V'],
  ['batteryLevel', 75.5, undefined, 'battery_level 75.5 %'],
  ['CO2', 412, undefined, 'co2 412 [ppm]'],
  ['light', 300, undefined, 'illuminance 300 lx'],
  ['luminosity', 0.64, undefined, 'illuminance 0.64 lx'],
  ['PM25', 12.25, undefined, 'pm2_5 12.3 ug/m3'],
  ['pm2_5', 12, undefined, 'pm2_5 12 ug/m3'],
  ['pm2.5', 12, undefined, 'pm2_5 12 ug/m3'],
  ['PM10', 12, undefined, 'pm10 12 ug/m3'],
  ['noise', 54, undefined, 'noise_level 54 dB(A)'],
  ['distance', 1.5, undefined, 'distance 1.5 m'],
  ['level', 2.25, undefined, 'water_level 2.25 m'],
  ['air_temperature', 1, undefined, 'air_temperature 1 Cel'],
  ['temperature_1', 20, undefined, 'air_temperature[1] 20 Cel'],
  ['temperature12', 20, undefined, 'air_temperature[12] 20 Cel'],
  ['TempC1', 20, undefined, 'air_temperature[1] 20 Cel'],
  ['co2_2', 400, undefined, 'co2[2] 400 [ppm]'],
  ['pm10_2', 4, undefined, 'pm10[2] 4 ug/m3'],
  ['indoor.temperature', 20, undefined, 'air_temperature[indoor] 20 Cel'],
  ['accelerometer_z', 1, undefined, 'acceleration[z] 9.807 m/s2'],
  ['urn:dev:ow:10e2073a01080063:voltage', 120.1, 'V', 'voltage 120.1 V'],
  ['urn:dev:ow:10e2073a01080063', 21.2, '%RH', 'relative_humidity 21.2 %'],
  ['node/temperature', 20, undefined, 'air_temperature[node] 20 Cel'],
  ['Température', 20, undefined, 'air_temperature 20 Cel'],
];

const units: Row[] = [
  ['temperature', 295.15, 'K', 'air_temperature 22 Cel'],
  ['temperature', 71.6, '°F', 'air_temperature 22 Cel'],
  ['temperature_f', 212, undefined, 'air_temperature 100 Cel'],
  ['temperature', 22, ' ', 'air_temperature 22 Cel'],
  ['humidity', 0.5, '/', 'relative_humidity 50 %'],
  ['pressure', 101_325, 'Pa', 'air_pressure 1013.25 hPa'],
  ['pressure', 101.325, 'kPa', 'air_pressure 1013.25 hPa'],
  ['pressure_kpa', 101.325, undefined, 'air_pressure 1013.25 hPa'],
  ['barometricPressure', 1013.2, 'hPa', 'air_pressure 1013.2 hPa'],
  ['battery_mv', 3600, undefined, 'battery_voltage 3.6 V'],
  ['distance_mm', 1500, undefined, 'distance 1.5 m'],
  ['energy', 3_600_000, 'J', 'energy 1 kW.h'],
  ['power', 1.5, 'kW', 'power 1500 W'],
  ['water_level', 150, 'cm', 'water_level 1.5 m'],
  ['no2', 0.04, 'mg/m3', 'no2 40 ug/m3'],
  ['soil_ec', 250, 'uS/cm', 'soil_conductivity 0.25 dS/m'],
  ['power_factor', 0.98, '/', 'power_factor 0.98'],
  ['wind_speed', 36, 'km/h', 'wind_speed 10 m/s'],
  ['position', 40.4, 'lat', 'latitude 40.4 deg'],
  ['charge', 77, '%EL', 'battery_level 77 %'],
  ['no2', 20, 'ppb', 'x_no2 20'],
  ['temperature', 5, 'furlong', 'x_temperature 5'],
  ['temperature', 5, 'V', 'x_temperature 5'],
  ['probe', 5, 'V', 'x_probe 5'],
];

const ambiguous: Row[] = [
  ['battery', 92, undefined, 'battery_level 92 %'],
  ['battery', 0, undefined, 'battery_level 0 %'],
  ['battery', 92.5, undefined, 'battery_level 92.5 %'],
  ['battery', 3.62, undefined, 'battery_voltage 3.62 V'],
  ['battery', 3600, undefined, 'battery_voltage 3.6 V'],
  ['battery', 3, 'V', 'battery_voltage 3 V'],
  ['battery', 3, '%', 'battery_level 3 %'],
  ['battery', 3, undefined, 'x_battery 3'],
  ['battery', 12.6, undefined, 'x_battery 12.6'],
  ['battery', 254, undefined, 'x_battery 254'],
  ['battery', -1, undefined, 'x_battery -1'],
  ['pressure', 1013.2, undefined, 'air_pressure 1013.2 hPa'],
  ['pressure', 101_325, undefined, 'air_pressure 1013.25 hPa'],
  ['pressure', 2.5, undefined, 'x_pressure 2.5'],
  ['pressure', 2.5, 'bar', 'pressure 250 kPa'],
  ['pressure', 2.5, 'V', 'x_pressure 2.5'],
  ['level', 75, '%', 'fill_level 75 %'],
  ['motion', 6, undefined, 'motion_count 6'],
  ['motion', true, undefined, 'motion detected'],
];

const states: Row[] = [
  ['door', 'open', undefined, 'door open'],
  ['door', 'OPENED', undefined, 'door open'],
  ['door', 'close', undefined, 'door closed'],
  ['door', 1, undefined, 'door open'],
  ['door', false, undefined, 'door closed'],
  ['door', '0', undefined, 'door closed'],
  ['door', 'true', undefined, 'door open'],
  ['door', 'ajar', undefined, 'x_door ajar'],
  ['door', 7, undefined, 'x_door 7'],
  ['leakage_status', 'normal', undefined, 'water_leak dry'],
  ['occupancy', 'pending', undefined, 'occupancy pending'],
  ['battery_status', 'good', undefined, 'battery_status good'],
  ['battery_status', 1, undefined, 'x_battery_status 1'],
  ['digital_1', true, undefined, 'digital_input[1] 1'],
  ['temperature', true, undefined, 'x_temperature 1'],
  ['temperature', 'warm', undefined, 'x_temperature warm'],
  ['temperature', '1e3', undefined, 'x_temperature 1e3'],
];

const others: Row[] = [
  ['firmwareVersion', '1.8.201', undefined, 'x_firmware_version 1.8.201'],
  ['resetCause', 40, undefined, 'x_reset_cause 40'],
  ['moving', false, undefined, 'x_moving 0'],
  ['', 3, undefined, 'x_unnamed 3'],
  ['...', 3, undefined, 'x_unnamed 3'],
  ['Ş 1', 3, undefined, 'x_s_1 3'],
  ['вода', 3, undefined, 'x_u432u43eu434u430 3'],
  ['threshold.temperature', 30, undefined, 'x_threshold_temperature 30'],
  ['history.temperature', 30, undefined, 'x_history_temperature 30'],
  ['temperature_max', 30, undefined, 'x_temperature_max 30'],
  ['__proto__', 3, undefined, 'x_proto 3'],
  ['constructor', 3, undefined, 'x_constructor 3'],
  ['temperature', null, undefined, 'nothing'],
  ['temperature', undefined, undefined, 'nothing'],
  ['temperature', Number.NaN, undefined, 'nothing'],
  ['temperature', Number.NEGATIVE_INFINITY, undefined, 'nothing'],
  ['temperature', { value: 1 }, undefined, 'nothing'],
  ['temperature', [1], undefined, 'nothing'],
];

describe('Mapping a field', () => {
  it.each(names)('knows %s %j %s as a spelling', (name, value, unit, expected) => {
    expect(shown(name, value, unit)).toBe(expected);
  });

  it.each(units)('converts %s %j %s or keeps it apart', (name, value, unit, expected) => {
    expect(shown(name, value, unit)).toBe(expected);
  });

  it.each(ambiguous)('decides what %s %j %s means, or leaves it', (name, value, unit, expected) => {
    expect(shown(name, value, unit)).toBe(expected);
  });

  it.each(states)('reads %s %j %s as a state or a switch', (name, value, unit, expected) => {
    expect(shown(name, value, unit)).toBe(expected);
  });

  it.each(others)(
    'keeps %s %j %s under its own name, or nothing',
    (name, value, unit, expected) => {
      expect(shown(name, value, unit)).toBe(expected);
    },
  );

  it('cuts long names and long texts', () => {
    const field = mapField('q'.repeat(10_000), 'w'.repeat(10_000));
    expect(field?.quantity).toBe(`x_${'q'.repeat(nameLengthMax - 2)}`);
    expect(field?.value).toBe('w'.repeat(textLengthMax));
  });

  it('gives minus zero to nobody', () => {
    expect(Object.is(mapField('temperature', -0)?.value, 0)).toBe(true);
    expect(Object.is(mapField('anything', -0)?.value, 0)).toBe(true);
  });

  it('maps a name the same however many other names came before it', () => {
    const before = shown('TempC1', 20);
    for (let index = 0; index < 5000; index += 1) mapField(`name ${index}`, index);
    expect(shown('TempC1', 20)).toBe(before);
  });

  it('never mistakes one path for another, whatever characters its names have', () => {
    expect(listed({ 'a\u0000temperature': 1 })).toEqual(['x_a_temperature 1']);
    expect(listed({ 'a","temperature': 1 })).toEqual(['x_a_temperature 1']);
    expect(listed({ a: { temperature: 1 } })).toEqual(['air_temperature[a] 1']);
  });

  it('keeps a number apart whose conversion is too large to be one', () => {
    expect(shown('power', 1e308, 'MW')).toBe('x_power 1e+308');
  });
});

describe('Mapping an object', () => {
  it('reads the Cayenne channels of ChirpStack', () => {
    const object = {
      temperatureSensor: { '1': 25, '2': 26.5 },
      humiditySensor: { '1': 32 },
      gpsLocation: { '3': { latitude: 40.4093, longitude: 49.8671, altitude: 28 } },
      accelerometer: { '4': { x: 0, y: 0, z: -1 } },
    };
    expect(listed(object)).toEqual([
      'air_temperature[1] 25',
      'air_temperature[2] 26.5',
      'relative_humidity[1] 32',
      'latitude[3] 40.4093',
      'longitude[3] 49.8671',
      'altitude[3] 28',
      'acceleration[4_x] 0',
      'acceleration[4_y] 0',
      'acceleration[4_z] -9.807',
    ]);
  });

  it('reads the Cayenne names of The Things Stack', () => {
    const object = {
      temperature_1: 22.5,
      barometric_pressure_0: 1000.5,
      gps_2: { latitude: 40.4, longitude: 49.9, altitude: 3 },
      accelerometer_3: { x: 1, y: 0, z: 0 },
    };
    expect(listed(object)).toEqual([
      'air_temperature[1] 22.5',
      'air_pressure[0] 1000.5',
      'latitude[2] 40.4',
      'longitude[2] 49.9',
      'altitude[2] 3',
      'acceleration[3_x] 9.807',
      'acceleration[3_y] 0',
      'acceleration[3_z] 0',
    ]);
  });

  it('reads the normalised measurements of device repositories', () => {
    const object = {
      air: {
        temperature: 21.25,
        relativeHumidity: 44,
        pressure: 1013,
        co2: 412,
        lightIntensity: 9,
      },
      soil: { moisture: 30, temperature: 11, ec: 1.2, pH: 6.5 },
      wind: { speed: 3, direction: 180 },
      rain: { intensity: 1, cumulative: 3 },
      water: { leak: false, temperature: { current: 12 } },
      metering: { water: { total: 1500 } },
      action: { motion: { detected: true, count: 2 }, contactState: 'open' },
      position: { latitude: 40.4, longitude: 49.9 },
      battery: 3.6,
    };
    expect(listed(object)).toEqual([
      'air_temperature 21.25',
      'relative_humidity 44',
      'air_pressure 1013',
      'co2 412',
      'illuminance 9',
      'soil_moisture 30',
      'soil_temperature 11',
      'soil_conductivity 1.2',
      'soil_ph 6.5',
      'wind_speed 3',
      'wind_direction 180',
      'rain_intensity 1',
      'rain_cumulative 3',
      'water_leak dry',
      'water_temperature 12',
      'water_volume 1.5',
      'motion detected',
      'motion_count 2',
      'door open',
      'latitude 40.4',
      'longitude 49.9',
      'battery_voltage 3.6',
    ]);
  });

  it('takes a value with its unit for one value', () => {
    const object = {
      temperature: { value: 71.6, unit: '°F', quality: 'good' },
      pressure: { value: 1013 },
      value: 5,
    };
    expect(listed(object)).toEqual([
      'air_temperature 22',
      'x_temperature_quality good',
      'air_pressure 1013',
      'x_value 5',
    ]);
  });

  it('keeps both of two names for one quantity, in channels of their own', () => {
    const object = { temperature: 20, temp: 21, Temp: 22, TEMP: 24, data: { temperature: 23 } };
    expect(listed(object)).toEqual([
      'air_temperature 20',
      'air_temperature[temp] 21',
      'air_temperature[value_2] 22',
      'air_temperature[value_3] 24',
      'air_temperature[data_temperature] 23',
    ]);
  });

  it('never takes stored samples and settings for the measurement of now', () => {
    const object = { history: [{ temperature: 1 }], limits: { temperature: 60 }, temperature: 2 };
    expect(listed(object)).toEqual([
      'x_history_0_temperature 1',
      'x_limits_temperature 60',
      'air_temperature 2',
    ]);
  });

  it('leaves out null, nothing and numbers that are none', () => {
    expect(mapObject({ a: null, b: undefined, c: Number.NaN, d: [null], e: () => 1 })).toEqual([]);
  });

  it('is not touched by a prototype in the data', () => {
    const object: object = JSON.parse('{"__proto__":{"temperature":3},"constructor":{"x":1}}');
    expect(listed(object)).toEqual(['air_temperature[proto] 3', 'x_constructor_x 1']);
    expect(Object.hasOwn(Object.prototype, 'temperature')).toBe(false);
    expect(mapObject(Object.create({ temperature: 3 }))).toEqual([]);
  });

  it('looks four names deep and no deeper', () => {
    expect(depthMax).toBe(4);
    expect(listed({ a: { b: { c: { d: 1, e: { f: 2 } } } } })).toEqual(['x_a_b_c_d 1']);
  });

  it('gives at most 64 values and looks at a bounded number of members', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => index);
    expect(mapObject({ many })).toHaveLength(leavesMax);
    const nulls = Array.from({ length: membersMax }, () => null);
    expect(mapObject({ nulls, temperature: 1 })).toEqual([]);
  });
});

describe('Units', () => {
  it('are known by code, by spelling and in any case', () => {
    expect(['Cel', '°C', 'celsius', ' Celsius '].map(parseUnit)).toEqual(Array(4).fill('Cel'));
    expect(parseUnit('mW')).toBe('mW');
    expect(parseUnit('MW')).toBe('MW');
    expect(parseUnit('parsec')).toBeUndefined();
    expect(parseUnit('__proto__')).toBeUndefined();
  });

  it('convert within their dimension only', () => {
    expect(convertUnit(0, 'Cel', 'K')).toBe(273.15);
    expect(convertUnit(212, '[degF]', 'K')).toBeCloseTo(373.15, 9);
    expect(convertUnit(1, '1', '')).toBe(1);
    expect(convertUnit(1, 'V', 'A')).toBeUndefined();
    expect(convertUnit(5, 'furlong', 'furlong')).toBe(5);
  });

  it('belong to quantities', () => {
    expect(unitOf('air_temperature')).toBe('Cel');
    expect(['door', 'people_count', 'x_anything', '__proto__'].map(unitOf)).toEqual([
      '',
      '',
      '',
      '',
    ]);
  });
});
