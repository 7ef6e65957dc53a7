/** The Things Stack v3: ApplicationUp messages in JSON, from its MQTT server and its webhooks. */
import { isDeviceId } from '../model/device.ts';
import { parseDevAddr, parseEui64 } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import { keyBytesOf, labelOf, wrappedKeyOf } from '../model/wrapped-key.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, type JsonObject, malformed, openObject, type Place } from './document.ts';
import { createCollection, readValues } from './measurements.ts';
import {
  complain,
  type Draft,
  readArray,
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
import { positionOf, readLocation, readSignal, receptionsMax } from './reception.ts';

const name = 'the-things-stack-v3-json';
const frameCounterMax = 0xffff_ffff;
const fPortMax = 255;
/** Correlation identifiers are ULIDs with a short prefix; there are about seven. */
const correlationIdsMax = 32;
const messageKeyLengthMax = 128;

export const theThingsStack: Adapter = {
  name,
  topicFilters: [
    'v3/+/devices/+/up',
    'v3/+/devices/+/up/normalized',
    'v3/+/devices/+/join',
    'v3/+/devices/+/down/+',
    'v3/+/devices/+/location/solved',
    'v3/+/devices/+/service/data',
  ],
  isNetworkServer: true,
  parse,
};

/**
 * The field that holds the message's content also tells what it is; the type is its everyday word.
 */
const contents = [
  ['uplink_message', 'up'],
  ['uplink_normalized', 'up/normalized'],
  ['join_accept', 'join'],
  ['downlink_queued', 'down/queued'],
  ['downlink_sent', 'down/sent'],
  ['downlink_ack', 'down/ack'],
  ['downlink_nack', 'down/nack'],
  ['downlink_failed', 'down/failed'],
  ['downlink_queue_invalidated', 'down/invalidated'],
  ['location_solved', 'location/solved'],
  ['service_data', 'service/data'],
] as const;

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const content = contents.find(([key]) => isObject(message.object[key]));
  const type = content?.[1] ?? commandType(message, inbound.route);
  if (type === undefined) return malformed('it is no ApplicationUp of The Things Stack v3');
  const identity = readIdentity(message, inbound.route);
  const item =
    type === 'up' ? readUplink(message, identity) : readEvent(message, identity, { type });
  const complaint = message.complaints[0];
  if (complaint !== undefined) return malformed(complaint);
  return item === undefined ? malformed('end_device_ids names no device') : [item];
}

/** What an application asks the server to send: not ours to act on, but worth a line. */
function commandType(message: Place, route: string): string | undefined {
  if (!Array.isArray(message.object['downlinks'])) return undefined;
  return route.endsWith('/down/replace') ? 'down/replace' : 'down/push';
}

interface Identity {
  readonly deviceId?: string;
  readonly devAddr?: string;
}

/**
 * The DevEUI where there is one. Webhooks may filter fields out, so the names in the body and in
 * `v3/<application>/devices/<device_id>/…` come next, if they can stand as our id.
 */
function readIdentity(message: Place, route: string): Identity {
  const topicName = deviceOfTopic(route);
  const ids = readPlace(message, 'end_device_ids');
  if (ids === undefined) return asIdentity(topicName);
  const devEui = readText(ids, 'dev_eui') ?? '';
  const deviceName = readText(ids, 'device_id');
  const devAddr = readText(ids, 'dev_addr') ?? '';
  if (topicName !== undefined && deviceName !== undefined && topicName !== deviceName) {
    complain(ids, 'device_id', 'the device of the topic');
  }
  const canonicalEui = parseEui64(devEui);
  if (devEui !== '' && canonicalEui === undefined)
    complain(ids, 'dev_eui', 'an EUI of 16 hex digits');
  const canonicalAddr = parseDevAddr(devAddr);
  if (devAddr !== '' && canonicalAddr === undefined) complain(ids, 'dev_addr', '8 hex digits');
  const identity = asIdentity(canonicalEui ?? deviceName ?? topicName);
  return canonicalAddr === undefined ? identity : { ...identity, devAddr: canonicalAddr };
}

function asIdentity(deviceId: string | undefined): Identity {
  return deviceId === undefined || !isDeviceId(deviceId) ? {} : { deviceId };
}

function deviceOfTopic(route: string): string | undefined {
  const [version, , devices, device] = route.split('/');
  return version === 'v3' && devices === 'devices' ? device : undefined;
}

function readUplink(message: Place, identity: Identity): PayloadUplink | undefined {
  const content = readPlace(message, 'uplink_message');
  const { deviceId, devAddr } = identity;
  if (content === undefined || deviceId === undefined) return undefined;
  const uplink: Draft<PayloadUplink> = {
    kind: 'payload',
    adapter: name,
    deviceId,
    // Fields with their default value are left out: counter 0, port 0, not confirmed.
    fPort: readCount(content, 'f_port', fPortMax) ?? 0,
    fCnt: readCount(content, 'f_cnt', frameCounterMax) ?? 0,
    confirmed: readFlag(content, 'confirmed') ?? false,
    rxInfo: [],
  };
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  const rxTime = receivedAt(message, content);
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  readRadio(content, uplink);
  readPayload(content, uplink);
  if (readFlag(message, 'simulated') === true) uplink.simulated = true;
  const messageKey = readMessageKey(message, content);
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  return uplink;
}

/** The network server's time of reception; the application server's is at the top. */
function receivedAt(message: Place, content: Place | undefined): number | undefined {
  const atServer = content === undefined ? undefined : readTime(content, 'received_at');
  return atServer ?? readTime(message, 'received_at');
}

/** FPort 0 carries MAC commands, which are the network server's affair: nothing to decode. */
function readPayload(content: Place, uplink: Draft<PayloadUplink>): void {
  const payload = readBytes(content, 'frm_payload');
  if (payload !== undefined && payload.length > 0 && uplink.fPort !== 0)
    uplink.frmPayload = payload;
  const object = readObject(content, 'decoded_payload');
  if (object !== undefined && Object.keys(object).length > 0) uplink.object = object;
  const envelope = readObject(content, 'app_s_key');
  if (envelope !== undefined) addEncryption(envelope, uplink);
}

/** With `skip_payload_crypto` the key comes along and the payload is ciphertext. */
function addEncryption(envelope: JsonObject, uplink: Draft<PayloadUplink>): void {
  uplink.encrypted = true;
  const { key, kek_label, encrypted_key } = envelope;
  const bytes = keyBytesOf(encrypted_key) ?? keyBytesOf(key);
  const wrapped = wrappedKeyOf(labelOf(kek_label), bytes);
  if (wrapped !== undefined) uplink.wrappedAppSKey = wrapped;
}

function readRadio(content: Place, uplink: Draft<PayloadUplink>): void {
  const settings = readPlace(content, 'settings');
  const rate = settings === undefined ? undefined : readPlace(settings, 'data_rate');
  const lora = rate === undefined ? undefined : readPlace(rate, 'lora');
  if (settings !== undefined) uplink.txInfo = readTxInfo(settings, lora);
  const receptions: RxInfo[] = [];
  for (const place of readPlaces(content, 'rx_metadata', receptionsMax)) {
    const rxInfo = readRxInfo(place, lora !== undefined);
    // The same gateway may be heard directly and through Packet Broker.
    const isNew = receptions.every(({ gatewayId }) => gatewayId !== rxInfo?.gatewayId);
    if (rxInfo !== undefined && isNew) receptions.push(rxInfo);
  }
  uplink.rxInfo = receptions;
}

function readTxInfo(settings: Place, lora: Place | undefined): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(settings, 'frequency');
  if (frequency !== undefined) txInfo.frequency = frequency;
  if (lora === undefined) return txInfo;
  const bandwidth = readNumber(lora, 'bandwidth');
  const spreadingFactor = readNumber(lora, 'spreading_factor');
  if (bandwidth !== undefined) txInfo.bandwidth = bandwidth;
  if (spreadingFactor !== undefined) txInfo.spreadingFactor = spreadingFactor;
  return txInfo;
}

function readRxInfo(place: Place, isLora: boolean): RxInfo | undefined {
  const gatewayId = readGatewayId(place);
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  readSignal(place, rxInfo, isLora);
  const rxTime = readTime(place, 'time') ?? readTime(place, 'received_at');
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  const location = readLocation(place);
  if (location !== undefined) rxInfo.location = location;
  return rxInfo;
}

/**
 * Receptions through Packet Broker are all of the gateway "packetbroker"; the real one stands
 * beside it.
 */
function readGatewayId(place: Place): string | undefined {
  const broker = readPlace(place, 'packet_broker');
  const ids = readPlace(place, 'gateway_ids');
  const names = [
    broker === undefined ? undefined : readText(broker, 'forwarder_gateway_eui'),
    broker === undefined ? undefined : readText(broker, 'forwarder_gateway_id'),
    ids === undefined ? undefined : readText(ids, 'eui'),
    ids === undefined ? undefined : readText(ids, 'gateway_id'),
  ];
  const gatewayId = names.find((text) => text !== undefined && text !== '');
  return gatewayId === undefined ? undefined : (parseEui64(gatewayId) ?? gatewayId);
}

/**
 * The application server's identifier of this uplink. Where it is filtered out, session and counter
 * with the time of reception: a counter may start again within a session, so they do not suffice.
 */
function readMessageKey(message: Place, content: Place): string | undefined {
  const ids = readArray(message, 'correlation_ids').slice(0, correlationIdsMax);
  for (const id of ids) {
    if (typeof id === 'string' && id.startsWith('as:up:') && id.length <= messageKeyLengthMax) {
      return id;
    }
  }
  const session = readText(content, 'session_key_id');
  const time = readText(content, 'received_at') ?? readText(message, 'received_at');
  if (session === undefined || session === '' || time === undefined || time === '')
    return undefined;
  const key = `${session}:${readCount(content, 'f_cnt', frameCounterMax) ?? 0}:${time}`;
  return key.length <= messageKeyLengthMax ? key : undefined;
}

function readEvent(
  message: Place,
  { deviceId }: Identity,
  { type }: { readonly type: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type };
  if (deviceId !== undefined) event.deviceId = deviceId;
  const normalized = readPlace(message, 'uplink_normalized');
  const time = receivedAt(message, normalized);
  if (time !== undefined) event.time = time;
  if (normalized !== undefined) readNormalized(normalized, event);
  const solved = readPlace(message, 'location_solved');
  if (solved !== undefined) event.measurements = positionOf(readLocation(solved));
  return event;
}

/**
 * The server normalizes an uplink that it has also sent as `up`: an event with measurements,
 * because a second uplink with the same counter would be a replay.
 */
function readNormalized(normalized: Place, event: Draft<SourceEvent>): void {
  const payload = readPlace(normalized, 'normalized_payload');
  if (payload === undefined) return;
  const { time: _, ...values } = payload.object;
  const time = readTime(payload, 'time') ?? event.time;
  const collection = createCollection();
  readValues(values, time, collection);
  const { complaint, measurements } = collection;
  if (complaint !== undefined) complain(payload, complaint.name, complaint.expected);
  event.measurements = measurements;
}
