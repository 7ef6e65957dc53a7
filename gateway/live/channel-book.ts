/**
 * Who wants a series, found by its device and its area: thousands of viewers may each look at a
 * device of their own, and a reading that asks them all in turn would cost more than its receipt.
 */
import type { Channel } from './channel.ts';
import type { SeriesIdentity } from './series-table.ts';

/** Which series a viewer wants: those of a device, of an area, of both at once, or all. */
export interface SeriesSelection {
  readonly device?: string;
  readonly area?: string;
}

export interface ChannelBook {
  get(key: string): Channel | undefined;
  add(key: string, selection: SeriesSelection, channel: Channel): void;
  remove(key: string): void;
  wanting(identity: SeriesIdentity): readonly Channel[];
  clear(): readonly Channel[];
}

interface Entry {
  readonly selection: SeriesSelection;
  readonly channel: Channel;
}

export function isSelected({ device, area }: SeriesSelection, identity: SeriesIdentity): boolean {
  if (device !== undefined && identity.device !== device) return false;
  return area === undefined || identity.area === area;
}

export function createChannelBook(): ChannelBook {
  const entries = new Map<string, Entry>();
  const byDevice = new Map<string, Set<Entry>>();
  const byArea = new Map<string, Set<Entry>>();
  const forAll = new Set<Entry>();

  return {
    get: (key) => entries.get(key)?.channel,
    add(key, selection, channel) {
      const entry = { selection, channel };
      entries.set(key, entry);
      const { device, area } = selection;
      if (device !== undefined) setIn(byDevice, device).add(entry);
      else if (area !== undefined) setIn(byArea, area).add(entry);
      else forAll.add(entry);
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entries.delete(key);
      const { device, area } = entry.selection;
      if (device !== undefined) removeFrom(byDevice, device, entry);
      else if (area !== undefined) removeFrom(byArea, area, entry);
      else forAll.delete(entry);
    },
    wanting(identity) {
      if (entries.size === 0) return [];
      const found: Channel[] = [];
      for (const { channel } of forAll) found.push(channel);
      for (const { selection, channel } of byDevice.get(identity.device) ?? []) {
        if (isSelected(selection, identity)) found.push(channel);
      }
      const ofArea = identity.area === undefined ? undefined : byArea.get(identity.area);
      for (const { channel } of ofArea ?? []) found.push(channel);
      return found;
    },
    clear() {
      const channels = [...entries.values()].map(({ channel }) => channel);
      for (const names of [entries, byDevice, byArea, forAll]) names.clear();
      return channels;
    },
  };
}

function setIn(sets: Map<string, Set<Entry>>, name: string): Set<Entry> {
  const known = sets.get(name) ?? new Set<Entry>();
  sets.set(name, known);
  return known;
}

function removeFrom(sets: Map<string, Set<Entry>>, name: string, entry: Entry): void {
  const known = sets.get(name);
  known?.delete(entry);
  if (known?.size === 0) sets.delete(name);
}
