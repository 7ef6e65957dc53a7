/**
 * What a store takes: the last door before telemetry is written. A record that no store could hold
 * is reported and left out, so that it never holds back the records beside it.
 */
import { isDeviceId } from '../model/device.ts';
import type { LinkSample, Reading } from '../model/reading.ts';
import type { RecordBatch } from './store.ts';

/** Called with records that will not be stored and the reason, once a reason and batch. */
export type OnRejected = (rejected: readonly RejectedRecord[], reason: string) => void;

/** Which record it is: no more of it may be left. */
export interface RejectedRecord {
  readonly device: string;
  /** Its quantity; of a link sample, its gateway. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** The longest quantity, channel or gateway name, in UTF-16 units. */
export const nameLengthMax = 128;
/** The longest agency or area. */
export const placeLengthMax = 256;
/** The longest text of a state. */
export const stateLengthMax = 4_096;
/** The last millisecond that a store with nanoseconds in 64 bits can tell (in the year 2262). */
export const timeMax = 9_223_372_036_853;

const qualities: ReadonlySet<number> = new Set([1, 2, 3, 4, 9]);

/** Returns the records that can be stored; all others are handed to `onRejected` by reason. */
export function admit(batch: RecordBatch, onRejected: OnRejected): RecordBatch {
  const readings = sift(batch.readings, refuseReading);
  const links = sift(batch.links, refuseLink);
  for (const [reason, refused] of readings.refused) {
    onRejected(
      refused.map(({ device, quantity: name, time }) => ({ device, name, time })),
      reason,
    );
  }
  for (const [reason, refused] of links.refused) {
    onRejected(
      refused.map(({ device, gateway: name, time }) => ({ device, name, time })),
      reason,
    );
  }
  return { readings: readings.taken, links: links.taken };
}

/** Why no store can hold this reading; undefined when it can. */
export function refuseReading(reading: Reading): string | undefined {
  if (!isSoundId(reading.device)) return 'the device id is not of the agreed form';
  if (!isName(reading.quantity)) return 'the quantity is empty or too long';
  if ((reading.channel ?? '').length > nameLengthMax) return 'the channel is too long';
  if ((reading.agency ?? '').length > placeLengthMax) return 'the agency is too long';
  if ((reading.area ?? '').length > placeLengthMax) return 'the area is too long';
  if (!isTime(reading.time)) return 'the time is not one that a store can tell';
  if (!isSeq(reading.seq)) return 'the seq is not a place in the ledger';
  if (!qualities.has(reading.quality)) return 'the quality is not a QARTOD flag';
  return refuseValue(reading.value);
}

function refuseValue(value: number | string): string | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : 'the value is not a finite number';
  }
  return value.length > stateLengthMax ? 'the state is too long' : undefined;
}

function refuseLink(link: LinkSample): string | undefined {
  if (!isSoundId(link.device)) return 'the device id is not of the agreed form';
  if (!isName(link.gateway)) return 'the gateway id is empty or too long';
  if (!isTime(link.time)) return 'the time is not one that a store can tell';
  if (!isSeq(link.seq)) return 'the seq is not a place in the ledger';
  for (const value of [link.fCnt, link.spreadingFactor]) {
    if (value !== undefined && !isCount(value)) return 'a counter is not a 32-bit whole number';
  }
  for (const value of [link.rssi, link.snr, link.rsrp, link.rsrq, link.sinr]) {
    if (value !== undefined && !Number.isFinite(value)) return 'a level is not a finite number';
  }
  return undefined;
}

let lastSound = '';

/** The records of an uplink follow each other, so most ids are the one that was just looked at. */
function isSoundId(id: string): boolean {
  if (id === lastSound) return true;
  if (!isDeviceId(id)) return false;
  lastSound = id;
  return true;
}

function isName(text: string): boolean {
  return text.length > 0 && text.length <= nameLengthMax;
}

function isTime(time: number): boolean {
  return time >= 0 && time <= timeMax;
}

function isSeq(seq: number): boolean {
  return Number.isSafeInteger(seq) && seq >= 0;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

interface Sifted<T> {
  readonly taken: readonly T[];
  readonly refused: ReadonlyMap<string, readonly T[]>;
}

/** Nearly every batch is taken whole; then it is passed on without a copy. */
function sift<T>(all: readonly T[], refuse: (record: T) => string | undefined): Sifted<T> {
  const refused = new Map<string, T[]>();
  const reasons = new Map<T, string>();
  for (const record of all) {
    const reason = refuse(record);
    if (reason === undefined) continue;
    reasons.set(record, reason);
    const alike = refused.get(reason);
    if (alike === undefined) refused.set(reason, [record]);
    else alike.push(record);
  }
  const taken = reasons.size === 0 ? all : all.filter((record) => !reasons.has(record));
  return { taken, refused };
}
