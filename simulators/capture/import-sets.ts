/**
 * The public data sets that Fieldgate is developed with, as the messages of the devices that would
 * have measured them. Names of columns, zones and units are those of each set's own description.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { tourPerretDevEui, tourPerretFrames } from '../tour-perret.ts';
import { csvRows } from './csv-table.ts';
import { type CsvCounts, type CsvField, importCsv, telemetry } from './import-csv.ts';
import type { CapturedMessage } from './message.ts';

interface TableSet {
  readonly device?: string;
  readonly timeColumn: string;
  readonly zone: string;
  readonly fields?: Readonly<Record<string, CsvField>>;
}

/** Milligrams of carbon monoxide, which the vocabulary has in micrograms. */
const milligrams = 1_000;

const tableSets = {
  'air-quality-italy': {
    ...{ device: 'italy-roadside', timeColumn: 'time', zone: 'Europe/Rome' },
    fields: {
      'CO(GT)': { name: 'co', factor: milligrams },
      'NO2(GT)': { name: 'no2' },
      T: { name: 'temperature' },
      RH: { name: 'humidity' },
      'C6H6(GT)': { name: 'benzene_reference' },
      'PT08.S5(O3)': { name: 'o3_sensor_raw' },
    },
  },
  'air-quality-beijing': {
    ...{ device: 'beijing-aotizhongxin', timeColumn: 'time', zone: 'Asia/Shanghai' },
    fields: {
      'PM2.5': { name: 'pm2_5' },
      PM10: { name: 'pm10' },
      SO2: { name: 'so2' },
      NO2: { name: 'no2' },
      CO: { name: 'co' },
      O3: { name: 'o3' },
      TEMP: { name: 'temperature' },
      PRES: { name: 'air_pressure' },
      DEWP: { name: 'dew_point' },
      RAIN: { name: 'rain_intensity' },
      WSPM: { name: 'wind_speed' },
    },
  },
  'bicycle-fremont': {
    ...{ device: 'fremont-bridge', timeColumn: 'time', zone: 'America/Los_Angeles' },
    fields: { north: { name: 'bicycle_count_north' }, south: { name: 'bicycle_count_south' } },
  },
  'pedestrian-melbourne': {
    ...{ timeColumn: 'time', zone: 'UTC', fields: { count: { name: 'people_count' } } },
  },
  'water-level': {
    ...{ device: 'gauge-1', timeColumn: 'time', zone: 'UTC' },
    fields: { water_level_m: { name: 'water_level' } },
  },
  nab: { timeColumn: 'timestamp', zone: 'UTC' },
} as const satisfies Readonly<Record<string, TableSet>>;

export const setNames = [...Object.keys(tableSets), 'm4-hourly', 'lorawan-tour-perret'];

export interface SetImport {
  readonly set: string;
  readonly file: string;
  /** Series that a set without times begins with, epoch milliseconds. */
  readonly start: number;
  /** The seed of the keys that the frames of the Perret tower are signed with. */
  readonly seed: string;
}

/** A key that a gateway needs for the frames, as its configuration wants it. */
export interface ImportedDevice {
  readonly id: string;
  readonly codec?: string;
  readonly devAddr?: string;
  readonly nwkSKey?: string;
  readonly appSKey?: string;
}

export interface ImportedSet {
  readonly messages: readonly CapturedMessage[];
  /** Sessions of LoRaWAN devices, in the order in which they were in use. */
  readonly devices: readonly ImportedDevice[];
  readonly counts: CsvCounts;
}

const unpackedBytesMax = 500_000_000;

/** Rejects with CaptureUnreadable when the file is not of that set. */
export async function importSet(wish: SetImport): Promise<ImportedSet> {
  const text = await readTable(wish.file);
  const counts = { skipped: 0 };
  if (wish.set === 'lorawan-tour-perret') return { ...towerOf(text, wish.seed), counts };
  if (wish.set === 'm4-hourly') return { messages: m4Of(text, wish.start), devices: [], counts };
  const table = Object.entries(tableSets).find(([name]) => name === wish.set)?.[1];
  if (table === undefined) throw new RangeError(`${wish.set} is none of ${setNames.join(', ')}`);
  const stem = basename(wish.file).replace(/\.csv(\.gz)?$/, '');
  const messages = importCsv(text, { device: stem.replace(/[^\w.-]+/g, '-'), ...table }, counts);
  return { messages, devices: [], counts };
}

/** A CSV file, packed or not. */
export async function readTable(file: string): Promise<string> {
  const bytes = await readFile(file);
  const isPacked = bytes.length > 2 && bytes.readUInt16BE(0) === 0x1f8b;
  const plain = isPacked ? gunzipSync(bytes, { maxOutputLength: unpackedBytesMax }) : bytes;
  return plain.toString('utf8');
}

function towerOf(text: string, seed: string): Omit<ImportedSet, 'counts'> {
  const sessions = new Map<string, ImportedDevice>();
  const messages = [...tourPerretFrames(text, seed)].map(({ row, topic, payload, session }) => {
    sessions.set(session.devAddr, {
      ...{ id: tourPerretDevEui, codec: 'elsys-generic', devAddr: session.devAddr },
      nwkSKey: session.nwkSKey.toString('hex'),
      appSKey: session.appSKey.toString('hex'),
    });
    const message: CapturedMessage = {
      ...{ at: row.time, via: 'mqtt', route: topic, body: payload },
      ...{ sender: 'gateway-bridge', device: tourPerretDevEui },
    };
    return message;
  });
  return { messages, devices: [...sessions.values()] };
}

const hourMs = 3_600_000;

/** One series a row, an hour from value to value; the first row is a header. */
function m4Of(text: string, start: number): CapturedMessage[] {
  const rows = [...csvRows(text)].slice(1);
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const messages: CapturedMessage[] = [];
  for (let hour = 1; hour < longest; hour += 1) {
    for (const row of rows) {
      const cell = row[hour] ?? '';
      if (cell === '') continue;
      const device = `m4-${row[0]?.toLowerCase()}`;
      messages.push(telemetry(device, start + (hour - 1) * hourMs, { value: Number(cell) }));
    }
  }
  return messages;
}
