/**
 * LORIOT: the JSON that its application outputs send over WebSocket, HTTP push, MQTT and AMQP. One
 * frame comes as `rx` at once and, where that is set up, as `gw` when all gateways have reported.
 */
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, malformed, openObject, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { readHex } from './hex.ts';
import { addDataRate } from './lora-modulation.ts';
import { readEui, readGatewayId } from './lorawan-identifiers.ts';
import {
  addObject,
  addPayload,
  batteryOf,
  beginUplink,
  strongestOfEach,
} from './payload-uplink.ts';
import { type Draft, readCount, readNumber, readPlaces, readText } from './place.ts';
import { isPosition, receptionsMax } from './reception.ts';
import { parseDeviceTime } from './timestamp.ts';

const name = 'loriot';

export const loriot: Adapter = {
  name,
  // The topic is free text.
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const type = eventWord(readText(message, 'cmd') ?? '');
  if (type === undefined) return malformed(message.complaints[0] ?? 'cmd is no word of LORIOT');
  const deviceId = readEui(message, 'EUI');
  if (deviceId === undefined) return malformed(message.complaints[0] ?? 'EUI is missing');
  const isUplink = type === 'rx' || type === 'gw';
  const item = isUplink ? readUplink(message, deviceId) : readEvent(message, { type, deviceId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

/** `ts` is the time of reception also when the message was held back and is marked `offline`. */
function readUplink(message: Place, deviceId: string): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'port', fCnt: 'fcnt' });
  const rxTime = parseDeviceTime(message.object['ts']);
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  uplink.rxInfo = readReceptions(message);
  uplink.txInfo = readTxInfo(message);
  const clear = readHex(message, 'data');
  const encrypted = readHex(message, 'encdata');
  addPayload(uplink, clear ?? encrypted);
  if (clear === undefined && encrypted !== undefined) uplink.encrypted = true;
  // Where decoding has failed, it is a text that says so.
  const { decoded } = message.object;
  addObject(uplink, isObject(decoded) ? decoded : undefined);
  const status = batteryOf(readNumber(message, 'bat'));
  if (status.length > 0) uplink.measurements = status;
  const messageKey = readMessageKey(message, rxTime);
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  return uplink;
}

/**
 * Equal in the `rx` and the `gw` of one frame, so that the second is not taken for another uplink.
 * Older servers have no `seqno`; then the counter stands for the frame, but only beside a time:
 * it starts again after a join.
 */
function readMessageKey(message: Place, rxTime: number | undefined): string | undefined {
  const sequence = readCount(message, 'seqno', Number.MAX_SAFE_INTEGER);
  if (sequence !== undefined) return `seqno:${sequence}`;
  return rxTime === undefined ? undefined : 'frame';
}

/**
 * The `rssi` and `snr` of an `rx` are of a gateway it does not name: there is none to tie them to.
 */
function readReceptions(message: Place): RxInfo[] {
  const places = readPlaces(message, 'gws', receptionsMax);
  return strongestOfEach(places.flatMap((place) => readReception(place) ?? []));
}

function readReception(place: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(place, 'gweui');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(place, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(place, 'snr');
  if (snr !== undefined) rxInfo.snr = snr;
  // `time` is the gateway's, where it has one of GPS; `ts` is when the server heard from it.
  const rxTime = parseDeviceTime(place.object['time']) ?? parseDeviceTime(place.object['ts']);
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  const latitude = readNumber(place, 'lat');
  const longitude = readNumber(place, 'lon');
  if (latitude !== undefined && longitude !== undefined && isPosition(latitude, longitude)) {
    rxInfo.location = { latitude, longitude };
  }
  return rxInfo;
}

function readTxInfo(message: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(message, 'freq');
  if (frequency !== undefined) txInfo.frequency = frequency;
  addDataRate(txInfo, message.object['dr']);
  return txInfo;
}

function readEvent(
  message: Place,
  { type, deviceId }: { readonly type: string; readonly deviceId: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, deviceId };
  const time = parseDeviceTime(message.object['ts']);
  if (time !== undefined) event.time = time;
  const gatewayId = readGatewayId(message, 'gweui');
  if (gatewayId !== undefined) event.gatewayId = gatewayId;
  return event;
}
