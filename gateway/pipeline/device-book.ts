/** The devices as the derive worker knows them: with what their models give them, always of today. */
import type { Device, SettledDevice } from '../model/device.ts';
import { type DeviceModel, settleDevice } from '../model/device-model.ts';

export interface DeviceBook {
  /** The same object until the device or its model changes. */
  get(id: string): SettledDevice | undefined;
  put(id: string, device: Device | undefined): void;
  putModel(id: string, model: DeviceModel | undefined): void;
}

interface Known {
  readonly device: Device;
  readonly settled: SettledDevice;
}

export function createDeviceBook(
  devices: readonly Device[],
  modelList: readonly DeviceModel[] = [],
): DeviceBook {
  const models = new Map(modelList.map((model) => [model.id, model]));
  const known = new Map<string, Known>();
  const byModel = new Map<string, Set<string>>();

  function put(id: string, device: Device | undefined): void {
    const before = known.get(id)?.device.model;
    if (before !== undefined) byModel.get(before)?.delete(id);
    if (device === undefined) {
      known.delete(id);
      return;
    }
    const { model } = device;
    known.set(id, { device, settled: settleDevice(device, models.get(model ?? '')) });
    if (model === undefined) return;
    const ids = byModel.get(model);
    if (ids === undefined) byModel.set(model, new Set([id]));
    else ids.add(id);
  }

  for (const device of devices) put(device.id, device);
  return {
    get: (id) => known.get(id)?.settled,
    put,
    putModel(id, model) {
      if (model === undefined) models.delete(id);
      else models.set(id, model);
      for (const device of [...(byModel.get(id) ?? [])]) put(device, known.get(device)?.device);
    },
  };
}
