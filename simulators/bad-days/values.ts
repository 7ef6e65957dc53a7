/** What devices measure on a bad day: stuck, drifting, spiking, hot, flooded, crowded. */
import type { CapturedMessage } from '../capture/message.ts';
import type { DeviceValues } from '../device-curves.ts';
import { hashNoise, noiseKey } from '../random.ts';
import type { CityDevice } from '../scenario.ts';
import type { BadEvent } from './file.ts';

const hourMs = 3_600_000;
/** One sample in so many is a spike. */
const spikeEvery = 12;
/** From one gauge of the river to the next one down. */
const floodDelayMs = 1.5 * hourMs;

export interface Happening {
  readonly event: BadEvent;
  /** Epoch milliseconds; the end is not part of it. */
  readonly from: number;
  readonly to: number;
  /** The place of a device among those that the event is about; undefined for any other. */
  readonly placeOf: (device: CityDevice) => number | undefined;
}

/** A message on its way, before anything happens to it. */
export interface Sent {
  readonly device: CityDevice;
  readonly message: CapturedMessage;
}

type Changes = Partial<Record<keyof DeviceValues, number>>;

/** `interval` is that of the city: what a spike lasts. `curve` gives the values of other times. */
export function adjustedValues(
  device: CityDevice,
  own: { values: DeviceValues; time: number; at: (time: number) => DeviceValues },
  { happenings, intervalMs }: { happenings: readonly Happening[]; intervalMs: number },
): DeviceValues {
  let { values } = own;
  for (const happening of happenings) {
    const place = happening.placeOf(device);
    if (place === undefined || own.time < happening.from || own.time >= happening.to) continue;
    if (happening.event.what === 'stuck') {
      values = own.at(happening.from);
      continue;
    }
    const step = Math.floor(own.time / intervalMs);
    values = withChanges(
      values,
      changesOf(happening, { place, step, device, values, time: own.time }),
    );
  }
  return values;
}

interface Moment {
  readonly place: number;
  readonly step: number;
  readonly device: CityDevice;
  readonly values: DeviceValues;
  readonly time: number;
}

function changesOf({ event, from, to }: Happening, moment: Moment): Changes {
  const { values, time, step, device, place } = moment;
  const { by } = event;
  const hours = (time - from) / hourMs;
  switch (event.what) {
    case 'drift':
      return { temperature: values.temperature + by * hours };
    case 'spikes':
      return step % spikeEvery === 0 ? { temperature: values.temperature + by } : {};
    case 'noise': {
      const noise = 2 * hashNoise(noiseKey(device.id, 'noise'), step) - 1;
      return { temperature: values.temperature + by * noise };
    }
    case 'heat': {
      // A bell over the event that reaches `by` in its middle.
      const share = Math.sin((Math.PI * (time - from)) / (to - from));
      return { temperature: values.temperature + Math.max(0, by - values.temperature) * share };
    }
    case 'flood': {
      const since = (time - from - place * floodDelayMs) / hourMs;
      const rise = since <= 0 ? 0 : by * (since / 2) * Math.exp(1 - since / 2);
      return { waterLevel: values.waterLevel + rise, waterDistance: values.waterDistance - rise };
    }
    case 'festival':
      return {
        noiseAverage: Math.min(110, values.noiseAverage + by),
        noisePeak: Math.min(120, values.noisePeak + by),
      };
    default:
      return {};
  }
}

/** The values themselves are worked out when asked for, so they are asked through this. */
function withChanges(values: DeviceValues, changes: Changes): DeviceValues {
  const changed = new Map<string | symbol, number>(Object.entries(changes));
  if (changed.size === 0) return values;
  return new Proxy(values, { get: (target, key) => changed.get(key) ?? Reflect.get(target, key) });
}
