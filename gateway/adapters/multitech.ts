/**
 * MultiTech gateways with their built-in network server: the broker on the gateway (`lora/…`) and
 * what its application connector publishes elsewhere (`lorawan/…`, in both of its versions).
 */
import { parseEui64 } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, malformed, openDocument, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { decodeHex, readHex } from './hex.ts';
import { addDataRate, addMegahertz } from './lora-modulation.ts';
import { readDevAddr, readEui, readGatewayId } from './lorawan-identifiers.ts';
import { addPayload, beginUplink } from './payload-uplink.ts';
import {
  complain,
  type Draft,
  readBytes,
  readCount,
  readNumber,
  readText,
  readTime,
} from './place.ts';

const name = 'multitech';
/** The longest payload that any data rate allows. */
const payloadBytesMax = 242;

export const multitech: Adapter = {
  name,
  topicFilters: [
    'lorawan/+/+/up',
    'lorawan/+/+/joined',
    'lorawan/+/+/moved',
    'lorawan/+/+/+/up',
    'lorawan/+/+/+/joined',
    'lorawan/+/+/+/moved',
    'lora/+/up',
    'lora/+/joined',
    'lora/+/moved',
  ],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const document = openDocument(inbound.body);
  if ('code' in document) return document;
  const route = readRoute(inbound.route);
  // `moved` is a bare list of gateways: what it is about stands in the topic.
  const object = isObject(document.value) ? document.value : undefined;
  const message = { object: object ?? {}, path: '', complaints: document.complaints };
  const ownDevice = readEui(message, 'deveui');
  const deviceId = ownDevice ?? route.deviceId;
  if (deviceId === undefined) return malformed(message.complaints[0] ?? 'deveui is missing');
  if (route.deviceId !== undefined && route.deviceId !== deviceId) {
    return malformed('deveui is not the device of the topic');
  }
  const type = route.type ?? (Object.hasOwn(message.object, 'fcnt') ? 'up' : undefined);
  if (type === undefined) return malformed('it is no message of a MultiTech gateway');
  if (object === undefined && type === 'up') return malformed('the body is not a JSON object');
  const item =
    type === 'up' ? readUplink(message, deviceId) : readEvent(message, { type, deviceId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

interface Route {
  readonly deviceId?: string;
  readonly type?: string;
}

/**
 * `lora/<DevEUI>/<event>`, or `lorawan/<…>/<DevEUI>/<event>`; a topic of one's own names neither.
 */
function readRoute(route: string): Route {
  const levels = route.split('/');
  const [device = '', word = ''] = levels.slice(-2);
  const deviceId = parseEui64(device);
  const type = eventWord(word);
  const isKnown = levels[0] === 'lora' || levels[0] === 'lorawan';
  if (!isKnown || deviceId === undefined || type === undefined) return {};
  return { deviceId, type };
}

function readUplink(message: Place, deviceId: string): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'port', fCnt: 'fcnt' });
  const rxTime = readTime(message, 'time');
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  const rxInfo = readReception(message);
  if (rxInfo !== undefined) uplink.rxInfo = [rxInfo];
  uplink.txInfo = readTxInfo(message);
  const header = readHex(message, 'mhdr')?.[0];
  if (header !== undefined) uplink.confirmed = header >> 5 === confirmedUp;
  addPayload(uplink, readData(message));
  const devAddr = readDevAddr(message, 'devaddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  return uplink;
}

/** MType in the three upper bits of the LoRaWAN MAC header. */
const confirmedUp = 4;

/**
 * Base64, or hexadecimal where the gateway is set to it. Hexadecimal digits are base64 as well, but
 * only one of the two gives as many bytes as `size` says.
 */
function readData(message: Place): Buffer | undefined {
  const size = readCount(message, 'size', payloadBytesMax);
  const text = readText(message, 'data') ?? '';
  const hex = size === undefined ? undefined : decodeHex(text);
  if (hex !== undefined && hex.length === size) return hex;
  const payload = readBytes(message, 'data');
  if (payload === undefined || size === undefined || payload.length === size) return payload;
  return complain(message, 'data', 'of the length that size says');
}

function readReception(message: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(message, 'gweui');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(message, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(message, 'lsnr');
  if (snr !== undefined) rxInfo.snr = snr;
  return rxInfo;
}

function readTxInfo(message: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  addMegahertz(txInfo, readNumber(message, 'freq'));
  addDataRate(txInfo, message.object['datr']);
  return txInfo;
}

function readEvent(
  message: Place,
  { type, deviceId }: { readonly type: string; readonly deviceId: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, deviceId };
  const time = readTime(message, 'time');
  if (time !== undefined) event.time = time;
  const gatewayId = readGatewayId(message, 'gweui');
  if (gatewayId !== undefined) event.gatewayId = gatewayId;
  return event;
}
