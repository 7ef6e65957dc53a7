import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceIdOfName } from '../../../gateway/adapters/device-name.ts';
import { deviceIdOf, hashedIdentity } from '../../../gateway/adapters/mapping/hashed-identity.ts';
import { personalKindOf } from '../../../gateway/adapters/personal.ts';
import { isDeviceId } from '../../../gateway/model/device.ts';
import { faultOf, inboundOf, payloadOf } from '../inbound.ts';
import { identityKey, ruleOf } from './mapping-of.ts';

const otherKey = Buffer.from('another test key of the same size');
/** The published sample of a vendor. */
const imei = '352656101397613';

describe('A hashed identity', () => {
  it('is the same for every spelling of an IMEI', () => {
    const id = hashedIdentity('imei', imei, identityKey);
    expect(id).toMatch(/^imei-[0-9a-f]{16}$/);
    const spellings = [
      `IMEI:${imei}`,
      '35-265610-139761-3',
      imei.slice(0, 14),
      `${imei.slice(0, 14)}01`,
    ];
    expect(spellings.map((text) => hashedIdentity('imei', text, identityKey))).toEqual(
      spellings.map(() => id),
    );
  });

  it('is another for another kind and for another key', () => {
    const ids = [
      hashedIdentity('imei', imei, identityKey),
      hashedIdentity('imsi', imei, identityKey),
      hashedIdentity('imei', imei, otherKey),
    ];
    expect(new Set(ids).size).toBe(3);
  });

  it('needs the digits of an identifier', () => {
    expect(hashedIdentity('imei', 'unknown', identityKey)).toBeUndefined();
    expect(hashedIdentity('imei', '1234567', identityKey)).toBeUndefined();
  });
});

describe('A personal identifier', () => {
  it.each([
    [imei, 'imei'],
    ['IMEI:0123456789', 'imei'],
    ['urn:gsma:imei:35265610-139761-3', 'imei'],
    ['imsi-204080813558856', 'imsi'],
    ['8931080019073573173', 'iccid'],
    ['8970199170730496963F', 'iccid'],
    ['tel:+994501234567', 'msisdn'],
  ])('is known in %s', (text, kind) => {
    expect(personalKindOf(text)).toBe(kind);
  });

  it.each(['352656101397614', '24e124136b502217', 'pump-1', '1234567890123456', '', '89'])(
    'is not seen in %p',
    (text) => {
      expect(personalKindOf(text)).toBeUndefined();
    },
  );
});

describe('The id of a device', () => {
  const idOf = (value: unknown, spec: object = {}) =>
    ruleOf({ deviceId: { from: '/id', ...spec }, all: [{ from: '', exclude: ['id'] }] }).parse(
      inboundOf('test/a', { id: value, v: 1 }),
    );

  it('is what the sender says where that may stand anywhere', () => {
    expect(payloadOf(idOf('pump-1')).deviceId).toBe('pump-1');
    expect(payloadOf(idOf(35_656)).deviceId).toBe('35656');
  });

  it('is never an IMEI or the number of a card in clear, also where nobody said so', () => {
    expect(payloadOf(idOf(imei)).deviceId).toBe(hashedIdentity('imei', imei, identityKey));
    expect(payloadOf(idOf(Number(imei))).deviceId).toMatch(/^imei-/);
    expect(payloadOf(idOf('8931080019073573173')).deviceId).toMatch(/^iccid-/);
    expect(payloadOf(idOf(`nrf-${imei}`, { withoutPrefix: 'nrf-' })).deviceId).toMatch(/^imei-/);
  });

  it('is hashed as the kind that the mapping says', () => {
    expect(payloadOf(idOf('204080813558856', { kind: 'imsi' })).deviceId).toMatch(/^imsi-/);
    expect(payloadOf(idOf('+994 50 123 45 67', { kind: 'msisdn' })).deviceId).toMatch(/^msisdn-/);
  });

  it.each([undefined, null, '', '   ', {}, true, 'x'.repeat(257)])('is missing in %p', (value) => {
    expect(faultOf(idOf(value)).detail).toBe('/id is not the id of a device');
  });

  it('is missing where the kind has no digits', () => {
    expect(faultOf(idOf('none', { kind: 'imei' })).detail).toBe('/id is not the id of a device');
  });

  it('is always valid, and unlike for unlike names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string(), (one, other) => {
        const ids = [deviceIdOfName(one), deviceIdOfName(other)];
        for (const id of ids) expect(id === undefined || isDeviceId(id)).toBe(true);
        if (one !== other && ids[0] !== undefined) expect(ids[0]).not.toBe(ids[1]);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a name in clear that is no personal identifier', () => {
    expect(deviceIdOf('Pump', { kind: undefined, key: identityKey })).toBe('Pump');
  });
});
