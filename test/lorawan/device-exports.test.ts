import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDeviceTable } from '../../dashboard/api/device-table.ts';
import { fromExport, rowsOfExport } from '../../gateway/lorawan/device-exports.ts';
import { parseDeviceInput } from '../../gateway/lorawan/device-input.ts';
import { createKekBook, wrapAes } from '../../gateway/lorawan/key-wrap.ts';

const id = '70b3d57ed00000a1';
const joinEui = '70b3d57ed0000000';
const hex = (byte: number) => Buffer.alloc(16, byte).toString('hex');
const base64 = (byte: number) => Buffer.alloc(16, byte).toString('base64');
const kekOf = createKekBook([{ label: 'town', key: '000102030405060708090a0b0c0d0e0f' }]);
const read = (row: unknown) => parseDeviceInput(fromExport(row, kekOf));

describe("ChirpStack's export", () => {
  const device = {
    devEui: id,
    name: 'Well 3',
    description: '',
    joinEui,
    tags: {},
    isDisabled: false,
  };
  const deviceActivation = {
    ...{ devEui: id, devAddr: '26011bda', appSKey: hex(4), fCntUp: 7 },
    ...{ nwkSEncKey: hex(5), sNwkSIntKey: hex(5), fNwkSIntKey: hex(5) },
  };
  const plain = { id, kind: 'lorawan', activation: 'otaa', name: 'Well 3', joinEui };

  it('of a 1.0 device has its root key in nwkKey, and one network session key', () => {
    const deviceKeys = { devEui: id, nwkKey: hex(1), appKey: hex(0), genAppKey: hex(0) };
    const deviceProfile = { macVersion: 'LORAWAN_1_0_3', supportsOtaa: true };
    expect(read({ device, deviceKeys, deviceActivation, deviceProfile })).toEqual({
      device: { ...plain, macVersion: '1.0.3', devAddr: '26011bda' },
      keys: { appKey: hex(1), appSKey: hex(4), nwkSKey: hex(5) },
    });
    expect(read({ device, deviceKeys })).toMatchObject({ keys: { appKey: hex(1) } });
    expect(read({ ...device, appKey: hex(1) })).toMatchObject({ keys: { appKey: hex(1) } });
  });

  it('of a 1.1 device has two root keys and three network session keys', () => {
    const deviceKeys = { nwkKey: hex(1), appKey: hex(2) };
    const session = { ...deviceActivation, sNwkSIntKey: hex(6), nwkSEncKey: hex(7) };
    expect(read({ device, deviceKeys, deviceActivation: session })).toMatchObject({
      keys: {
        ...{ appKey: hex(1 + 1), nwkKey: hex(1), appSKey: hex(4) },
        ...{ fNwkSIntKey: hex(5), sNwkSIntKey: hex(6), nwkSEncKey: hex(7) },
      },
    });
  });

  it('without keys is a device without keys', () => {
    expect(read({ device, deviceProfile: { supportsOtaa: false } })).toEqual({
      device: { ...plain, activation: 'abp' },
    });
    expect(rowsOfExport({ totalCount: 1, result: [device] })).toEqual([device]);
  });
});

describe('A row that calls its device by the devEui', () => {
  it('keeps the words of a device here that stand beside it', () => {
    const table = [
      'devEUI,name,area,latitude,longitude,activation,devAddr,nwkSKey,appSKey,tags.street',
      `${id},Well 3,north,40.4,49.87,abp,26011bda,${hex(5)},${hex(4)},Nizami 12`,
    ].join('\n');
    expect(parseDeviceTable(table).map(read)).toEqual([
      {
        device: {
          ...{ id, kind: 'lorawan', name: 'Well 3', area: 'north', activation: 'abp' },
          ...{ devAddr: '26011bda', tags: { street: 'Nizami 12' } },
          location: { latitude: 40.4, longitude: 49.87 },
        },
        keys: { appSKey: hex(4), nwkSKey: hex(5) },
      },
    ]);
  });

  it('may have its keys in the place where they stand here', () => {
    const row = { devEui: id, macVersion: '1.1', keys: { appKey: hex(1), nwkKey: hex(2) } };
    expect(read(row)).toEqual({
      device: { id, kind: 'lorawan', macVersion: '1.1', activation: 'otaa' },
      keys: { appKey: hex(1), nwkKey: hex(2) },
    });
    const both = { devEui: id, devAddr: '26011bda', appSKey: hex(4), keys: { nwkSKey: hex(5) } };
    expect(read(both)).toMatchObject({ keys: { appSKey: hex(4), nwkSKey: hex(5) } });
  });

  it('is not said to join when it has a session and no root key', () => {
    const row = { DevEUI: id, devAddr: '26011bda', nwkSKey: hex(5), appSKey: hex(4) };
    expect(read(row)).toEqual({
      device: { id, kind: 'lorawan', devAddr: '26011bda' },
      keys: { appSKey: hex(4), nwkSKey: hex(5) },
    });
  });

  it('is named by its id where that is another than the devEui', () => {
    expect(read({ id: 'well-3', devEui: id })).toMatchObject({ device: { id, name: 'well-3' } });
    expect(read({ id: 'well-3', devEui: id, name: 'Well' })).toMatchObject({
      device: { id, name: 'Well' },
    });
    expect(read({ id, devEui: id.toUpperCase() })).toEqual({
      device: { id, kind: 'lorawan', activation: 'otaa' },
    });
  });

  it('with a word that nobody knows is refused rather than taken without it', () => {
    expect(read({ devEui: id, name: 'Well 3', street: 'Nizami 12' })).toMatchObject({
      problems: [{ path: 'street', message: 'Is not a known field.' }],
    });
    expect(read({ devEui: id, activation: 'maybe' })).toMatchObject({
      problems: [{ path: 'activation' }],
    });
  });

  it("of ChirpStack's list is taken with all that the list says", () => {
    const row = {
      ...{ devEui: id, name: 'Well 3', description: '', lastSeenAt: null, deviceStatus: null },
      ...{ deviceProfileId: 'f3a1', deviceProfileName: 'probe', createdAt: '2026-01-01T00:00:00Z' },
      ...{ updatedAt: '2026-01-01T00:00:00Z', tags: {} },
    };
    expect(read(row)).toMatchObject({ device: { id, name: 'Well 3', activation: 'otaa' } });
  });
});

describe("The Things Stack's export", () => {
  const ids = { device_id: 'well-3', dev_eui: id.toUpperCase(), join_eui: joinEui };

  it('as JSON has root keys, a session, a place and a model', () => {
    const row = {
      ...{ ids, name: 'Well 3', lorawan_version: 'MAC_V1_0_2', supports_join: true },
      version_ids: { brand_id: 'acme', model_id: 'probe' },
      locations: { user: { latitude: 40.4, longitude: 49.87, altitude: -28 } },
      root_keys: { app_key: { key: hex(1).toUpperCase() } },
      session: {
        dev_addr: '26011BDA',
        keys: { app_s_key: { key: base64(4) }, f_nwk_s_int_key: { key: hex(5) } },
      },
    };
    expect(read(row)).toEqual({
      device: {
        ...{ id, kind: 'lorawan', name: 'Well 3', activation: 'otaa', macVersion: '1.0.2' },
        ...{ joinEui, devAddr: '26011bda', model: 'probe' },
        location: { latitude: 40.4, longitude: 49.87, altitude: -28 },
      },
      keys: { appKey: hex(1), appSKey: hex(4), nwkSKey: hex(5) },
    });
    expect(rowsOfExport({ end_devices: [row] })).toHaveLength(1);
  });

  it('of a 1.1 device keeps its keys apart', () => {
    const keys = {
      app_s_key: { key: hex(4) },
      f_nwk_s_int_key: { key: hex(5) },
      s_nwk_s_int_key: { key: hex(6) },
      nwk_s_enc_key: { key: hex(7) },
    };
    const row = {
      ...{ ids: { ...ids, dev_addr: '26011BDA' }, lorawan_version: 'MAC_V1_1' },
      ...{ root_keys: { app_key: { key: hex(1) }, nwk_key: { key: hex(2) } }, session: { keys } },
    };
    expect(read(row)).toMatchObject({
      device: { name: 'well-3', macVersion: '1.1', devAddr: '26011bda' },
      keys: { nwkKey: hex(2), sNwkSIntKey: hex(6) },
    });
  });

  it('as CSV is read by its columns', () => {
    const table = [
      'id;dev_eui;join_eui;name;lorawan_version;app_key;supports_join;model_id',
      `well-3;${id};${joinEui};;MAC_V1_0_3;${hex(1)};true;probe`,
    ].join('\n');
    expect(parseDeviceTable(table).map(read)).toEqual([
      {
        device: {
          ...{ id, kind: 'lorawan', activation: 'otaa', macVersion: '1.0.3' },
          ...{ joinEui, model: 'probe' },
        },
        keys: { appKey: hex(1) },
      },
    ]);
  });
});

describe('One device by itself', () => {
  it.each([
    [{ ids: { device_id: 'well-3', dev_eui: id } }],
    [{ device: { devEui: id } }],
    [{ devEui: id }],
    [{ id, kind: 'lorawan' }],
  ])('is a list of one: %j', (device) => {
    expect(rowsOfExport(device)).toEqual([device]);
    expect(rowsOfExport(device)?.map(read)).toMatchObject([{ device: { id } }]);
  });

  it('is not found in what is no device', () => {
    expect(rowsOfExport({ meter: 1 })).toBeUndefined();
    expect(rowsOfExport('well-3')).toBeUndefined();
  });
});

describe("The Things Stack's table", () => {
  it('may call the JoinEUI by its old name', () => {
    expect(read({ dev_eui: id, app_eui: joinEui })).toMatchObject({ device: { joinEui } });
  });

  it('keeps the columns of a device here that somebody has added', () => {
    const table = [
      'id,dev_eui,area,latitude,longitude,tags.street',
      `well-3,${id},north,40.4,49.87,Nizami 12`,
    ].join('\n');
    expect(parseDeviceTable(table).map(read)).toEqual([
      {
        device: {
          ...{ id, kind: 'lorawan', activation: 'abp', area: 'north' },
          ...{ location: { latitude: 40.4, longitude: 49.87 }, tags: { street: 'Nizami 12' } },
        },
      },
    ]);
  });
});

describe('Keys in envelopes', () => {
  const kek = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const sealed = (byte: number, by = kek) => wrapAes(Buffer.alloc(16, byte), by);
  const stack = (byte: number, by = kek) => ({
    ...{ key: hex(0), kek_label: 'town', encrypted_key: sealed(byte, by).toString('base64') },
  });
  const ids = { device_id: 'well-3', dev_eui: id, join_eui: joinEui };

  it('of The Things Stack open, of a session and of the root keys', () => {
    const keys = { app_s_key: stack(4), f_nwk_s_int_key: stack(5) };
    const row = { ...{ ids, session: { dev_addr: '26011BDA', keys } } };
    const read10 = { appSKey: hex(4), nwkSKey: hex(5) };
    expect(read(row)).toMatchObject({ device: { devAddr: '26011bda' }, keys: read10 });
    const all = { ...keys, s_nwk_s_int_key: stack(5), nwk_s_enc_key: stack(5) };
    const of10 = { ids, session: { dev_addr: '26011BDA', keys: all } };
    expect(read(of10)).toMatchObject({ keys: read10 });
    const of11 = { ...all, s_nwk_s_int_key: stack(6), nwk_s_enc_key: { key: hex(7) } };
    const rooted = {
      ...{ ids, lorawan_version: 'MAC_V1_1', root_keys: { app_key: stack(1), nwk_key: stack(2) } },
      session: { dev_addr: '26011BDA', keys: of11 },
    };
    expect(read(rooted)).toMatchObject({
      keys: {
        ...{ appKey: hex(1), nwkKey: hex(2), appSKey: hex(4), fNwkSIntKey: hex(5) },
        ...{ sNwkSIntKey: hex(6), nwkSEncKey: hex(7) },
      },
    });
  });

  it.each<[string, object]>([
    ['a join server', { KEKLabel: 'town', AESKey: sealed(9).toString('hex').toUpperCase() }],
    ['ChirpStack', { kekLabel: 'town', aesKey: sealed(9).toString('base64') }],
    ['ChirpStack 3', { kek_label: 'town', aes_key: sealed(9).toString('base64') }],
    ['The Things Stack', stack(9)],
    ['a join server without a KEK', { AESKey: hex(9) }],
  ])('open as %s writes them, in a device of our own form', (_, appKey) => {
    const row = { id, kind: 'lorawan', keys: { appKey } };
    expect(read(row)).toMatchObject({ keys: { appKey: hex(9) } });
    const qr = `LW:D0:${joinEui.toUpperCase()}:${id.toUpperCase()}:AABB1122`;
    expect(read({ qr, keys: { appKey } })).toMatchObject({ keys: { appKey: hex(9) } });
  });

  it.each<[string, object, RegExp]>([
    ['an unknown label', { KEKLabel: 'village', AESKey: sealed(9).toString('hex') }, /"village"/],
    ['another key', stack(9, Buffer.alloc(16, 1)), /"town"/],
    ['a flipped bit', { KEKLabel: 'town', AESKey: `0${sealed(9).toString('hex').slice(1)}` }, /"/],
    ['a key in clear', { KEKLabel: 'town', AESKey: hex(9) }, /"town"/],
    ['no label', { AESKey: sealed(9).toString('hex') }, /""/],
    ['a label that is none', { KEKLabel: hex(8).repeat(3), AESKey: hex(9) }, /""/],
    ['no bytes', { KEKLabel: 'town', AESKey: 'so' }, /"town"/],
  ])('with %s are a problem that tells nothing of the key', (_, appKey, label) => {
    const found = read({ id, kind: 'lorawan', keys: { appKey } });
    const [problem] = 'problems' in found ? found.problems : [];
    expect(problem).toMatchObject({ path: 'keys.appKey', remedy: 'Give that key in keys.keks.' });
    expect(problem?.message).toMatch(/^Is wrapped, and no key of the configuration opens it/);
    expect(problem?.message).toMatch(label);
    expect(JSON.stringify(found)).not.toContain(hex(9).slice(0, 8));
    const row = { ids, root_keys: { app_key: appKey } };
    expect(read(row)).toMatchObject({ problems: [{ path: 'keys.appKey' }] });
  });
});

describe('The text of a QR code', () => {
  const code = `LW:D0:${joinEui.toUpperCase()}:${id.toUpperCase()}:AABB1122:OAABBCC:SYYWWNNNN:PFOO:CAF2C`;

  it('names the device, and its owner token is not kept', () => {
    const device = {
      ...{ id, kind: 'lorawan', activation: 'otaa', joinEui },
      tags: { profile_id: 'aabb1122', serial: 'YYWWNNNN' },
    };
    expect(read(code)).toEqual({ device });
    expect(read({ qr: code, name: 'Well 3', keys: { appKey: hex(1) } })).toEqual({
      device: { ...device, name: 'Well 3' },
      keys: { appKey: hex(1) },
    });
    expect(JSON.stringify(fromExport(code, kekOf))).not.toContain('AABBCC');
  });

  it.each([['LW:D0:12'], [''], [`LW:D1:${joinEui}:${id}:AABB1122`], [5], [null], [[]], [{}]])(
    'is not %j, which stays as it is',
    (row) => {
      expect(fromExport(row, kekOf)).toEqual(row);
      expect(read(row)).toHaveProperty('problems');
    },
  );
});

describe('Exports', () => {
  it('never throw, and what is a device already stays one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (row) => {
        expect(() => read(row)).not.toThrow();
        expect(() => rowsOfExport(row)).not.toThrow();
      }),
      { numRuns: 200 },
    );
    const own = { id, kind: 'lorawan', devAddr: '26011bda' };
    expect(fromExport(own, kekOf)).toBe(own);
  });
});
