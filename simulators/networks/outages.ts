/**
 * When a modem is without a network, and what it keeps meanwhile: its records wait in a store of a
 * bounded size, and go out in a burst once it is heard again, each with its own time.
 */
import { hashNoise } from '../random.ts';

/** True while there is no network. */
export type Outages = (time: number) => boolean;

/** In each such time there is one outage or none, anywhere in it. */
const slotMs = 8 * 3_600_000;
const outageShare = 0.12;
const shortestMs = 10 * 60_000;
const longestMs = 4 * 3_600_000;

export function createOutages(key: number): Outages {
  const isWithin = (slot: number, time: number): boolean => {
    if (hashNoise(key, slot) >= outageShare) return false;
    // Most are short: a mast is switched over sooner than a cable is mended.
    const lengthMs = shortestMs + (longestMs - shortestMs) * hashNoise(key ^ 3, slot) ** 3;
    const start = slot * slotMs + hashNoise(key ^ 7, slot) * (slotMs - lengthMs);
    return time >= start && time < start + lengthMs;
  };
  return (time) => isWithin(Math.floor(time / slotMs), time);
}

/** What fits into a modem's flash; then the oldest record makes room. */
export const recordsStoredMax = 500;

/** Takes each record, and gives those that go out with it, the oldest first. */
export type Store<Item> = (record: Item, time: number) => readonly Item[];

export function createStore<Item>(isOut: Outages): Store<Item> {
  let kept: Item[] = [];
  return (record, time) => {
    kept.push(record);
    if (kept.length > recordsStoredMax) kept.shift();
    if (isOut(time)) return [];
    const burst = kept;
    kept = [];
    return burst;
  };
}
