/**
 * The Semtech UDP packet forwarder protocol, versions 1 and 2: what a gateway sends up, datagram by
 * datagram, and what a server sends down where that is let be heard. The body is the datagram as it
 * came: version, token (2 bytes), type, then the EUI (8 bytes) of who is a gateway, and JSON.
 */
import { parseEui64 } from '../model/eui.ts';
import { fromGpsMs } from '../model/gps-time.ts';
import type { Inbound } from '../model/inbound.ts';
import type { FrameUplink, Measurement, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { malformed, openObject, type Place } from './document.ts';
import { addDataRate, addMegahertz } from './lora-modulation.ts';
import {
  complain,
  type Draft,
  readBytes,
  readNumber,
  readPlace,
  readPlaces,
  readText,
} from './place.ts';
import { parseTimestamp } from './timestamp.ts';

const name = 'semtech-udp';
const headerBytes = 12;
const pushData = 0x00;
const pullResp = 0x03;
const txAck = 0x05;
/** The datagrams of a server name no gateway. */
const serverHeaderBytes = 4;
/** The longest PHYPayload that any region's data rates allow. */
const phyPayloadBytesMax = 255;
/** A concentrator has 10 demodulators, and a forwarder reads its 16 buffers at a time. */
const packetsMax = 64;
const antennasMax = 16;
/** The year 2000 in milliseconds of GPS time. */
const gpsMsMin = 630_720_000_000;
const unreadable = 'unreadable-packet';

export const semtechUdp: Adapter = {
  name,
  topicFilters: ['semtech-udp/+'],
  isNetworkServer: false,
  parse,
};

type Part = FrameUplink | SourceEvent;

function parse({ route, body }: Inbound): Parsed {
  if (body[3] === pullResp) return readPullResp(route, body);
  const gatewayId = parseEui64(body.toString('hex', 4, headerBytes));
  if (gatewayId === undefined) return malformed('the datagram ends within its header');
  const type = body[3];
  if (type === txAck) return readTxAck(body.subarray(headerBytes), gatewayId);
  if (type !== pushData) return malformed(`a datagram of type ${type} carries no uplink`);
  const message = openObject(body.subarray(headerBytes));
  return 'code' in message ? message : readPush(message, gatewayId);
}

/** One packet that cannot be read takes none of the others with it; alone it is a fault. */
function readPush(message: Place, gatewayId: string): Parsed {
  const packets = readPlaces(message, 'rxpk', packetsMax).map((packet) => ({
    ...packet,
    complaints: [],
  }));
  const stat = readPlace(message, 'stat');
  const parts = packets.map((packet) => readPacket(packet, gatewayId));
  const isUseless = stat === undefined && parts.every(isUnreadable);
  const complaint = message.complaints[0] ?? (isUseless ? packets[0]?.complaints[0] : undefined);
  if (complaint !== undefined) return malformed(complaint);
  if (stat !== undefined) parts.push(readStat({ ...stat, complaints: [] }, gatewayId));
  const [first, ...rest] = parts;
  return first === undefined ? malformed('it has neither rxpk nor stat') : [first, ...rest];
}

/**
 * Only a frame whose checksum was right goes on. One that came with a wrong one, or with none, is
 * noise and no frame of a device; like one that cannot be read it is counted as an event.
 */
function readPacket(packet: Place, gatewayId: string): Part {
  const event = (type: string): SourceEvent => ({ kind: 'event', adapter: name, type, gatewayId });
  const status = readNumber(packet, 'stat') ?? 1;
  if (status !== 1) return event(status === 0 ? 'no-crc' : 'bad-crc');
  const frame: Draft<FrameUplink> = {
    kind: 'frame',
    adapter: name,
    phyPayload: readPhyPayload(packet),
    rxInfo: [readRxInfo(packet, gatewayId)],
    txInfo: readTxInfo(packet),
  };
  const rxTime = readRxTime(packet);
  if (rxTime !== undefined) frame.rxTime = rxTime;
  return packet.complaints.length === 0 ? frame : event(unreadable);
}

function isUnreadable(part: Part): boolean {
  return part.kind === 'event' && part.type === unreadable;
}

function readPhyPayload(packet: Place): Buffer {
  const bytes = readBytes(packet, 'data') ?? Buffer.alloc(0);
  const size = readNumber(packet, 'size') ?? bytes.length;
  if (bytes.length === 0 || bytes.length > phyPayloadBytesMax || bytes.length !== size) {
    complain(packet, 'data', `base64 of 1 to ${phyPayloadBytesMax} bytes, as many as size says`);
  }
  return bytes;
}

/** A gateway with several antennas lists them in rsig; the best one is how it heard the frame. */
function readRxInfo(packet: Place, gatewayId: string): RxInfo {
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const antennas = readPlaces(packet, 'rsig', antennasMax).map((antenna) => ({
    rssi: readNumber(antenna, 'rssic'),
    snr: readNumber(antenna, 'lsnr'),
  }));
  antennas.sort((one, other) => (other.rssi ?? -Infinity) - (one.rssi ?? -Infinity));
  const rssi = readNumber(packet, 'rssi') ?? antennas[0]?.rssi;
  const snr = readNumber(packet, 'lsnr') ?? antennas[0]?.snr;
  const rxTime = readRxTime(packet);
  if (rssi !== undefined) rxInfo.rssi = rssi;
  if (snr !== undefined) rxInfo.snr = snr;
  if (rxTime !== undefined) rxInfo.rxTime = rxTime;
  return rxInfo;
}

function readTxInfo(packet: Place): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  addMegahertz(txInfo, readNumber(packet, 'freq'));
  // FSK gives its bit rate as a number.
  const dataRate = packet.object['datr'];
  if (typeof dataRate === 'string') addDataRate(txInfo, dataRate);
  return txInfo;
}

/**
 * Only a gateway with GPS knows the time; `tmst` is a counter of its own that wraps every 71
 * minutes. Some forwarders count `tmms` in seconds, which would be a day in 1980: no time then.
 */
function readRxTime(packet: Place): number | undefined {
  const time = timeOf(packet);
  if (time !== undefined) return time;
  const gpsMs = readNumber(packet, 'tmms');
  return gpsMs === undefined || gpsMs < gpsMsMin ? undefined : fromGpsMs(gpsMs);
}

/**
 * Counters since the last report, the share of acknowledged datagrams, and where the gateway
 * stands.
 */
const statFields = [
  ...(['rxnb', 'rxok', 'rxfw', 'ackr', 'dwnb', 'txnb'] as const),
  ...(['lati', 'long', 'alti', 'temp'] as const),
];

function readStat(stat: Place, gatewayId: string): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type: 'stats', gatewayId };
  const measurements: Measurement[] = [];
  for (const field of statFields) {
    const value = readNumber(stat, field);
    if (value !== undefined) measurements.push({ name: field, value });
  }
  const time = timeOf(stat);
  if (time !== undefined) event.time = time;
  if (measurements.length > 0) event.measurements = measurements;
  return event;
}

/** Without a body, or with the error NONE, the gateway has sent the downlink. */
function readTxAck(json: Buffer, gatewayId: string): Parsed {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type: 'txack', gatewayId };
  if (json.length === 0) return [event];
  const message = openObject(json);
  if ('code' in message) return message;
  const ack = readPlace(message, 'txpk_ack');
  const error = ack === undefined ? undefined : readText(ack, 'error');
  if (error !== undefined) event.measurements = [{ name: 'error', value: error }];
  const complaint = message.complaints[0];
  return complaint === undefined ? [event] : malformed(complaint);
}

/** The downlink of a server to the gateway that the transport knows at this address. */
function readPullResp(route: string, body: Buffer): Parsed {
  const gatewayId = parseEui64(route.split('/').at(-1) ?? '');
  if (gatewayId === undefined) return malformed('the route names no gateway');
  const message = openObject(body.subarray(serverHeaderBytes));
  if ('code' in message) return message;
  const packet = readPlace(message, 'txpk');
  if (packet === undefined) return malformed('it has no txpk');
  const phyPayload = readPhyPayload(packet);
  const complaint = message.complaints[0];
  if (complaint !== undefined) return malformed(complaint);
  return [{ kind: 'event', adapter: name, type: 'downlink', gatewayId, phyPayload }];
}

/**
 * RFC 3339, or `2014-01-12 08:59:28 GMT`: the protocol has the first for packets and the second for
 * `stat`, and gateways send either in both. Another text is passed over: a frame proves itself by
 * its MIC, and counters count without a time.
 */
function timeOf({ object }: Place): number | undefined {
  const { time } = object;
  if (typeof time !== 'string') return undefined;
  const [, day, clock] = /^(\S{10}) (\S{8}) (?:GMT|UTC)$/.exec(time) ?? [];
  return parseTimestamp(day === undefined ? time : `${day}T${clock}Z`);
}
