/** Names that different devices use for different quantities: the unit decides, else the value. */
import type { FoundField } from './field-path.ts';
import { convertUnit } from './unit-conversion.ts';

/** What the name means with this value; undefined where nobody can tell. */
type Judge = (field: FoundField, value: number) => FoundField | undefined;

const judges: ReadonlyMap<string, Judge> = new Map(
  Object.entries({
    battery: judgeBattery,
    bat: judgeBattery,
    batt: judgeBattery,
    pressure: judgePressure,
    press: judgePressure,
    level: judgeLevel,
    motion: countMotion,
    pir: countMotion,
  }),
);

/** The field itself for every name that has one meaning. */
export function clarify(field: FoundField, value: number): FoundField | undefined {
  const judge = judges.get(field.name);
  return judge === undefined ? field : judge(field, value);
}

/**
 * Cells give 1 to 5 V, in steps finer than a volt; a share of charge is a whole number or above 30.
 * A whole number from 1 to 5 may be either, and so may a fraction between 5 and 30 (lead
 * batteries).
 */
function judgeBattery(field: FoundField, value: number): FoundField | undefined {
  if (field.unit !== undefined) {
    return { ...field, quantity: field.unit === '%' ? 'battery_level' : 'battery_voltage' };
  }
  if (value >= 1000 && value <= 60_000)
    return { ...field, quantity: 'battery_voltage', unit: 'mV' };
  if (!Number.isInteger(value) && value > 0 && value < 5) {
    return { ...field, quantity: 'battery_voltage' };
  }
  const isShare = value <= 100 && (value > 30 || (Number.isInteger(value) && value > 5));
  return isShare || value === 0 ? { ...field, quantity: 'battery_level' } : undefined;
}

/** Air between 300 and 1,100 hPa, in hPa or in Pa, whose ranges have nothing in common. */
function judgePressure(field: FoundField, value: number): FoundField | undefined {
  if (field.unit === undefined) {
    if (isOfAir(value)) return { ...field, quantity: 'air_pressure' };
    return isOfAir(value / 100) ? { ...field, quantity: 'air_pressure', unit: 'Pa' } : undefined;
  }
  const hectopascal = convertUnit(value, field.unit, 'hPa');
  const isAir = hectopascal !== undefined && isOfAir(hectopascal);
  return { ...field, quantity: isAir ? 'air_pressure' : 'pressure' };
}

function isOfAir(hectopascal: number): boolean {
  return hectopascal >= 300 && hectopascal <= 1100;
}

function judgeLevel(field: FoundField): FoundField {
  return field.unit === '%' ? { ...field, quantity: 'fill_level' } : field;
}

/** As a boolean it is a state; as a number it counts, also when it counts one. */
function countMotion(field: FoundField): FoundField {
  return { ...field, quantity: 'motion_count' };
}
