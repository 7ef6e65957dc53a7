/** What keys make of a frame: does its MIC fit, which counter does it mean, what is in it. */
import { createCmacKey } from '../lorawan/cmac.ts';
import type { DataFrame, Frame, JoinAcceptFrame } from '../lorawan/frame.ts';
import { bareMic, dataMic, downlinkMic11, isSameMic } from '../lorawan/frame-mic.ts';
import { type FrameView, viewOf } from '../lorawan/frame-view.ts';
import { openJoinAccept } from '../lorawan/join.ts';
import { type JoinAcceptView, viewJoinAccept } from '../lorawan/join-accept-view.ts';
import {
  counterOf,
  createKeystreamKey,
  cryptFOpts,
  cryptFrmPayload,
} from '../lorawan/keystream.ts';
import { verifyDefaults, verifyUplink } from '../lorawan/verify.ts';
import type { Session, SessionKeys } from '../model/device.ts';
import type { FrameKeys } from './frame-keys.ts';

export interface FrameReading extends FrameView {
  /** `unchecked` without the keys that it takes. */
  readonly micVerdict: 'fits' | 'wrong' | 'unchecked';
  /** All 32 bits, where the MIC says which. */
  readonly fCnt?: number;
  /** Hex, in clear. */
  readonly payload?: string;
  readonly joinAccept?: JoinAcceptView;
}

/** Upper halves of the counter that are tried without a word on it, as for a new session. */
const epochsMax = 16;

export function readFrame(frame: Frame, keys: FrameKeys, fCnt: number | undefined): FrameReading {
  switch (frame.kind) {
    case 'data':
      return readData(frame, keys, fCnt);
    case 'join-request':
      return { ...viewOf(frame), micVerdict: verdictOf(frame, [keys.nwkKey, keys.appKey]) };
    case 'rejoin-request':
      return { ...viewOf(frame), micVerdict: verdictOf(frame, [keys.sNwkSIntKey]) };
    case 'join-accept':
      return readJoinAccept(frame, keys);
    case 'proprietary':
      return { ...viewOf(frame), micVerdict: 'unchecked' };
  }
}

function verdictOf(
  frame: Frame & { readonly mic: Buffer },
  candidates: readonly (Buffer | undefined)[],
): FrameReading['micVerdict'] {
  const held = candidates.filter((key) => key !== undefined);
  if (held.length === 0) return 'unchecked';
  const fits = held.some((key) => isSameMic(bareMic(createCmacKey(key), frame), frame.mic));
  return fits ? 'fits' : 'wrong';
}

/** That of 1.1 takes the request along, which is not here: its MIC stays unchecked. */
function readJoinAccept(frame: JoinAcceptFrame, { nwkKey, appKey }: FrameKeys): FrameReading {
  const view = viewOf(frame);
  const held = [nwkKey, appKey].filter((key) => key !== undefined);
  const opened = held.map((rootKey) => openJoinAccept(frame, { rootKey }));
  const accept = opened.find((one) => !('code' in one));
  if (accept !== undefined && !('code' in accept)) {
    return { ...view, micVerdict: 'fits', joinAccept: viewJoinAccept(accept) };
  }
  const isUnsure = opened.some((one) => 'code' in one && one.code === 'FRAME_UNSUPPORTED');
  return { ...view, micVerdict: held.length === 0 || isUnsure ? 'unchecked' : 'wrong' };
}

function readData(frame: DataFrame, keys: FrameKeys, fCnt: number | undefined): FrameReading {
  const session = sessionOf(frame, keys);
  if (session === undefined) return { ...viewOf(frame), micVerdict: 'unchecked' };
  const { appSKey } = keys;
  const found = counterThatFits(frame, session, fCnt);
  const isVersion11 = session.macVersion === '1.1';
  if (found === undefined) return { ...viewOf(frame, { isVersion11 }), micVerdict: 'wrong' };
  const { direction, devAddr, fPort, frmPayload } = frame;
  const position = { direction, devAddr, fCnt: found };
  const networkKey = createKeystreamKey(session.keys.nwkSEncKey);
  const payloadKey = fPort === 0 ? networkKey : appSKey && createKeystreamKey(appSKey);
  const payload = payloadKey && cryptFrmPayload(payloadKey, position, frmPayload);
  const counter = counterOf(frame);
  const fOpts = isVersion11 && cryptFOpts(networkKey, { ...position, counter }, frame.fOpts);
  const view = viewOf(frame, {
    isVersion11,
    ...(fOpts === false ? {} : { fOpts }),
    ...(fPort === 0 && payload !== undefined ? { macPayload: payload } : {}),
  });
  return {
    ...{ ...view, micVerdict: 'fits', fCnt: found },
    ...(fPort === undefined || payload === undefined ? {} : { payload: payload.toString('hex') }),
  };
}

/** The network's keys suffice for the MIC; without AppSKey the payload stays closed. */
function sessionOf({ devAddr }: DataFrame, keys: FrameKeys): Session | undefined {
  const { nwkSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey, appSKey = Buffer.alloc(16) } = keys;
  const base = { deviceId: '0000000000000000', devAddr };
  if (nwkSKey !== undefined) {
    const all: SessionKeys = {
      ...{ appSKey, fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey },
    };
    return { ...base, macVersion: '1.0', keys: all };
  }
  if (fNwkSIntKey === undefined || sNwkSIntKey === undefined || nwkSEncKey === undefined) {
    return undefined;
  }
  return {
    ...{ ...base, macVersion: '1.1' },
    keys: { appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey },
  };
}

function counterThatFits(frame: DataFrame, session: Session, fCnt: number | undefined) {
  const epochs = Array.from({ length: epochsMax }, (_, epoch) => epoch * 65_536 + frame.fCnt16);
  const counters = fCnt === undefined ? epochs : [fCnt];
  return counters.find((counter) => fits(frame, session, counter));
}

function fits(frame: DataFrame, session: Session, fCnt: number): boolean {
  if ((fCnt & 0xffff) !== frame.fCnt16) return false;
  if (frame.direction === 'up') {
    const uplink = { kind: 'frame', adapter: 'frame', phyPayload: frame.phyPayload } as const;
    const last = () => fCnt - 1;
    const options = { ...verifyDefaults, counters: { gapMax: 1, firstEpochsMax: 1 } };
    const result = verifyUplink({ ...uplink, rxInfo: [] }, () => [session], last, options);
    return result.kind === 'payload' && result.fCnt === fCnt;
  }
  const key = createCmacKey(session.keys.sNwkSIntKey);
  const mic =
    session.macVersion === '1.0' ? dataMic(key, frame, fCnt) : downlinkMic11(key, frame, fCnt, 0);
  return isSameMic(mic, frame.mic);
}
