/**
 * Somebody who knows the root keys and hears everything: follows joins and counters with the tests'
 * own cryptography, and says what does not fit.
 */
import type {
  FleetDownlink,
  FleetEvent,
  FleetUplink,
} from '../../simulators/lorawan/fleet-event.ts';
import type { Fleet, FleetDevice } from '../../simulators/lorawan/fleet-plan.ts';
import { joinedSession, joinServerKey } from '../lorawan/simulated-join.ts';
import {
  clearAccept,
  clearPayload,
  cmacOf,
  type OnAirAs,
  type ProofSession,
  uplinkMicOf,
} from './frame-proof.ts';

interface Known {
  readonly device: FleetDevice;
  readonly devNonces: Set<number>;
  asked: { readonly type: number; readonly nonce: number } | undefined;
  /** Newest last: a device may not have heard the newest accept. */
  readonly sessions: { readonly session: ProofSession; lastFCnt: number }[];
  /** Counters of the confirmed downlinks it may acknowledge. */
  confFCnts: number[];
}

export interface Ear {
  /** Undefined when everything about it is right. */
  complaint(event: FleetEvent): string | undefined;
  readonly proven: Record<string, number>;
}

const little = (frame: Buffer, from: number, to: number) =>
  Buffer.from(frame.subarray(from, to)).reverse().toString('hex');

export function createEar(fleet: Fleet): Ear {
  const known = new Map(fleet.devices.map((device) => [device.identity.devEui, start(device)]));
  const proven: Record<string, number> = {};

  function judge(event: FleetEvent): string | undefined {
    const one = known.get(event.devEui);
    if (one === undefined) return 'nobody';
    if (event.kind === 'down')
      return event.what === 'data' ? downlink(one, event) : accept(one, event);
    return event.what === 'data' ? data(one, event) : request(one, event);
  }

  return {
    proven,
    complaint(event) {
      const complaint = judge(event);
      const what = `${event.kind} ${event.what}`;
      if (complaint === undefined) proven[what] = (proven[what] ?? 0) + 1;
      return complaint === undefined ? undefined : `${what} of ${event.devEui}: ${complaint}`;
    },
  };
}

function start(device: FleetDevice): Known {
  const { activation } = device.identity;
  const given = activation.kind === 'abp' ? [{ session: activation.session, lastFCnt: -1 }] : [];
  return { device, devNonces: new Set(), asked: undefined, sessions: given, confFCnts: [] };
}

function rootsOf({ device: { identity } }: Known) {
  if (identity.activation.kind !== 'otaa') throw new Error('it has no root keys');
  const { appKey, nwkKey } = identity.activation.roots;
  return { appKey, nwkKey, root: nwkKey ?? appKey };
}

function request(known: Known, { phyPayload, what }: FleetUplink): string | undefined {
  const { identity } = known.device;
  const { root } = rootsOf(known);
  const isSigned = (key: Buffer) =>
    cmacOf(key, phyPayload.subarray(0, -4)).subarray(0, 4).equals(phyPayload.subarray(-4));
  if (what === 'join-request') {
    if (little(phyPayload, 9, 17) !== identity.devEui) return 'another DevEUI';
    if (little(phyPayload, 1, 9) !== identity.joinEui) return 'another JoinEUI';
    const nonce = phyPayload.readUInt16LE(17);
    if (known.devNonces.has(nonce)) return `DevNonce ${nonce} twice`;
    known.devNonces.add(nonce);
    known.asked = { type: 255, nonce };
    return isSigned(root) ? undefined : 'the MIC';
  }
  const type = phyPayload.readUInt8(1);
  known.asked = { type, nonce: phyPayload.readUInt16LE(phyPayload.length - 6) };
  const keys =
    type === 1
      ? [joinServerKey(root, identity.devEui, 6)]
      : known.sessions.map(({ session }) => session.keys.sNwkSIntKey);
  return keys.some(isSigned) ? undefined : 'the MIC';
}

function accept(known: Known, { phyPayload }: FleetDownlink): string | undefined {
  const { identity } = known.device;
  const { appKey, nwkKey, root } = rootsOf(known);
  const { asked } = known;
  if (asked === undefined) return 'nobody asked';
  const isRejoin = asked.type !== 255;
  const clear = clearAccept(phyPayload, isRejoin ? joinServerKey(root, identity.devEui, 5) : root);
  const isOf11 = (clear.readUInt8(11) & 0x80) !== 0;
  const { devEui, joinEui } = identity;
  const head = Buffer.alloc(11);
  head[0] = asked.type;
  Buffer.from(joinEui, 'hex').reverse().copy(head, 1);
  head.writeUInt16LE(asked.nonce, 9);
  const signed = clear.subarray(0, -4);
  const mic = isOf11
    ? cmacOf(joinServerKey(root, devEui, 6), Buffer.concat([head, signed]))
    : cmacOf(root, signed);
  if (!mic.subarray(0, 4).equals(clear.subarray(-4))) return 'the MIC';
  if (isOf11 !== (identity.macVersion === '1.1')) return 'OptNeg';
  const grant = {
    ...{ joinNonce: clear.readUIntLE(1, 3), netId: little(clear, 4, 7) },
    devAddr: little(clear, 7, 11),
    ...(isOf11
      ? { of11: { devEui, joinEui, joinReqType: asked.type, devNonce: asked.nonce } }
      : {}),
  };
  const roots = { appKey, ...(nwkKey === undefined ? {} : { nwkKey }) };
  const session = joinedSession(roots, grant, { devEui, joinEui, devNonce: asked.nonce });
  known.sessions.push({ session, lastFCnt: -1 });
  known.confFCnts = [];
  return undefined;
}

/** Only which counter it has: what the device acknowledges is signed into its next uplink. */
function downlink(known: Known, { phyPayload }: FleetDownlink): string | undefined {
  const isConfirmed = phyPayload[0] === 0xa0;
  if (isConfirmed) known.confFCnts.push(phyPayload.readUInt16LE(6));
  return known.sessions.some(({ session }) => session.devAddr === little(phyPayload, 1, 5))
    ? undefined
    : 'an address that nobody was given';
}

function data(known: Known, event: FleetUplink): string | undefined {
  const { phyPayload, reading, transmission } = event;
  const state = known.sessions.find(({ session }) => session.devAddr === little(phyPayload, 1, 5));
  if (state === undefined) return 'an address that nobody was given';
  if (reading === undefined) return 'no reading';
  const low = phyPayload.readUInt16LE(6);
  const { fCnt } = reading;
  if (low !== (fCnt & 0xffff)) return 'the counter is not the one of the frame';
  if (fCnt < state.lastFCnt) return `the counter ${fCnt} after ${state.lastFCnt}`;
  state.lastFCnt = fCnt;
  const [{ channel }] = transmission.receptions;
  const as: OnAirAs = { fCnt, confFCnt: 0, txDr: transmission.dataRate, txCh: channel };
  const isMade = [0, ...known.confFCnts].some((confFCnt) =>
    uplinkMicOf(phyPayload, state.session, { ...as, confFCnt }).equals(phyPayload.subarray(-4)),
  );
  if (!isMade) return 'the MIC';
  const clear = clearPayload(phyPayload, state.session, fCnt);
  const says = [clear.readInt16BE(2) / 10, clear.readUInt8(6) / 2];
  const isSame = says[0] === reading.temperature && says[1] === reading.humidity;
  return isSame ? undefined : `the payload ${clear.toString('hex')}`;
}
