import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counterDefaults } from '../../gateway/lorawan/frame-counter.ts';
import { SessionCipherCache } from '../../gateway/lorawan/session-ciphers.ts';
import { verifyDefaults, verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { uplinkFrame } from './simulated-frame.ts';
import {
  bytes,
  dataVectors,
  number,
  sessionOfVector,
  text,
  uplinkOf,
  vectorOf,
} from './vectors.ts';

const neverHeard = () => undefined;
const lookupOf =
  (...sessions: readonly Session[]) =>
  (devAddr: string) =>
    sessions.filter((session) => session.devAddr === devAddr);

const payload = bytes('0367011027');

function session10(deviceId: string, seed: number): Session {
  const key = Buffer.alloc(16, seed);
  return {
    deviceId,
    devAddr: '260b99d9',
    macVersion: '1.0',
    keys: {
      appSKey: Buffer.alloc(16, seed + 1),
      fNwkSIntKey: key,
      sNwkSIntKey: key,
      nwkSEncKey: key,
    },
  };
}

const session11: Session = {
  deviceId: '70b3d57ed0000011',
  devAddr: '26010203',
  macVersion: '1.1',
  keys: {
    appSKey: Buffer.alloc(16, 1),
    fNwkSIntKey: Buffer.alloc(16, 2),
    sNwkSIntKey: Buffer.alloc(16, 3),
    nwkSEncKey: Buffer.alloc(16, 4),
  },
};

const uplinks = dataVectors.filter(({ expect: { mtype, micValid } }) => {
  return String(mtype).endsWith('Up') && micValid !== false;
});

describe('Frame verification', () => {
  it.each(uplinks)('proves and opens the uplink $id', (vector) => {
    const fCnt = number(vector.context, 'fCnt32');
    const confFCnt = vector.context['confFCnt'];
    const result = verifyUplink(
      uplinkOf(bytes(vector.phyPayload)),
      lookupOf(sessionOfVector(vector)),
      () => (fCnt === 0 ? undefined : fCnt - 1),
      {
        ...verifyDefaults,
        confirmedDownlinkCounter: () => (typeof confFCnt === 'number' ? confFCnt : 0),
      },
    );
    expect(result).toMatchObject({
      kind: 'payload',
      deviceId: vector.id,
      devAddr: vector.expect['devAddr'],
      fPort: vector.expect['fPort'],
      fCnt,
      confirmed: vector.expect['mtype'] === 'ConfirmedDataUp',
      vouchedBy: 'mic',
      phyPayload: bytes(vector.phyPayload),
      adapter: 'semtech-udp',
      rxInfo: [{ gatewayId: '0016c001ff10a235', rssi: -97, snr: 6.5 }],
    });
    const clear = vector.expect['frmPayload'];
    if (typeof clear === 'string') expect(result).toMatchObject({ frmPayload: bytes(clear) });
  });

  it('leaves payload and port away when the frame has none', () => {
    const session = session10('70b3d57ed0000001', 5);
    const phyPayload = uplinkFrame(session, { fCnt: 3 });
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(session), neverHeard);
    expect(result).toMatchObject({ kind: 'payload', fCnt: 3 });
    expect(result).not.toHaveProperty('fPort');
    expect(result).not.toHaveProperty('frmPayload');
  });

  it.each(dataVectors.filter(({ expect: { mtype } }) => String(mtype).endsWith('Down')))(
    'refuses the downlink $id as FRAME_UNSUPPORTED',
    (vector) => {
      const lookup = lookupOf(sessionOfVector(vector));
      const result = verifyUplink(uplinkOf(bytes(vector.phyPayload)), lookup, neverHeard);
      expect(result).toMatchObject({ kind: 'fault', code: 'FRAME_UNSUPPORTED' });
    },
  );

  it.each([
    ['a join-request', vectorOf('br-joinreq-1').phyPayload],
    ['a join-accept', vectorOf('br-joinaccept-10').phyPayload],
    ['a rejoin-request', vectorOf('br-rejoin1').phyPayload],
    ['a proprietary frame', 'e0cafe'],
  ])('refuses %s as FRAME_UNSUPPORTED', (_what, hex) => {
    const result = verifyUplink(uplinkOf(bytes(hex)), lookupOf(), neverHeard);
    expect(result).toMatchObject({ kind: 'fault', code: 'FRAME_UNSUPPORTED' });
  });

  it('refuses a short frame as FRAME_MALFORMED', () => {
    const result = verifyUplink(uplinkOf(bytes('4001020304')), lookupOf(), neverHeard);
    expect(result).toMatchObject({ kind: 'fault', code: 'FRAME_MALFORMED' });
  });

  it('quarantines a frame of a DevAddr that nobody has as DEVICE_UNKNOWN', () => {
    const phyPayload = bytes(vectorOf('lp-test').phyPayload);
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(), neverHeard);
    expect(result).toMatchObject({ kind: 'fault', code: 'DEVICE_UNKNOWN' });
    expect(result).toHaveProperty('detail', expect.stringContaining('49be7df1'));
  });

  it('quarantines a real frame as MIC_MISMATCH when any one of its bits is flipped', () => {
    const vector = vectorOf('lp-issue50-real');
    const session = sessionOfVector(vector);
    const whole = bytes(vector.phyPayload);
    // Every DevAddr finds the session, so that a flipped address meets the MIC as well.
    const lookup = () => [session];
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7));
      expect(verifyUplink(uplinkOf(flipped), lookup, neverHeard)).toMatchObject({ kind: 'fault' });
    }
    expect(verifyUplink(uplinkOf(whole), lookup, neverHeard)).toMatchObject({ kind: 'payload' });
  });

  it('names no key in any fault', () => {
    const vector = vectorOf('lp-bad-mic');
    const lookup = lookupOf(sessionOfVector(vector));
    const result = verifyUplink(uplinkOf(bytes(vector.phyPayload)), lookup, neverHeard);
    expect(result).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
    for (const key of Object.values(vector.keys)) {
      expect(JSON.stringify(result)).not.toContain(key);
    }
  });

  it('tells two devices on one DevAddr apart by their MIC', () => {
    const first = session10('70b3d57ed0000001', 5);
    const second = session10('70b3d57ed0000002', 9);
    for (const session of [first, second]) {
      const phyPayload = uplinkFrame(session, { fCnt: 40, fPort: 2, payload });
      const result = verifyUplink(uplinkOf(phyPayload), lookupOf(first, second), (deviceId) =>
        deviceId === first.deviceId ? 39 : undefined,
      );
      expect(result).toMatchObject({ deviceId: session.deviceId, frmPayload: payload });
    }
  });

  it('tries every counter of every session before it gives up', () => {
    const first = session10('70b3d57ed0000001', 5);
    const second = session10('70b3d57ed0000002', 9);
    const phyPayload = uplinkFrame(session10('stranger', 13), { fCnt: 40, fPort: 2, payload });
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(first, second), (deviceId) =>
      deviceId === first.deviceId ? 39 : undefined,
    );
    expect(result).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
  });

  it.each([
    [65_535, 65_536],
    [131_071, 131_072],
    [131_071, 131_071],
    [7, 8],
  ])('follows the counter from %i to %i', (last, fCnt) => {
    const session = session10('70b3d57ed0000001', 5);
    const phyPayload = uplinkFrame(session, { fCnt, fPort: 1, payload });
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(session), () => last);
    expect(result).toMatchObject({ fCnt, frmPayload: payload });
  });

  it('passes on a copy that comes after newer frames, with the counter it had', () => {
    const session = session10('70b3d57ed0000001', 5);
    const phyPayload = uplinkFrame(session, { fCnt: 70_000, fPort: 1, payload });
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(session), () => 70_003);
    expect(result).toMatchObject({ fCnt: 70_000, frmPayload: payload });
  });

  it('passes on the first frame of a device that was reset', () => {
    const session = session10('70b3d57ed0000001', 5);
    const phyPayload = uplinkFrame(session, { fCnt: 0, fPort: 1, payload });
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(session), () => 200_000);
    expect(result).toMatchObject({ fCnt: 0, frmPayload: payload });
  });

  it('accepts a real device that is first heard past its 65,535th frame', () => {
    const vector = vectorOf('lp-issue126-rollover');
    const lookup = lookupOf(sessionOfVector(vector));
    const result = verifyUplink(uplinkOf(bytes(vector.phyPayload)), lookup, neverHeard);
    expect(result).toMatchObject({ fCnt: 89_136 });
  });

  it('quarantines as MIC_MISMATCH what lies beyond the gap limit', () => {
    const session = session10('70b3d57ed0000001', 5);
    const phyPayload = uplinkFrame(session, { fCnt: 20_000, fPort: 1, payload });
    const options = { ...verifyDefaults, counters: { ...counterDefaults, gapMax: 16_384 } };
    const result = verifyUplink(uplinkOf(phyPayload), lookupOf(session), () => 1, options);
    expect(result).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
  });

  it('opens what any 1.0 device can send', () => {
    const session = session10('70b3d57ed0000001', 5);
    const content = fc.record({
      fCnt: fc.integer({ min: 0, max: 0xffff_ffff }),
      fPort: fc.integer({ min: 0, max: 255 }),
      payload: fc.uint8Array({ maxLength: 222 }).map((random) => Buffer.from(random)),
      confirmed: fc.boolean(),
      ack: fc.boolean(),
    });
    fc.assert(
      fc.property(content, (sent) => {
        const last = Math.max(0, sent.fCnt - 1);
        const uplink = uplinkOf(uplinkFrame(session, sent));
        expect(verifyUplink(uplink, lookupOf(session), () => last)).toMatchObject({
          fCnt: sent.fCnt,
          fPort: sent.fPort,
          frmPayload: sent.payload,
          confirmed: sent.confirmed,
        });
      }),
    );
  });

  it('gives a fault for 20,000 random frames of a known DevAddr', () => {
    const session = session10('70b3d57ed0000001', 5);
    const random = Buffer.alloc(64);
    for (let round = 0; round < 20_000; round += 1) {
      randomFillSync(random);
      random[0] = 0x40;
      const phyPayload = random.subarray(0, random.readUInt8(10) % 65);
      expect(verifyUplink(uplinkOf(phyPayload), () => [session], neverHeard).kind).toBe('fault');
    }
  });
});

describe('Frame verification of LoRaWAN 1.1', () => {
  const lookup = lookupOf(session11);
  const sent = { fCnt: 12, fPort: 1, payload };

  it.each([
    [
      'with a spreading factor numbered down from 12',
      { spreadingFactor: 7, bandwidth: 125_000 },
      5,
    ],
    [
      'with a spreading factor numbered down from 10',
      { spreadingFactor: 10, bandwidth: 125_000 },
      0,
    ],
    ['with spreading factor 12 alone', { spreadingFactor: 12 }, 0],
    ['on a wider channel', { spreadingFactor: 7, bandwidth: 250_000 }, 6],
    ['with nothing known of its transmission', {}, 4],
  ])('finds data rate and channel %s', (_what, txInfo, txDr) => {
    const phyPayload = uplinkFrame(session11, { ...sent, txDr, txCh: 7 });
    const result = verifyUplink({ ...uplinkOf(phyPayload), txInfo }, lookup, neverHeard);
    expect(result).toMatchObject({ fCnt: 12, frmPayload: payload, txInfo });
  });

  it('learns the channel of a frequency, and learns anew when it was moved', () => {
    const ciphers = new SessionCipherCache(4);
    const options = { ...verifyDefaults, ciphers };
    const txInfo = { spreadingFactor: 7, bandwidth: 125_000, frequency: 867_100_000 };
    const kindOf = (fCnt: number, txCh: number) => {
      const phyPayload = uplinkFrame(session11, { ...sent, fCnt, txDr: 5, txCh });
      return verifyUplink({ ...uplinkOf(phyPayload), txInfo }, lookup, neverHeard, options).kind;
    };
    expect([kindOf(12, 3), kindOf(13, 3)]).toEqual(['payload', 'payload']);
    expect(ciphers.of(session11).channels).toEqual(
      new Map([[867_100_000, { txCh: 3, rateSum: 12 }]]),
    );
    // One frame may be a forgery that fits by chance; its copy proves no more, another frame does.
    expect([kindOf(14, 6), kindOf(14, 6)]).toEqual(['fault', 'fault']);
    expect([kindOf(15, 6), kindOf(16, 6)]).toEqual(['payload', 'payload']);
  });

  it.each([
    [902_300_000, 0],
    [914_900_000, 63],
    [903_000_000, 64],
    [927_100_000, 71],
    [489_300_000, 95],
  ])('knows the channel of %i Hz where a plan fixes it', (frequency, txCh) => {
    const phyPayload = uplinkFrame(session11, { ...sent, txDr: 3, txCh });
    const txInfo = { frequency, spreadingFactor: 7, bandwidth: 125_000 };
    expect(verifyUplink({ ...uplinkOf(phyPayload), txInfo }, lookup, neverHeard)).toMatchObject({
      fCnt: 12,
    });
  });

  it('quarantines as MIC_MISMATCH when either half of the MIC is wrong', () => {
    const whole = uplinkFrame(session11, sent);
    for (const offset of [-4, -1]) {
      const flipped = Buffer.from(whole);
      const index = flipped.length + offset;
      flipped[index] = flipped.readUInt8(index) ^ 0x10;
      const uplink = { ...uplinkOf(flipped), txInfo: { spreadingFactor: 12 } };
      const result = verifyUplink(uplink, lookup, neverHeard);
      expect(result).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
    }
  });

  it('asks for the acknowledged counter when ACK is set', () => {
    const phyPayload = uplinkFrame(session11, { ...sent, ack: true, confFCnt: 300 });
    const known = { ...verifyDefaults, confirmedDownlinkCounter: () => 300 };
    const uplink = uplinkOf(phyPayload);
    expect(verifyUplink(uplink, lookup, neverHeard)).toMatchObject({ code: 'FRAME_UNSUPPORTED' });
    expect(verifyUplink(uplink, lookup, neverHeard, known)).toMatchObject({ fCnt: 12 });
  });

  it('opens MAC commands on FPort 0 with NwkSEncKey', () => {
    const phyPayload = uplinkFrame(session11, { ...sent, fPort: 0 });
    const result = verifyUplink(uplinkOf(phyPayload), lookup, neverHeard);
    expect(result).toMatchObject({ fPort: 0, frmPayload: payload });
    expect(text(vectorOf('lp-11-rekeyind').expect, 'frmPayload')).toBe('0b01');
  });
});
