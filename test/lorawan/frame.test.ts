import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFrame } from '../../gateway/lorawan/frame.ts';
import { bytes, dataVectors, frameOf, ofKind, text, vectorOf } from './vectors.ts';

const wellFormed = '40f17dbe4900020001954378762b11ff0d';

describe('Frame parsing', () => {
  it.each(dataVectors.map((vector) => [vector.id, vector] as const))(
    'reads every field of the data frame %s',
    (_id, vector) => {
      const frame = frameOf(vector);
      const { expect: expected } = vector;
      expect(frame.mType).toBe(expected['mtype']);
      expect(frame.direction).toBe(text(expected, 'mtype').endsWith('Up') ? 'up' : 'down');
      expect(frame.devAddr).toBe(expected['devAddr']);
      expect(frame.fCnt16).toBe(expected['fCnt']);
      expect(frame.fPort ?? null).toBe(expected['fPort'] ?? null);
      expect(frame.fCtrl.ack).toBe(expected['ack'] ?? false);
      expect(frame.phyPayload.toString('hex')).toBe(vector.phyPayload);
      if (expected['micValid'] !== false) {
        expect(frame.mic.toString('hex')).toBe(expected['mic']);
      }
      if (typeof expected['fOpts'] === 'string') {
        expect(frame.fOpts.toString('hex')).toBe(expected['fOpts']);
      }
    },
  );

  it('reads the four flags of FCtrl', () => {
    const flags = (fCtrl: string) => {
      const frame = parseFrame(bytes(`40f17dbe49${fCtrl}020001954378762b11ff0d`));
      return frame.kind === 'data' ? frame.fCtrl : frame;
    };
    const none = { adr: false, adrAckReq: false, ack: false, fPending: false };
    expect(flags('00')).toEqual(none);
    expect(flags('80')).toEqual({ ...none, adr: true });
    expect(flags('40')).toEqual({ ...none, adrAckReq: true });
    expect(flags('20')).toEqual({ ...none, ack: true });
    expect(flags('10')).toEqual({ ...none, fPending: true });
  });

  it('reads a frame without FPort as one without payload', () => {
    const frame = parseFrame(bytes('40f17dbe49000200762b11ff'));
    expect(frame).toMatchObject({ kind: 'data', fCnt16: 2, frmPayload: Buffer.alloc(0) });
    expect(frame).not.toHaveProperty('fPort');
  });

  it.each(ofKind('join').filter((vector) => text(vector.expect, 'mtype') === 'JoinRequest'))(
    'reads the join-request $id',
    ({ phyPayload, expect: expected }) => {
      const frame = parseFrame(bytes(phyPayload));
      expect(frame).toMatchObject({
        kind: 'join-request',
        joinEui: expected['joinEUI'],
        devEui: expected['devEUI'],
        devNonce: expected['devNonce'],
        mic: bytes(text(expected, 'mic')),
      });
    },
  );

  it.each(ofKind('rejoin'))('reads the rejoin-request $id', ({ phyPayload, expect: expected }) => {
    const frame = parseFrame(bytes(phyPayload));
    expect(frame).toMatchObject({
      kind: 'rejoin-request',
      rejoinType: expected['rejoinType'],
      devEui: expected['devEUI'],
      rjCount: expected['rjCount1'] ?? expected['rjCount0'],
      mic: bytes(text(expected, 'mic')),
      ...(expected['joinEUI'] === undefined
        ? { netId: expected['netID'] }
        : { joinEui: expected['joinEUI'] }),
    });
  });

  it('recognises join-accept and proprietary frames without looking inside', () => {
    const accept = bytes(vectorOf('br-joinaccept-10').phyPayload);
    expect(parseFrame(accept)).toEqual({ kind: 'join-accept', phyPayload: accept });
    const proprietary = bytes('e0cafe');
    expect(parseFrame(proprietary)).toEqual({ kind: 'proprietary', phyPayload: proprietary });
  });

  it('ignores the three reserved bits of MHDR', () => {
    expect(parseFrame(bytes(`5c${wellFormed.slice(2)}`)).kind).toBe('data');
  });

  it.each([
    ['no bytes', ''],
    ['one byte', '40'],
    ['a data frame of 11 bytes', '400102030405060708090a'],
    ['a data frame of 256 bytes', `${wellFormed}${'00'.repeat(239)}`],
    ['FOptsLen that reaches into the MIC', '40f17dbe49010200954378ff'],
    ['FOptsLen that reaches beyond the end', '40f17dbe490f020001954378'],
    ['FOpts together with FPort 0', '40f17dbe4901020002000102762b11ff'],
    ['another major version', `41${wellFormed.slice(2)}`],
    ['a join-request of 22 bytes', '00040302010403020105040302050403022d106a990e'],
    ['a join-request of 24 bytes', '00040302010403020105040302050403022d106a990e1200'],
    ['a join-accept of 18 bytes', `20${'00'.repeat(17)}`],
    ['a rejoin-request of an unknown type', 'c0030302010807060504030201db003c8642ae'],
    ['a rejoin-request of one byte', 'c0'],
    ['a rejoin-request that is too short', 'c0020302010807060504030201db003c8642'],
    [
      'a rejoin-request of type 1 that is too short',
      'c0010807060504030201100f0e0d0c0b0a09db00eac310',
    ],
  ])('refuses %s as FRAME_MALFORMED', (_what, hex) => {
    expect(parseFrame(bytes(hex))).toMatchObject({ kind: 'fault', code: 'FRAME_MALFORMED' });
  });

  it('gives a frame or a fault for 100,000 random buffers', () => {
    const random = Buffer.alloc(300);
    const kinds = new Set<string>();
    for (let round = 0; round < 100_000; round += 1) {
      randomFillSync(random);
      kinds.add(parseFrame(random.subarray(0, random.readUInt16LE(0) % 300)).kind);
    }
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['data', 'fault', 'proprietary']));
  });

  it('never takes FOpts, payload and MIC of a data frame from overlapping bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 255 }), (random) => {
        const phyPayload = Buffer.from([0x40, ...random.slice(1)]);
        const frame = parseFrame(phyPayload);
        if (frame.kind !== 'data') return;
        const fPort = frame.fPort === undefined ? [] : [frame.fPort];
        const rebuilt = [
          phyPayload.subarray(0, 8),
          frame.fOpts,
          Buffer.from(fPort),
          frame.frmPayload,
          frame.mic,
        ];
        expect(Buffer.concat(rebuilt)).toEqual(phyPayload);
      }),
    );
  });
});
