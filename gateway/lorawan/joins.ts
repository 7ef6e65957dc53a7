/**
 * Devices that join over the air, listened to: their requests are proven with the root key and
 * remembered, so that none is believed twice; an accept on its way to a gateway gives the session
 * that the device will use. The gateway answers nothing itself: that is the network server's part.
 */
import type { Clock } from '../model/clock.ts';
import type { Device, Session } from '../model/device.ts';
import { type Fault, fault } from '../model/fault.ts';
import type { FrameUplink, SourceEvent } from '../model/uplink.ts';
import { acceptedSession, joinRequestType, type RootKeys } from './accepted-join.ts';
import { createCmacKey } from './cmac.ts';
import { isUsed, noncePolicyOf, withNonce } from './dev-nonce.ts';
import type { DeviceRegistry } from './device-registry.ts';
import type { JoinAcceptFrame, JoinRequestFrame, RejoinRequestFrame } from './frame.ts';
import { bareMic, isSameMic } from './frame-mic.ts';
import { deriveJoinServerKeys } from './join.ts';
import {
  type HeardRequest,
  type JoinBook,
  type JoinRow,
  type NewSession,
  sessionId,
} from './join-book.ts';
import { isUsedJoinNonce, joinNoncesOf, withJoinNonce } from './join-nonce.ts';
import { keyCheck } from './key-check.ts';
import { acceptWindowMs, PendingJoins } from './pending-joins.ts';
import { createOverlap, sessionCheck } from './session-overlap.ts';

/** What was proven to be somebody's, and refused all the same. */
export interface RefusedFrame {
  readonly kind: 'quarantined';
  readonly fault: Fault;
  readonly adapter: string;
  readonly deviceId: string;
}

/** Whose accept it is, and why no session was taken from it, where that is so. */
export interface HeardAccept {
  readonly deviceId: string;
  readonly refusal?: Fault;
}

export interface Joins {
  /** Every session that a DevAddr may mean, old and new. */
  sessionsOf(devAddr: string): readonly Session[];
  request(
    uplink: FrameUplink,
    frame: JoinRequestFrame | RejoinRequestFrame,
  ): SourceEvent | RefusedFrame | Fault;
  /** Undefined when it answers no request that was heard lately. */
  accept(frame: JoinAcceptFrame, gatewayId: string | undefined): HeardAccept | undefined;
  /** A frame was proven with this joined session: the device has it, and uses no older one. */
  proven(deviceId: string, session: string): void;
  /** Resolves when all that is remembered is on disk; undefined when it is already. */
  unwritten(): Promise<unknown> | undefined;
}

interface JoinParts {
  readonly registry: Pick<DeviceRegistry, 'get' | 'rootKeysOf' | 'sessionsOf' | 'onChange'>;
  readonly book: JoinBook;
  readonly clock: Clock;
  /** Receptions of one request by several gateways lie no further apart. */
  readonly copyWindowMs: number;
}

export function createJoins({ registry, book, clock, copyWindowMs }: JoinParts): Joins {
  const pending = new PendingJoins();
  const sessionsOf = createOverlap((devAddr) => registry.sessionsOf(devAddr), book);
  openPending(pending, book, clock.now());
  registry.onChange((change) => {
    if (change.kind === 'delete') book.remove(change.id);
  });

  function request(uplink: FrameUplink, frame: JoinRequestFrame | RejoinRequestFrame) {
    const device = registry.get(frame.devEui);
    if (device === undefined) {
      return fault('DEVICE_UNKNOWN', `No device is registered with devEui ${frame.devEui}.`);
    }
    const proof = frame.kind === 'join-request' ? proveJoin(device, frame) : rejoin(device, frame);
    return 'code' in proof ? proof : judge(uplink, frame, { device, ...proof });
  }

  function proveJoin(device: Device, frame: JoinRequestFrame): Proof | Fault {
    const roots = registry.rootKeysOf(device.id);
    const held = [roots.nwkKey, roots.appKey].filter((key) => key !== undefined);
    if (held.length === 0) return fault('FRAME_UNSUPPORTED', 'Its root key is not held here.');
    const root = held.find((key) => isMadeWith(key, frame));
    if (root === undefined) return mismatch();
    const row = rowOf(device.id, roots);
    const policy = noncePolicyOf(device.macVersion, roots.nwkKey !== undefined);
    const { joinEui, devNonce } = frame;
    return {
      row: { ...row, nonces: withNonce(devNonce, row.nonces) },
      isOld: isUsed(devNonce, row.nonces, policy),
      asked: { joinReqType: joinRequestType, joinEui, devNonce },
    };
  }

  function rejoin(device: Device, frame: RejoinRequestFrame): Proof | Fault {
    const roots = registry.rootKeysOf(device.id);
    const counter = frame.rejoinType === 1 ? rejoinByRoot(roots, frame) : bySession(device, frame);
    if (typeof counter !== 'string') return counter;
    const row = rowOf(device.id, roots);
    const joinEui = frame.joinEui ?? device.joinEui ?? row.lastRequest?.joinEui;
    if (joinEui === undefined) return fault('FRAME_UNSUPPORTED', 'Its JoinEUI is not known here.');
    return {
      row: { ...row, rejoinCounts: { ...row.rejoinCounts, [counter]: frame.rjCount } },
      isOld: frame.rjCount <= (row.rejoinCounts[counter] ?? -1),
      asked: { joinReqType: frame.rejoinType, joinEui, devNonce: frame.rjCount },
    };
  }

  /** RJCount0 begins anew with every session; the name of what counts it. */
  function bySession(device: Device, frame: RejoinRequestFrame): string | Fault {
    const found = allSessionsOf(device).find(
      ({ macVersion, keys }) => macVersion === '1.1' && isMadeWith(keys.sNwkSIntKey, frame),
    );
    if (found === undefined) return mismatch();
    if (found.id !== undefined) proven(device.id, found.id);
    return found.id ?? 'registered';
  }

  function allSessionsOf({ id, devAddr }: Device): readonly Session[] {
    const own = book.row(id)?.sessions.map((session) => session.devAddr) ?? [];
    const addresses = new Set(devAddr === undefined ? own : [...own, devAddr]);
    return [...addresses].flatMap(sessionsOf).filter(({ deviceId }) => deviceId === id);
  }

  function rowOf(deviceId: string, roots: RootKeys): JoinRow {
    const rootCheck = [roots.nwkKey, roots.appKey]
      .map((key) => (key === undefined ? '' : keyCheck(key)))
      .join(':');
    const row = book.row(deviceId);
    // With another root key it is another device: its nonces begin anew.
    if (row !== undefined && row.rootCheck === rootCheck) return row;
    return { version: 1, rootCheck, nonces: { used: [] }, rejoinCounts: {}, sessions: [] };
  }

  function judge(
    uplink: FrameUplink,
    frame: JoinRequestFrame | RejoinRequestFrame,
    { device, row, isOld, asked }: Proof & { readonly device: Device },
  ): SourceEvent | RefusedFrame {
    const { adapter, rxTime } = uplink;
    const deviceId = device.id;
    const gateways = uplink.rxInfo.map(({ gatewayId }) => gatewayId);
    const heard: HeardRequest = {
      ...{ ...asked, mic: frame.mic.toString('hex'), heardAt: clock.now() },
      ...(rxTime === undefined ? {} : { rxTime }),
    };
    const event = { ...eventOf(uplink, frame.kind), deviceId };
    if (isCopy(row.lastRequest, heard, copyWindowMs)) {
      pending.heardBy(deviceId, gateways);
      return { ...event, type: `${frame.kind}-copy` };
    }
    if (isOld) {
      const detail = `A ${frame.kind} with the nonce ${asked.devNonce}, which was used before.`;
      return { kind: 'quarantined', fault: fault('FRAME_REPLAYED', detail), adapter, deviceId };
    }
    book.put(deviceId, { ...row, lastRequest: heard });
    pending.open(deviceId, heard, gateways);
    return event;
  }

  function accept(frame: JoinAcceptFrame, gatewayId: string | undefined): HeardAccept | undefined {
    const now = clock.now();
    for (const { deviceId, requests } of pending.candidates(gatewayId, now)) {
      const device = registry.get(deviceId);
      const row = book.row(deviceId);
      if (device === undefined || row === undefined) continue;
      const roots = registry.rootKeysOf(deviceId);
      const sessions = requests.flatMap(
        (asked) => acceptedSession(frame, asked, device, roots) ?? [],
      );
      const [one] = sessions;
      if (one === undefined) continue;
      const known = new Set(row.sessions.map(({ id }) => id));
      // A copy, perhaps on its way when the device asked again: what it answers was taken then.
      if (sessions.some((session) => known.has(sessionId(session)))) return { deviceId };
      const joinNonces = row.joinNonces ?? joinNoncesOf(row.sessions);
      if (isUsedJoinNonce(one, joinNonces)) return { deviceId, refusal: usedBefore(one) };
      const joined = sessions.map((session) => ({ ...session, joinedAt: now }));
      const noted = { ...row, joinNonces: withJoinNonce(one, joinNonces) };
      book.put(deviceId, joined.reduce(withSession(deviceId), noted));
      return { deviceId };
    }
    return undefined;
  }

  const withSession =
    (deviceId: string) =>
    (row: JoinRow, session: NewSession): JoinRow =>
      book.withSession(deviceId, row, session);

  function proven(deviceId: string, session: string): void {
    if (!book.isUnused(deviceId, session)) return;
    const row = book.row(deviceId);
    const used = row?.sessions.find(({ id }) => id === session);
    if (row === undefined || used === undefined) return;
    const newer = row.sessions.slice(row.sessions.indexOf(used) + 1);
    const sessions = [{ ...used, isUsed: true }, ...newer];
    const rejoinCounts = Object.fromEntries(
      Object.entries(row.rejoinCounts).filter(([name]) => name === '1' || name === session),
    );
    const retired = retiredBy(deviceId);
    pending.close(deviceId);
    book.put(deviceId, {
      ...{ ...row, sessions, rejoinCounts },
      ...(retired === undefined ? {} : { retired }),
    });
  }

  function retiredBy(deviceId: string): string | undefined {
    const devAddr = registry.get(deviceId)?.devAddr;
    if (devAddr === undefined) return undefined;
    const fixed = registry.sessionsOf(devAddr).find((one) => one.deviceId === deviceId);
    return fixed === undefined ? undefined : sessionCheck(fixed);
  }

  return { sessionsOf, request, accept, proven, unwritten: () => book.unwritten() };
}

const usedBefore = ({ joinNonce }: Pick<NewSession, 'joinNonce'>): Fault =>
  fault('FRAME_REPLAYED', `A join-accept with the JoinNonce ${joinNonce}, which was used before.`);

interface Proof {
  /** With this request in it. */
  readonly row: JoinRow;
  readonly isOld: boolean;
  readonly asked: Pick<HeardRequest, 'joinReqType' | 'joinEui' | 'devNonce'>;
}

/** Requests that a process before this one heard: their answers may be on the way. */
function openPending(pending: PendingJoins, book: JoinBook, now: number): void {
  for (const [deviceId, { lastRequest }] of book.rows()) {
    if (lastRequest === undefined || now - lastRequest.heardAt > acceptWindowMs) continue;
    pending.open(deviceId, lastRequest, []);
  }
}

function rejoinByRoot({ nwkKey }: RootKeys, frame: RejoinRequestFrame): string | Fault {
  if (nwkKey === undefined) return fault('FRAME_UNSUPPORTED', 'Its NwkKey is not held here.');
  const { jsIntKey } = deriveJoinServerKeys(nwkKey, frame.devEui);
  return isMadeWith(jsIntKey, frame) ? '1' : mismatch();
}

function isMadeWith(key: Buffer, frame: JoinRequestFrame | RejoinRequestFrame): boolean {
  return isSameMic(bareMic(createCmacKey(key), frame), frame.mic);
}

const mismatch = (): Fault =>
  fault('MIC_MISMATCH', 'The request was not made with a key of this device.');

/** By the gateway's clock, or by that of the network when a message is sent again much later. */
function isCopy(
  last: HeardRequest | undefined,
  heard: HeardRequest,
  copyWindowMs: number,
): boolean {
  if (last === undefined || last.mic !== heard.mic || last.devNonce !== heard.devNonce) {
    return false;
  }
  if (Math.abs(heard.heardAt - last.heardAt) <= copyWindowMs) return true;
  if (last.rxTime === undefined || heard.rxTime === undefined) return false;
  return Math.abs(heard.rxTime - last.rxTime) <= copyWindowMs;
}

function eventOf({ adapter, rxInfo, rxTime, phyPayload }: FrameUplink, type: string): SourceEvent {
  const gatewayId = rxInfo[0]?.gatewayId;
  return {
    ...{ kind: 'event', adapter, type, vouchedBy: 'mic', phyPayload },
    ...(gatewayId === undefined ? {} : { gatewayId }),
    ...(rxTime === undefined ? {} : { time: rxTime }),
  };
}
