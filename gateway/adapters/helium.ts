/**
 * Helium Console, the JSON of its integrations. Operators of today run ChirpStack v4 instead, which
 * has its own adapter; this one is for consoles that still run.
 */
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { isObject, malformed, openObject, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { addDataRate, addMegahertz } from './lora-modulation.ts';
import { readDevAddr, readEui, readGatewayId } from './lorawan-identifiers.ts';
import { addMessageKey, addObject, addPayload, beginUplink } from './payload-uplink.ts';
import { type Draft, readBytes, readNumber, readPlace, readPlaces, readText } from './place.ts';
import { receptionsMax } from './reception.ts';
import { parseDeviceTime } from './timestamp.ts';

const name = 'helium-console';

export const heliumConsole: Adapter = {
  name,
  topicFilters: ['helium/+/rx', '+/helium/+/rx'],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const deviceId = readEui(message, 'dev_eui');
  if (deviceId === undefined) return malformed(message.complaints[0] ?? 'dev_eui is missing');
  const type = eventWord(readText(message, 'type') ?? 'uplink');
  if (type === undefined) return malformed('type is no word of Helium Console');
  const item =
    type === 'uplink' ? readUplink(message, deviceId) : readEvent(message, { type, deviceId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

function readUplink(message: Place, deviceId: string): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'port', fCnt: 'fcnt' });
  // Some messages bear a time with a digit too many, which is no time: the bounds refuse it.
  const rxTime = parseDeviceTime(message.object['reported_at']);
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  const hotspots = readPlaces(message, 'hotspots', receptionsMax);
  uplink.rxInfo = hotspots.flatMap((place) => readReception(place) ?? []);
  if (hotspots[0] !== undefined) uplink.txInfo = readTxInfo(hotspots[0]);
  addPayload(uplink, readBytes(message, 'payload'));
  const decoded = readPlace(message, 'decoded');
  // A function of the console's user: it may give a list or a text, which are no named values.
  const values = decoded?.object['payload'];
  addObject(uplink, isObject(values) ? values : undefined);
  const devAddr = readDevAddr(message, 'devaddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  addMessageKey(uplink, message, 'uuid');
  return uplink;
}

function readReception(place: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(place, 'id') ?? readGatewayId(place, 'name');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(place, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(place, 'snr');
  if (snr !== undefined) rxInfo.snr = snr;
  const rxTime = parseDeviceTime(place.object['reported_at']);
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  return rxInfo;
}

/** Every hotspot heard the same transmission, so the first one's word is enough. */
function readTxInfo(hotspot: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  addMegahertz(txInfo, readNumber(hotspot, 'frequency'));
  addDataRate(txInfo, hotspot.object['spreading']);
  return txInfo;
}

function readEvent(
  message: Place,
  { type, deviceId }: { readonly type: string; readonly deviceId: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, deviceId };
  const time = parseDeviceTime(message.object['reported_at']);
  if (time !== undefined) event.time = time;
  return event;
}
