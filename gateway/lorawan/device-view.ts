/**
 * What readers see of the registered devices, in memory. One device changes at once; many change
 * at once, too, however many they are: they are laid over the others as a layer that was prepared
 * beforehand, and sink into them afterwards, a few hundred a turn.
 */
import assert from 'node:assert/strict';
import type { Device, Session } from '../model/device.ts';
import { IdOrder } from './id-order.ts';
import { inTurns } from './turns.ts';

/** The sessions are undefined until a frame asks for them, and again after a change. */
interface DevAddrEntry {
  /** An array, because nearly every DevAddr has one device and a set of one takes 200 bytes. */
  readonly ids: readonly string[];
  sessions: readonly Session[] | undefined;
}

/** Devices and the DevAddrs that they change; `ids` is empty where nobody is left. */
export interface DeviceLayer {
  readonly devices: Map<string, Device>;
  readonly entries: Map<string, DevAddrEntry>;
  /** Of ids that the view has not. */
  readonly order: IdOrder;
  /** Of devices that the view has not. */
  newCount: number;
}

const noIds: readonly string[] = [];

export class DeviceView {
  readonly #devices = new Map<string, Device>();
  readonly #byDevAddr = new Map<string, DevAddrEntry>();
  readonly #order = new IdOrder();
  #layer: DeviceLayer | undefined;

  get size(): number {
    return this.#devices.size + (this.#layer?.newCount ?? 0);
  }

  has(id: string): boolean {
    return this.#devices.has(id) || this.#layer?.devices.has(id) === true;
  }

  get(id: string): Device | undefined {
    return this.#layer?.devices.get(id) ?? this.#devices.get(id);
  }

  /** In the order of their ids, those after this one. */
  *following(after: string | undefined): Generator<Device> {
    const base = this.#order.following(after);
    const layered = this.#layer?.order.following(after);
    for (const id of layered === undefined ? base : merged(base, layered)) {
      const device = this.get(id);
      if (device !== undefined) yield device;
    }
  }

  entryOf(devAddr: string): DevAddrEntry | undefined {
    return this.#layer?.entries.get(devAddr) ?? this.#byDevAddr.get(devAddr);
  }

  idsOf(devAddr: string): readonly string[] {
    return this.entryOf(devAddr)?.ids ?? noIds;
  }

  /** False when it took the place of another. Not while a layer is prepared or laid. */
  put(device: Device): boolean {
    assert(this.#layer === undefined, 'nothing changes before the layer has sunk in');
    const isNew = !this.#forget(device.id);
    if (isNew) this.#order.add(device.id);
    this.#devices.set(device.id, device);
    const { devAddr } = device;
    if (devAddr === undefined) return isNew;
    const ids = [...this.idsOf(devAddr), device.id];
    this.#byDevAddr.set(devAddr, { ids, sessions: undefined });
    return isNew;
  }

  /** False when there was none. Not while a layer is prepared or laid. */
  delete(id: string): boolean {
    assert(this.#layer === undefined, 'nothing changes before the layer has sunk in');
    const isGone = this.#forget(id);
    if (isGone) this.#order.remove(id);
    return isGone;
  }

  /** No reader sees anything of it. No id comes twice. */
  async prepare(devices: readonly Device[]): Promise<DeviceLayer> {
    const layer: DeviceLayer = {
      ...{ devices: new Map(), entries: new Map(), order: new IdOrder(), newCount: 0 },
    };
    const { entries } = layer;
    const idsOf = (devAddr: string) => (entries.get(devAddr) ?? this.entryOf(devAddr))?.ids ?? [];
    const set = (devAddr: string, ids: readonly string[]) =>
      entries.set(devAddr, { ids, sessions: undefined });
    await inTurns(devices, (device) => {
      const { id, devAddr } = device;
      const before = this.#devices.get(id);
      if (before === undefined) layer.order.add(id);
      if (before === undefined) layer.newCount += 1;
      const left = before?.devAddr;
      if (left !== undefined) set(left, without(idsOf(left), id));
      if (devAddr !== undefined) set(devAddr, [...idsOf(devAddr), id]);
      layer.devices.set(id, device);
    });
    return layer;
  }

  /** All of them at once. */
  lay(layer: DeviceLayer): void {
    assert(this.#layer === undefined, 'one layer at a time');
    this.#layer = layer;
  }

  /** After `lay`: readers see the same before, meanwhile and after. */
  async sink(): Promise<void> {
    const layer = this.#layer;
    if (layer === undefined) return;
    await inTurns(layer.devices.values(), (device) => {
      if (!this.#devices.has(device.id)) {
        layer.newCount -= 1;
        this.#order.add(device.id);
      }
      this.#devices.set(device.id, device);
    });
    await inTurns(layer.entries, ([devAddr, entry]) => {
      if (entry.ids.length === 0) this.#byDevAddr.delete(devAddr);
      else this.#byDevAddr.set(devAddr, entry);
    });
    this.#layer = undefined;
  }

  #forget(id: string): boolean {
    const device = this.#devices.get(id);
    if (device === undefined) return false;
    this.#devices.delete(id);
    const { devAddr } = device;
    if (devAddr === undefined) return true;
    const ids = without(this.idsOf(devAddr), id);
    if (ids.length === 0) this.#byDevAddr.delete(devAddr);
    else this.#byDevAddr.set(devAddr, { ids, sessions: undefined });
    return true;
  }
}

function without(ids: readonly string[], id: string): readonly string[] {
  return ids.filter((one) => one !== id);
}

/** Each id once, in order; both are sorted. */
function* merged(left: Iterator<string>, right: Iterator<string>): Generator<string> {
  let a = left.next();
  let b = right.next();
  while (a.done !== true || b.done !== true) {
    const isLeft = b.done === true || (a.done !== true && a.value <= b.value);
    const id = isLeft ? a.value : b.value;
    yield id;
    if (a.done !== true && a.value === id) a = left.next();
    if (b.done !== true && b.value === id) b = right.next();
  }
}
