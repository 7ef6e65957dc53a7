/** Which devices the list shows and in what order, and when the order may change. */
import type { DeviceJson } from '../protocol.ts';
import { compareNames } from './alphabet.ts';
import { fold, matches } from './fold.ts';
import type { Freshness } from './freshness.ts';

export type ListOrder = 'name' | 'attention';

export function deviceName(device: DeviceJson): string {
  return device.name === undefined || device.name.trim() === '' ? device.id : device.name;
}

/** What the filter box searches in. `quantities` are names in the chosen language. */
export function searchText(device: DeviceJson, quantities: readonly string[]): string {
  const { id, agency = '', area = '', model = '' } = device;
  return fold([deviceName(device), id, agency, area, model, ...quantities].join(' '));
}

export interface OrderOptions {
  readonly devices: readonly DeviceJson[];
  /** Folded words; all must match. */
  readonly words: readonly string[];
  /** '' for all. */
  readonly area: string;
  readonly order: ListOrder;
  textOf(device: DeviceJson): string;
  freshnessOf(id: string): Freshness;
}

const attention: Readonly<Record<Freshness, number>> = { silent: 0, late: 1, none: 2, fresh: 3 };

export function orderDevices(options: OrderOptions): DeviceJson[] {
  const { words, area, order } = options;
  const shown = options.devices.filter(
    (device) =>
      (area === '' || device.area === area) &&
      (words.length === 0 || matches(options.textOf(device), words)),
  );
  const rank = (device: DeviceJson) =>
    order === 'name' ? 0 : attention[options.freshnessOf(device.id)];
  return shown.sort(
    (left, right) =>
      rank(left) - rank(right) ||
      compareNames(deviceName(left), deviceName(right)) ||
      (left.id < right.id ? -1 : 1),
  );
}

/**
 * Rows do not move under the reader's pointer or focus: while the table is held, rows keep their
 * order and new ones go to the end.
 */
export function heldOrder(
  before: readonly string[],
  wanted: readonly string[],
  isHeld: boolean,
): readonly string[] {
  if (!isHeld) return wanted;
  const known = new Set(before);
  return [...before, ...wanted.filter((id) => !known.has(id))];
}

export function areasOf(devices: readonly DeviceJson[]): string[] {
  const areas = new Set(devices.flatMap((device) => device.area ?? []));
  return [...areas].sort(compareNames);
}

export interface Counts {
  readonly all: number;
  /** On time or late: heard within three of their intervals. */
  readonly reporting: number;
  readonly late: number;
  readonly silent: number;
}

export function countDevices(states: readonly Freshness[]): Counts {
  const count = (state: Freshness) => states.filter((one) => one === state).length;
  const late = count('late');
  return { all: states.length, reporting: count('fresh') + late, late, silent: count('silent') };
}

export function isSimulated(devices: readonly DeviceJson[]): boolean {
  return devices.some((device) => {
    const tag = device.tags?.['simulated'];
    return tag !== undefined && tag !== 'false';
  });
}
