import { describe, expect, it } from '@jest/globals';
import {
  devNoncesMax,
  isUsed,
  noncePolicyOf,
  type UsedNonces,
  withNonce,
} from '../../gateway/lorawan/dev-nonce.ts';
import { sessionsPerDeviceMax } from '../../gateway/lorawan/join-book.ts';
import { acceptWindowMs } from '../../gateway/lorawan/pending-joins.ts';
import type { SourceEvent } from '../../gateway/model/uplink.ts';
import {
  appKey,
  devEui,
  frameOf,
  gatewayId,
  grantOf,
  joinEui,
  names,
  netId,
  nwkKey,
  openRoom,
  roots10,
  roots11,
} from './join-room.ts';
import {
  type Grant,
  joinAccept,
  joinedSession,
  joinRequest,
  joinServerKey,
  rejoinRequest,
} from './simulated-join.ts';
import { uplinkOf } from './vectors.ts';

describe('A join-request', () => {
  it('is an event when it was made with the root key', async () => {
    const room = await openRoom();
    expect(room.send(joinRequest(appKey, names, 7))).toMatchObject({
      kind: 'event',
      type: 'join-request',
      deviceId: devEui,
      gatewayId,
      vouchedBy: 'mic',
    });
  });

  it('is refused with one flipped bit, another key, an unknown device, or no key here', async () => {
    const room = await openRoom();
    const request = joinRequest(appKey, names, 7);
    request[17] = (request[17] ?? 0) ^ 1;
    expect(room.send(request)).toMatchObject({ code: 'MIC_MISMATCH' });
    expect(room.send(joinRequest(nwkKey, names, 7))).toMatchObject({ code: 'MIC_MISMATCH' });
    const stranger = { joinEui, devEui: '70b3d57ed00000b2' };
    expect(room.send(joinRequest(appKey, stranger, 7))).toMatchObject({ code: 'DEVICE_UNKNOWN' });
    await room.registry.put({ id: stranger.devEui, kind: 'lorawan' });
    expect(room.send(joinRequest(appKey, stranger, 7))).toMatchObject({
      code: 'FRAME_UNSUPPORTED',
    });
  });

  it('is a copy by another gateway, and a replay when it comes later, also to a new process', async () => {
    const room = await openRoom();
    const request = joinRequest(appKey, names, 7);
    room.send(request);
    room.time.now += 9_000;
    expect(room.send(request)).toMatchObject({ type: 'join-request-copy' });
    room.time.now += 9_000;
    const refusal = { kind: 'quarantined', deviceId: devEui, fault: { code: 'FRAME_REPLAYED' } };
    expect(room.send(request)).toMatchObject(refusal);
    expect(room.send(joinRequest(appKey, names, 8))).toMatchObject({ type: 'join-request' });
    const again = await room.reopen();
    again.time.now += 60_000;
    expect(again.send(request)).toMatchObject(refusal);
    expect(again.send(joinRequest(appKey, names, 6))).toMatchObject({ type: 'join-request' });
  });

  it('is no replay when the network says that it is the same transmission', async () => {
    const room = await openRoom();
    const request = uplinkOf(joinRequest(appKey, names, 7));
    room.prover.verify(request);
    room.time.now += 3_600_000;
    expect(room.prover.verify(request)).toMatchObject({ type: 'join-request-copy' });
  });

  it('counts up in LoRaWAN 1.0.4', async () => {
    const room = await openRoom({ macVersion: '1.0.4' });
    expect(room.send(joinRequest(appKey, names, 7))).toMatchObject({ type: 'join-request' });
    expect(room.send(joinRequest(appKey, names, 6))).toMatchObject({ kind: 'quarantined' });
    expect(room.send(joinRequest(appKey, names, 8))).toMatchObject({ type: 'join-request' });
  });

  it('begins anew when the device is given another root key, not when it is given the same', async () => {
    const room = await openRoom();
    room.send(joinRequest(appKey, names, 7));
    room.time.now += 60_000;
    const device = { id: devEui, kind: 'lorawan' } as const;
    await room.registry.put(device, { appKey: appKey.toString('hex') });
    expect(room.send(joinRequest(appKey, names, 7))).toMatchObject({ kind: 'quarantined' });
    await room.registry.put(device, { appKey: nwkKey.toString('hex') });
    expect(room.send(joinRequest(nwkKey, names, 7))).toMatchObject({ type: 'join-request' });
    await room.registry.delete(devEui);
    expect(room.book.row(devEui)?.sessions ?? []).toEqual([]);
  });
});

describe('The policy for nonces', () => {
  it.each([
    ['1.0.2', false, 'set'],
    ['1.0.4', false, 'counter'],
    ['1.1', true, 'counter'],
    [undefined, true, 'counter'],
    [undefined, false, 'set'],
  ] as const)('of version %p with an NwkKey %p is %s', (version, hasNwkKey, policy) => {
    expect(noncePolicyOf(version, hasNwkKey)).toBe(policy);
  });

  it('remembers a bounded number', () => {
    let nonces: UsedNonces = { used: [] };
    for (let nonce = 0; nonce <= devNoncesMax; nonce += 1) nonces = withNonce(nonce, nonces);
    expect(nonces.used).toHaveLength(devNoncesMax);
    expect(isUsed(0, nonces, 'set')).toBe(false);
    expect(isUsed(1, nonces, 'set')).toBe(true);
    expect(isUsed(0, nonces, 'counter')).toBe(true);
  });
});

describe('A join-accept', () => {
  it('gives the session that the device then uses', async () => {
    const room = await openRoom();
    room.send(joinRequest(appKey, names, 7));
    const grant = { ...grantOf(0x10), cfList: Buffer.alloc(16, 3) };
    expect(room.hear(joinAccept(roots10, grant))).toMatchObject({
      type: 'join-accept',
      deviceId: devEui,
      vouchedBy: 'mic',
    });
    const session = joinedSession(roots10, grant, { ...names, devNonce: 7 });
    const again = await room.reopen();
    expect(again.send(frameOf(session, 0))).toMatchObject({
      kind: 'payload',
      deviceId: devEui,
      fCnt: 0,
      session: '0000100007',
      vouchedBy: 'mic',
      frmPayload: Buffer.from([1, 2]),
    });
  });

  it.each([
    ['another root key', joinAccept({ appKey: nwkKey }, grantOf(1))],
    [
      'a flipped bit',
      Buffer.from(joinAccept(roots10, grantOf(1)).map((b, i) => b ^ (i === 5 ? 1 : 0))),
    ],
    ['a data frame', Buffer.from('60a6fe6a01a003009 2ccd6db'.replace(' ', ''), 'hex')],
  ])('of %s is only an event', async (_what, bytes) => {
    const room = await openRoom();
    room.send(joinRequest(appKey, names, 7));
    expect(room.hear(bytes)).toMatchObject({ type: 'command-down' });
    expect(room.book.row(devEui)?.sessions).toEqual([]);
  });

  it('answers nobody after the window, or without a request', async () => {
    const room = await openRoom();
    const accept = joinAccept(roots10, grantOf(1));
    expect(room.hear(accept)).toMatchObject({ type: 'command-down' });
    room.send(joinRequest(appKey, names, 7));
    room.time.now += acceptWindowMs + 1;
    expect(room.hear(accept)).toMatchObject({ type: 'command-down' });
  });

  it('is no uplink, and an event without a frame stays as it is', async () => {
    const room = await openRoom();
    expect(room.send(joinAccept(roots10, grantOf(1)))).toMatchObject({ code: 'FRAME_UNSUPPORTED' });
    const event: SourceEvent = { kind: 'event', adapter: 'a', type: 'stats' };
    expect(room.prover.hear(event)).toBe(event);
  });

  it('of 1.1 binds the request, and gives four keys', async () => {
    const room = await openRoom({ macVersion: '1.1', roots: roots11 });
    room.send(joinRequest(nwkKey, names, 3));
    const of11 = { ...names, joinReqType: 255, devNonce: 3 };
    const grant = { ...grantOf(9), of11 };
    const other = { ...grant, of11: { ...of11, devNonce: 2 } };
    expect(room.hear(joinAccept(roots11, other))).toMatchObject({ type: 'command-down' });
    expect(room.hear(joinAccept(roots11, grant))).toMatchObject({ type: 'join-accept' });
    const session = joinedSession(roots11, grant, { ...names, devNonce: 3 });
    expect(room.send(frameOf(session, 0))).toMatchObject({ session: '0000090003' });
  });

  it('of a 1.0 network makes a 1.0 session of a 1.1 device', async () => {
    const room = await openRoom({ macVersion: '1.1', roots: roots11 });
    room.send(joinRequest(nwkKey, names, 3));
    const grant = grantOf(9);
    expect(room.hear(joinAccept({ appKey, nwkKey }, grant))).toMatchObject({ type: 'join-accept' });
    const session = joinedSession(roots11, grant, { ...names, devNonce: 3 });
    expect(session.macVersion).toBe('1.0');
    expect(room.send(frameOf(session, 0))).toMatchObject({ kind: 'payload' });
  });

  it('may be heard again and again: a device keeps few sessions', async () => {
    const room = await openRoom();
    for (let nonce = 1; nonce <= 9; nonce += 1) {
      room.send(joinRequest(appKey, names, nonce));
      for (let copy = 0; copy < 3; copy += 1) room.hear(joinAccept(roots10, grantOf(nonce)));
    }
    expect(room.book.row(devEui)?.sessions).toHaveLength(sessionsPerDeviceMax);
    const session = joinedSession(roots10, grantOf(9), { ...names, devNonce: 9 });
    expect(room.send(frameOf(session, 0))).toMatchObject({ kind: 'payload' });
  });
});

describe('An old and a new session', () => {
  async function joinedTwice(second: Grant) {
    const room = await openRoom();
    room.send(joinRequest(appKey, names, 1));
    room.hear(joinAccept(roots10, grantOf(1)));
    const old = joinedSession(roots10, grantOf(1), { ...names, devNonce: 1 });
    expect(room.send(frameOf(old, 41))).toMatchObject({ fCnt: 41 });
    room.send(joinRequest(appKey, names, 2));
    room.hear(joinAccept(roots10, second));
    return { room, old, next: joinedSession(roots10, second, { ...names, devNonce: 2 }) };
  }

  it('both hold until the device uses the new one', async () => {
    const { room, old, next } = await joinedTwice(grantOf(2, '26011bdb'));
    expect(room.send(frameOf(old, 42))).toMatchObject({ fCnt: 42, session: '0000010001' });
    expect(room.send(frameOf(next, 0))).toMatchObject({ fCnt: 0, session: '0000020002' });
    expect(room.send(frameOf(old, 43))).toMatchObject({ code: 'DEVICE_UNKNOWN' });
    expect(room.book.row(devEui)?.sessions).toMatchObject([{ id: '0000020002', isUsed: true }]);
  });

  it('under one DevAddr have counters of their own', async () => {
    const { room, next } = await joinedTwice(grantOf(2));
    room.counters.set(`${devEui}/26011bda/0000010001`, 41);
    expect(room.send(frameOf(next, 0))).toMatchObject({ fCnt: 0, session: '0000020002' });
  });

  it('retire the one that was registered, until it is registered otherwise', async () => {
    const room = await openRoom();
    const fixed = joinedSession({ appKey: nwkKey }, grantOf(1, '01020304'), {
      ...names,
      devNonce: 0,
    });
    const hex = { appSKey: fixed.keys.appSKey.toString('hex') };
    const session = { ...hex, nwkSKey: fixed.keys.fNwkSIntKey.toString('hex') };
    const keys = { ...session, appKey: appKey.toString('hex') };
    const device = { id: devEui, kind: 'lorawan', devAddr: '01020304' } as const;
    await room.registry.put(device, keys);
    room.send(joinRequest(appKey, names, 1));
    room.hear(joinAccept(roots10, grantOf(1)));
    expect(room.send(frameOf(fixed, 5))).toMatchObject({ kind: 'payload' });
    const next = joinedSession(roots10, grantOf(1), { ...names, devNonce: 1 });
    expect(room.send(frameOf(next, 0))).toMatchObject({ kind: 'payload' });
    expect(room.send(frameOf(fixed, 6))).toMatchObject({ code: 'DEVICE_UNKNOWN' });
    await room.registry.put(device, { ...keys, nwkSKey: appKey.toString('hex') });
    expect(room.joins.sessionsOf('01020304')).toHaveLength(1);
  });
});

describe('A rejoin-request', () => {
  async function joined11() {
    const room = await openRoom({ macVersion: '1.1', roots: roots11 });
    room.send(joinRequest(nwkKey, names, 1));
    const grant = { ...grantOf(1), of11: { ...names, joinReqType: 255, devNonce: 1 } };
    room.hear(joinAccept(roots11, grant));
    return { room, session: joinedSession(roots11, grant, { ...names, devNonce: 1 }) };
  }

  it.each([0, 2] as const)('of type %i is proven by the session and renews it', async (type) => {
    const { room, session } = await joined11();
    const { sNwkSIntKey } = session.keys;
    const request = rejoinRequest(sNwkSIntKey, type, { ...names, netId }, 4);
    expect(room.send(request)).toMatchObject({ type: 'rejoin-request', deviceId: devEui });
    const old = rejoinRequest(sNwkSIntKey, type, { ...names, netId }, 3);
    expect(room.send(old)).toMatchObject({ kind: 'quarantined' });
    const grant = { ...grantOf(2), of11: { ...names, joinReqType: type, devNonce: 4 } };
    expect(room.hear(joinAccept(roots11, grant))).toMatchObject({ type: 'join-accept' });
    const next = joinedSession(roots11, grant, { ...names, devNonce: 4 });
    expect(room.send(frameOf(next, 0))).toMatchObject({ session: '0000020004' });
    expect(room.book.row(devEui)?.rejoinCounts).toEqual({});
  });

  it('of type 1 is proven by the join server key', async () => {
    const { room } = await joined11();
    const jsIntKey = joinServerKey(nwkKey, devEui, 6);
    const request = rejoinRequest(jsIntKey, 1, { ...names, netId }, 0);
    expect(room.send(request)).toMatchObject({ type: 'rejoin-request' });
    expect(room.book.row(devEui)?.rejoinCounts).toEqual({ 1: 0 });
  });

  it('is refused under a key that is not its own, or not held', async () => {
    const { room } = await joined11();
    for (const type of [0, 1, 2] as const) {
      const request = rejoinRequest(appKey, type, { ...names, netId }, 0);
      expect(room.send(request)).toMatchObject({ code: 'MIC_MISMATCH' });
    }
    const plain = await openRoom();
    const request = rejoinRequest(appKey, 1, { ...names, netId }, 0);
    expect(plain.send(request)).toMatchObject({ code: 'FRAME_UNSUPPORTED' });
  });
});
