/**
 * Who hears a LoRa frame of the city and how well: the spreading factor that the best gateway
 * allows, and each gateway's own clock. A pure function of the device and its frame counter; where
 * frames meet on the air, see air.ts.
 */
import { hashNoise, noiseKey } from '../random.ts';
import type { CityDevice, CityGateway, Scenario } from '../scenario.ts';
import {
  channels,
  fadedSignal,
  isDecodable,
  noiseFloor,
  type Path,
  pathsFrom,
  type Signal,
  spreadingFactorFor,
} from './propagation.ts';

/** A network keeps no more than the best few receptions of a frame. */
const gatewaysMax = 3;

export interface Reception extends Signal {
  readonly gateway: CityGateway;
  /** Epoch milliseconds by this gateway's own clock. */
  readonly rxTime: number;
  readonly uplinkId: number;
  readonly context: string;
  readonly channel: number;
}

export interface Transmission {
  /** Hz */
  readonly frequency: number;
  readonly spreadingFactor: number;
  /** EU868 data rate, 0 to 5 */
  readonly dataRate: number;
  /** Best first; never empty. */
  readonly receptions: readonly [Reception, ...Reception[]];
}

export type Radio = (fCnt: number, time: number) => Transmission;

/** The radio surroundings of one device. */
export function createRadio(device: CityDevice, scenario: Scenario): Radio {
  const key = noiseKey(scenario.seed, device.id, 'radio');
  const paths = pathsFrom(device.location, scenario.gateways, key).slice(0, gatewaysMax);
  const spreadingFactor = spreadingFactorFor(paths[0]?.rssi ?? noiseFloor);
  return (fCnt, time) => {
    const channel = Math.floor(hashNoise(key, fCnt) * channels.length);
    const heard = paths
      .map((path, index) => receive(path, { time, channel }, { key: key + index + 1, step: fCnt }))
      .filter((reception) => isDecodable(reception, spreadingFactor))
      .sort((left, right) => right.rssi - left.rssi);
    const [best, ...others] = heard;
    return {
      frequency: channels[channel] ?? channels[0],
      spreadingFactor,
      dataRate: 12 - spreadingFactor,
      receptions: [best ?? barelyHeard(paths[0], key, fCnt, { time, channel }), ...others],
    };
  };
}

export interface Moment {
  readonly time: number;
  readonly channel: number;
}

/** What a gateway writes down of a frame; `key` is of the path, `step` counts the frames. */
export function receive(
  path: Path,
  { time, channel }: Moment,
  { key, step }: { readonly key: number; readonly step: number },
): Reception {
  const uplinkId = Math.floor(hashNoise(key ^ 9, step) * 4294967296);
  const context = Buffer.alloc(4);
  context.writeUInt32BE((uplinkId ^ 0x5bd1e995) >>> 0);
  const { rssi, snr } = fadedSignal(path.rssi, key, step);
  // Field by field: this runs for every reception, and spreading objects costs more.
  return {
    gateway: path.gateway,
    rssi,
    snr,
    rxTime: time + path.clockErrorMs,
    uplinkId,
    context: context.toString('base64'),
    channel,
  };
}

/** The city has no losses on the air: when fading takes them all, the nearest still hears it. */
function barelyHeard(
  nearest: Path | undefined,
  key: number,
  step: number,
  moment: Moment,
): Reception {
  if (nearest === undefined) throw new RangeError('a city has at least one gateway');
  const reception = receive({ ...nearest, clockErrorMs: 0 }, moment, { key, step });
  return { ...reception, rssi: -137, snr: -19.5 };
}
