/**
 * ChirpStack v3, JSON in both of its forms: its own (`json_v3`) and that of protobuf messages
 * (`marshaler="json"`), in which identifiers are base64 and the decoded object is JSON in a text.
 */
import { parseEui64 } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { Measurement, PayloadUplink, SourceEvent } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { readStatus } from './chirpstack.ts';
import { addClassicRadio } from './classic-reception.ts';
import {
  isObject,
  type JsonObject,
  malformed,
  openDocument,
  openObject,
  type Place,
} from './document.ts';
import { readDevAddr, readEui } from './lorawan-identifiers.ts';
import { addObject, addPayload, batteryOf, beginUplink } from './payload-uplink.ts';
import {
  complain,
  type Draft,
  readBytes,
  readFlag,
  readNumber,
  readObject,
  readPlaces,
  readText,
  readTime,
} from './place.ts';
import { positionOf, readLocation } from './reception.ts';

const name = 'chirpstack-v3-json';
const messageKeyLengthMax = 128;

export const chirpstackV3: Adapter = {
  name,
  // The event topics are those of version 4 too: chirpstack-json.ts reads them.
  topicFilters: ['application/+/device/+/rx'],
  isNetworkServer: true,
  parse,
};

const eventNames = [
  'up',
  'join',
  'ack',
  'error',
  'status',
  'location',
  'txack',
  'integration',
] as const;
type EventName = (typeof eventNames)[number];

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  return 'code' in message ? message : parseVersion3(message, inbound);
}

export function parseVersion3(message: Place, inbound: Inbound): Parsed {
  const deviceId = readEui(message, 'devEUI');
  if (deviceId === undefined) return malformed(message.complaints[0] ?? 'devEUI is missing');
  const route = readRoute(inbound.route);
  if (route.devEui !== undefined && parseEui64(route.devEui) !== deviceId) {
    return malformed('devEUI is not the device of the topic');
  }
  const event = route.event === undefined ? eventByShape(message) : eventNamed(route.event);
  if (event === undefined) return malformed('it is no event of ChirpStack v3');
  const item =
    event === 'up' ? readUplink(message, deviceId) : readEvent(message, { event, deviceId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

interface Route {
  readonly devEui?: string;
  readonly event?: string;
}

const topic = /(?:^|\/)device\/([^/]+)\/(?:event\/)?([^/]+)$/;

/** `…/device/<devEUI>/event/<event>`, the older `…/rx`, or a webhook's `?event=up`. */
function readRoute(route: string): Route {
  const [, devEui, event = ''] = topic.exec(route) ?? [];
  if (devEui !== undefined) return { devEui, event: event === 'rx' ? 'up' : event };
  const word = /(?:^|[/=])([a-z]+)$/.exec(route)?.[1] ?? '';
  return eventNamed(word) === undefined ? {} : { event: word };
}

function eventNamed(word: string): EventName | undefined {
  return eventNames.find((event) => event === word);
}

/** The fields that only one kind of event has; a join in the protobuf form has a radio side too. */
function eventByShape({ object }: Place): EventName | undefined {
  const has = (key: string) => Object.hasOwn(object, key);
  if (has('integrationName')) return 'integration';
  if (has('error')) return 'error';
  if (has('acknowledged')) return 'ack';
  if (has('fPort') || has('data')) return 'up';
  if (has('margin') || has('batteryLevel')) return 'status';
  if (has('location')) return 'location';
  if (has('devAddr')) return 'join';
  return has('fCnt') ? 'txack' : undefined;
}

function readUplink(message: Place, deviceId: string): PayloadUplink {
  const head = { adapter: name, deviceId, fPort: 'fPort', fCnt: 'fCnt' };
  const uplink = beginUplink(message, head);
  // Only the protobuf form tells it; in the other one its absence means nothing.
  const confirmed = readFlag(message, 'confirmedUplink');
  if (confirmed !== undefined) uplink.confirmed = confirmed;
  const publishedAt = readTime(message, 'publishedAt');
  if (publishedAt !== undefined) uplink.rxTime = publishedAt;
  addClassicRadio(message, uplink);
  addPayload(uplink, readBytes(message, 'data'));
  addObject(uplink, readObject(message, 'object') ?? readObjectJson(message));
  const devAddr = readDevAddr(message, 'devAddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  const messageKey = readMessageKey(message);
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  return uplink;
}

/** JSON inside a text is opened with the same care as a body. */
function readObjectJson(message: Place): JsonObject | undefined {
  const text = readText(message, 'objectJSON');
  if (text === undefined || text === '') return undefined;
  const document = openDocument(Buffer.from(text));
  if ('code' in document) return complain(message, 'objectJSON', 'JSON');
  return isObject(document.value) ? document.value : undefined;
}

/** The server gives each reception an identifier; the first one stands for the uplink. */
function readMessageKey(message: Place): string | undefined {
  const first = readPlaces(message, 'rxInfo', 1)[0];
  const key = first === undefined ? undefined : readText(first, 'uplinkID');
  // Gateways that give none leave sixteen zero bytes, in either spelling.
  if (key === undefined || key.length > messageKeyLengthMax || !/[^A0=-]/.test(key)) {
    return undefined;
  }
  return key;
}

function readEvent(
  message: Place,
  { event, deviceId }: { readonly event: EventName; readonly deviceId: string },
): SourceEvent {
  const item: Draft<SourceEvent> = { kind: 'event', adapter: name, type: event, deviceId };
  const time = readTime(message, 'publishedAt');
  if (time !== undefined) item.time = time;
  if (event === 'status') item.measurements = readAnyStatus(message);
  if (event === 'location') item.measurements = positionOf(readLocation(message));
  return item;
}

/** Older servers send the device's battery byte only. */
function readAnyStatus(message: Place): Measurement[] {
  const measurements = readStatus(message);
  if (Object.hasOwn(message.object, 'batteryLevel')) return measurements;
  return [...measurements, ...batteryOf(readNumber(message, 'battery'))];
}
