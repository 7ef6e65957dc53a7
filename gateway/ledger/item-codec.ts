/**
 * The items of a ledger entry as rows of values without names: half the size of objects, and a
 * field that is added at the end of a list reads old rows as absent.
 */
import assert from 'node:assert/strict';
import { faultSentences } from '../model/fault.ts';
import { isVouchedBy } from '../model/stored-words.ts';
import type {
  Location,
  Measurement,
  Radio,
  RxInfo,
  SourceEvent,
  TxInfo,
  VerifiedUplink,
} from '../model/uplink.ts';
import type { Item, QuarantinedItem } from './ledger.ts';

// The order of each list is the stored format: append, never reorder.
const locationFields = ['latitude', 'longitude', 'altitude'] as const;
const txInfoFields = ['frequency', 'bandwidth', 'spreadingFactor'] as const;
const rxInfoFields = ['gatewayId', 'rssi', 'snr', 'rxTime', 'location'] as const;
const measurementFields = ['name', 'value', 'unit', 'time', 'channel'] as const;
const radioFields = [
  ...(['rat', 'rsrp', 'rsrq', 'sinr', 'rssi', 'band'] as const),
  ...(['arfcn', 'pci', 'tac', 'cellId', 'mcc', 'mnc'] as const),
] as const;
const uplinkFields = [
  ...(['adapter', 'deviceId', 'vouchedBy', 'rxTime', 'rxInfo', 'txInfo', 'devAddr'] as const),
  ...(['fPort', 'fCnt', 'confirmed', 'frmPayload', 'encrypted', 'object'] as const),
  ...(['measurements', 'radio', 'messageKey', 'simulated', 'phyPayload'] as const),
  ...(['session', 'fOpts', 'counterBefore'] as const),
] as const;
const eventFields = [
  ...(['adapter', 'type', 'deviceId', 'gatewayId', 'time', 'measurements', 'vouchedBy'] as const),
  ...(['phyPayload'] as const),
] as const;
const quarantinedFields = ['code', 'detail', 'adapter', 'deviceId'] as const;

/** Does not compile when a field of the model is in no list: it would be lost on the way. */
type Complete<Model, Field> = Exclude<keyof Model, Field | 'kind'> extends never ? true : never;
const complete: [
  Complete<Location, (typeof locationFields)[number]>,
  Complete<TxInfo, (typeof txInfoFields)[number]>,
  Complete<RxInfo, (typeof rxInfoFields)[number]>,
  Complete<Measurement, (typeof measurementFields)[number]>,
  Complete<Radio, (typeof radioFields)[number]>,
  Complete<VerifiedUplink, (typeof uplinkFields)[number]>,
  Complete<SourceEvent, (typeof eventFields)[number]>,
  Complete<QuarantinedItem, (typeof quarantinedFields)[number] | 'fault'>,
] = [true, true, true, true, true, true, true, true];
assert.equal(complete.length, 8);

const itemTags = { payload: 0, event: 1, quarantined: 2 } as const;

type Row = unknown[];
type Fields = Record<string, unknown>;

export function itemToRow(item: Item): Row {
  switch (item.kind) {
    case 'payload':
      return uplinkToRow(item);
    case 'event':
      return toRow(eventFields, itemTags.event, {
        ...item,
        measurements: item.measurements?.map((each) => toRow(measurementFields, 0, each)),
      });
    case 'quarantined':
      return toRow(quarantinedFields, itemTags.quarantined, { ...item, ...item.fault });
  }
}

/**
 * Written out in the order of `uplinkFields`: this is the hot one, and a loop costs three times.
 */
function uplinkToRow(uplink: VerifiedUplink): Row {
  return trimmed([
    itemTags.payload,
    uplink.adapter,
    uplink.deviceId,
    uplink.vouchedBy,
    uplink.rxTime,
    uplink.rxInfo.map(rxInfoToRow),
    uplink.txInfo && toRow(txInfoFields, 0, uplink.txInfo),
    uplink.devAddr,
    uplink.fPort,
    uplink.fCnt,
    uplink.confirmed,
    uplink.frmPayload,
    uplink.encrypted,
    uplink.object && objectToText(uplink.object),
    uplink.measurements?.map((each) => toRow(measurementFields, 0, each)),
    uplink.radio && toRow(radioFields, 0, uplink.radio),
    uplink.messageKey,
    uplink.simulated,
    uplink.phyPayload,
    uplink.session,
    uplink.fOpts,
    uplink.counterBefore,
  ]);
}

function rxInfoToRow({ gatewayId, rssi, snr, rxTime, location }: RxInfo): Row {
  const place = location && toRow(locationFields, 0, location);
  return trimmed([0, gatewayId, rssi, snr, rxTime, place]);
}

/** The object came as JSON: as JSON it comes back exactly, with any key and any text in it. */
function objectToText(object: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(object);
}

function toRow<Field extends string>(
  fields: readonly Field[],
  tag: number,
  value: { readonly [Name in Field]?: unknown },
): Row {
  const row: Row = [tag];
  for (const field of fields) row.push(value[field]);
  return trimmed(row);
}

/** Absent fields at the end cost nothing. */
function trimmed(row: Row): Row {
  while (row[row.length - 1] === undefined) row.pop();
  return row;
}

/** Throws on anything that `itemToRow` has not made: a damaged or a foreign row. */
export function itemFromRow(row: unknown): Item {
  assert.ok(Array.isArray(row), 'an item is a row');
  const item = itemFields(row);
  assert.ok(isItem(item), 'an item has the fields of its kind');
  return item;
}

function itemFields(row: Row): Fields {
  switch (row[0]) {
    case itemTags.payload:
      return uplinkFromRow(row);
    case itemTags.event:
      return withMeasurements(fromRow(eventFields, row, 'event'));
    case itemTags.quarantined: {
      const { code, detail, ...rest } = fromRow(quarantinedFields, row, 'quarantined');
      return { ...rest, fault: { kind: 'fault', code: codeToday(code), detail } };
    }
    default:
      throw new Error(`An item of the unknown kind ${String(row[0])}`);
  }
}

/** Entries of 0.1.0 tell a topic without an adapter from a form that its adapter does not know. */
function codeToday(code: unknown): unknown {
  return code === 'TOPIC_UNKNOWN' ? 'INBOUND_UNRECOGNISED' : code;
}

/** Its first fields by name, as in `uplinkToRow`: nearly every uplink has these and no others. */
function uplinkFromRow(row: Row): Fields {
  assertRow(row, uplinkFields);
  const [adapter, deviceId, vouchedBy] = [row[1], row[2], row[3]];
  const uplink: Fields = { kind: 'payload', adapter, deviceId, vouchedBy };
  if (isThere(row[4])) uplink['rxTime'] = row[4];
  uplink['rxInfo'] = eachRow(row[5], rxInfoFromRow);
  if (isThere(row[6])) uplink['txInfo'] = fromRow(txInfoFields, row[6]);
  if (isThere(row[7])) uplink['devAddr'] = row[7];
  if (isThere(row[8])) uplink['fPort'] = row[8];
  if (isThere(row[9])) uplink['fCnt'] = row[9];
  if (isThere(row[10])) uplink['confirmed'] = row[10];
  if (isThere(row[11])) uplink['frmPayload'] = row[11];
  if (row.length <= 12) return uplink;
  include(uplink, uplinkFields, row, 12);
  withMeasurements(uplink);
  if ('radio' in uplink) uplink['radio'] = fromRow(radioFields, uplink['radio']);
  if ('object' in uplink) uplink['object'] = JSON.parse(String(uplink['object']));
  return uplink;
}

function rxInfoFromRow(row: unknown): Fields {
  assertRow(row, rxInfoFields);
  const rxInfo: Fields = { gatewayId: row[1] };
  if (isThere(row[2])) rxInfo['rssi'] = row[2];
  if (isThere(row[3])) rxInfo['snr'] = row[3];
  if (isThere(row[4])) rxInfo['rxTime'] = row[4];
  if (isThere(row[5])) rxInfo['location'] = fromRow(locationFields, row[5]);
  return rxInfo;
}

function withMeasurements(item: Fields): Fields {
  if ('measurements' in item) {
    item['measurements'] = eachRow(item['measurements'], (row) => fromRow(measurementFields, row));
  }
  return item;
}

function eachRow(rows: unknown, read: (row: unknown) => Fields): Fields[] {
  assert.ok(Array.isArray(rows), 'a list of rows');
  return rows.map(read);
}

function fromRow(fields: readonly string[], row: unknown, kind?: Item['kind']): Fields {
  assertRow(row, fields);
  const value: Fields = kind === undefined ? {} : { kind };
  include(value, fields, row, 1);
  return value;
}

function assertRow(row: unknown, fields: readonly string[]): asserts row is Row {
  const isSound = Array.isArray(row) && row.length <= fields.length + 1;
  if (!isSound) assert.fail('a row of known fields');
}

/** The cells of a row from a place on; its first cell is its tag. */
function include(value: Fields, fields: readonly string[], row: Row, from: number): void {
  for (let place = from; place < row.length; place += 1) {
    const field = fields[place - 1];
    if (field !== undefined && isThere(row[place])) value[field] = row[place];
  }
}

function isThere(cell: unknown): boolean {
  return cell !== undefined && cell !== null;
}

/** What every reader relies on; optional fields are as the writer's types had them. */
function isItem(item: Fields): item is Fields & Item {
  if (item['kind'] === 'quarantined') return isFault(item['fault']);
  if (typeof item['adapter'] !== 'string') return false;
  if (item['kind'] === 'event') return typeof item['type'] === 'string';
  return typeof item['deviceId'] === 'string' && isVouchedBy(item['vouchedBy']);
}

function isFault(fault: unknown): boolean {
  return (
    typeof fault === 'object' &&
    fault !== null &&
    'code' in fault &&
    Object.hasOwn(faultSentences, String(fault.code)) &&
    'detail' in fault &&
    typeof fault.detail === 'string'
  );
}
