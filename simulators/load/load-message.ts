/**
 * What a load sends: ChirpStack v4 uplinks with values of their own in each, so that an entry of
 * the ledger, a reading of the store and a row of the live stream can be told from every other.
 */
import { createHash } from 'node:crypto';
import { hashNoise, noiseKey } from '../random.ts';
import { devEuiPrefix } from '../scenario.ts';

export interface LoadMessage {
  /** Counts from 0. */
  readonly number: number;
  readonly device: string;
  readonly fCnt: number;
  /** Epoch milliseconds that the message tells; no two of a device are the same. */
  readonly time: number;
  /** By quantity of the gateway's vocabulary, under whose names they are sent. */
  readonly values: Readonly<Record<string, number>>;
}

/** The quantity that is looked for on the live stream. */
export const watchedQuantity = 'air_temperature';

export const loadApplicationId = 'f1e1d6a7-0000-4000-8000-6c6f61640000';

export interface LoadSource {
  readonly devices: readonly string[];
  /** Its device is the place of `number` among the devices; the same number, the same values. */
  message(number: number, time: number): LoadMessage;
}

export function createLoadSource(seed: string, deviceCount: number): LoadSource {
  const devices = Array.from({ length: deviceCount }, (_, index) => deviceOf(seed, index));
  const [warmth, damp] = [noiseKey(seed, 'load temperature'), noiseKey(seed, 'load humidity')];
  return {
    devices,
    message(number, time) {
      const values = {
        [watchedQuantity]: rounded(-10 + 45 * hashNoise(warmth, number), 100),
        relative_humidity: rounded(20 + 75 * hashNoise(damp, number), 10),
      };
      const device = devices[number % deviceCount] ?? '';
      return { number, device, fCnt: Math.floor(number / deviceCount), time, values };
    },
  };
}

/** Of another block than the city's, so that a load leaves no trace in the city's series. */
function deviceOf(seed: string, index: number): string {
  const digest = createHash('sha256')
    .update(`${seed}\nload\n${index >> 16}`)
    .digest('hex');
  return `${devEuiPrefix}${digest.slice(0, 4)}${(index & 0xffff).toString(16).padStart(4, '0')}`;
}

/** As finely as the vocabulary tells the quantity, so that what is stored is what was sent. */
function rounded(value: number, partsOfOne: number): number {
  return Math.round(value * partsOfOne) / partsOfOne;
}

export function topicOf({ device }: LoadMessage): string {
  return `application/${loadApplicationId}/device/${device}/event/up`;
}

/** `run` is 8 hex digits: with it no message of a run is taken for one of an earlier run. */
export function bodyOf({ number, device, fCnt, time, values }: LoadMessage, run: string): string {
  const id = `${run}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  return (
    `{"deduplicationId":"${id}","time":"${new Date(time).toISOString()}","deviceInfo":{` +
    `"tenantName":"Load","applicationId":"${loadApplicationId}","applicationName":"Load",` +
    `"deviceName":"Load ${device.slice(8)}","devEui":"${device}"},"adr":true,"dr":5,` +
    `"fCnt":${fCnt},"fPort":2,"confirmed":false,"object":${JSON.stringify(values)},` +
    `"rxInfo":[{"gatewayId":"02f1e1d06c6f6164","uplinkId":${number % 4_294_967_296},` +
    '"rssi":-80,"snr":8.5}],"txInfo":{"frequency":868100000,"modulation":{"lora":{' +
    '"bandwidth":125000,"spreadingFactor":7,"codeRate":"CR_4_5"}}}}'
  );
}
