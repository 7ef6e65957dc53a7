/** Frames of LoRaWAN 1.1, downlinks and joins of the simulated devices, held against vectors. */
import { describe, expect, it } from '@jest/globals';
import { airtimeMs, createDutyCycle } from '../../simulators/lorawan/airtime.ts';
import { createFrameCodec } from '../../simulators/lorawan/data-frame.ts';
import {
  isSignedWith,
  joinAccept,
  joinRequest,
  openJoinAccept,
  rejoinRequest,
} from '../../simulators/lorawan/join-frame.ts';
import { deriveSession, joinServerKeys, type Session } from '../../simulators/lorawan/session.ts';
import {
  bytes,
  dataVectors,
  number,
  ofKind,
  text,
  type Vector,
  vectorOf,
} from '../lorawan/vectors.ts';

const contextOf = ({ context }: Vector) => ({
  confFCnt: typeof context['confFCnt'] === 'number' ? context['confFCnt'] : 0,
  txDr: typeof context['txDr'] === 'number' ? context['txDr'] : 0,
  txCh: typeof context['txCh'] === 'number' ? context['txCh'] : 0,
});

function sessionOf({ keys, expect: wanted, lorawan = '1.0' }: Vector): Session {
  const key = (name: string) => bytes(keys[name] ?? '00'.repeat(16));
  const network = keys['NwkSKey'] === undefined ? undefined : key('NwkSKey');
  return {
    devAddr: text(wanted, 'devAddr'),
    macVersion: lorawan,
    keys: {
      appSKey: key('AppSKey'),
      fNwkSIntKey: network ?? key('FNwkSIntKey'),
      sNwkSIntKey: network ?? key('SNwkSIntKey'),
      nwkSEncKey: network ?? key(keys['portZeroKey'] === undefined ? 'NwkSEncKey' : 'portZeroKey'),
    },
  };
}

/** Of one vector FOpts are in clear although they are of 1.1: no device sends that. */
const published = dataVectors.filter(({ id }) => id !== 'br11-fopts-plain-afcntdown');
const isSound = ({ expect: wanted }: Vector) => wanted['micValid'] !== false;

describe('Data frames', () => {
  it.each(published.map((vector) => [vector.id, vector] as const))('opens %s', (_, vector) => {
    const frame = bytes(vector.phyPayload);
    const direction = text(vector.expect, 'mtype').endsWith('Up') ? 'up' : 'down';
    const codec = createFrameCodec(sessionOf(vector));
    const fCnt = number(vector.context, 'fCnt32');
    const opened = codec.open(direction, frame, fCnt, contextOf(vector));
    if (!isSound(vector)) {
      expect(opened).toBeUndefined();
      return;
    }
    expect(opened?.fCnt).toBe(fCnt);
    const { frmPayload, fOptsPlain } = vector.expect;
    if (typeof frmPayload === 'string' && vector.keys['AppSKey'] !== undefined) {
      expect(opened?.frmPayload.toString('hex')).toBe(frmPayload);
    }
    if (typeof fOptsPlain === 'string') expect(opened?.fOpts.toString('hex')).toBe(fOptsPlain);
    if (opened === undefined) return;
    // What was opened and is made again is the same, but for bits that no device of this sets.
    const again = codec.encode(direction, opened, contextOf(vector));
    const otherBits = frame.readUInt8(5) & 0x50;
    if (otherBits === 0) expect(again.toString('hex')).toBe(vector.phyPayload);
  });

  it('opens nothing with a bit turned', () => {
    const vector = vectorOf('br11-ack');
    const codec = createFrameCodec(sessionOf(vector));
    const frame = bytes(vector.phyPayload);
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const turned = Buffer.from(frame);
      turned[bit >> 3] = turned.readUInt8(bit >> 3) ^ (1 << (bit & 7));
      expect(codec.open('up', turned, 1, contextOf(vector))).toBeUndefined();
    }
  });
});

describe('Join frames', () => {
  it.each(ofKind('join').filter(({ expect: { mtype } }) => mtype === 'JoinRequest'))(
    'makes the join-request $id',
    ({ phyPayload, keys, expect: wanted }) => {
      const root = bytes(keys['AppKey'] ?? keys['NwkKey']);
      const names = { devEui: text(wanted, 'devEUI'), joinEui: text(wanted, 'joinEUI') };
      const made = joinRequest(root, names, number(wanted, 'devNonce'));
      expect(made.toString('hex')).toBe(phyPayload);
      expect(isSignedWith(root, made)).toBe(true);
      expect(isSignedWith(Buffer.alloc(16, 9), made)).toBe(false);
    },
  );

  it.each(ofKind('rejoin'))(
    'makes the rejoin-request $id',
    ({ phyPayload, keys, expect: wanted }) => {
      const type = number(wanted, 'rejoinType');
      if (type !== 0 && type !== 1 && type !== 2) throw new Error('no type of rejoin');
      const count = number(wanted, type === 1 ? 'rjCount1' : 'rjCount0');
      const netId = type === 1 ? '' : text(wanted, 'netID');
      const joinEui = type === 1 ? text(wanted, 'joinEUI') : '';
      const names = { devEui: text(wanted, 'devEUI'), joinEui };
      const made = rejoinRequest(bytes(keys['key']), { type, netId, count }, names);
      expect(made.toString('hex')).toBe(phyPayload);
    },
  );

  it('opens the join-accept of a real device, with its channels and keys', () => {
    const { phyPayload, keys, context, expect: wanted } = vectorOf('lp-issue10-joinaccept');
    const roots = { appKey: bytes(keys['AppKey']) };
    const names = { devEui: text(context, 'devEUI'), joinEui: text(context, 'joinEUI') };
    const devNonce = number(context, 'devNonce');
    const asked = { ...names, joinReqType: 255, devNonce } as const;
    const accept = openJoinAccept(roots, bytes(phyPayload), asked);
    expect(accept).toMatchObject({
      devAddr: text(wanted, 'devAddr'),
      netId: text(wanted, 'netID'),
      frequencies: [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000],
    });
    if (accept === undefined) return;
    const session = deriveSession(roots, { ...accept, ...names, devNonce });
    expect(session.keys.appSKey.toString('hex')).toBe(text(wanted, 'AppSKey'));
    expect(session.keys.fNwkSIntKey.toString('hex')).toBe(text(wanted, 'NwkSKey'));
    expect(openJoinAccept({ appKey: Buffer.alloc(16) }, bytes(phyPayload), asked)).toBeUndefined();
    expect(openJoinAccept(roots, bytes(phyPayload).subarray(1), asked)).toBeUndefined();
  });

  const roots = { appKey: Buffer.alloc(16, 1), nwkKey: Buffer.alloc(16, 2) };
  const names = { devEui: '0102030405060708', joinEui: '1112131415161718' };
  const told = { joinNonce: 7, netId: '000013', devAddr: '26011bda', isOf11: true, rxDelay: 1 };

  it.each([255, 0, 1, 2] as const)(
    'answers a request of type %i so that it opens',
    (joinReqType) => {
      const asked = { ...names, joinReqType, devNonce: 300 };
      const frame = joinAccept(roots, { ...told, frequencies: [867_100_000] }, asked);
      expect(openJoinAccept(roots, frame, asked)).toEqual({ ...told, frequencies: [867_100_000] });
      // An accept of 1.1 signs the request along.
      expect(openJoinAccept(roots, frame, { ...asked, devNonce: 301 })).toBeUndefined();
    },
  );

  it.each(ofKind('key-derivation').filter(({ id }) => id !== 'lp-kdf-10'))(
    'derives the keys of $id',
    ({ input, expect: wanted }) => {
      const hex = (name: string) => bytes(typeof input[name] === 'string' ? input[name] : '');
      const root = hex('root');
      const appKey = root.length > 0 ? root : hex('appKey');
      const nwkKey = root.length > 0 ? root : hex('nwkKey');
      const terms = {
        joinNonce: hex('joinNonce').readUIntBE(0, 3),
        devNonce: hex('devNonce').readUInt16BE(0),
        ...{ netId: String(input['netID'] ?? '000000'), devAddr: '01020304' },
        joinEui: String(input['joinEUI'] ?? '00'.repeat(8)),
      };
      const both: Readonly<Record<string, unknown>> = wanted;
      const of10 = deriveSession({ appKey }, { ...terms, isOf11: false }).keys;
      const of11 = deriveSession({ appKey, nwkKey }, { ...terms, isOf11: true }).keys;
      if (both['1.0'] !== undefined) {
        expect(both['1.0']).toEqual({
          AppSKey: of10.appSKey.toString('hex'),
          NwkSKey: of10.fNwkSIntKey.toString('hex'),
        });
      }
      if (both['1.1'] !== undefined) {
        expect(both['1.1']).toEqual({
          AppSKey: of11.appSKey.toString('hex'),
          FNwkSIntKey: of11.fNwkSIntKey.toString('hex'),
          SNwkSIntKey: of11.sNwkSIntKey.toString('hex'),
          NwkSEncKey: of11.nwkSEncKey.toString('hex'),
        });
      }
      if (both['JSIntKey'] !== undefined) {
        const { jsIntKey, jsEncKey } = joinServerKeys(nwkKey, String(input['devEUI']));
        expect([jsIntKey.toString('hex'), jsEncKey.toString('hex')]).toEqual([
          both['JSIntKey'],
          both['JSEncKey'],
        ]);
      }
    },
  );
});

describe('Airtime', () => {
  it.each([
    // As the modem's own calculator has it.
    [12, 9, 144],
    [23, 12, 1_483],
    [51, 7, 103],
    [12, 7, 41],
  ])('of %i bytes at SF%i is %i ms', (size, spreadingFactor, expected) => {
    expect(airtimeMs(size, spreadingFactor)).toBe(expected);
  });

  it('keeps a sender off its sub-band for a hundred times as long', () => {
    const duty = createDutyCycle();
    duty.sent(868_100_000, 1_000, 50);
    expect(duty.freeAt(868_500_000)).toBe(6_000);
    expect(duty.freeAt(867_100_000)).toBe(0);
    duty.sent(869_525_000, 0, 50);
    expect(duty.freeAt(869_525_000)).toBe(500);
    duty.sent(864_000_000, 0, 50);
    expect(duty.freeAt(864_000_000)).toBe(50_000);
  });
});
