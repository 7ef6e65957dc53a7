/**
 * The devices the gateway knows: in memory for every lookup, in LMDB across restarts. Keys are
 * sealed before they are written and are opened only when a frame of their DevAddr arrives.
 */
import assert from 'node:assert/strict';
import type { Database, RootDatabase } from 'lmdb';
import type { Device, Session } from '../model/device.ts';
import { DeviceClaims, type RegistryLimits, registryLimits } from './device-claims.ts';
import {
  type DeviceInput,
  type DeviceKeys,
  type DeviceProblem,
  deviceKeyNames,
  parseDeviceInput,
} from './device-input.ts';
import {
  batchHere,
  type DeviceRow,
  deviceRowsName,
  type OpenDeviceBatch,
  type SealedDevice,
  writeDevice,
} from './device-row.ts';
import { DeviceView } from './device-view.ts';
import type { KeyVault } from './key-vault.ts';
import { type KeyName, sessionOf } from './session.ts';
import { inTurns } from './turns.ts';
import { UnwrittenWrites } from './unwritten-writes.ts';

/** The longest page that `list` gives, whatever it is asked for. */
export const devicePageMax = 1_000;

export type DeviceChange =
  | { readonly kind: 'put'; readonly id: string; readonly device: Device }
  | { readonly kind: 'delete'; readonly id: string };

/** Every given field must be equal; `text` is looked for in id and name, in any case. */
export interface DeviceFilter {
  readonly kind?: Device['kind'];
  readonly agency?: string;
  readonly area?: string;
  readonly model?: string;
  readonly codec?: string;
  /** The codec of a device that names none itself: its model's. */
  readonly codecOf?: (device: Device) => string | undefined;
  readonly text?: string;
}

export interface DeviceQuery {
  /** The last id of the page before. */
  readonly after?: string;
  readonly limit: number;
  readonly filter?: DeviceFilter;
}

export interface DevicePage {
  /** In the order of their ids. */
  readonly devices: readonly Device[];
  /** What to give as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/** What became of one of many that are put at once. */
export interface PutRow {
  /** Absent when it could not be read. */
  readonly device?: Device;
  readonly problems: readonly DeviceProblem[];
}

export interface RegistryOptions {
  readonly limits?: RegistryLimits;
  /** What writes more devices than are written in one turn of the event loop; here if absent. */
  readonly openBatch?: OpenDeviceBatch;
}

/** So many are written in one turn, which is quicker than to start a thread for them. */
const devicesPerTurnMax = 500;

const repeated: DeviceProblem = {
  path: 'id',
  message: 'another row is of the same device',
  remedy: '',
};

const noSessions: readonly Session[] = [];

export class DeviceRegistry {
  readonly #rows: Database<DeviceRow, string>;
  readonly #vault: KeyVault;
  readonly #openBatch: OpenDeviceBatch | undefined;
  readonly #view = new DeviceView();
  readonly #claims: DeviceClaims;
  readonly #listeners = new Set<(change: DeviceChange) => void>();
  readonly #unreadable = new Set<string>();
  /** Of single devices. */
  readonly #writes = new UnwrittenWrites();
  /** While many are written: what is begun meanwhile waits, or disk and memory would part. */
  #gate: Promise<void> | undefined;

  /**
   * The caller opens and closes `root`; the registry keeps its rows in the database `devices`.
   * Throws when the key file is not the one that this data directory's keys were sealed under.
   */
  constructor(root: RootDatabase, vault: KeyVault, options: RegistryOptions = {}) {
    checkVault(root, vault);
    // JSON, since 100,000 rows of it load in 0.8 s and 73 MB, against 1.3 s and 116 MB of msgpack.
    this.#rows = root.openDB<DeviceRow, string>({ name: deviceRowsName, encoding: 'json' });
    this.#vault = vault;
    this.#openBatch = options.openBatch;
    this.#claims = new DeviceClaims(this.#view, options.limits ?? registryLimits);
    for (const { key, value } of this.#rows.getRange()) {
      assert(
        value.version === 1 && value.device.id === key,
        `device row ${key} is not of version 1`,
      );
      this.#view.put(value.device);
    }
  }

  get size(): number {
    return this.#view.size;
  }

  get(id: string): Device | undefined {
    return this.#view.get(id);
  }

  /** Ids of devices whose sealed keys did not open: altered rows, or another key file. */
  get unreadableKeys(): readonly string[] {
    return [...this.#unreadable];
  }

  /**
   * Registers a device or replaces it. Resolves, once it is on disk, with what is wrong with it;
   * with any problem nothing is changed. Given keys replace all keys held for this device; without
   * `keys` those held stay. Rejects only when the disk fails.
   */
  async put(device: Device, keys?: DeviceKeys): Promise<readonly DeviceProblem[]> {
    const input = parseDeviceInput(keys === undefined ? device : { ...device, keys });
    if ('problems' in input) return input.problems;
    const problems = this.#claims.claim(input.device);
    if (problems.length > 0) return problems;
    try {
      await this.#alone(async () => {
        const sealed = this.#sealed(input);
        await this.#rows.transaction(() => writeDevice(this.#rows, sealed));
        this.#apply({ kind: 'put', id: input.device.id, device: input.device });
      });
    } finally {
      this.#claims.release(input.device);
    }
    await this.#rows.flushed;
    return [];
  }

  /**
   * Registers all of them or none, in one commit. Resolves, once they are on disk, with what became
   * of each, in order; with any problem at all nothing is changed. However many they are, the event
   * loop goes on meanwhile, and readers see none of them or all. Rejects when the disk fails.
   */
  async putAll(inputs: readonly unknown[]): Promise<readonly PutRow[]> {
    const rows: PutRow[] = [];
    const taken: DeviceInput[] = [];
    const seen = new Set<string>();
    try {
      await inTurns(inputs, (input) => {
        const read = parseDeviceInput(input);
        if ('problems' in read) {
          rows.push(read);
          return;
        }
        const { device } = read;
        const problems = seen.has(device.id) ? [repeated] : this.#claims.claim(device);
        seen.add(device.id);
        if (problems.length === 0) taken.push(read);
        rows.push({ device, problems });
      });
      if (taken.length === rows.length) await this.#gated(() => this.#replaceAll(taken));
    } finally {
      await inTurns(taken, ({ device }) => this.#claims.release(device));
    }
    return rows;
  }

  /** Listeners hear of them before readers see them: whoever derives knows a device first. */
  async #replaceAll(inputs: readonly DeviceInput[]): Promise<void> {
    const layer = await this.#view.prepare(inputs.map(({ device }) => device));
    const tell = (change: DeviceChange) => {
      for (const listener of this.#listeners) listener(change);
    };
    await inTurns(layer.devices, ([id, device]) => tell({ kind: 'put', id, device }));
    try {
      await this.#writeAll(inputs);
    } catch (error) {
      await inTurns(layer.devices.keys(), (id) => {
        const device = this.#view.get(id);
        tell(device === undefined ? { kind: 'delete', id } : { kind: 'put', id, device });
      });
      throw error;
    }
    for (const id of this.#unreadable) if (layer.devices.has(id)) this.#unreadable.delete(id);
    this.#claims.onAllAdded(layer.newCount);
    this.#view.lay(layer);
    await this.#view.sink();
  }

  /** Again when the key file has got a new key meanwhile, as its old one may be gone from it. */
  async #writeAll(inputs: readonly DeviceInput[]): Promise<void> {
    const isFew = inputs.length <= devicesPerTurnMax;
    const open = isFew ? undefined : this.#openBatch;
    let newest: string | undefined;
    do {
      [newest] = this.#vault.keyIds();
      const batch = open?.() ?? batchHere(this.#rows);
      try {
        await inTurns(inputs, (input) => batch.add([this.#sealed(input)]));
      } catch (error) {
        await batch.abandon();
        throw error;
      }
      await batch.commit();
    } while (this.#vault.keyIds()[0] !== newest);
  }

  /** Beside other single writes, but not while many are written. */
  async #alone<T>(write: () => Promise<T>): Promise<T> {
    while (this.#gate !== undefined) await this.#gate;
    const written = write();
    this.#writes.add(written);
    return written;
  }

  /** When the writes that have begun have ended, and before any other begins. */
  async #gated(write: () => Promise<void>): Promise<void> {
    while (this.#gate !== undefined) await this.#gate;
    let open = () => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      // One that has failed has told so to whoever asked for it.
      await this.#writes.pending()?.catch(() => undefined);
      await write();
    } finally {
      this.#gate = undefined;
      open();
    }
  }

  #sealed({ device, keys }: DeviceInput): SealedDevice {
    return { device, sealedKeys: keys === undefined ? undefined : this.#seal(device.id, keys) };
  }

  /** Forgets a device and its keys; false when there was none. On disk when it resolves. */
  async delete(id: string): Promise<boolean> {
    const isRemoved = await this.#alone(async () => {
      const isGone = await this.#rows.transaction(() => this.#rows.removeSync(id));
      if (isGone) this.#apply({ kind: 'delete', id });
      return isGone;
    });
    await this.#rows.flushed;
    return isRemoved;
  }

  list({ after, limit, filter = {} }: DeviceQuery): DevicePage {
    const length = Math.min(Math.max(1, limit), devicePageMax);
    const devices: Device[] = [];
    for (const device of this.#view.following(after)) {
      if (!isWanted(device, filter)) continue;
      const last = devices.at(-1);
      if (last !== undefined && devices.length === length) return { devices, next: last.id };
      devices.push(device);
    }
    return { devices };
  }

  /** Every session of a DevAddr; the array and its sessions stay the same until one changes. */
  sessionsOf(devAddr: string): readonly Session[] {
    const entry = this.#view.entryOf(devAddr);
    if (entry === undefined) return noSessions;
    entry.sessions ??= entry.ids.flatMap((id) => this.#openSession(id) ?? []);
    return entry.sessions;
  }

  /** What a join is proven with; only for the moment, they are opened at each call. */
  rootKeysOf(id: string): { readonly appKey?: Buffer; readonly nwkKey?: Buffer } {
    const row = this.#rows.get(id);
    const appKey = row && this.#openKey(row, 'appKey');
    const nwkKey = row && this.#openKey(row, 'nwkKey');
    return {
      ...(appKey === undefined ? {} : { appKey }),
      ...(nwkKey === undefined ? {} : { nwkKey }),
    };
  }

  /** Every key held for a device, for the moment; undefined when one of them does not open. */
  keysOf(id: string): ReadonlyMap<KeyName, Buffer> | undefined {
    const row = this.#rows.get(id);
    const keys = new Map<KeyName, Buffer>();
    if (row === undefined) return keys;
    for (const name of deviceKeyNames) {
      const key = this.#openKey(row, name);
      if (key !== undefined) keys.set(name, key);
    }
    return keys.size === Object.keys(row.sealedKeys ?? {}).length ? keys : undefined;
  }

  /**
   * Called after each change, in the order of the changes; of many at once, just before readers see
   * them. Returns what ends it.
   */
  onChange(listener: (change: DeviceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #seal(deviceId: string, keys: DeviceKeys): Record<string, string> {
    return Object.fromEntries(
      Object.entries(keys).map(([keyName, hex]) => [
        keyName,
        this.#vault.seal({ deviceId, keyName }, Buffer.from(hex, 'hex')).toString('base64'),
      ]),
    );
  }

  #openSession(id: string): Session | undefined {
    const row = this.#rows.get(id);
    return row && sessionOf(row.device, (keyName) => this.#openKey(row, keyName));
  }

  #openKey({ device: { id }, sealedKeys }: DeviceRow, keyName: KeyName): Buffer | undefined {
    const sealed = sealedKeys?.[keyName];
    if (sealed === undefined) return undefined;
    const key = this.#vault.open({ deviceId: id, keyName }, Buffer.from(sealed, 'base64'));
    if (key === undefined) this.#unreadable.add(id);
    return key;
  }

  #apply(change: DeviceChange): void {
    this.#unreadable.delete(change.id);
    if (change.kind === 'delete') {
      if (this.#view.delete(change.id)) this.#claims.onRemoved(change.id);
    } else if (this.#view.put(change.device)) this.#claims.onAdded(change.id);
    for (const listener of this.#listeners) listener(change);
  }
}

/** A lost key file would be made anew in silence, and every device would fall silent with it. */
function checkVault(root: RootDatabase, vault: KeyVault): void {
  const slot = { deviceId: '', keyName: 'check' };
  const checks = root.openDB<Buffer, string>({ name: 'device-vault', encoding: 'binary' });
  const sealed = checks.get(slot.keyName);
  if (sealed === undefined) checks.putSync(slot.keyName, vault.seal(slot, Buffer.alloc(16)));
  else if (vault.open(slot, sealed) === undefined) {
    throw new Error(
      'The key file is not the one that the device keys here were sealed under: ' +
        'restore it from its backup, or give every device its keys again in a new data directory.',
    );
  }
}

function isWanted(device: Device, filter: DeviceFilter): boolean {
  const { text, ...equal } = filter;
  const needle = text?.toLowerCase() ?? '';
  return (
    (equal.kind === undefined || device.kind === equal.kind) &&
    (equal.agency === undefined || device.agency === equal.agency) &&
    (equal.area === undefined || device.area === equal.area) &&
    (equal.model === undefined || device.model === equal.model) &&
    (equal.codec === undefined || (device.codec ?? equal.codecOf?.(device)) === equal.codec) &&
    (device.id.toLowerCase().includes(needle) ||
      (device.name?.toLowerCase().includes(needle) ?? false))
  );
}
