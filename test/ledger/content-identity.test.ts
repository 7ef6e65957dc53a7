import { describe, expect, it } from '@jest/globals';
import { contentOf } from '../../gateway/ledger/content-identity.ts';
import { fault } from '../../gateway/model/fault.ts';
import type { VerifiedUplink } from '../../gateway/model/uplink.ts';
import { by, payloadOf } from './ways.ts';

const uplink = payloadOf(by('chirpstack').items[0]);

type Optional = 'fCnt' | 'fPort' | 'frmPayload' | 'devAddr';

function without(...fields: Optional[]): VerifiedUplink {
  const { fCnt, fPort, frmPayload, devAddr, ...rest } = uplink;
  const told = Object.entries({ fCnt, fPort, frmPayload, devAddr });
  return {
    ...rest,
    ...Object.fromEntries(told.filter(([name]) => !fields.some((field) => field === name))),
  };
}

describe('What an uplink says', () => {
  it('is 16 bytes, equal by every way', () => {
    const others = [by('things-stack'), by('loriot-rx'), by('raw-a')];
    const contents = others.map(({ items }) => contentOf(payloadOf(items[0])));
    expect(contents).toEqual([contentOf(uplink), contentOf(uplink), contentOf(uplink)]);
    expect(contentOf(uplink)).toHaveLength(16);
  });

  it.each([
    ['device', { deviceId: '70b3d57ed0000002' }],
    ['counter', { fCnt: 65_536 + 7 }],
    ['port', { fPort: 3 }],
    ['payload', { frmPayload: Buffer.from('caff', 'hex') }],
  ])('differs with the %s', (_, change) => {
    expect(contentOf({ ...uplink, ...change })).not.toBe(contentOf(uplink));
  });

  it.each([
    ['its payload is still encrypted', { ...uplink, encrypted: true }],
    ['it has no counter', without('fCnt')],
    ['only decoded values are told', { ...without('frmPayload'), object: { a: 1 } }],
    ['only measurements are told', { ...without('frmPayload'), measurements: [] }],
    ['it tells nothing but a counter', without('frmPayload', 'fPort', 'devAddr')],
  ])('is unknown when %s', (_, item) => {
    expect(contentOf(item)).toBeUndefined();
  });

  it('is unknown of what is no uplink', () => {
    const reason = fault('INBOUND_MALFORMED', 'Not JSON.');
    expect(contentOf({ kind: 'quarantined', fault: reason })).toBeUndefined();
    expect(contentOf({ kind: 'event', adapter: 'a', type: 'join' })).toBeUndefined();
  });

  it('is the same without a payload, on port 0 with its MAC commands and without a port', () => {
    const onPort0 = contentOf({ ...uplink, fPort: 0 });
    expect(contentOf({ ...without('frmPayload'), fPort: 0 })).toBe(onPort0);
    expect(contentOf(without('frmPayload', 'fPort'))).toBe(onPort0);
  });

  it('takes an absent payload on an application port for an empty one', () => {
    const empty = contentOf({ ...uplink, frmPayload: Buffer.alloc(0) });
    expect(contentOf(without('frmPayload'))).toBe(empty);
  });

  it('keeps a payload without a port apart from the same one on a port', () => {
    expect(contentOf(without('fPort'))).not.toBe(contentOf(uplink));
    expect(contentOf(without('fPort'))).not.toBe(contentOf({ ...uplink, fPort: 0 }));
  });
});
