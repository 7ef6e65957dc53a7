/** The radio side of an uplink as the ChirpStack gateway API writes it in JSON (gw.proto). */
import { parseEui64 } from '../model/eui.ts';
import type { Location, Measurement, RxInfo, TxInfo } from '../model/uplink.ts';
import type { Place } from './document.ts';
import { type Draft, readNumber, readPlace, readText, readTime } from './place.ts';

/** More gateways than this never hear one frame in earnest. */
export const receptionsMax = 128;

/** Undefined when it names no gateway: there is nothing to tie such a reception to. */
export function readRxInfo(place: Place, isLora: boolean): RxInfo | undefined {
  const gatewayId = readGatewayId(place);
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  readSignal(place, rxInfo, isLora);
  // `time` was split into the gateway's and the network server's time in ChirpStack 4.
  const rxTime = readTime(place, 'gwTime') ?? readTime(place, 'time') ?? readTime(place, 'nsTime');
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  const location = readLocation(place);
  if (location !== undefined) rxInfo.location = location;
  return rxInfo;
}

/** An EUI in canonical spelling; other names are kept as they are. */
function readGatewayId(place: Place): string | undefined {
  const text = readText(place, 'gatewayId');
  if (text === undefined || text === '') return undefined;
  return parseEui64(text) ?? text;
}

/**
 * These messages leave out zeros, and 0 dB is a fair SNR of a LoRa frame: beside an RSSI, absent
 * means 0.
 */
export function readSignal(place: Place, rxInfo: Draft<RxInfo>, isLora: boolean): void {
  const rssi = readNumber(place, 'rssi');
  const snr = readNumber(place, 'snr') ?? (isLora && rssi !== undefined ? 0 : undefined);
  if (rssi !== undefined) rxInfo.rssi = rssi;
  if (snr !== undefined) rxInfo.snr = snr;
}

/** Zeros may be left out. */
export function readLocation(place: Place): Location | undefined {
  const location = readPlace(place, 'location');
  if (location === undefined) return undefined;
  const latitude = readNumber(location, 'latitude') ?? 0;
  const longitude = readNumber(location, 'longitude') ?? 0;
  const altitude = readNumber(location, 'altitude');
  if (!isPosition(latitude, longitude)) return undefined;
  return altitude === undefined ? { latitude, longitude } : { latitude, longitude, altitude };
}

/** In degrees; both at zero mean that nobody has set the place. */
export function isPosition(latitude: number, longitude: number): boolean {
  if (latitude === 0 && longitude === 0) return false;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

export interface Transmission {
  readonly txInfo: TxInfo;
  readonly isLora: boolean;
}

export function readTransmission(place: Place): Transmission | undefined {
  const tx = readPlace(place, 'txInfo');
  if (tx === undefined) return undefined;
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(tx, 'frequency');
  if (frequency !== undefined) txInfo.frequency = frequency;
  const modulation = readPlace(tx, 'modulation');
  const lora = modulation === undefined ? undefined : readPlace(modulation, 'lora');
  if (lora === undefined) return { txInfo, isLora: false };
  const bandwidth = readNumber(lora, 'bandwidth');
  const spreadingFactor = readNumber(lora, 'spreadingFactor');
  if (bandwidth !== undefined) txInfo.bandwidth = bandwidth;
  if (spreadingFactor !== undefined) txInfo.spreadingFactor = spreadingFactor;
  return { txInfo, isLora: true };
}

/** A position that a network server has worked out, as values worth a reading. */
export function positionOf(location: Location | undefined): Measurement[] {
  if (location === undefined) return [];
  return [
    { name: 'latitude', value: location.latitude, unit: 'deg' },
    { name: 'longitude', value: location.longitude, unit: 'deg' },
  ];
}
