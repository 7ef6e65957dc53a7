/**
 * ChirpStack Gateway Bridge and MQTT Forwarder, protobuf, which is their default: raw frames and
 * what gateways tell of themselves (gw.proto). Bridges of version 3 write the fields that version 4
 * calls legacy, so both are read.
 */
import { parseEui64 } from '../../model/eui.ts';
import type { Inbound } from '../../model/inbound.ts';
import type { FrameUplink, SourceEvent } from '../../model/uplink.ts';
import type { Adapter, Parsed } from '../adapter.ts';
import { malformed } from '../document.ts';
import { type GatewayTopic, phyPayloadBytesMax, readTopic } from '../gateway-bridge.ts';
import type { Draft } from '../place.ts';
import {
  type Reception,
  readEuiBytes,
  readLegacyReception,
  readLegacyTransmission,
  readReception,
  readTransmission,
  type Transmission,
  toRxInfo,
} from './reception.ts';
import { readTimestamp } from './timestamp.ts';
import { WireReader } from './wire-reader.ts';

const name = 'chirpstack-gateway-bridge-protobuf';

/** It has no topics of its own: the JSON form lives on the same ones, see either-form.ts. */
export const gatewayBridgeProtobuf: Adapter = {
  name,
  topicFilters: [],
  isNetworkServer: false,
  parse,
};

/** A protobuf body does not name its type, so only a topic of the default form can be read. */
function parse(inbound: Inbound): Parsed {
  const topic = readTopic(inbound.route);
  if (topic === undefined) return malformed('the topic names no message of a gateway bridge');
  const reader = new WireReader(inbound.body);
  const gatewayId = parseEui64(topic.gateway);
  if (gatewayId === undefined) return malformed('gatewayId is not an EUI of 16 hex digits');
  const item =
    topic.type === 'up' ? readFrame(reader, gatewayId) : readEvent(reader, topic, gatewayId);
  return reader.problem === undefined ? [item] : malformed(reader.problem);
}

/** CRCStatus */
const noCrc = 0;
const badCrc = 1;

interface Frame {
  phyPayload: Buffer;
  transmission?: Transmission;
  reception?: Reception;
}

/**
 * A frame whose checksum failed is noise and no frame of a device. An absent status is let pass, as
 * in the JSON form.
 */
function readFrame(reader: WireReader, gatewayId: string): FrameUplink | SourceEvent {
  const { phyPayload, transmission, reception } = readFields(reader);
  const { crcStatus } = reception ?? {};
  if (crcStatus === noCrc || crcStatus === badCrc) {
    return { kind: 'event', adapter: name, type: 'bad-crc', gatewayId };
  }
  if (phyPayload.length === 0 || phyPayload.length > phyPayloadBytesMax) {
    reader.complain('phyPayload', `1 to ${phyPayloadBytesMax} bytes`);
  }
  if (reception !== undefined) checkGateway(reader, reception.gatewayId, gatewayId);
  const isLora = transmission?.isLora === true;
  const heard = toRxInfo({ ...reception, gatewayId }, isLora);
  const frame: Draft<FrameUplink> = { kind: 'frame', adapter: name, phyPayload, rxInfo: [heard] };
  if (transmission !== undefined) frame.txInfo = transmission.txInfo;
  const rxTime = reception?.serverTime ?? heard.rxTime;
  if (rxTime !== undefined) frame.rxTime = rxTime;
  return frame;
}

/** A sender may write both forms; today's has the exact values. */
function readFields(reader: WireReader): Frame {
  const frame: Frame = { phyPayload: Buffer.alloc(0) };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) frame.phyPayload = reader.bytes('phyPayload');
    else if (field === 2) frame.transmission ??= readLegacyTransmission(reader);
    else if (field === 3) frame.reception ??= readLegacyReception(reader);
    else if (field === 4) frame.transmission = readTransmission(reader);
    else if (field === 5) frame.reception = readReception(reader);
    else reader.skip();
  }
  return frame;
}

function checkGateway(reader: WireReader, text: string, gatewayId: string): void {
  if (text !== '' && parseEui64(text) !== gatewayId) {
    reader.complain('gatewayId', 'the gateway of the topic');
  }
}

interface EventFields {
  /** The gateway's EUI in text. */
  readonly gatewayId: number;
  /** The same in bytes, as version 3 has it. */
  readonly legacyId?: number;
  readonly time?: number;
  readonly state?: number;
  /** One downlink for each receive window; their frame is field 1. */
  readonly items?: number;
  /** The frame, as version 3 has it. */
  readonly legacyFrame?: number;
}

const eventFields = new Map<string, EventFields>([
  ['stats', { gatewayId: 17, legacyId: 1, time: 2 }],
  ['conn', { gatewayId: 3, legacyId: 1, state: 2 }],
  ['ack', { gatewayId: 6, legacyId: 1 }],
  ['exec', { gatewayId: 6, legacyId: 1 }],
  ['raw', { gatewayId: 4, legacyId: 1 }],
  ['mesh', { gatewayId: 1, time: 3 }],
  ['command-down', { gatewayId: 7, legacyId: 6, items: 5, legacyFrame: 1 }],
  ['command-config', { gatewayId: 5, legacyId: 1 }],
  ['command-exec', { gatewayId: 6, legacyId: 1 }],
  ['command-raw', { gatewayId: 4, legacyId: 1 }],
]);

/** An event of a type that is not known here yet is read by its topic alone. */
function readEvent(reader: WireReader, topic: GatewayTopic, gatewayId: string): SourceEvent {
  const { type } = topic;
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type, gatewayId };
  const fields = eventFields.get(type);
  let isOnline = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === fields?.gatewayId) {
      checkGateway(reader, reader.text('gatewayId'), gatewayId);
    } else if (field === fields?.legacyId) {
      checkGateway(reader, readEuiBytes(reader, 'gatewayID'), gatewayId);
    } else if (field === fields?.time) event.time = readTimestamp(reader, 'time');
    else if (field === fields?.state) isOnline = reader.uint32('state') === 1;
    else if (field === fields?.items) readItem(reader, event);
    else if (field === fields?.legacyFrame) event.phyPayload = reader.bytes('phyPayload');
    else reader.skip();
  }
  // OFFLINE is the default value, so it is not on the wire.
  if (type === 'conn') {
    event.measurements = [{ name: 'state', value: isOnline ? 'ONLINE' : 'OFFLINE' }];
  }
  return event;
}

function readItem(reader: WireReader, event: Draft<SourceEvent>): void {
  const outer = reader.enter('items');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1 && event.phyPayload === undefined) {
      event.phyPayload = reader.bytes('phyPayload');
    } else reader.skip();
  }
  reader.leave(outer);
}
