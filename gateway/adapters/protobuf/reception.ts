/**
 * The radio side of an uplink in ChirpStack's gateway API (gw.proto): today's messages, and those
 * of version 3, which version 4 still calls legacy.
 */
import { parseEui64 } from '../../model/eui.ts';
import type { Location, RxInfo, TxInfo } from '../../model/uplink.ts';
import type { Draft } from '../place.ts';
import { readTimestamp } from './timestamp.ts';
import type { WireReader } from './wire-reader.ts';

export interface Reception {
  /** Empty when the message names no gateway. */
  gatewayId: string;
  rssi?: number;
  snr?: number;
  gatewayTime?: number;
  serverTime?: number;
  location?: Location | undefined;
  /** 0 no CRC, 1 bad, 2 sound; absent when the sender says nothing, which also stands for 0. */
  crcStatus?: number;
  /** In version 3 a UUID in bytes, which stands for this reception in every copy of the message. */
  uplinkId?: Buffer;
}

/** UplinkRxInfo */
export function readReception(reader: WireReader): Reception {
  const reception: Reception = { gatewayId: '' };
  const outer = reader.enter('rxInfo');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reception.gatewayId = readGatewayId(reader);
    else if (field === 3) reception.gatewayTime = readTimestamp(reader, 'rxInfo.gwTime');
    else if (field === 6) reception.rssi = reader.int32('rxInfo.rssi');
    else if (field === 7) reception.snr = finite(reader, 'rxInfo.snr', reader.float('rxInfo.snr'));
    else if (field === 12) reception.location = readLocation(reader);
    else if (field === 16) reception.crcStatus = reader.uint32('rxInfo.crcStatus');
    else if (field === 17) reception.serverTime = readTimestamp(reader, 'rxInfo.nsTime');
    else reader.skip();
  }
  reader.leave(outer);
  return reception;
}

/** UplinkRXInfo of version 3, UplinkRxInfoLegacy of version 4. */
export function readLegacyReception(reader: WireReader): Reception {
  const reception: Reception = { gatewayId: '' };
  const outer = reader.enter('rxInfo');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reception.gatewayId = readEuiBytes(reader, 'rxInfo.gatewayID');
    else if (field === 2) reception.gatewayTime = readTimestamp(reader, 'rxInfo.time');
    else if (field === 5) reception.rssi = reader.int32('rxInfo.rssi');
    else if (field === 6) {
      reception.snr = finite(reader, 'rxInfo.loRaSNR', reader.double('rxInfo.loRaSNR'));
    } else if (field === 11) reception.location = readLocation(reader);
    else if (field === 16) reception.uplinkId = reader.bytes('rxInfo.uplinkID');
    else if (field === 17) reception.crcStatus = reader.uint32('rxInfo.crcStatus');
    else reader.skip();
  }
  reader.leave(outer);
  return reception;
}

/** An EUI in canonical spelling; other names are kept as they are. */
function readGatewayId(reader: WireReader): string {
  const text = reader.text('rxInfo.gatewayId');
  return parseEui64(text) ?? text;
}

/** Eight bytes as 16 hex digits; none at all is the default value and so empty. */
export function readEuiBytes(reader: WireReader, name: string): string {
  const bytes = reader.bytes(name);
  if (bytes.length !== 8 && bytes.length !== 0) reader.complain(name, 'an EUI of 8 bytes');
  return bytes.toString('hex');
}

function finite(reader: WireReader, name: string, number: number): number {
  if (!Number.isFinite(number)) reader.complain(name, 'a number');
  return number;
}

/** Zeros are left out, but both degrees at zero mean that nobody has set the place. */
export function readLocation(reader: WireReader): Location | undefined {
  let latitude = 0;
  let longitude = 0;
  let altitude: number | undefined;
  const outer = reader.enter('location');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) latitude = reader.double('location.latitude');
    else if (field === 2) longitude = reader.double('location.longitude');
    else if (field === 3) altitude = reader.double('location.altitude');
    else reader.skip();
  }
  reader.leave(outer);
  finite(reader, 'location', latitude + longitude + (altitude ?? 0));
  if (latitude === 0 && longitude === 0) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return altitude === undefined ? { latitude, longitude } : { latitude, longitude, altitude };
}

/**
 * Zeros are left out on this wire, and 0 dB is a fair SNR of a LoRa frame: beside an RSSI, absent
 * means 0.
 */
export function toRxInfo(reception: Reception, isLora: boolean): RxInfo {
  const rxInfo: Draft<RxInfo> = { gatewayId: reception.gatewayId };
  const { rssi, location } = reception;
  const snr = reception.snr ?? (isLora && rssi !== undefined ? 0 : undefined);
  if (rssi !== undefined) rxInfo.rssi = rssi;
  if (snr !== undefined) rxInfo.snr = snr;
  const rxTime = reception.gatewayTime ?? reception.serverTime;
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  if (location !== undefined) rxInfo.location = location;
  return rxInfo;
}

export interface Transmission {
  readonly txInfo: TxInfo;
  readonly isLora: boolean;
}

/** UplinkTxInfo */
export function readTransmission(reader: WireReader): Transmission {
  const txInfo: Draft<TxInfo> = {};
  let isLora = false;
  const outer = reader.enter('txInfo');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) txInfo.frequency = reader.uint32('txInfo.frequency');
    else if (field === 2) isLora = readModulation(reader, txInfo);
    else reader.skip();
  }
  reader.leave(outer);
  return { txInfo, isLora };
}

function readModulation(reader: WireReader, txInfo: Draft<TxInfo>): boolean {
  let isLora = false;
  const outer = reader.enter('txInfo.modulation');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 3) {
      isLora = true;
      readLora(reader, txInfo);
    } else reader.skip();
  }
  reader.leave(outer);
  return isLora;
}

/** UplinkTXInfo of version 3, UplinkTxInfoLegacy of version 4. */
export function readLegacyTransmission(reader: WireReader): Transmission {
  const txInfo: Draft<TxInfo> = {};
  let isLora = false;
  const outer = reader.enter('txInfo');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) txInfo.frequency = reader.uint32('txInfo.frequency');
    else if (field === 3) {
      isLora = true;
      readLora(reader, txInfo);
    } else reader.skip();
  }
  reader.leave(outer);
  return { txInfo, isLora };
}

/** Below it a bandwidth is in kHz, as version 3 wrote it: LoRa has 7,800 Hz at least. */
const bandwidthKhzMax = 2_000;

function readLora(reader: WireReader, txInfo: Draft<TxInfo>): void {
  const outer = reader.enter('lora');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      const bandwidth = reader.uint32('lora.bandwidth');
      txInfo.bandwidth = bandwidth <= bandwidthKhzMax ? bandwidth * 1_000 : bandwidth;
    } else if (field === 2) {
      txInfo.spreadingFactor = reader.uint32('lora.spreadingFactor');
    } else reader.skip();
  }
  reader.leave(outer);
}
