/**
 * What 5G, LTE-M and NB-IoT modems send: flat values, SenML packs in JSON or CBOR, and ThingsBoard
 * telemetry.
 */
import { createHash } from 'node:crypto';
import { isDeviceId } from '../model/device.ts';
import type { Fault } from '../model/fault.ts';
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { deviceIdOfName } from './device-name.ts';
import { type Document, isObject, type JsonObject, malformed, openDocument } from './document.ts';
import { type Collection, createCollection, radioOf, readValues } from './measurements.ts';
import type { Draft } from './place.ts';
import { resolve } from './senml.ts';
import { isCborPack, openCborPack } from './senml-cbor.ts';
import { collectRecords } from './senml-measurements.ts';
import { collectGatewayTelemetry, collectTelemetry, isSample } from './thingsboard.ts';
import { parseDeviceTime } from './timestamp.ts';

const name = 'modem-json';

export const modem: Adapter = {
  name,
  topicFilters: ['up/+', 'v1/devices/me/telemetry', 'v1/gateway/telemetry', 'v2/t', 'v2/telemetry'],
  isNetworkServer: false,
  parse,
};

const deviceTelemetry =
  /^(?:v1\/devices\/me\/telemetry|v2\/t|v2\/telemetry|api\/v1\/[^/]+\/telemetry)$/;

function parse(inbound: Inbound): Parsed {
  const document = isCborPack(inbound.body) ? openPack(inbound.body) : openDocument(inbound.body);
  if ('code' in document) return document;
  const route = inbound.route.replace(/^\//, '');
  if (route === 'v1/gateway/telemetry') return parseGateway(document);
  const deviceId = /^up\/([^/]+)$/.exec(route)?.[1] ?? inbound.sender.deviceId;
  if (deviceId === undefined) return malformed('neither the topic nor the account names a device');
  if (!isDeviceId(deviceId)) return malformed('the device of the topic is no valid id');
  if (isCborPack(inbound.body) && Array.isArray(document.value)) {
    return parseSenml(document.value, { deviceId, now: inbound.receivedAt });
  }
  return deviceTelemetry.test(route)
    ? parseTelemetry(document, deviceId)
    : parseByShape(document, deviceId, inbound);
}

/** CBOR comes on the same topics as JSON: its first byte tells them apart. */
function openPack(body: Buffer): Document | Fault {
  const value = openCborPack(body);
  return 'code' in value ? value : { value, complaints: [] };
}

function parseByShape(document: Document, deviceId: string, inbound: Inbound): Parsed {
  const { value } = document;
  if (Array.isArray(value)) {
    return isSample(value[0])
      ? parseTelemetry(document, deviceId)
      : parseSenml(value, { deviceId, now: inbound.receivedAt });
  }
  if (isSample(value)) return parseTelemetry(document, deviceId);
  if (isObject(value)) return parseFlat(value, deviceId, inbound.body);
  return malformed('the body is neither an object nor an array');
}

function parseGateway(document: Document): Parsed {
  const uplinks: PayloadUplink[] = [];
  for (const { deviceName, collection } of collectGatewayTelemetry(document)) {
    const deviceId = deviceIdOfName(deviceName);
    if (deviceId === undefined) return malformed('the name of a device can be no id');
    uplinks.push(toUplink(deviceId, collection));
  }
  const complaint = document.complaints[0];
  if (complaint !== undefined) return malformed(complaint);
  const [first, ...others] = uplinks;
  return first === undefined ? malformed('the body names no device') : [first, ...others];
}

function parseTelemetry({ value, complaints }: Document, deviceId: string): Parsed {
  const collection = collectTelemetry(value, complaints);
  const complaint = complaints[0];
  return complaint === undefined ? [toUplink(deviceId, collection)] : malformed(complaint);
}

function parseSenml(
  pack: readonly unknown[],
  { deviceId, now }: { readonly deviceId: string; readonly now: number },
): Parsed {
  const complaints: string[] = [];
  const records = resolve(pack, { now, complaints });
  const [complaint] = complaints;
  if (complaint !== undefined) return malformed(complaint);
  if (records.length === 0) return malformed('the pack has no record with a value');
  const collection = createCollection();
  collectRecords(records, collection);
  return asParsed(deviceId, collection);
}

/** In order of trust: the first that can be read as a time is the sample's. */
const timeKeys = ['ts', 'timestamp', 'time'] as const;

function parseFlat(values: JsonObject, deviceId: string, body: Buffer): Parsed {
  const readable = timeKeys.filter((key) => parseDeviceTime(values[key]) !== undefined);
  const [timeKey] = readable;
  const time = timeKey === undefined ? undefined : parseDeviceTime(values[timeKey]);
  const others: Record<string, unknown> = { ...values };
  for (const key of readable) Reflect.deleteProperty(others, key);
  const collection = createCollection();
  readValues(others, time, collection);
  const messageKey = time === undefined ? undefined : keyOf(values, body);
  return asParsed(deviceId, collection, messageKey);
}

const counterKeys = ['id', 'seq', 'msgId'] as const;

/**
 * A counter alone starts again after a restart, and equal bodies may be two honest samples. Only a
 * body with its own time and a counter cannot be another message; its hash stands for all of it.
 */
function keyOf(values: JsonObject, body: Buffer): string | undefined {
  const hasCounter = counterKeys.some((key) => Number.isInteger(values[key]));
  return hasCounter ? `sha256:${createHash('sha256').update(body).digest('hex')}` : undefined;
}

function asParsed(deviceId: string, collection: Collection, messageKey?: string): Parsed {
  const { complaint } = collection;
  if (complaint !== undefined) return malformed(`${complaint.name} is not ${complaint.expected}`);
  return [toUplink(deviceId, collection, messageKey)];
}

function toUplink(deviceId: string, collection: Collection, messageKey?: string): PayloadUplink {
  const { measurements } = collection;
  const uplink: Draft<PayloadUplink> = {
    kind: 'payload',
    adapter: name,
    deviceId,
    rxInfo: [],
    measurements,
  };
  const radio = radioOf(collection);
  if (radio !== undefined) uplink.radio = radio;
  if (messageKey !== undefined) uplink.messageKey = messageKey;
  return uplink;
}
