/** Kerlink Wanesy Management Center: the dataUp object of its HTTP, MQTT and WebSocket pushes. */
import type { Inbound } from '../model/inbound.ts';
import type { Location, PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { malformed, openObject, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { readHex } from './hex.ts';
import { addDataRate, addMegahertz } from './lora-modulation.ts';
import { readDevAddr, readEui, readGatewayId } from './lorawan-identifiers.ts';
import { addMessageKey, addPayload, beginUplink, strongestOfEach } from './payload-uplink.ts';
import {
  complain,
  type Draft,
  readBytes,
  readFlag,
  readNumber,
  readPlace,
  readPlaces,
  readText,
} from './place.ts';
import { isPosition, receptionsMax } from './reception.ts';
import { parseDeviceTime } from './timestamp.ts';

const name = 'kerlink-wanesy';

export const kerlink: Adapter = {
  name,
  // The topic, or the path of the push, is free text that may end in `dataUp`.
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const device = readPlace(message, 'endDevice');
  const deviceId = device === undefined ? undefined : readEui(device, 'devEui');
  if (device === undefined || deviceId === undefined) {
    return malformed(message.complaints[0] ?? 'endDevice.devEui is missing');
  }
  const item = isDataUp(message)
    ? readUplink(message, { device, deviceId })
    : readEvent(message, { deviceId, route: inbound.route });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

/** The level of detail of a push decides which fields it has, but an uplink has one of these. */
function isDataUp({ object }: Place): boolean {
  return Object.hasOwn(object, 'fCntUp') || Object.hasOwn(object, 'recvTime');
}

interface Origin {
  readonly device: Place;
  readonly deviceId: string;
}

function readUplink(message: Place, { device, deviceId }: Origin): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'fPort', fCnt: 'fCntUp' });
  uplink.confirmed = readFlag(message, 'confirmed') ?? false;
  const receptions = readReceptions(message);
  uplink.rxInfo = strongestOfEach(receptions);
  const rxTime = readRxTime(message, receptions);
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  uplink.txInfo = readTxInfo(message);
  addPayload(uplink, readPayload(message));
  if (readFlag(message, 'encrypted') === true) uplink.encrypted = true;
  const devAddr = readDevAddr(device, 'devAddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  addMessageKey(uplink, message, 'id');
  return uplink;
}

/** Servers before 3.2 do not name the encoding: it was always hexadecimal. */
function readPayload(message: Place): Buffer | undefined {
  const encoding = (readText(message, 'encodingType') ?? 'HEXA').toUpperCase();
  if (encoding === 'HEXA') return readHex(message, 'payload');
  if (encoding === 'BASE64') return readBytes(message, 'payload');
  return complain(message, 'encodingType', 'HEXA or BASE64');
}

/** A delayed uplink was kept by a gateway: `recvTime` is when it got through at last. */
function readRxTime(message: Place, receptions: readonly RxInfo[]): number | undefined {
  const recvTime = parseDeviceTime(message.object['recvTime']);
  if (readFlag(message, 'delayed') !== true) return recvTime;
  const heardAt = receptions.flatMap((each) => each.rxTime ?? []);
  const own = parseDeviceTime(message.object['gwRecvTime']);
  return own ?? (heardAt.length > 0 ? Math.min(...heardAt) : recvTime);
}

function readReceptions(message: Place): RxInfo[] {
  const places = readPlaces(message, 'gwInfo', receptionsMax);
  return places.flatMap((place) => readReception(place) ?? []);
}

function readReception(place: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(place, 'gwEui');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(place, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(place, 'snr');
  if (snr !== undefined) rxInfo.snr = snr;
  const rxTime = parseDeviceTime(place.object['gwRecvTime']);
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  const location = readInlineLocation(place);
  if (location !== undefined) rxInfo.location = location;
  return rxInfo;
}

function readInlineLocation(place: Place): Location | undefined {
  const latitude = readNumber(place, 'latitude');
  const longitude = readNumber(place, 'longitude');
  const altitude = readNumber(place, 'altitude');
  if (latitude === undefined || longitude === undefined) return undefined;
  if (!isPosition(latitude, longitude)) return undefined;
  return altitude === undefined ? { latitude, longitude } : { latitude, longitude, altitude };
}

function readTxInfo(message: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  addMegahertz(txInfo, readNumber(message, 'ulFrequency'));
  addDataRate(txInfo, message.object['dataRate']);
  return txInfo;
}

/** The routes of a push are one for each kind: `…/dataDownEvent`, `…/deviceEvents`. */
function readEvent(
  message: Place,
  { deviceId, route }: { readonly deviceId: string; readonly route: string },
): SourceEvent {
  const word = /(?:^|\/)([A-Za-z]+)(?:\?.*)?$/.exec(route)?.[1] ?? '';
  const type = eventWord(word) ?? 'event';
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, deviceId };
  const time = parseDeviceTime(message.object['time']);
  if (time !== undefined) event.time = time;
  return event;
}
