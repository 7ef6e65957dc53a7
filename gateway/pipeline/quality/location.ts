/** Test 3: a position that cannot be, or a device that is not where it was put up. */
import type { Device } from '../../model/device.ts';
import type { Reading } from '../../model/reading.ts';
import { fail, pass, suspect } from './verdict.ts';

/** A receiver between houses is easily wrong by a hundred metres. */
const metresMaxDefault = 1_000;
const earthRadiusMetres = 6_371_000;

export function isPosition(quantity: string): boolean {
  return quantity === 'latitude' || quantity === 'longitude';
}

/** Of one half of a position; 0 where its other half or the device's place is not known. */
export function judgePosition(
  half: Reading,
  readings: readonly Reading[],
  device: Device | undefined,
  metresMax = metresMaxDefault,
): number {
  const other = readings.find(
    ({ quantity, channel, time }) =>
      isPosition(quantity) &&
      quantity !== half.quantity &&
      channel === half.channel &&
      time === half.time,
  );
  const [latitude, longitude] = half.quantity === 'latitude' ? [half, other] : [other, half];
  if (typeof latitude?.value !== 'number' || typeof longitude?.value !== 'number') return 0;
  const at = { latitude: latitude.value, longitude: longitude.value };
  if (Math.abs(at.latitude) > 90 || Math.abs(at.longitude) > 180) return fail;
  // What receivers send that see no satellite.
  if (at.latitude === 0 && at.longitude === 0) return suspect;
  if (device?.location === undefined) return 0;
  return metresBetween(at, device.location) > metresMax ? suspect : pass;
}

interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** The haversine formula; on a sphere, which is right to half a percent. */
function metresBetween(one: Position, other: Position): number {
  const radians = Math.PI / 180;
  const north = Math.sin(((other.latitude - one.latitude) * radians) / 2);
  const east = Math.sin(((other.longitude - one.longitude) * radians) / 2);
  const shrink = Math.cos(one.latitude * radians) * Math.cos(other.latitude * radians);
  return 2 * earthRadiusMetres * Math.asin(Math.sqrt(north * north + shrink * east * east));
}
