/**
 * What a device says of itself in a status event: the fields are the same in ChirpStack v3 and v4.
 */
import type { Measurement } from '../../model/uplink.ts';
import type { WireReader } from './wire-reader.ts';

export interface Status {
  margin: number;
  batteryLevel?: number;
  isExternal: boolean;
  isUnavailable: boolean;
}

export function createStatus(): Status {
  return { margin: 0, isExternal: false, isUnavailable: false };
}

export function readStatusField(reader: WireReader, field: number, status: Status): void {
  if (field === 5) status.margin = reader.int32('margin');
  else if (field === 6) status.isExternal = reader.flag('externalPowerSource');
  else if (field === 7) status.isUnavailable = reader.flag('batteryLevelUnavailable');
  else if (field === 8) {
    status.batteryLevel = reader.float('batteryLevel');
    if (!Number.isFinite(status.batteryLevel)) reader.complain('batteryLevel', 'a number');
  } else reader.skip();
}

/** A battery level beside "external power" and "unavailable" has no meaning. */
export function statusMeasurements(status: Status): Measurement[] {
  const { margin, batteryLevel, isExternal, isUnavailable } = status;
  const measurements: Measurement[] = [{ name: 'link_margin', value: margin, unit: 'dB' }];
  if (batteryLevel !== undefined && !isExternal && !isUnavailable) {
    measurements.push({ name: 'battery_level', value: batteryLevel, unit: '%' });
  }
  return measurements;
}
