import { describe, expect, it } from '@jest/globals';
import {
  isUsedJoinNonce,
  type JoinNonces,
  joinNoncesMax,
  joinNoncesOf,
  withJoinNonce,
} from '../../gateway/lorawan/join-nonce.ts';
import {
  appKey,
  devEui,
  frameOf,
  grantOf,
  names,
  nwkKey,
  openRoom,
  roots10,
  roots11,
} from './join-room.ts';
import { joinAccept, joinedSession, joinRequest } from './simulated-join.ts';

describe('The JoinNonce of an accept', () => {
  const refusal = { kind: 'quarantined', deviceId: devEui, fault: { code: 'FRAME_REPLAYED' } };
  type Room = Awaited<ReturnType<typeof openRoom>>;

  /** A whole join: the request, and what becomes of its accept. */
  function join10(room: Room, devNonce: number, joinNonce: number) {
    room.send(joinRequest(appKey, names, devNonce));
    return room.hear(joinAccept(roots10, grantOf(joinNonce)));
  }

  function join11(room: Room, devNonce: number, joinNonce: number) {
    room.send(joinRequest(nwkKey, names, devNonce));
    const of11 = { ...names, joinReqType: 255, devNonce };
    return room.hear(joinAccept(roots11, { ...grantOf(joinNonce), of11 }));
  }

  it('of 1.1 counts up: an equal or a lower one is refused, also by a new process', async () => {
    const room = await openRoom({ macVersion: '1.1', roots: roots11 });
    expect(join11(room, 1, 10)).toMatchObject({ type: 'join-accept' });
    expect(join11(room, 2, 10)).toMatchObject(refusal);
    expect(join11(room, 3, 9)).toMatchObject(refusal);
    expect(room.book.row(devEui)?.sessions).toMatchObject([{ id: '00000a0001' }]);
    const again = await room.reopen();
    expect(join11(again, 4, 9)).toMatchObject(refusal);
    expect(join11(again, 5, 11)).toMatchObject({ type: 'join-accept' });
    const sessions = again.book.row(devEui)?.sessions;
    expect(sessions?.map(({ id }) => id)).toEqual(['00000a0001', '00000b0005']);
  });

  it('of 1.0 may be any that was not used before, for a device of 1.0.4 too', async () => {
    for (const macVersion of ['1.0.3', '1.0.4']) {
      const room = await openRoom({ macVersion });
      expect(join10(room, 1, 900)).toMatchObject({ type: 'join-accept' });
      expect(join10(room, 2, 5)).toMatchObject({ type: 'join-accept' });
      expect(join10(room, 3, 900)).toMatchObject(refusal);
      const again = await room.reopen();
      expect(join10(again, 4, 5)).toMatchObject(refusal);
      expect(join10(again, 5, 6)).toMatchObject({ type: 'join-accept' });
    }
  });

  it('of a 1.0 network tells nothing of the counter of 1.1', async () => {
    const room = await openRoom({ macVersion: '1.1', roots: roots11 });
    room.send(joinRequest(nwkKey, names, 1));
    expect(room.hear(joinAccept(roots11, grantOf(9_000)))).toMatchObject({ type: 'join-accept' });
    expect(join11(room, 2, 1)).toMatchObject({ type: 'join-accept' });
  });

  it('is no reuse when the accept is heard again, before or after the next request', async () => {
    const room = await openRoom();
    join10(room, 1, 7);
    const accept = joinAccept(roots10, grantOf(7));
    expect(room.hear(accept)).toMatchObject({ type: 'join-accept' });
    room.send(joinRequest(appKey, names, 2));
    expect(room.hear(accept)).toMatchObject({ type: 'join-accept' });
    expect(room.book.row(devEui)?.sessions).toMatchObject([{ id: '0000070001' }]);
    room.send(joinRequest(appKey, names, 3));
    expect(room.hear(accept)).toMatchObject(refusal);
    const session = joinedSession(roots10, grantOf(7), { ...names, devNonce: 3 });
    expect(room.send(frameOf(session, 0))).toMatchObject({ code: 'MIC_MISMATCH' });
  });

  it('cannot push out the session in use by accepts that were recorded', async () => {
    const room = await openRoom();
    for (let nonce = 1; nonce <= 9; nonce += 1) join10(room, nonce, nonce);
    room.send(joinRequest(appKey, names, 10));
    for (let old = 1; old <= 8; old += 1) {
      expect(room.hear(joinAccept(roots10, grantOf(old)))).toMatchObject(refusal);
    }
    expect(room.hear(joinAccept(roots10, grantOf(10)))).toMatchObject({ type: 'join-accept' });
    const session = joinedSession(roots10, grantOf(10), { ...names, devNonce: 10 });
    expect(room.send(frameOf(session, 0))).toMatchObject({ kind: 'payload' });
  });

  it('begins anew with another root key, and when the device is registered anew', async () => {
    const room = await openRoom();
    join10(room, 1, 7);
    await room.registry.delete(devEui);
    await room.registry.put({ id: devEui, kind: 'lorawan' }, { appKey: appKey.toString('hex') });
    expect(join10(room, 1, 7)).toMatchObject({ type: 'join-accept' });
    await room.registry.put({ id: devEui, kind: 'lorawan' }, { appKey: nwkKey.toString('hex') });
    room.send(joinRequest(nwkKey, names, 1));
    const accept = joinAccept({ appKey: nwkKey }, grantOf(7));
    expect(room.hear(accept)).toMatchObject({ type: 'join-accept' });
  });

  it('of a row from before it was kept is that of its sessions', async () => {
    const room = await openRoom();
    join10(room, 1, 7);
    const { joinNonces: _left, ...row } = room.book.row(devEui) ?? {
      ...{ version: 1, rootCheck: '', nonces: { used: [] }, rejoinCounts: {}, sessions: [] },
    };
    room.book.put(devEui, row);
    expect(join10(room, 2, 8)).toMatchObject({ type: 'join-accept' });
    const of11 = { macVersion: '1.1', joinNonce: 4 } as const;
    expect(joinNoncesOf([...row.sessions, of11])).toEqual({ used: [7], highest: 4 });
  });

  it('is remembered for a bounded number of joins', () => {
    let nonces: JoinNonces = { used: [] };
    for (let joinNonce = 0; joinNonce <= joinNoncesMax; joinNonce += 1) {
      nonces = withJoinNonce({ macVersion: '1.0', joinNonce }, nonces);
    }
    expect(nonces.used).toHaveLength(joinNoncesMax);
    expect(isUsedJoinNonce({ macVersion: '1.0', joinNonce: 0 }, nonces)).toBe(false);
    expect(isUsedJoinNonce({ macVersion: '1.0', joinNonce: 1 }, nonces)).toBe(true);
  });
});
