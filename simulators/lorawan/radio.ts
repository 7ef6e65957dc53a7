/**
 * Who hears a LoRa frame and how well: path loss over the distance with slow fading, the spreading
 * factor that the best gateway allows, and each gateway's own clock. A pure function of the device
 * and its frame counter.
 */
import { hashNoise, noiseKey } from '../random.ts';
import type { CityDevice, CityGateway, Place, Scenario } from '../scenario.ts';

/** The eight usual uplink channels of EU868, Hz. */
export const channels = [
  868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000,
  867_900_000,
] as const;

export const bandwidth = 125_000;
/** A network keeps no more than the best few receptions of a frame. */
const gatewaysMax = 3;
const txPower = 14;
/** Thermal noise in 125 kHz with the noise figure of a gateway, dBm. */
const noiseFloor = -117;
/** The weakest SNR a gateway decodes, by spreading factor 7 to 12. */
const snrMin = [-7.5, -10, -12.5, -15, -17.5, -20] as const;
/** Walls, cellars and manhole covers cost up to this many dB, by device and gateway. */
const shadowing = 16;
/** dB that a network keeps in hand when it chooses a spreading factor. */
const margin = 10;

export interface Reception {
  readonly gateway: CityGateway;
  /** dBm, whole; dB in quarters */
  readonly rssi: number;
  readonly snr: number;
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
  const paths = scenario.gateways
    .map((gateway, index) => ({
      gateway,
      clockErrorMs: Math.round(80 * hashNoise(key ^ 7, index) - 40),
      rssi:
        txPower -
        pathLoss(distanceKm(device.location, gateway.location)) -
        shadowing * hashNoise(key ^ 11, index),
    }))
    .sort((left, right) => right.rssi - left.rssi)
    .slice(0, gatewaysMax);
  const spreadingFactor = spreadingFactorFor(paths[0]?.rssi ?? noiseFloor);
  return (fCnt, time) => {
    const channel = Math.floor(hashNoise(key, fCnt) * channels.length);
    const heard = paths
      .map(({ gateway, clockErrorMs, rssi }, index) =>
        receive({ gateway, rssi, rxTime: time + clockErrorMs, channel }, key + index + 1, fCnt),
      )
      .filter(({ snr }) => snr >= (snrMin[spreadingFactor - 7] ?? 0))
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

interface Path {
  readonly gateway: CityGateway;
  readonly rssi: number;
}

function receive(
  path: Path & { rxTime: number; channel: number },
  key: number,
  fCnt: number,
): Reception {
  const fading = 8 * (hashNoise(key, fCnt) + hashNoise(key ^ 3, fCnt)) - 8;
  const rssi = Math.round(path.rssi + fading);
  const snr = Math.min(13.5, rssi - noiseFloor + 3 * hashNoise(key ^ 5, fCnt));
  const uplinkId = Math.floor(hashNoise(key ^ 9, fCnt) * 4294967296);
  const context = Buffer.alloc(4);
  context.writeUInt32BE((uplinkId ^ 0x5bd1e995) >>> 0);
  return {
    gateway: path.gateway,
    rssi,
    snr: Math.round(snr * 4) / 4,
    rxTime: path.rxTime,
    uplinkId,
    context: context.toString('base64'),
    channel: path.channel,
  };
}

/** The city has no losses on the air: when fading takes them all, the nearest still hears it. */
function barelyHeard(
  nearest: Path | undefined,
  key: number,
  fCnt: number,
  at: { time: number; channel: number },
): Reception {
  if (nearest === undefined) throw new RangeError('a city has at least one gateway');
  const reception = receive({ ...nearest, rxTime: at.time, channel: at.channel }, key, fCnt);
  return { ...reception, rssi: -137, snr: -19.5 };
}

function spreadingFactorFor(rssi: number): number {
  const snr = rssi - noiseFloor;
  const place = snrMin.findIndex((least) => snr >= least + margin);
  return place === -1 ? 12 : 7 + place;
}

/** An urban log-distance model: 124 dB at one kilometre, 35 dB a decade. */
function pathLoss(kilometres: number): number {
  return 124 + 35 * Math.log10(Math.max(0.05, kilometres));
}

/** Good to a metre over a city. */
function distanceKm(from: Place, to: Place): number {
  const north = (to.latitude - from.latitude) * 111.2;
  const east = (to.longitude - from.longitude) * 111.2 * Math.cos((from.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}
