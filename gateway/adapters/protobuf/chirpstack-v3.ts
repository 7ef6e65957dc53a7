/** ChirpStack v3, protobuf: the events of its application server with `marshaler="protobuf"`. */
import type { PayloadUplink, SourceEvent } from '../../model/uplink.ts';
import type { Adapter, Parsed } from '../adapter.ts';
import { malformed, openObject } from '../document.ts';
import type { Draft } from '../place.ts';
import { positionOf, receptionsMax } from '../reception.ts';
import { createStatus, readStatusField, statusMeasurements } from './chirpstack-status.ts';
import { type EventRoute, readEventRoute } from './event-route.ts';
import {
  type Reception,
  readEuiBytes,
  readLegacyReception,
  readLegacyTransmission,
  readLocation,
  toRxInfo,
} from './reception.ts';
import { readTimestamp } from './timestamp.ts';
import { WireReader } from './wire-reader.ts';

const name = 'chirpstack-v3-protobuf';
const fPortMax = 255;
const devEuiField = 4;

/** It has no topics of its own: version 4 and the JSON forms live on the same ones. */
export const chirpstackV3Protobuf: Adapter = {
  name,
  topicFilters: [],
  isNetworkServer: true,
  parse: (inbound) => parseVersion3(inbound.body, readEventRoute(inbound.route)),
};

/**
 * In version 3 field 1 is the application's number and field 4 the device's EUI in bytes. Version 4
 * has a number in field 1 of a `txack` only, whose field 4 is a UUID in text.
 */
export function isVersion3(body: Buffer): boolean {
  if (body[0] !== 0x08) return false;
  const reader = new WireReader(body);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === devEuiField) return reader.isDelimited() && reader.bytes('devEUI').length === 8;
    reader.skip();
  }
  return false;
}

/** In which field an event tells when it was published, which servers before 3.12 leave out. */
const publishedAtFields = new Map([
  ['join', 10],
  ['ack', 8],
  ['txack', 9],
  ['error', 9],
  ['status', 10],
  ['location', 9],
  ['integration', 9],
]);

export function parseVersion3(body: Buffer, route: EventRoute): Parsed {
  const reader = new WireReader(body);
  if (route.event === 'up') return parseUplink(reader, route);
  const publishedAt = publishedAtFields.get(route.event ?? '');
  if (publishedAt === undefined || route.event === undefined) {
    return malformed('the topic names no event of ChirpStack v3');
  }
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type: route.event };
  readEvent(reader, event, publishedAt);
  return finish(reader, event, route);
}

function finish(
  reader: WireReader,
  item: Draft<PayloadUplink> | Draft<SourceEvent>,
  route: EventRoute,
): Parsed {
  if (reader.problem !== undefined) return malformed(reader.problem);
  if (item.deviceId === undefined || item.deviceId === '') return malformed('devEUI is missing');
  if (route.devEui !== undefined && route.devEui !== item.deviceId) {
    return malformed('devEUI is not the device of the topic');
  }
  return [item];
}

function readEvent(reader: WireReader, event: Draft<SourceEvent>, publishedAt: number): void {
  const status = event.type === 'status' ? createStatus() : undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === devEuiField) event.deviceId = readEuiBytes(reader, 'devEUI');
    else if (field === publishedAt) event.time = readTimestamp(reader, 'publishedAt');
    else if (field === 5 && event.type === 'location') {
      event.measurements = positionOf(readLocation(reader));
    } else if (status === undefined) reader.skip();
    else readStatusField(reader, field, status);
  }
  if (status !== undefined) event.measurements = statusMeasurements(status);
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
  let isLora = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 5 && receptions.length < receptionsMax) {
      receptions.push(readLegacyReception(reader));
    } else if (field === 6) {
      const transmission = readLegacyTransmission(reader);
      uplink.txInfo = transmission.txInfo;
      isLora = transmission.isLora;
    } else readUplinkField(reader, field, uplink);
  }
  addReceptions(uplink, receptions, isLora);
  // FPort 0 carries MAC commands, which are the network server's affair: nothing to decode.
  if (uplink.fPort === 0) delete uplink.frmPayload;
  return finish(reader, uplink, route);
}

/** Without a better one, the first gateway's time is the uplink's. */
function addReceptions(
  uplink: Draft<PayloadUplink>,
  receptions: readonly Reception[],
  isLora: boolean,
): void {
  const known = receptions.filter(({ gatewayId }) => gatewayId !== '');
  uplink.rxInfo = known.map((reception) => toRxInfo(reception, isLora));
  const heardAt = known.find(({ gatewayTime }) => gatewayTime !== undefined)?.gatewayTime;
  if (uplink.rxTime === undefined && heardAt !== undefined) uplink.rxTime = heardAt;
  const uplinkId = receptions[0]?.uplinkId;
  // Gateways that give none leave zeros. In base64, as the JSON form of this message has it.
  if (uplinkId?.length === 16 && uplinkId.some((byte) => byte !== 0)) {
    uplink.messageKey = uplinkId.toString('base64');
  }
}

function readUplinkField(reader: WireReader, field: number, uplink: Draft<PayloadUplink>): void {
  switch (field) {
    case devEuiField:
      uplink.deviceId = readEuiBytes(reader, 'devEUI');
      return;
    case 9:
      uplink.fCnt = reader.uint32('fCnt');
      return;
    case 10:
      uplink.fPort = reader.uint32('fPort');
      if (uplink.fPort > fPortMax) reader.complain('fPort', `an integer from 0 to ${fPortMax}`);
      return;
    case 11: {
      const data = reader.bytes('data');
      if (data.length > 0) uplink.frmPayload = data;
      return;
    }
    case 12:
      readObjectJson(reader, uplink);
      return;
    case 14:
      uplink.confirmed = reader.flag('confirmedUplink');
      return;
    case 15:
      readDevAddr(reader, uplink);
      return;
    case 16:
      uplink.rxTime = readTimestamp(reader, 'publishedAt');
      return;
    default:
      reader.skip();
  }
}

/** JSON inside a text is opened with the same care as a body. */
function readObjectJson(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  const text = reader.bytes('objectJSON');
  if (text.length === 0 || text.toString('latin1') === 'null') return;
  const place = openObject(text);
  if ('code' in place) reader.complain('objectJSON', 'a JSON object');
  else if (Object.keys(place.object).length > 0) uplink.object = place.object;
}

function readDevAddr(reader: WireReader, uplink: Draft<PayloadUplink>): void {
  const bytes = reader.bytes('devAddr');
  if (bytes.length === 4) uplink.devAddr = bytes.toString('hex');
  else if (bytes.length > 0) reader.complain('devAddr', '4 bytes');
}
