/** ChirpStack v4, JSON: the integration events of its MQTT and HTTP integrations. */
import { parseDevAddr, parseEui64 } from '../model/eui.ts';
import type { Fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import type { Measurement, PayloadUplink, RxInfo, SourceEvent } from '../model/uplink.ts';
import { keyBytesOf, labelOf, wrappedKeyOf } from '../model/wrapped-key.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, malformed, openObject, type Place } from './document.ts';
import {
  complain,
  type Draft,
  readBytes,
  readCount,
  readFlag,
  readNumber,
  readObject,
  readPlace,
  readPlaces,
  readText,
  readTime,
} from './place.ts';
import {
  positionOf,
  readLocation,
  readRxInfo,
  readTransmission,
  receptionsMax,
} from './reception.ts';

const name = 'chirpstack-v4-json';
const frameCounterMax = 0xffff_ffff;
const fPortMax = 255;
const messageKeyLengthMax = 128;

export const chirpstack: Adapter = {
  name,
  // The default topic is that of version 3 too: chirpstack-json.ts reads it and tells them apart.
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

const eventNames = [
  'up',
  'join',
  'status',
  'ack',
  'txack',
  'log',
  'location',
  'integration',
] as const;
type EventName = (typeof eventNames)[number];

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  return 'code' in message ? message : parseVersion4(message, inbound);
}

export function parseVersion4(message: Place, inbound: Inbound): Parsed {
  const route = readRoute(inbound.route);
  const deviceId = readDevEui(message);
  if (deviceId === undefined) return unidentified(message);
  if (route.devEui !== undefined && parseEui64(route.devEui) !== deviceId) {
    return malformed('deviceInfo.devEui is not the device of the topic');
  }
  const event = route.event === undefined ? eventByShape(message) : eventNamed(route.event);
  if (event === undefined) return malformed('it is no event of ChirpStack v4');
  const item =
    event === 'up' ? readUplink(message, deviceId) : readEvent(message, { event, deviceId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

interface Route {
  readonly devEui?: string;
  readonly event?: string;
}

/**
 * The default topic ends in `device/<devEui>/event/<event>`. A topic of another template, or the
 * path of a webhook with `?event=up`, may still name the event last; else the message's shape
 * decides.
 */
function readRoute(route: string): Route {
  const levels = route.split('/');
  const [device, devEui, word, event] = levels.slice(-4);
  if (device === 'device' && word === 'event' && devEui !== undefined && event !== undefined) {
    return { devEui, event };
  }
  const last = /(?:^|[/=])([a-z]+)$/.exec(route)?.[1];
  return last !== undefined && eventNamed(last) !== undefined ? { event: last } : {};
}

function eventNamed(word: string): EventName | undefined {
  return eventNames.find((event) => event === word);
}

/**
 * The fields that only one kind of event has; the order matters where a kind leaves out its
 * defaults.
 */
function eventByShape({ object }: Place): EventName | undefined {
  const has = (key: string) => Object.hasOwn(object, key);
  if (has('integrationName')) return 'integration';
  if (has('level') && has('description')) return 'log';
  if (has('downlinkId')) return 'txack';
  if (has('queueItemId') || has('acknowledged')) return 'ack';
  if (has('rxInfo') || has('fPort') || has('data')) return 'up';
  if (has('margin') || has('batteryLevel') || has('externalPowerSource')) return 'status';
  if (has('location')) return 'location';
  return has('devAddr') ? 'join' : undefined;
}

function readDevEui(message: Place): string | undefined {
  const deviceInfo = readPlace(message, 'deviceInfo');
  const text = deviceInfo === undefined ? undefined : readText(deviceInfo, 'devEui');
  if (deviceInfo === undefined || text === undefined) return undefined;
  return parseEui64(text) ?? complain(deviceInfo, 'devEui', 'an EUI of 16 hex digits');
}

function unidentified(message: Place): Fault {
  if (Object.hasOwn(message.object, 'devEUI')) {
    return malformed('it has a devEUI at the top: ChirpStack v3, where v4 is expected');
  }
  return malformed(message.complaints[0] ?? 'deviceInfo.devEui is missing');
}

function readUplink(message: Place, deviceId: string): PayloadUplink {
  const transmission = readTransmission(message);
  const uplink: Draft<PayloadUplink> = {
    kind: 'payload',
    adapter: name,
    deviceId,
    // Absent fields have their default value: servers before 4.1 leave out zeros and false.
    fPort: readCount(message, 'fPort', fPortMax) ?? 0,
    fCnt: readCount(message, 'fCnt', frameCounterMax) ?? 0,
    confirmed: readFlag(message, 'confirmed') ?? false,
    rxInfo: readReceptions(message, transmission?.isLora === true),
  };
  if (transmission !== undefined) uplink.txInfo = transmission.txInfo;
  const rxTime = readTime(message, 'time');
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  readContent(message, uplink);
  const devAddr = readDevAddr(message);
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  const messageKey = readMessageKey(message);
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  return uplink;
}

function readReceptions(message: Place, isLora: boolean): RxInfo[] {
  const receptions: RxInfo[] = [];
  for (const place of readPlaces(message, 'rxInfo', receptionsMax)) {
    const rxInfo = readRxInfo(place, isLora);
    if (rxInfo !== undefined) receptions.push(rxInfo);
  }
  return receptions;
}

/** FPort 0 carries MAC commands, which are the network server's affair: nothing to decode. */
function readContent(message: Place, uplink: Draft<PayloadUplink>): void {
  const data = readBytes(message, 'data');
  if (data !== undefined && data.length > 0 && uplink.fPort !== 0) uplink.frmPayload = data;
  const object = readObject(message, 'object');
  if (object !== undefined && Object.keys(object).length > 0) uplink.object = object;
  addEncryption(message, uplink);
}

/**
 * With a join server of its own, the application alone holds the AppSKey and `data` is ciphertext.
 */
function addEncryption(message: Place, uplink: Draft<PayloadUplink>): void {
  const context = readObject(message, 'joinServerContext');
  if (context === undefined) return;
  if (!Object.values(context).some((value) => value !== null && value !== '')) return;
  uplink.encrypted = true;
  const envelope = context['appSKey'];
  if (!isObject(envelope)) return;
  const { kekLabel, aesKey } = envelope;
  const key = wrappedKeyOf(labelOf(kekLabel), keyBytesOf(aesKey));
  if (key !== undefined) uplink.wrappedAppSKey = key;
}

function readDevAddr(message: Place): string | undefined {
  const text = readText(message, 'devAddr');
  if (text === undefined || text === '') return undefined;
  return parseDevAddr(text) ?? complain(message, 'devAddr', '8 hex digits');
}

function readMessageKey(message: Place): string | undefined {
  const key = readText(message, 'deduplicationId');
  if (key === undefined || key === '') return undefined;
  return key.length <= messageKeyLengthMax ? key : complain(message, 'deduplicationId', 'short');
}

function readEvent(
  message: Place,
  { event, deviceId }: { readonly event: EventName; readonly deviceId: string },
): SourceEvent {
  const item: Draft<SourceEvent> = { kind: 'event', adapter: name, type: event, deviceId };
  const time = readTime(message, 'time');
  if (time !== undefined) item.time = time;
  if (event === 'status') item.measurements = readStatus(message);
  if (event === 'location') item.measurements = positionOf(readLocation(message));
  return item;
}

/**
 * A battery level of 0 stands beside "external power" and "unavailable" only because it has no
 * value.
 */
export function readStatus(message: Place): Measurement[] {
  const margin = readNumber(message, 'margin') ?? 0;
  const batteryLevel = readNumber(message, 'batteryLevel');
  const isExternal = readFlag(message, 'externalPowerSource') === true;
  const isUnavailable = readFlag(message, 'batteryLevelUnavailable') === true;
  const measurements: Measurement[] = [{ name: 'link_margin', value: margin, unit: 'dB' }];
  if (batteryLevel !== undefined && !isExternal && !isUnavailable) {
    measurements.push({ name: 'battery_level', value: batteryLevel, unit: '%' });
  }
  return measurements;
}
