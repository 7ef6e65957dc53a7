/**
 * Every series the gateway has heard, with its last value. The number of a series never changes
 * within an epoch.
 */
import { createRowBlock, type ReadingRow } from '../model/reading-row.ts';

export interface SeriesIdentity {
  readonly device: string;
  readonly quantity: string;
  /** Empty for none. */
  readonly channel: string;
  readonly unit: string;
  readonly area?: string;
}

export interface SeriesTable {
  /** The series' number; a new one is given out at first sight. */
  indexOf(identity: SeriesIdentity): number;
  identity(index: number): SeriesIdentity | undefined;
  latest(index: number): ReadingRow | undefined;
  /** Keeps the row if it is not older than the last one. True when it is the newest now. */
  update(row: ReadingRow): boolean;
  readonly size: number;
  indexesOf(device: string): readonly number[];
}

export function createSeriesTable(): SeriesTable {
  const identities: SeriesIdentity[] = [];
  const rows = createRowBlock();
  const byKey = new Map<string, number>();
  const byDevice = new Map<string, number[]>();

  return {
    indexOf(identity) {
      const key = `${identity.device}\n${identity.quantity}\n${identity.channel}`;
      const known = byKey.get(key);
      if (known !== undefined) return known;
      const index = identities.push(identity) - 1;
      byKey.set(key, index);
      const siblings = byDevice.get(identity.device);
      if (siblings === undefined) byDevice.set(identity.device, [index]);
      else siblings.push(index);
      return index;
    },
    identity: (index) => identities[index],
    latest: (index) => rows.get(index),
    update(row) {
      const [index, time, , , , , seq] = row;
      const last = rows.get(index);
      if (last !== undefined && (last[1] > time || (last[1] === time && last[6] > seq)))
        return false;
      rows.set(index, row);
      return true;
    },
    get size() {
      return identities.length;
    },
    indexesOf: (device) => byDevice.get(device) ?? [],
  };
}
