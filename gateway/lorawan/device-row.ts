/** How a device lies in the state, and how many of them get there in one commit. */
import type { Database } from 'lmdb';
import type { Device } from '../model/device.ts';

/** The name of the database in the state; its encoding is JSON. */
export const deviceRowsName = 'devices';

/** The stored form; version 1. */
export interface DeviceRow {
  readonly version: 1;
  readonly device: Device;
  /** Base64 by key name. */
  readonly sealedKeys?: Readonly<Record<string, string>>;
}

export interface SealedDevice {
  readonly device: Device;
  /** Undefined when no keys were given: those held stay. */
  readonly sealedKeys: DeviceRow['sealedKeys'];
}

/** In a transaction. A device that is no longer a LoRaWAN one leaves no keys behind. */
export function writeDevice(rows: Database<DeviceRow, string>, sealed: SealedDevice): void {
  const { device } = sealed;
  const sealedKeys = sealed.sealedKeys ?? rows.get(device.id)?.sealedKeys;
  const hasKeys = sealedKeys !== undefined && device.kind !== 'cellular';
  void rows.put(device.id, { version: 1, device, ...(hasKeys ? { sealedKeys } : {}) });
}

/** Many devices on their way into one commit. */
export interface DeviceBatch {
  /** A few hundred at a time. Never fails; what is wrong is told by `commit`. */
  add(devices: readonly SealedDevice[]): void;
  /** Resolves when all of them are on disk; rejects when none is. Once, as the last call. */
  commit(): Promise<void>;
  /** Instead of `commit`: nothing of it is written. */
  abandon(): Promise<void>;
}

/** Where a batch is written that would hold up the event loop; the caller opens it for one batch. */
export type OpenDeviceBatch = () => DeviceBatch;

/** In this thread and one turn of its event loop: for few, or where nobody waits. */
export function batchHere(rows: Database<DeviceRow, string>): DeviceBatch {
  const held: SealedDevice[] = [];
  return {
    add: (devices) => {
      for (const one of devices) held.push(one);
    },
    async commit() {
      await rows.transaction(() => {
        for (const one of held) writeDevice(rows, one);
      });
      await rows.flushed;
    },
    abandon: async () => {},
  };
}
