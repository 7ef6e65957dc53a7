/** From the units that devices name (SenML, UCUM, spelled out) to the unit of a quantity. */

/**
 * What one of this unit is in the dimension's base unit: a factor, then an offset if it has one.
 */
type Scale = number | readonly [factor: number, offset: number];

/** Units of one dimension convert into each other. By UCUM code; some stand in two dimensions. */
const tables: readonly Readonly<Record<string, Scale>>[] = [
  { Cel: 1, K: [1, -273.15], '[degF]': [5 / 9, -160 / 9] },
  { '%': 1, '1': 100, '[ppth]': 0.1 },
  { kPa: 1, Pa: 0.001, hPa: 0.1, mbar: 0.1, bar: 100, MPa: 1000, 'mm[Hg]': 0.133322387415 },
  { V: 1, uV: 0.000001, mV: 0.001, kV: 1000 },
  { A: 1, mA: 0.001, kA: 1000 },
  { W: 1, mW: 0.001, kW: 1000, MW: 1_000_000 },
  { 'V.A': 1, 'kV.A': 1000 },
  { 'kW.h': 1, 'W.h': 0.001, 'MW.h': 1000, J: 1 / 3_600_000, kJ: 1 / 3600, MJ: 1 / 3.6 },
  { m: 1, mm: 0.001, cm: 0.01, km: 1000, '[ft_i]': 0.3048, '[in_i]': 0.0254 },
  { m3: 1, L: 0.001, mL: 0.000001 },
  { 'm3/h': 1, 'L/h': 0.001, 'L/min': 0.06, 'L/s': 3.6, 'm3/s': 3600 },
  { 'm/s': 1, 'mm/s': 0.001, 'km/h': 1 / 3.6, '[mi_i]/h': 0.44704, '[kn_i]': 1852 / 3600 },
  { 'mm/h': 1, '[in_i]/h': 25.4 },
  { '[ppm]': 1, '[ppb]': 0.001 },
  { 'ug/m3': 1, 'mg/m3': 1000 },
  { 'mg/L': 1, 'g/L': 1000 },
  { 'dB(A)': 1 },
  { lx: 1, klx: 1000 },
  { 'W/m2': 1 },
  { 'dS/m': 1, 'S/m': 10, 'mS/cm': 1, 'mS/m': 0.01, 'uS/cm': 0.001 },
  { '[pH]': 1 },
  { '{NTU}': 1 },
  { deg: 1, rad: 180 / Math.PI },
  { 'deg/s': 1, 'rad/s': 180 / Math.PI },
  { 'm/s2': 1, '[g]': 9.80665 },
  { Hz: 1, kHz: 1000, MHz: 1_000_000 },
  { kg: 1, g: 0.001, t: 1000 },
  { s: 1, ms: 0.001, min: 60, h: 3600 },
];

const dimensions = tables.map((units) => new Map(Object.entries(units)));

/**
 * Spellings by UCUM code. SenML units and their secondary kin are those of RFC 8428 section 12.1
 * and RFC 8798; "g" is gravity in no registry and grams in all, so it is not read as gravity.
 */
const spellings: Readonly<Record<string, string>> = {
  Cel: '°C C degC ℃ celsius deg_c degree_celsius degrees_celsius',
  K: 'kelvin',
  '[degF]': '°F F degF ℉ fahrenheit deg_f degrees_fahrenheit',
  '%': '%RH %EL percent pct rh /100 %rh %r.h.',
  '1': '/ ratio',
  '[ppth]': '/1000 ‰',
  hPa: 'hpa mb',
  Pa: 'pa',
  kPa: 'kpa',
  'mm[Hg]': 'mmHg mmhg',
  V: 'v volt volts',
  mV: 'mv millivolt millivolts',
  uV: 'uv µV',
  A: 'a amp ampere amperes',
  mA: 'ma',
  W: 'w watt watts',
  kW: 'kw',
  'V.A': 'VA va',
  'kV.A': 'kVA kva',
  'kW.h': 'kWh kwh',
  'W.h': 'Wh wh',
  'MW.h': 'MWh mwh',
  J: 'joule',
  m: 'meter meters metre metres',
  '[ft_i]': 'ft feet',
  '[in_i]': 'in inch',
  m3: 'm³ cubic_meters',
  L: 'l liter liters litre litres',
  mL: 'ml',
  'm3/h': 'm³/h m3h',
  'L/min': 'l/min lpm',
  'L/s': 'l/s',
  'L/h': 'l/h',
  'm3/s': 'm³/s',
  'm/s': 'mps ms-1 m_s',
  'km/h': 'kmh kph km_h',
  '[mi_i]/h': 'mph',
  '[kn_i]': 'kn knots',
  'mm/h': 'mmh mm/hr mm_h',
  '[ppm]': 'ppm',
  '[ppb]': 'ppb',
  'ug/m3': 'µg/m3 µg/m³ μg/m3 μg/m³ ug/m³ ugm3 ug_m3 ug/m^3 µg/m^3',
  'mg/m3': 'mg/m³ mgm3 mg_m3',
  'mg/L': 'mg/l',
  'g/L': 'g/l',
  'dB(A)': 'dB dBA db dba dbspl db(a)',
  lx: 'lux',
  'W/m2': 'W/m² w/m2 wm2 w_m2',
  'dS/m': 'ds/m',
  'mS/cm': 'ms/cm',
  'uS/cm': 'µS/cm us/cm us_cm',
  '[pH]': 'pH ph',
  '{NTU}': 'NTU ntu',
  deg: '° degree degrees lat lon',
  rad: 'radian radians',
  'deg/s': '°/s dps',
  'm/s2': 'm/s² m/s^2',
  '[g]': 'gn',
  Hz: 'hz',
  kHz: 'khz',
  MHz: 'mhz',
  s: 'sec second seconds',
};

const codes: ReadonlyMap<string, string> = new Map([
  ...dimensions.flatMap((units) => [...units.keys()].map((code): [string, string] => [code, code])),
  ...Object.entries(spellings).flatMap(([code, words]) =>
    words.split(' ').map((word): [string, string] => [word, code]),
  ),
]);

/** The UCUM code of a unit as devices spell it; undefined for one that is not known. */
export function parseUnit(text: string): string | undefined {
  const spelled = text.trim();
  return codes.get(spelled) ?? codes.get(spelled.toLowerCase());
}

/** Undefined where the units have no dimension in common: a number is never given a wrong unit. */
export function convertUnit(value: number, from: string, to: string): number | undefined {
  if (from === to || (from === '1' && to === '')) return value;
  for (const units of dimensions) {
    const [source, target] = [units.get(from), units.get(to)];
    if (source !== undefined && target !== undefined) return rescale(value, source, target);
  }
  return undefined;
}

function rescale(value: number, source: Scale, target: Scale): number {
  const [sourceFactor, sourceOffset] = typeof source === 'number' ? [source, 0] : source;
  const [targetFactor, targetOffset] = typeof target === 'number' ? [target, 0] : target;
  return (value * sourceFactor + sourceOffset - targetOffset) / targetFactor;
}
