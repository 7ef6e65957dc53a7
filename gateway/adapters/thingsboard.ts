/**
 * The ThingsBoard telemetry forms, which much modem firmware speaks: flat, with a time, in arrays.
 */
import { type Document, isObject, type JsonObject } from './document.ts';
import { type Collection, createCollection, readValues } from './measurements.ts';
import { toNumber } from './place.ts';

/** A gateway that speaks for more devices sends several messages. */
export const devicesMax = 1_000;
export const samplesMax = 1_000;

/** True for `{ts, values}`, which no flat message of named values looks like. */
export function isSample(value: unknown): value is JsonObject {
  return isObject(value) && isObject(value['values']) && value['ts'] !== undefined;
}

/** One device's telemetry: an object of values, `{ts, values}`, or an array of either. */
export function collectTelemetry(value: unknown, complaints: string[]): Collection {
  const collection = createCollection();
  const samples = Array.isArray(value) ? value : [value];
  if (samples.length > samplesMax) complaints.push(`it has more than ${samplesMax} samples`);
  if (samples.length === 0) complaints.push('the array of samples is empty');
  for (const sample of samples) {
    if (complaints.length > 0) break;
    collectSample(sample, collection, complaints);
  }
  return collection;
}

function collectSample(sample: unknown, collection: Collection, complaints: string[]): void {
  if (!isObject(sample)) {
    complaints.push('a sample is not an object');
  } else if (isSample(sample) && isObject(sample['values'])) {
    const time = toNumber(sample['ts']);
    if (time === undefined || !Number.isInteger(time)) {
      complaints.push('the ts of a sample is not a time in milliseconds');
    } else {
      readValues(sample['values'], time, collection);
    }
  } else {
    readValues(sample, undefined, collection);
  }
  const { complaint } = collection;
  if (complaint !== undefined) complaints.push(`${complaint.name} is not ${complaint.expected}`);
}

export interface DeviceTelemetry {
  readonly deviceName: string;
  readonly collection: Collection;
}

/**
 * A gateway's telemetry: `{<device>: [{ts, values}, …], …}`. The caller judges the device names.
 */
export function collectGatewayTelemetry(document: Document): DeviceTelemetry[] {
  const { value, complaints } = document;
  if (!isObject(value)) {
    complaints.push('the body is not an object of devices');
    return [];
  }
  const devices = Object.keys(value);
  if (devices.length > devicesMax)
    complaints.push(`the body names more than ${devicesMax} devices`);
  const telemetry: DeviceTelemetry[] = [];
  for (const deviceName of devices) {
    if (complaints.length > 0) break;
    telemetry.push({ deviceName, collection: collectTelemetry(value[deviceName], complaints) });
  }
  return telemetry;
}
