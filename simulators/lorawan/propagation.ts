/**
 * How well a frame of a place is heard at another: path loss over the distance, walls, and fading
 * from frame to frame. A pure function of keys, so that a seed fixes it for ever.
 *
 * The form is the log-distance model with shadowing that LoRa simulations use, after Bor, Roedig,
 * Voigt, Alonso: Do LoRa Low-Power Wide-Area Networks Scale?, MSWiM 2016. Its numbers are chosen
 * here, for a town with gateways on roofs. Demodulation floors: Semtech SX1276/77/78/79 data sheet,
 * table 13.
 */
import { hashNoise } from '../random.ts';
import type { CityGateway, Place } from '../scenario.ts';

/**
 * The eight usual uplink channels of EU868, Hz; the first three are those that every device knows.
 */
export const channels = [
  868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000,
  867_900_000,
] as const;

export const bandwidth = 125_000;
/**
 * dBm into the antenna, of devices and gateways alike. With an antenna of 2 dBi that is the maximum
 * EIRP of 16 dBm [LoRaWAN 1.0.3 Regional Parameters rev. A, table 6].
 */
export const txPower = 14;
/** dBm: -174 a hertz, 51 dB for 125 kHz, and 6 dB for what the receiver adds. */
export const noiseFloor = -117;
/** The weakest SNR a gateway decodes, by spreading factor 7 to 12. */
const snrMin = [-7.5, -10, -12.5, -15, -17.5, -20] as const;
/** Walls, cellars and manhole covers cost up to this many dB, by device and gateway. */
const shadowing = 16;
/** dB that a network keeps in hand when it chooses a spreading factor. */
const margin = 10;
/** A receiver's SNR meter ends here. */
const snrMax = 13.5;

export interface Path {
  readonly gateway: CityGateway;
  /** How far this gateway's clock is off. */
  readonly clockErrorMs: number;
  /** dBm, without fading. */
  readonly rssi: number;
}

/** From a place to every gateway, the best first. */
export function pathsFrom(place: Place, gateways: readonly CityGateway[], key: number): Path[] {
  return gateways
    .map((gateway, index) => ({
      gateway,
      clockErrorMs: Math.round(80 * hashNoise(key ^ 7, index) - 40),
      rssi:
        txPower -
        pathLoss(distanceKm(place, gateway.location)) -
        shadowing * hashNoise(key ^ 11, index),
    }))
    .sort((left, right) => right.rssi - left.rssi);
}

export interface Signal {
  /** dBm, whole */
  readonly rssi: number;
  /** dB, in quarters */
  readonly snr: number;
}

/** The signal of one frame; `key` is of the path, `step` counts the frames. */
export function fadedSignal(rssi: number, key: number, step: number): Signal {
  const fading = 8 * (hashNoise(key, step) + hashNoise(key ^ 3, step)) - 8;
  const faded = Math.round(rssi + fading);
  const snr = Math.min(snrMax, faded - noiseFloor + 3 * hashNoise(key ^ 5, step));
  return { rssi: faded, snr: Math.round(snr * 4) / 4 };
}

export function isDecodable({ snr }: Signal, spreadingFactor: number): boolean {
  return snr >= (snrMin[spreadingFactor - 7] ?? 0);
}

/** The fastest that leaves a margin at this signal. */
export function spreadingFactorFor(rssi: number): number {
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
