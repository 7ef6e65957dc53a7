/**
 * Actility ThingPark, JSON and XML: its MQTT connector and the HTTP tunnel of its network servers
 * (KPN, Digita, Orange and others run it). Numbers come as numbers or as texts.
 */
import { parseEui64 } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { Measurement, PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, malformed, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { readHex } from './hex.ts';
import { addMegahertz } from './lora-modulation.ts';
import { readDevAddr, readEui, readGatewayId } from './lorawan-identifiers.ts';
import {
  addObject,
  addPayload,
  batteryOf,
  beginUplink,
  strongestOfEach,
} from './payload-uplink.ts';
import {
  type Draft,
  readNumber,
  readPlace,
  readPlaces,
  readText,
  readTime,
  toNumber,
} from './place.ts';
import { isPosition, positionOf, receptionsMax } from './reception.ts';
import { kindOf, openBody, rootOf } from './thingpark-body.ts';

const name = 'thingpark';

export const thingPark: Adapter = {
  name,
  topicFilters: ['mqtt/things/+/uplink', 'mqtt/things/+/downlink'],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openBody(inbound.body);
  if ('code' in message) return message;
  const root = rootOf(message);
  const content = root === undefined ? undefined : readPlace(message, root);
  if (root === undefined) return readBareObject(message, inbound.route);
  const deviceId = content === undefined ? undefined : readEui(content, 'DevEUI');
  if (content === undefined || deviceId === undefined) {
    return malformed(message.complaints[0] ?? `${root.slice(0, 40)}.DevEUI is missing`);
  }
  const item = readContent(content, { deviceId, kind: kindOf(root), route: inbound.route });
  if (item === undefined) return malformed('it is no message of ThingPark');
  if (isOfAnother(deviceId, inbound.route)) return malformed('DevEUI is not that of the topic');
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

const topic = /(?:^|\/)things\/([^/]+)\/(uplink|downlink)$/;

function isOfAnother(deviceId: string, route: string): boolean {
  const device = topic.exec(route)?.[1];
  return device !== undefined && parseEui64(device) !== deviceId;
}

/**
 * With `sendRawDecodedFormat` the body is the decoded object alone and the topic names the device.
 */
function readBareObject({ object }: Place, route: string): Parsed {
  const [, device = '', direction] = topic.exec(route) ?? [];
  const deviceId = parseEui64(device);
  if (deviceId === undefined || direction !== 'uplink') {
    return malformed('it has no DevEUI_… at the top, and the topic names no device');
  }
  return [{ kind: 'payload', adapter: name, deviceId, rxInfo: [], object }];
}

interface Origin {
  readonly deviceId: string;
  /** What follows `DevEUI_` in the name of the root: `uplink`, `downlink_Sent`, `location` … */
  readonly kind: string;
  readonly route: string;
}

function readContent(content: Place, origin: Origin): PayloadUplink | SourceEvent | undefined {
  if (origin.kind !== 'uplink') return readEvent(content, origin);
  const messageType = readNumber(content, 'MType');
  if (messageType === joinRequest) return readEvent(content, { ...origin, kind: 'join-request' });
  if (messageType === rejoinRequest) {
    return readEvent(content, { ...origin, kind: 'rejoin-request' });
  }
  return readUplink(content, { ...origin, isConfirmed: messageType === confirmedUp });
}

/** MType of the LoRaWAN MAC header; 2 is an unconfirmed uplink. */
const joinRequest = 0;
const confirmedUp = 4;
const rejoinRequest = 6;

/**
 * `Late` says that a gateway had kept the uplink: it is in `Time` that it was heard, in any case.
 */
function readUplink(
  content: Place,
  { deviceId, route, isConfirmed }: Origin & { readonly isConfirmed: boolean },
): PayloadUplink {
  const head = { adapter: name, deviceId, fPort: 'FPort', fCnt: 'FCntUp' };
  const uplink = beginUplink(content, head);
  uplink.confirmed = isConfirmed;
  const rxTime = readTime(content, 'Time');
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  uplink.rxInfo = readReceptions(content);
  uplink.txInfo = readTxInfo(content);
  addPayload(uplink, readHex(content, 'payload_hex'));
  addObject(uplink, readDecoded(content));
  addWrappedKey(uplink, readText(content, 'AppSKey'), route);
  const devAddr = readDevAddr(content, 'DevAddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  const messageKey = readMessageKey(content);
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  const status = readDeviceStatus(content);
  if (status.length > 0) uplink.measurements = status;
  return uplink;
}

/** The key comes along, wrapped for the application server: then the payload is ciphertext. */
function addWrappedKey(
  uplink: Draft<PayloadUplink>,
  appSKey: string | undefined,
  route: string,
): void {
  if (appSKey === undefined || appSKey === '') return;
  uplink.encrypted = true;
  if (!/^[0-9a-fA-F]{32}$/.test(appSKey)) return;
  const label = /[?&]AS_ID=([\w.-]{1,64})(?:&|$)/.exec(route)?.[1] ?? '';
  uplink.wrappedAppSKey = { wrap: 'aes-cbc', label, bytes: Buffer.from(appSKey, 'hex') };
}

/** A retried HTTP request has another query; the frame's own code in its session stays the same. */
function readMessageKey(content: Place): string | undefined {
  const code = readText(content, 'mic_hex') ?? '';
  return /^[0-9a-fA-F]{8}$/.test(code) ? `mic:${code.toLowerCase()}` : undefined;
}

/** A driver gives an object; where it gives a text, that is no set of named values. */
function readDecoded({ object }: Place) {
  const decoded = object['payload'];
  return isObject(decoded) ? decoded : undefined;
}

/** All gateways in `Lrrs`, the best one at the top with the only place that is told. */
function readReceptions(content: Place): RxInfo[] {
  const best = readReception(content);
  const location = readBestLocation(content);
  const list = readPlace(content, 'Lrrs');
  const places = list === undefined ? [] : readPlaces(asList(list), 'Lrr', receptionsMax);
  const heard = strongestOfEach(places.flatMap((place) => readReception(place) ?? []));
  const receptions = heard.length > 0 || best === undefined ? heard : [best];
  return receptions.map((rxInfo) =>
    rxInfo.gatewayId === best?.gatewayId && location !== undefined
      ? { ...rxInfo, location }
      : rxInfo,
  );
}

/** Made from XML elsewhere, a list of one is that one. */
function asList(list: Place): Place {
  const { Lrr } = list.object;
  return isObject(Lrr) ? { ...list, object: { Lrr: [Lrr] } } : list;
}

function readReception(place: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(place, 'Lrrid');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(place, 'LrrRSSI');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(place, 'LrrSNR');
  if (snr !== undefined) rxInfo.snr = snr;
  return rxInfo;
}

function readBestLocation(content: Place) {
  const latitude = readNumber(content, 'LrrLAT');
  const longitude = readNumber(content, 'LrrLON');
  return asLocation(latitude, longitude);
}

function asLocation(latitude: number | undefined, longitude: number | undefined) {
  if (latitude === undefined || longitude === undefined) return undefined;
  return isPosition(latitude, longitude) ? { latitude, longitude } : undefined;
}

function readTxInfo(content: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  addMegahertz(txInfo, readNumber(content, 'Frequency'));
  const spreadingFactor = readNumber(content, 'SpFact');
  if (spreadingFactor !== undefined) txInfo.spreadingFactor = spreadingFactor;
  return txInfo;
}

/** The last answer to a status request, which is as old as `BatteryTime` says. */
function readDeviceStatus(content: Place): Measurement[] {
  const measurements = batteryOf(readNumber(content, 'BatteryLevel'));
  const margin = readNumber(content, 'Margin');
  if (margin !== undefined) measurements.push({ name: 'link_margin', value: margin, unit: 'dB' });
  const time = readTime(content, 'BatteryTime');
  return time === undefined ? measurements : measurements.map((each) => ({ ...each, time }));
}

function readEvent(content: Place, { deviceId, kind }: Origin): SourceEvent | undefined {
  const word = kind === 'notification' ? (readText(content, 'Type') ?? kind) : kind;
  const type = eventWord(word);
  if (type === undefined) return undefined;
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, deviceId };
  const time = readTime(content, 'Time') ?? readTime(content, 'CreationTime');
  if (time !== undefined) event.time = time;
  const gatewayId = readGatewayId(content, 'Lrrid');
  if (gatewayId !== undefined) event.gatewayId = gatewayId;
  if (kind === 'location') event.measurements = readPosition(content);
  return event;
}

/** `DevLocTime` is when the device was there; `Time` is only when the network had worked it out. */
function readPosition(content: Place): Measurement[] {
  const { DevLAT, DevLON } = content.object;
  const position = positionOf(asLocation(toNumber(DevLAT), toNumber(DevLON)));
  const time = readTime(content, 'DevLocTime');
  return time === undefined ? position : position.map((each) => ({ ...each, time }));
}
