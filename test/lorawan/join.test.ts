import { describe, expect, it } from '@jest/globals';
import { parseFrame } from '../../gateway/lorawan/frame.ts';
import {
  deriveJoinServerKeys,
  deriveSessionKeys10,
  deriveSessionKeys11,
  openJoinAccept,
} from '../../gateway/lorawan/join.ts';
import type { SessionKeys } from '../../gateway/model/device.ts';
import { bytes, keyOf, number, ofKind, text, type Vector, vectorOf } from './vectors.ts';

function acceptOf(hex: string) {
  const frame = parseFrame(bytes(hex));
  if (frame.kind !== 'join-accept') throw new Error('not a join-accept');
  return frame;
}

const accepts = ofKind('join').filter(({ expect: { mtype } }) => mtype === 'JoinAccept');
const accepts10 = accepts.filter(({ lorawan }) => lorawan === '1.0');

const named = (keys: SessionKeys): Readonly<Record<string, string>> => ({
  AppSKey: keys.appSKey.toString('hex'),
  NwkSKey: keys.fNwkSIntKey.toString('hex'),
  FNwkSIntKey: keys.fNwkSIntKey.toString('hex'),
  SNwkSIntKey: keys.sNwkSIntKey.toString('hex'),
  NwkSEncKey: keys.nwkSEncKey.toString('hex'),
});

function noncesOf({ input }: Vector) {
  return {
    joinNonce: Number.parseInt(text(input, 'joinNonce'), 16),
    devNonce: Number.parseInt(text(input, 'devNonce'), 16),
  };
}

describe('Join-accept', () => {
  it.each(accepts10)('opens as $id says', (vector) => {
    const accept = openJoinAccept(acceptOf(vector.phyPayload), {
      rootKey: keyOf(vector, 'AppKey'),
    });
    expect(accept).toMatchObject({
      clear: bytes(text(vector.expect, 'clear')),
      joinNonce: vector.expect['joinNonce'],
      netId: vector.expect['netID'],
      devAddr: vector.expect['devAddr'],
      dlSettings: vector.expect['dlSettings'],
      rxDelay: vector.expect['rxDelay'],
      mic: bytes(text(vector.expect, 'mic')),
    });
  });

  const vector11 = vectorOf('br-joinaccept-11');
  const keys11 = { rootKey: keyOf(vector11, 'NwkKey'), jsIntKey: keyOf(vector11, 'JSIntKey') };
  const request11 = {
    joinReqType: number(vector11.context, 'joinReqType'),
    joinEui: text(vector11.context, 'joinEUI'),
    devNonce: number(vector11.context, 'devNonce'),
  };

  it('opens with OptNeg when the request it answers is given', () => {
    const accept = openJoinAccept(acceptOf(vector11.phyPayload), keys11, request11);
    expect(accept).toMatchObject({ clear: bytes(text(vector11.expect, 'clear')) });
  });

  it('is MIC_MISMATCH with OptNeg when it answers another request', () => {
    const request = { ...request11, devNonce: request11.devNonce + 1 };
    const accept = openJoinAccept(acceptOf(vector11.phyPayload), keys11, request);
    expect(accept).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
  });

  it('is FRAME_UNSUPPORTED with OptNeg when the request or JSIntKey is not held', () => {
    const frame = acceptOf(vector11.phyPayload);
    expect(openJoinAccept(frame, keys11)).toMatchObject({ code: 'FRAME_UNSUPPORTED' });
    expect(openJoinAccept(frame, { rootKey: keys11.rootKey }, request11)).toMatchObject({
      code: 'FRAME_UNSUPPORTED',
    });
  });

  it('is MIC_MISMATCH when one bit of it is flipped', () => {
    const vector = vectorOf('tts-joinaccept');
    const phyPayload = bytes(vector.phyPayload);
    phyPayload[5] = phyPayload.readUInt8(5) ^ 1;
    const keys = { rootKey: keyOf(vector, 'AppKey'), jsIntKey: keyOf(vector, 'AppKey') };
    const accept = openJoinAccept(acceptOf(phyPayload.toString('hex')), keys, request11);
    expect(accept).toMatchObject({ kind: 'fault', code: 'MIC_MISMATCH' });
  });
});

describe('Key derivation', () => {
  it.each(['tts-kdf', 'lp-kdf-10', 'cs-kdf-10'])('gives the 1.0 session keys of %s', (id) => {
    const vector = vectorOf(id);
    const netId = text(vector.input, 'netID');
    const keys = deriveSessionKeys10(bytes(text(vector.input, 'root')), {
      ...noncesOf(vector),
      netId,
    });
    expect(named(keys)).toMatchObject(Object(vector.expect['1.0']));
  });

  it.each(['tts-kdf', 'lp-kdf-11', 'cs-kdf-11'])('gives the 1.1 session keys of %s', (id) => {
    const vector = vectorOf(id);
    const root = vector.input['root'];
    const rootOf = (name: string) =>
      bytes(typeof root === 'string' ? root : text(vector.input, name));
    const keys = deriveSessionKeys11(
      { appKey: rootOf('appKey'), nwkKey: rootOf('nwkKey') },
      { ...noncesOf(vector), joinEui: text(vector.input, 'joinEUI') },
    );
    expect(named(keys)).toMatchObject(Object(vector.expect['1.1']));
  });

  it('gives the join server keys of The Things Stack', () => {
    const { input, expect: expected } = vectorOf('tts-kdf');
    const keys = deriveJoinServerKeys(bytes(text(input, 'root')), text(input, 'devEUI'));
    expect(keys.jsIntKey.toString('hex')).toBe(expected['JSIntKey']);
    expect(keys.jsEncKey.toString('hex')).toBe(expected['JSEncKey']);
  });

  it('gives the session keys of a real join through The Things Network', () => {
    const vector = vectorOf('lp-issue10-joinaccept');
    const rootKey = keyOf(vector, 'AppKey');
    const accept = openJoinAccept(acceptOf(vector.phyPayload), { rootKey });
    if ('kind' in accept) throw new Error(accept.detail);
    expect(accept.cfList).toHaveLength(16);
    const devNonce = number(vector.context, 'devNonce');
    const keys = deriveSessionKeys10(rootKey, { ...accept, devNonce });
    expect(named(keys)).toMatchObject({
      NwkSKey: vector.expect['NwkSKey'],
      AppSKey: vector.expect['AppSKey'],
    });
  });
});
