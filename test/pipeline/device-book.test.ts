import { describe, expect, it } from '@jest/globals';
import type { Device } from '../../gateway/model/device.ts';
import { codecOfModel, type DeviceModel, settleDevice } from '../../gateway/model/device-model.ts';
import { createDeviceBook } from '../../gateway/pipeline/device-book.ts';

const device: Device = { id: 'a000000000000001', kind: 'lorawan', model: 'acme/th-1' };
const model: DeviceModel = {
  ...{ id: 'acme/th-1', name: 'Thermometer', sensors: ['temperature'] },
  firmware: [
    {
      ...{ version: '1.0', hardwareVersions: [], codec: 'acme.th-old' },
      regions: { EU868: { macVersion: '1.0.2' }, US915: { macVersion: '1.0.2' } },
    },
    {
      ...{ version: '2.0', hardwareVersions: [], codec: 'acme.th' },
      regions: { EU868: { macVersion: '1.0.3' }, US915: { macVersion: '1.0.4' } },
    },
    { version: '3.0', hardwareVersions: [], regions: {} },
  ],
};

describe('What a model gives a device', () => {
  it('is the codec of its last firmware that has one, where the device has none', () => {
    expect(settleDevice(device, model).codec).toBe('acme.th');
    expect(settleDevice({ ...device, codec: 'own' }, model).codec).toBe('own');
    expect(settleDevice(device, { ...model, codec: 'better' }).codec).toBe('better');
    expect(codecOfModel({ ...model, firmware: [] })).toBeUndefined();
  });

  it('is what belongs to the firmware that the device names', () => {
    const settled = settleDevice({ ...device, firmware: '1.0' }, model);
    expect(settled).toMatchObject({ codec: 'acme.th-old', macVersion: '1.0.2' });
  });

  it('is no LoRaWAN version where regions differ, nor for a modem', () => {
    expect(settleDevice(device, model).macVersion).toBeUndefined();
    expect(settleDevice(device, { ...model, macVersion: '1.0.4' }).macVersion).toBe('1.0.4');
    expect(settleDevice({ ...device, macVersion: '1.1' }, model).macVersion).toBe('1.1');
    const modem: Device = { id: 'm', kind: 'cellular' };
    expect(settleDevice(modem, { ...model, macVersion: '1.1' }).macVersion).toBeUndefined();
  });

  it('are its rules after those of the device, and a version of both', () => {
    const own = [{ from: 'a', quantity: 'no2' }];
    const given = [{ from: 'a', quantity: 'no' }];
    const settled = settleDevice({ ...device, mapping: own }, { ...model, mapping: given });
    expect(settled.mapping).toEqual([...own, ...given]);
    const other = settleDevice({ ...device, mapping: given }, { ...model, mapping: own });
    expect(settled.mappingVersion).toMatch(/^[0-9a-f]{12}$/);
    expect(other.mappingVersion).not.toBe(settled.mappingVersion);
    expect(settleDevice(device, model).mappingVersion).toBeUndefined();
  });

  it('is nothing for a name that no model has: the device stays the same object', () => {
    expect(settleDevice(device, undefined)).toBe(device);
  });
});

describe('The devices of the worker', () => {
  it('are the same objects until they or their models change', () => {
    const book = createDeviceBook([device, { id: 'm', kind: 'cellular' }], [model]);
    const first = book.get(device.id);
    expect(first?.codec).toBe('acme.th');
    expect(book.get(device.id)).toBe(first);
    book.putModel('another', { ...model, id: 'another' });
    expect(book.get(device.id)).toBe(first);
    book.putModel(model.id, { ...model, codec: 'new' });
    expect(book.get(device.id)?.codec).toBe('new');
    book.putModel(model.id, undefined);
    expect(book.get(device.id)).toBe(device);
  });

  it('come and go, with the model that they name at the time', () => {
    const book = createDeviceBook([]);
    book.put(device.id, device);
    book.putModel(model.id, model);
    expect(book.get(device.id)?.codec).toBe('acme.th');
    book.put(device.id, { ...device, model: 'x' });
    expect(book.get(device.id)?.codec).toBeUndefined();
    book.put(device.id, undefined);
    book.putModel('x', model);
    expect(book.get(device.id)).toBeUndefined();
  });
});
