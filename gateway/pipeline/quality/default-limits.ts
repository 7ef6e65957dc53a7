/**
 * What is asked of a quantity where nobody has said anything else. The range of test 4 is that of
 * the vocabulary. Only quantities that move slowly have more: particles, gases, light, counts and
 * people really jump, and a flag that is often wrong is read by nobody.
 *
 * Sources: steps from the WMO guidelines on quality control of automatic weather stations
 * (Zahumenský 2004: 3 K, 15 %, 2 hPa), which are for minutes, as the floor below which no step
 * is remarked; how long a value may stand still from an urban station network that follows them
 * (3 h temperature, 5 h humidity and wind, 6 h pressure), lengthened since sensors of towns report
 * tenths and stand indoors, too; water level from QARTOD (Water Level Manual 2.1) and the
 * thresholds with which its authors show it on hourly data (spike 0.8 and 3 m). docs/quality.md
 * has the table.
 */
import { type Quantity, quantities } from '../../../decoders/quantity.ts';
import type { FlatLimits, Limits } from './limits.ts';

const hour = 3_600;

function still(tolerance: number, suspectHours: number, failHours: number): FlatLimits {
  return {
    tolerance,
    suspectCount: 5,
    failCount: 10,
    suspectSeconds: suspectHours * hour,
    failSeconds: failHours * hour,
  };
}

const outdoorTemperature: Limits = {
  spike: { suspect: 6, fail: 15 },
  rate: { deviations: 3, floor: 3 },
  flat: still(0.01, 12, 24),
};

const slowTemperature: Limits = {
  spike: { suspect: 4, fail: 10 },
  rate: { deviations: 3, floor: 3 },
};

const humidity: Limits = {
  spike: { suspect: 25, fail: 50 },
  rate: { deviations: 3, floor: 15 },
  flat: { ...still(0.01, 12, 24), rests: { min: 98, max: 100 } },
};

const pressure: Limits = {
  spike: { suspect: 4, fail: 10 },
  rate: { deviations: 3, floor: 2 },
  flat: still(0.01, 6, 12),
  attenuation: { hours: 24, suspect: 0.1, fail: 0.02 },
};

const waterLevel: Limits = {
  spike: { suspect: 0.8, fail: 3 },
  rate: { deviations: 3, floor: 0.1 },
  flat: { ...still(0.001, 6, 24), suspectCount: 3, failCount: 5 },
};

const wind: Limits = { flat: { ...still(0.01, 5, 12), rests: { min: 0, max: 0.5 } } };

const own: Readonly<Record<string, Limits>> = {
  air_temperature: outdoorTemperature,
  dew_point: outdoorTemperature,
  soil_temperature: slowTemperature,
  water_temperature: slowTemperature,
  relative_humidity: humidity,
  air_pressure: pressure,
  water_level: waterLevel,
  wind_speed: wind,
};

/** By quantity; what is not in the vocabulary has none, and is not evaluated. */
export const defaultLimits: ReadonlyMap<string, Limits> = new Map(
  [...quantities].flatMap(([name, quantity]) => {
    const limits = limitsOf(name, quantity);
    return limits === undefined ? [] : [[name, limits]];
  }),
);

function limitsOf(name: string, quantity: Quantity): Limits | undefined {
  if (quantity.kind === 'state') return undefined;
  const { min, max } = quantity;
  return { range: { min, max }, ...own[name] };
}
