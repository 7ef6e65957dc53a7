/** ChirpStack v4, protobuf: the integration events with `json=false` (integration.proto). */
import { parseDevAddr, parseEui64 } from '../../model/eui.ts';
import type { Inbound } from '../../model/inbound.ts';
import type { PayloadUplink, SourceEvent } from '../../model/uplink.ts';
import { wrappedKeyOf } from '../../model/wrapped-key.ts';
import type { Adapter, Parsed } from '../adapter.ts';
import { malformed } from '../document.ts';
import type { Draft } from '../place.ts';
import { positionOf, receptionsMax } from '../reception.ts';
import { createStatus, readStatusField, statusMeasurements } from './chirpstack-status.ts';
import { isVersion3, parseVersion3 } from './chirpstack-v3.ts';
import { type EventRoute, readEventRoute } from './event-route.ts';
import {
  type Reception,
  readLocation,
  readReception,
  readTransmission,
  toRxInfo,
} from './reception.ts';
import { readStruct } from './struct.ts';
import { readTimestamp } from './timestamp.ts';
import { WireReader } from './wire-reader.ts';

const name = 'chirpstack-v4-protobuf';
const fPortMax = 255;
const messageKeyLengthMax = 128;

/** It has no topics of its own: the JSON form lives on the same ones, see either-form.ts. */
export const chirpstackProtobuf: Adapter = {
  name,
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const route = readEventRoute(inbound.route);
  if (isVersion3(inbound.body)) return parseVersion3(inbound.body, route);
  const reader = new WireReader(inbound.body);
  return route.event === 'up' ? parseUplink(reader, route) : parseEvent(reader, route);
}

function parseUplink(reader: WireReader, route: EventRoute): Parsed {
  const uplink: Draft<PayloadUplink> = {
    kind: 'payload',
    adapter: name,
    deviceId: '',
    // Fields with their default value are not on the wire.
    fPort: 0,
    fCnt: 0,
    confirmed: false,
    rxInfo: [],
  };
  const receptions: Reception[] = [];
  const isLora = readUplink(reader, uplink, receptions);
  const problem = problemOf(reader, uplink.deviceId, route);
  if (problem !== undefined) return malformed(problem);
  uplink.rxInfo = receptions.map((reception) => toRxInfo(reception, isLora));
  // FPort 0 carries MAC commands, which are the network server's affair: nothing to decode.
  if (uplink.fPort === 0) delete uplink.frmPayload;
  return [uplink];
}

/** Returns whether the frame was modulated as LoRa, which is told after the receptions. */
function readUplink(
  reader: WireReader,
  uplink: Draft<PayloadUplink>,
  receptions: Reception[],
): boolean {
  let isLora = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 12) readReceptions(reader, receptions);
    else if (field === 13) {
      const transmission = readTransmission(reader);
      uplink.txInfo = transmission.txInfo;
      isLora = transmission.isLora;
    } else readUplinkField(reader, field, uplink);
  }
  return isLora;
}

function readReceptions(reader: WireReader, receptions: Reception[]): void {
  if (receptions.length >= receptionsMax) {
    reader.skip();
    return;
  }
  const reception = readReception(reader);
  // Without a gateway there is nothing to tie the reception to.
  if (reception.gatewayId !== '') receptions.push(reception);
}

function readUplinkField(reader: WireReader, field: number, uplink: Draft<PayloadUplink>): void {
  switch (field) {
    case 1:
      readMessageKey(reader, uplink);
      return;
    case 2:
      uplink.rxTime = readTimestamp(reader, 'time');
      return;
    case 3:
      uplink.deviceId = readDevEui(reader);
      return;
    case 4:
      readDevAddr(reader, uplink);
      return;
    case 7:
      uplink.fCnt = reader.uint32('fCnt');
      return;
    case 8:
      uplink.fPort = reader.uint32('fPort');
      if (uplink.fPort > fPortMax) reader.complain('fPort', `an integer from 0 to ${fPortMax}`);
      return;
    case 9:
      uplink.confirmed = reader.flag('confirmed');
      return;
    case 10: {
      const data = reader.bytes('data');
      if (data.length > 0) uplink.frmPayload = data;
      return;
    }
    case 11: {
      const object = readStruct(reader, 'object');
      if (Object.keys(object).length > 0) uplink.object = object;
      return;
    }
    case 15:
      readJoinServerContext(reader, uplink);
      return;
    default:
      reader.skip();
  }
}

/** With a join server of its own, the application alone holds the AppSKey. */
function readJoinServerContext(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  const outer = reader.enter('joinServerContext');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    uplink.encrypted = true;
    if (field === 2) readEnvelope(reader, uplink);
    else reader.skip();
  }
  reader.leave(outer);
}

function readEnvelope(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  let label = '';
  let bytes: Buffer | undefined;
  const outer = reader.enter('appSKey');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) label = reader.text('kekLabel');
    else if (field === 2) bytes = reader.bytes('aesKey');
    else reader.skip();
  }
  reader.leave(outer);
  const key = wrappedKeyOf(label, bytes);
  if (key !== undefined) uplink.wrappedAppSKey = key;
}

function readMessageKey(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  const key = reader.text('deduplicationId');
  if (key.length > messageKeyLengthMax) reader.complain('deduplicationId', 'short');
  else if (key !== '') uplink.messageKey = key;
}

function readDevAddr(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  const text = reader.text('devAddr');
  const devAddr = parseDevAddr(text);
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  else if (text !== '') reader.complain('devAddr', '8 hex digits');
}

/** DeviceInfo; names and tags are the registry's affair. */
function readDevEui(reader: WireReader): string {
  let devEui = '';
  const outer = reader.enter('deviceInfo');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 8) {
      devEui = parseEui64(reader.text('deviceInfo.devEui')) ?? '';
      if (devEui === '') reader.complain('deviceInfo.devEui', 'an EUI of 16 hex digits');
    } else reader.skip();
  }
  reader.leave(outer);
  return devEui;
}

function problemOf(reader: WireReader, deviceId: string, route: EventRoute): string | undefined {
  if (reader.problem !== undefined) return reader.problem;
  if (deviceId === '') return 'deviceInfo.devEui is missing';
  return route.devEui === undefined || route.devEui === deviceId
    ? undefined
    : 'deviceInfo.devEui is not the device of the topic';
}

/** In which fields an event has its time and its DeviceInfo. */
const eventFields = new Map([
  ['join', { time: 2, deviceInfo: 3 }],
  ['status', { time: 2, deviceInfo: 3 }],
  ['ack', { time: 2, deviceInfo: 3 }],
  ['txack', { time: 2, deviceInfo: 3 }],
  ['log', { time: 1, deviceInfo: 2 }],
  ['location', { time: 2, deviceInfo: 3 }],
  ['integration', { time: 2, deviceInfo: 3 }],
]);

const locationField = 4;

function parseEvent(reader: WireReader, route: EventRoute): Parsed {
  const fields = eventFields.get(route.event ?? '');
  if (fields === undefined || route.event === undefined) {
    return malformed('the topic names no event of ChirpStack v4');
  }
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type: route.event };
  const status = route.event === 'status' ? createStatus() : undefined;
  let deviceId = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === fields.time) event.time = readTimestamp(reader, 'time');
    else if (field === fields.deviceInfo) deviceId = readDevEui(reader);
    else if (route.event === 'location' && field === locationField) {
      event.measurements = positionOf(readLocation(reader));
    } else if (status === undefined) reader.skip();
    else readStatusField(reader, field, status);
  }
  event.deviceId = deviceId;
  if (status !== undefined) event.measurements = statusMeasurements(status);
  const problem = problemOf(reader, deviceId, route);
  return problem === undefined ? [event] : malformed(problem);
}
