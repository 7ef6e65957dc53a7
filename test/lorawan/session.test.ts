import { describe, expect, it } from '@jest/globals';
import { sessionOf } from '../../gateway/lorawan/session.ts';
import type { Device } from '../../gateway/model/device.ts';

const device: Device = { id: '70b3d57ed0000001', kind: 'lorawan', devAddr: '49be7df1' };
const held =
  (...names: readonly string[]) =>
  (name: string) =>
    names.includes(name) ? Buffer.alloc(16, name) : undefined;

describe('Session of stored keys', () => {
  it('is one of 1.0 with NwkSKey in all three network places', () => {
    const session = sessionOf(device, held('appSKey', 'nwkSKey'));
    expect(session?.macVersion).toBe('1.0');
    expect(session?.keys.sNwkSIntKey).toEqual(Buffer.alloc(16, 'nwkSKey'));
    expect(session?.keys.nwkSEncKey).toEqual(Buffer.alloc(16, 'nwkSKey'));
  });

  it('is one of 1.1 with three network keys', () => {
    const session = sessionOf(device, held('appSKey', 'fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey'));
    expect(session?.macVersion).toBe('1.1');
    expect(session?.keys.nwkSEncKey).toEqual(Buffer.alloc(16, 'nwkSEncKey'));
  });

  it.each([
    [[]],
    [['appSKey']],
    [['nwkSKey']],
    [['appSKey', 'fNwkSIntKey', 'sNwkSIntKey']],
    [['appSKey', 'sNwkSIntKey', 'nwkSEncKey']],
    [['appSKey', 'fNwkSIntKey', 'nwkSEncKey']],
  ])('is none with %j alone', (names) => {
    expect(sessionOf(device, held(...names))).toBeUndefined();
  });

  it('is none without a DevAddr', () => {
    const { devAddr: _, ...unjoined } = device;
    expect(sessionOf(unjoined, held('appSKey', 'nwkSKey'))).toBeUndefined();
  });
});
