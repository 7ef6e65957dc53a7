/**
 * ChirpStack Gateway Bridge, v4 and v3, and MQTT Forwarder v4, JSON: raw frames and what gateways
 * tell of themselves.
 */
import { parseEui64 } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { FrameUplink, SourceEvent, TxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { malformed, openObject, type Place } from './document.ts';
import { parseAnyEui } from './lorawan-identifiers.ts';
import {
  complain,
  type Draft,
  readBytes,
  readNumber,
  readPlace,
  readPlaces,
  readText,
  readTime,
} from './place.ts';
import { readRxInfo, readTransmission, type Transmission } from './reception.ts';

const name = 'chirpstack-gateway-bridge-json';
/** The longest PHYPayload that any region's data rates allow. */
export const phyPayloadBytesMax = 255;

export const gatewayBridge: Adapter = {
  name,
  topicFilters: [
    'gateway/+/event/+',
    '+/gateway/+/event/+',
    'gateway/+/state/+',
    '+/gateway/+/state/+',
    'gateway/+/command/+',
    '+/gateway/+/command/+',
  ],
  isNetworkServer: false,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const topic = readTopic(inbound.route);
  const type = topic?.type ?? typeByShape(message);
  if (type === undefined) return malformed('it is no message of a gateway bridge');
  const rx = readPlace(message, 'rxInfo');
  const text = readGatewayId(message) ?? (rx === undefined ? undefined : readGatewayId(rx));
  const gatewayId = parseAnyEui(text ?? topic?.gateway ?? '');
  if (gatewayId === undefined) return malformed('gatewayId is not an EUI of 16 hex digits');
  if (topic !== undefined && parseEui64(topic.gateway) !== gatewayId) {
    return malformed('gatewayId is not the gateway of the topic');
  }
  const item =
    type === 'up' ? readFrame(message, { rx, gatewayId }) : readEvent(message, { type, gatewayId });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

export interface GatewayTopic {
  readonly gateway: string;
  readonly type: string;
}

const known = /^(?:event|state|command)$/;

/**
 * `[<region>/]gateway/<gatewayId>/<event|state|command>/<word>`; a command is not the event of its
 * name.
 */
export function readTopic(route: string): GatewayTopic | undefined {
  const [root, gateway, kind, word] = route.split('/').slice(-4);
  if (root !== 'gateway' || gateway === undefined || kind === undefined || word === undefined) {
    return undefined;
  }
  if (!known.test(kind) || !isWord(word)) return undefined;
  return { gateway, type: kind === 'command' ? `command-${word}` : word };
}

/** A type becomes a label elsewhere, so it is a short word of plain letters. */
function isWord(text: string): boolean {
  return /^[a-z][a-z-]{0,31}$/.test(text);
}

function typeByShape({ object }: Place): string | undefined {
  const has = (key: string) => Object.hasOwn(object, key);
  if (has('phyPayload')) return 'up';
  if (has('state')) return 'conn';
  if (has('rxPacketsReceived')) return 'stats';
  if (has('execId')) return 'exec';
  return has('downlinkId') ? 'ack' : undefined;
}

/** The documentation of `exec` and `raw` spells it with a capital D. */
function readGatewayId(place: Place): string | undefined {
  const text = readText(place, 'gatewayId') ?? readText(place, 'gatewayID');
  return text === '' ? undefined : text;
}

/**
 * A frame whose checksum failed is noise and no frame of a device. An absent status is let pass:
 * the older bridges that leave it out forward good frames only, and the MIC is verified in any
 * case.
 */
function readFrame(
  message: Place,
  { rx, gatewayId }: { readonly rx: Place | undefined; readonly gatewayId: string },
): FrameUplink | SourceEvent {
  const crcStatus = rx === undefined ? undefined : readText(rx, 'crcStatus');
  if (crcStatus === 'BAD_CRC' || crcStatus === 'NO_CRC') {
    return readEvent(message, { type: 'bad-crc', gatewayId });
  }
  const transmission = readLegacyTransmission(message) ?? readTransmission(message);
  const isLora = transmission?.isLora === true;
  const reception = rx === undefined ? undefined : readRxInfo(asVersion4(rx), isLora);
  const frame: Draft<FrameUplink> = {
    kind: 'frame',
    adapter: name,
    phyPayload: readPhyPayload(message),
    rxInfo: [{ ...reception, gatewayId }],
  };
  if (transmission !== undefined) frame.txInfo = transmission.txInfo;
  const rxTime = rx === undefined ? undefined : (readTime(rx, 'nsTime') ?? reception?.rxTime);
  if (rxTime !== undefined) frame.rxTime = rxTime;
  return frame;
}

/** Bridges of version 3 name the modulation beside its parameters, in kHz. */
function readLegacyTransmission(message: Place): Transmission | undefined {
  const tx = readPlace(message, 'txInfo');
  if (tx === undefined || typeof tx.object['modulation'] !== 'string') return undefined;
  const txInfo: Draft<TxInfo> = {};
  const frequency = readNumber(tx, 'frequency');
  if (frequency !== undefined) txInfo.frequency = frequency;
  const lora = readPlace(tx, 'loRaModulationInfo');
  if (lora === undefined) return { txInfo, isLora: false };
  const kilohertz = readNumber(lora, 'bandwidth');
  const spreadingFactor = readNumber(lora, 'spreadingFactor');
  if (kilohertz !== undefined) txInfo.bandwidth = kilohertz * 1_000;
  if (spreadingFactor !== undefined) txInfo.spreadingFactor = spreadingFactor;
  return { txInfo, isLora: true };
}

/** They spell two fields otherwise. */
function asVersion4(rx: Place): Place {
  const { gatewayID, loRaSNR } = rx.object;
  if (gatewayID === undefined && loRaSNR === undefined) return rx;
  return { ...rx, object: { gatewayId: gatewayID, snr: loRaSNR, ...rx.object } };
}

function readPhyPayload(message: Place): Buffer {
  const phyPayload = readBytes(message, 'phyPayload');
  if (
    phyPayload !== undefined &&
    phyPayload.length > 0 &&
    phyPayload.length <= phyPayloadBytesMax
  ) {
    return phyPayload;
  }
  complain(message, 'phyPayload', `base64 of 1 to ${phyPayloadBytesMax} bytes`);
  return Buffer.alloc(0);
}

function readEvent(
  message: Place,
  { type, gatewayId }: { readonly type: string; readonly gatewayId: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, gatewayId };
  const time = readTime(message, 'time');
  if (time !== undefined) event.time = time;
  if (type === 'conn') {
    // OFFLINE is the default value and so may be left out.
    const state = readText(message, 'state') ?? 'OFFLINE';
    event.measurements = [{ name: 'state', value: state }];
  }
  if (type === 'command-down') addDownlink(event, message);
  return event;
}

/** One downlink for each receive window, of which the gateway sends one; older bridges know one. */
const windowsMax = 16;

function addDownlink(event: Draft<SourceEvent>, message: Place): void {
  const place = readPlaces(message, 'items', windowsMax)[0] ?? message;
  if (Object.hasOwn(place.object, 'phyPayload')) event.phyPayload = readPhyPayload(place);
}
