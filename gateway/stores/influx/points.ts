/** Gathers readings into points of measurement `telemetry` and writes points as line protocol. */
import type { VouchedBy } from '../../model/inbound.ts';
import type { LinkSample, Quality, Reading } from '../../model/reading.ts';
import { vouchedByWords } from '../../model/stored-words.ts';
import type { RecordBatch } from '../store.ts';
import { encodeName, escapeKey, fieldNamesOf, quoteText } from './names.ts';

/** One line: either the readings of one device, channel and time, or one link sample. */
export interface Point {
  /** Measurement and tags, escaped. */
  readonly head: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly readings: readonly Reading[];
  readonly link?: LinkSample;
}

/** Points by their identity in the database: two values of one point become the newer one. */
export function gatherPoints(batch: RecordBatch): Map<string, Point> {
  const points = new Map<string, GatheredPoint>();
  let last: GatheredPoint | undefined;
  for (const reading of batch.readings) {
    // The readings of one uplink follow each other, so most need no key.
    if (last !== undefined && belongsTo(last, reading)) {
      include(last.readings, reading);
      continue;
    }
    const head = headOf(reading);
    const time = Math.round(reading.time);
    const key = `${head} ${time}`;
    last = points.get(key);
    if (last !== undefined) {
      include(last.readings, reading);
      continue;
    }
    last = { head, time, readings: [reading] };
    points.set(key, last);
  }
  for (const link of batch.links) {
    const device = link.device;
    const head = `link,device=${device},gateway=${spellTag(link.gateway)}`;
    const time = Math.round(link.time);
    points.set(`${head} ${time}`, { head, time, readings: [], link });
  }
  return points;
}

/**
 * Tells points apart, with so little chance to take two for one that it does no harm where one
 * would only wait for the other: 30 bits of measurement and tags, 23 of the time.
 */
export function keyOf({ head, time }: Point): number {
  let hash = 0;
  for (let at = 0; at < head.length; at += 1) {
    hash = (Math.imul(hash, 31) + head.charCodeAt(at)) & 0x3fff_ffff;
  }
  return (time % 0x80_0000) * 0x4000_0000 + hash;
}

interface GatheredPoint extends Point {
  readonly readings: Reading[];
}

function belongsTo(point: GatheredPoint, reading: Reading): boolean {
  const [first] = point.readings;
  return (
    first !== undefined &&
    first.device === reading.device &&
    first.time === reading.time &&
    first.channel === reading.channel &&
    first.area === reading.area &&
    first.agency === reading.agency
  );
}

function include(readings: Reading[], reading: Reading): void {
  const same = readings.findIndex((other) => other.quantity === reading.quantity);
  const older = readings[same];
  if (older === undefined) readings.push(reading);
  else if (reading.seq >= older.seq) readings[same] = reading;
}

/** Tags in the order of their names, as InfluxDB sorts them; an empty tag does not exist. */
function headOf(reading: Reading): string {
  const agency = tag('agency', reading.agency);
  const area = tag('area', reading.area);
  const channel = tag('channel', reading.channel);
  return `telemetry${agency}${area}${channel},device=${reading.device}`;
}

function tag(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return '';
  return `,${name}=${spellTag(value)}`;
}

const spellTag = keep((name) => escapeKey(encodeName(name)));

export function toLine(point: Point): string {
  const fields = point.link === undefined ? readingFields(point.readings) : linkFields(point.link);
  return `${point.head} ${fields} ${point.time}`;
}

function readingFields(readings: readonly Reading[]): string {
  let fields = '';
  let seq = 0;
  for (const reading of readings) {
    const spelt = spellFields(reading.quantity);
    const { value, quality } = reading;
    if (typeof value === 'number') fields += spelt.number + value + spelt.flags[quality];
    else fields += spelt.text + quoteText(value) + spelt.flags[quality];
    seq = Math.max(seq, reading.seq);
  }
  return `${fields}seq=${seq}i,vouched_by="${weakestVoucher(readings)}"`;
}

/**
 * A point has one voucher: where its readings differ, no number may seem better proven than it is.
 */
function weakestVoucher(readings: readonly Reading[]): VouchedBy {
  let weakest = readings[0]?.vouchedBy ?? 'credential';
  for (const { vouchedBy } of readings) {
    if (vouchedBy === weakest) continue;
    if (vouchedByWords.indexOf(vouchedBy) > vouchedByWords.indexOf(weakest)) weakest = vouchedBy;
  }
  return weakest;
}

/** A gateway that told nothing but that it heard the device still makes a point. */
function linkFields(link: LinkSample): string {
  let fields = '';
  if (link.fCnt !== undefined) fields += `f_cnt=${link.fCnt}i,`;
  if (link.rssi !== undefined) fields += `rssi=${link.rssi},`;
  if (link.snr !== undefined) fields += `snr=${link.snr},`;
  if (link.spreadingFactor !== undefined) fields += `spreading_factor=${link.spreadingFactor}i,`;
  if (link.rsrp !== undefined) fields += `rsrp=${link.rsrp},`;
  if (link.rsrq !== undefined) fields += `rsrq=${link.rsrq},`;
  if (link.sinr !== undefined) fields += `sinr=${link.sinr},`;
  return fields === '' ? `seq=${link.seq}i` : fields.slice(0, -1);
}

/** All of a quantity's part of a line but its value. */
interface SpeltFields {
  readonly number: string;
  readonly text: string;
  /** What follows the value, for each flag. */
  readonly flags: Readonly<Record<Quality, string>>;
}

const spellFields = keep((quantity): SpeltFields => {
  const names = fieldNamesOf(quantity);
  const flag = (quality: Quality) => `,${escapeKey(names.quality)}=${quality}i,`;
  return {
    number: `${escapeKey(names.number)}=`,
    text: `${escapeKey(names.text)}=`,
    flags: { 1: flag(1), 2: flag(2), 3: flag(3), 4: flag(4), 9: flag(9) },
  };
});

/** Names come from a small vocabulary, but the unmapped ones from outside: hence the bound. */
const namesKeptMax = 4_096;

/** Remembers what a name became, since spelling it costs more than the rest of its line. */
function keep<T>(spell: (name: string) => T): (name: string) => T {
  const kept = new Map<string, T>();
  return (name) => {
    const known = kept.get(name);
    if (known !== undefined) return known;
    const spelt = spell(name);
    if (kept.size >= namesKeptMax) kept.clear();
    kept.set(name, spelt);
    return spelt;
  };
}
