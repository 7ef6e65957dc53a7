/**
 * The radio side of an uplink as ChirpStack wrote it up to version 3, and as the gateways still
 * write it whose built-in network server came from there.
 */
import type { PayloadUplink, RxInfo, TxInfo } from '../model/uplink.ts';
import type { Place } from './document.ts';
import { readGatewayId } from './lorawan-identifiers.ts';
import { type Draft, readNumber, readPlace, readPlaces, readTime } from './place.ts';
import { readLocation, receptionsMax } from './reception.ts';

/** Sets the receptions, the transmission and, without a better one, the first gateway's time. */
export function addClassicRadio(message: Place, uplink: Draft<PayloadUplink>): void {
  const receptions: RxInfo[] = [];
  for (const place of readPlaces(message, 'rxInfo', receptionsMax)) {
    const rxInfo = readReception(place);
    if (rxInfo !== undefined) receptions.push(rxInfo);
  }
  uplink.rxInfo = receptions;
  const txInfo = readTxInfo(message);
  if (txInfo !== undefined) uplink.txInfo = txInfo;
  const heardAt = receptions.find(({ rxTime }) => rxTime !== undefined)?.rxTime;
  if (uplink.rxTime === undefined && heardAt !== undefined) uplink.rxTime = heardAt;
}

function readReception(place: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(place, 'gatewayID') ?? readGatewayId(place, 'mac');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(place, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(place, 'loRaSNR');
  if (snr !== undefined) rxInfo.snr = snr;
  const rxTime = readTime(place, 'time');
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  const location = readLocation(place) ?? readLocation(inlinePlace(place));
  if (location !== undefined) rxInfo.location = location;
  return rxInfo;
}

/** Older servers and gateways write the gateway's degrees beside its signal, without a group. */
function inlinePlace(place: Place): Place {
  return { ...place, object: { location: place.object } };
}

/**
 * `dataRate` is the older group, `loRaModulationInfo` that of the protobuf form; both are in kHz.
 */
function readTxInfo(message: Place): TxInfo | undefined {
  const tx = readPlace(message, 'txInfo');
  if (tx === undefined) return undefined;
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(tx, 'frequency');
  if (frequency !== undefined) txInfo.frequency = frequency;
  const lora = readPlace(tx, 'loRaModulationInfo') ?? readPlace(tx, 'dataRate');
  if (lora === undefined) return txInfo;
  const bandwidth = readNumber(lora, 'bandwidth');
  if (bandwidth !== undefined) txInfo.bandwidth = bandwidth * 1_000;
  const spreadingFactor = readNumber(lora, 'spreadingFactor') ?? readNumber(lora, 'spreadFactor');
  if (spreadingFactor !== undefined) txInfo.spreadingFactor = spreadingFactor;
  return txInfo;
}
