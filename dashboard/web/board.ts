/**
 * The last value of every series, by device, and what is learned of each device's rhythm. Each
 * device has its own signal, so that a delta repaints only the rows it touches.
 */
import { type Signal, signal } from '@preact/signals';
import { type Freshness, freshnessOf, noRhythm, noteTime, type Rhythm } from './freshness.ts';
import type { LiveReading } from './live-subscription.ts';

export interface DeviceBoard {
  /** By quantity and channel. A new map whenever one of them changes. */
  readonly readings: ReadonlyMap<string, LiveReading>;
  readonly rhythm: Rhythm;
}

const emptyDeviceBoard: DeviceBoard = { readings: new Map(), rhythm: noRhythm };

/** More devices than these are not shown; a gateway's page is not an archive. */
const devicesMax = 100_000;

export interface Board {
  /** The ids of all devices that were heard; changes only when one is added. */
  readonly ids: Signal<readonly string[]>;
  /** A counter that moves with every change, for sums over all devices. */
  readonly version: Signal<number>;
  device(id: string): Signal<DeviceBoard>;
  replace(readings: readonly LiveReading[]): void;
  merge(readings: readonly LiveReading[]): void;
  freshness(id: string, now: number): Freshness;
}

export function seriesKey(reading: { quantity: string; channel: string }): string {
  return `${reading.quantity}\u0000${reading.channel}`;
}

function groupByDevice(readings: readonly LiveReading[]): Map<string, LiveReading[]> {
  const groups = new Map<string, LiveReading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.device);
    if (group === undefined) groups.set(reading.device, [reading]);
    else group.push(reading);
  }
  return groups;
}

/**
 * A late reading does not replace a newer one; the same time does, since a judgement may change.
 */
function withReadings(board: DeviceBoard, readings: readonly LiveReading[]): DeviceBoard {
  const merged = new Map(board.readings);
  let rhythm = board.rhythm;
  for (const reading of readings) {
    const known = merged.get(seriesKey(reading));
    if (known === undefined || known.time <= reading.time) {
      merged.set(seriesKey(reading), reading);
    }
  }
  const times = readings.map((reading) => reading.time).sort((left, right) => left - right);
  for (const time of times) rhythm = noteTime(rhythm, time);
  return { readings: merged, rhythm };
}

/**
 * A snapshot holds one value of each series, of different times: only the newest tells a rhythm.
 */
function fromSnapshot(known: DeviceBoard, readings: readonly LiveReading[]): DeviceBoard {
  const newest = Math.max(...readings.map((reading) => reading.time));
  const merged = new Map(readings.map((reading) => [seriesKey(reading), reading]));
  return { readings: merged, rhythm: noteTime(known.rhythm, newest) };
}

export function createBoard(): Board {
  const devices = new Map<string, Signal<DeviceBoard>>();
  const ids = signal<readonly string[]>([]);
  const version = signal(0);

  function device(id: string): Signal<DeviceBoard> {
    const known = devices.get(id);
    if (known !== undefined) return known;
    const fresh = signal(emptyDeviceBoard);
    devices.set(id, fresh);
    return fresh;
  }

  function apply(
    readings: readonly LiveReading[],
    change: (board: DeviceBoard, group: readonly LiveReading[]) => DeviceBoard,
  ): void {
    const known = new Set(ids.peek());
    const added: string[] = [];
    for (const [id, group] of groupByDevice(readings)) {
      if (!known.has(id) && known.size + added.length >= devicesMax) continue;
      if (!known.has(id)) added.push(id);
      const board = device(id);
      board.value = change(board.peek(), group);
    }
    if (added.length > 0) ids.value = [...ids.peek(), ...added];
    version.value += 1;
  }

  return {
    ids,
    version,
    device,
    replace: (readings) => apply(readings, fromSnapshot),
    merge: (readings) => apply(readings, withReadings),
    freshness: (id, now) => freshnessOf(device(id).peek().rhythm, now),
  };
}
