/**
 * Basics Station: what a station says over its WebSocket, message by message. It takes frames apart
 * before it sends them, so they are put together again here, bit for bit, to verify their MIC.
 */
import { type ChannelPlan, findPlan } from '../model/channel-plan.ts';
import { quoteLongIntegers } from '../model/exact-json.ts';
import { fromGpsMs } from '../model/gps-time.ts';
import { parseStationEui } from '../model/id6.ts';
import type { Inbound } from '../model/inbound.ts';
import type { FrameUplink, Measurement, RxInfo, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { malformed, openObject, type Place } from './document.ts';
import { eventWord } from './event-word.ts';
import { readHex } from './hex.ts';
import { complain, type Draft, readNumber, readPlace, readText } from './place.ts';

const name = 'basic-station';
const phyPayloadBytesMax = 255;
const fOptsBytesMax = 15;

export const basicStation: Adapter = {
  name,
  topicFilters: ['basic-station/+/+'],
  isNetworkServer: false,
  parse,
};

/** `basic-station/<plan>/<eui>`: a station does not repeat in each message who and where it is. */
function parse({ route, body }: Inbound): Parsed {
  const [, planName = '', eui = ''] = route.split('/').slice(-3);
  const gatewayId = parseStationEui(eui);
  if (gatewayId === undefined) return malformed('the route names no station');
  const message = openObject(exactly(body));
  if ('code' in message) return message;
  const item = readItem(message, { gatewayId, plan: findPlan(planName) });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

/** xtime has 64 bits, which a double would round: it comes through as text. */
function exactly(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const exact = quoteLongIntegers(text);
  return exact === text ? body : Buffer.from(exact, 'latin1');
}

interface Station {
  readonly gatewayId: string;
  readonly plan: ChannelPlan | undefined;
}

function readItem(message: Place, station: Station): FrameUplink | SourceEvent {
  const type = readText(message, 'msgtype') ?? '';
  switch (type) {
    case 'updf':
      return readFrame(message, station, readDataFrame(message));
    case 'jreq':
    // A rejoin request is written in the fields of a join request: these 23 bytes are one or other.
    case 'rejoin':
      return readFrame(message, station, readJoinRequest(message));
    case 'propdf':
      return readFrame(message, station, readHexField(message, 'FRMPayload'));
    case 'dntxed':
      return readSent(message, station);
    case 'dnmsg':
      return readDownlink(message, station);
    default:
      return readEvent(message, station, eventWord(type) ?? notKnown(message));
  }
}

/** What its clocks say of a downlink is the station's and no reading of the device. */
function readSent(message: Place, station: Station): SourceEvent {
  const event: Draft<SourceEvent> = { ...readEvent(message, station, 'txack') };
  delete event.measurements;
  return event;
}

/** A server says it to a station; a proxy between them may let it be heard here. */
function readDownlink(message: Place, station: Station): SourceEvent {
  const event: Draft<SourceEvent> = { ...readEvent(message, station, 'dnmsg') };
  // It names the device that the server means; the frame's own keys tell whose it is.
  delete event.deviceId;
  const pdu = readHexField(message, 'pdu');
  if (pdu.length > 0 && pdu.length <= phyPayloadBytesMax) event.phyPayload = pdu;
  return event;
}

function notKnown(message: Place): string {
  complain(message, 'msgtype', 'a word');
  return '';
}

function readDataFrame(message: Place): Buffer {
  const fPort = readInteger(message, 'FPort', { min: -1, max: 255 });
  return Buffer.concat([
    uint(readInteger(message, 'MHdr', { min: 0, max: 255 }), 1),
    uint(readSigned32(message, 'DevAddr'), 4),
    uint(readInteger(message, 'FCtrl', { min: 0, max: 255 }), 1),
    uint(readInteger(message, counterKey(message), { min: 0, max: 65_535 }), 2),
    readFOpts(message),
    // Without a port there is no payload either.
    ...(fPort < 0 ? [] : [uint(fPort, 1), readHexField(message, 'FRMPayload')]),
    uint(readSigned32(message, 'MIC'), 4),
  ]);
}

function readFOpts(message: Place): Buffer {
  const fOpts = readHexField(message, 'FOpts');
  if (fOpts.length > fOptsBytesMax) complain(message, 'FOpts', `at most ${fOptsBytesMax} bytes`);
  return fOpts;
}

/** Some servers' documentation writes it so, and some simulators with it. */
function counterKey({ object }: Place): string {
  return Object.hasOwn(object, 'FCnt') ? 'FCnt' : 'Fcnt';
}

function readJoinRequest(message: Place): Buffer {
  return Buffer.concat([
    uint(readInteger(message, 'MHdr', { min: 0, max: 255 }), 1),
    readEuiBytes(message, 'JoinEui'),
    readEuiBytes(message, 'DevEui'),
    uint(readInteger(message, 'DevNonce', { min: 0, max: 65_535 }), 2),
    uint(readSigned32(message, 'MIC'), 4),
  ]);
}

/** Least significant byte first, as everything in a LoRaWAN frame. */
function readEuiBytes(message: Place, key: string): Buffer {
  const eui = parseStationEui(readText(message, key) ?? readText(message, key.toUpperCase()) ?? '');
  if (eui === undefined) complain(message, key, 'an EUI');
  return Buffer.from(eui ?? '', 'hex').reverse();
}

function readHexField(message: Place, key: string): Buffer {
  return readHex(message, key) ?? Buffer.alloc(0);
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function readInteger(message: Place, key: string, { min, max }: Range): number {
  const value = readNumber(message, key);
  if (value !== undefined && Number.isInteger(value) && value >= min && value <= max) return value;
  complain(message, key, `an integer from ${min} to ${max}`);
  return min;
}

/**
 * A station has no unsigned integers: 0xFFFFFFF6 is -10. Others that write it unsigned mean the
 * same.
 */
function readSigned32(message: Place, key: string): number {
  return readInteger(message, key, { min: -0x8000_0000, max: 0xffff_ffff });
}

function uint(value: number, length: 1 | 2 | 4): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.subarray(0, length);
}

function readFrame(message: Place, { gatewayId, plan }: Station, phyPayload: Buffer): FrameUplink {
  if (phyPayload.length === 0 || phyPayload.length > phyPayloadBytesMax) {
    complain(message, 'FRMPayload', `part of a frame of 1 to ${phyPayloadBytesMax} bytes`);
  }
  const rxInfo = readRxInfo(message, gatewayId);
  const frame: Draft<FrameUplink> = {
    kind: 'frame',
    adapter: name,
    phyPayload,
    rxInfo: [rxInfo],
    txInfo: readTxInfo(message, plan),
  };
  if (rxInfo.rxTime !== undefined) frame.rxTime = rxInfo.rxTime;
  return frame;
}

function readRxInfo(message: Place, gatewayId: string): RxInfo {
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const upinfo = readPlace(message, 'upinfo');
  if (upinfo === undefined) return rxInfo;
  const rssi = readNumber(upinfo, 'rssi');
  const snr = readNumber(upinfo, 'snr');
  const gpsMicroseconds = readNumber(upinfo, 'gpstime') ?? 0;
  const utcSeconds = readNumber(upinfo, 'rxtime') ?? 0;
  if (rssi !== undefined) rxInfo.rssi = rssi;
  if (snr !== undefined) rxInfo.snr = snr;
  // 0 means not known: only a station with GPS, or one that was told the time, has the first.
  if (gpsMicroseconds > 0) rxInfo.rxTime = fromGpsMs(gpsMicroseconds / 1_000);
  else if (utcSeconds > 0) rxInfo.rxTime = Math.round(utcSeconds * 1_000);
  return rxInfo;
}

function readTxInfo(message: Place, plan: ChannelPlan | undefined): TxInfo {
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(message, 'Freq');
  if (frequency !== undefined) txInfo.frequency = frequency;
  const dataRate = plan?.dataRates[readNumber(message, 'DR') ?? -1];
  if (dataRate !== undefined && dataRate !== 'fsk') {
    txInfo.spreadingFactor = dataRate.spreadingFactor;
    txInfo.bandwidth = dataRate.bandwidth;
  }
  return txInfo;
}

/**
 * What a station says of itself, and of the downlinks of others: texts and numbers, a few of each.
 */
const eventFields = [
  ...(['station', 'firmware', 'package', 'model', 'protocol'] as const),
  ...(['diid', 'xtime', 'txtime', 'gpstime'] as const),
];
const eventTextMax = 128;

function readEvent(message: Place, { gatewayId }: Station, type: string): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, gatewayId };
  const deviceId = parseStationEui(readText(message, 'DevEui') ?? '');
  if (deviceId !== undefined) event.deviceId = deviceId;
  const measurements: Measurement[] = [];
  for (const field of eventFields) {
    const value = message.object[field];
    if (typeof value === 'number') measurements.push({ name: field, value });
    if (typeof value === 'string') {
      measurements.push({ name: field, value: value.slice(0, eventTextMax) });
    }
  }
  if (measurements.length > 0) event.measurements = measurements;
  return event;
}
