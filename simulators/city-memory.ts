/**
 * What a city must not forget between two runs on one data directory: its frame counters, since a
 * gateway rightly takes a counter used twice for a replay.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Counters } from './city-traffic.ts';

/** More than a device can send between the last time its counter was saved and a crash. */
const counterMargin = 1_000;
const fileBytesMax = 50_000_000;

export interface CityMemory {
  readonly seed: string;
  readonly counters: Counters;
  /** Epoch milliseconds of the last uplinks. */
  readonly lastTime: number;
}

/** The memory of this seed's last run, its counters moved on by the margin; undefined if none. */
export async function readCityMemory(file: string, seed: string): Promise<CityMemory | undefined> {
  const text = await readFile(file, 'utf8').catch(ignoreMissing);
  if (text === undefined || text.length > fileBytesMax) return undefined;
  const value: unknown = JSON.parse(text);
  if (!isMemory(value) || value.seed !== seed) return undefined;
  const counters = Object.entries(value.counters).map(([id, fCnt]) => [id, fCnt + counterMargin]);
  return { ...value, counters: Object.fromEntries(counters) };
}

/** Atomic: a crash leaves the old memory or the new one. */
export async function writeCityMemory(file: string, memory: CityMemory): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(memory));
  await rename(`${file}.new`, file);
}

function ignoreMissing(error: unknown): undefined {
  const isObject = typeof error === 'object' && error !== null;
  if (isObject && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

function isMemory(value: unknown): value is CityMemory {
  return (
    typeof value === 'object' &&
    value !== null &&
    'seed' in value &&
    typeof value.seed === 'string' &&
    'lastTime' in value &&
    typeof value.lastTime === 'number' &&
    'counters' in value &&
    typeof value.counters === 'object' &&
    value.counters !== null &&
    Object.values(value.counters).every((fCnt) => Number.isSafeInteger(fCnt) && fCnt >= 0)
  );
}
