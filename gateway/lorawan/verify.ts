/**
 * Proves a raw frame: finds the session whose keys made its MIC, the 32-bit counter that it means,
 * and opens its payload. A counter that was used before is not judged here: the ledger knows
 * whether such a frame is a copy, a redelivery or a replay.
 */
import type { Session } from '../model/device.ts';
import { type Fault, fault } from '../model/fault.ts';
import type { FrameUplink, TxInfo, VerifiedUplink } from '../model/uplink.ts';
import { isSignedForChannel } from './channel-proof.ts';
import { type DataFrame, parseFrame } from './frame.ts';
import { type CounterOptions, counterCandidates, counterDefaults } from './frame-counter.ts';
import { dataMic, isSameMic, uplinkMicF } from './frame-mic.ts';
import { counterOf, createKeystreamKey, cryptFOpts, cryptFrmPayload } from './keystream.ts';
import { parseMacCommands, statusOf } from './mac-commands.ts';
import { SessionCipherCache, type SessionCiphers, sessionCiphersMax } from './session-ciphers.ts';

/** Sessions of a DevAddr (8 lower-case hex digits); DeviceRegistry.sessionsOf. */
export type SessionLookup = (devAddr: string) => readonly Session[];

/**
 * The last accepted 32-bit counter of a session; Ledger.lastFrameCounter. The name is the DevAddr,
 * and for a joined session its id behind a slash: a device may be given its address again.
 */
export type LastFrameCounter = (deviceId: string, name: string) => number | undefined;

export interface VerifyOptions {
  readonly counters: CounterOptions;
  readonly ciphers: SessionCipherCache;
  /** Of a session whose counter was set back: Ledger.highestFrameCounter. */
  readonly highestFrameCounter: LastFrameCounter;
  /**
   * The counter of the last confirmed downlink of a session, which LoRaWAN 1.1 signs into an uplink
   * that acknowledges it. The gateway sends no downlinks itself; who does may say so here.
   */
  readonly confirmedDownlinkCounter: (session: Session) => number;
}

export const verifyDefaults: VerifyOptions = {
  counters: counterDefaults,
  ciphers: new SessionCipherCache(sessionCiphersMax),
  highestFrameCounter: () => undefined,
  confirmedDownlinkCounter: () => 0,
};

/** Total: any bytes give a verified uplink or a fault, never an exception. */
export function verifyUplink(
  uplink: FrameUplink,
  sessions: SessionLookup,
  lastFrameCounter: LastFrameCounter,
  options: VerifyOptions = verifyDefaults,
): VerifiedUplink | Fault {
  const frame = parseFrame(uplink.phyPayload);
  if (frame.kind === 'fault') return frame;
  if (frame.kind !== 'data' || frame.direction !== 'up') {
    return fault('FRAME_UNSUPPORTED', `A ${nameOf(frame)} frame carries no telemetry.`);
  }
  const candidates = sessions(frame.devAddr);
  if (candidates.length === 0) {
    return fault('DEVICE_UNKNOWN', `No session is registered for DevAddr ${frame.devAddr}.`);
  }
  const attempt = { frame, candidates, lastFrameCounter, txInfo: uplink.txInfo, options };
  const proof = prove(attempt) ?? proveAfterReset(attempt);
  if (proof === undefined && isHalfProven(attempt)) {
    const detail = 'It acknowledges a downlink; half of its MIC fits, the other none heard here.';
    return fault('FRAME_UNSUPPORTED', detail);
  }
  if (proof === undefined) {
    return fault(
      'MIC_MISMATCH',
      `${candidates.length} session(s) of DevAddr ${frame.devAddr} tried.`,
    );
  }
  return opened(uplink, frame, proof);
}

const nameOf = (frame: { readonly kind: string; readonly mType?: string }): string =>
  frame.mType ?? frame.kind;

interface Attempt {
  readonly frame: DataFrame;
  readonly candidates: readonly Session[];
  readonly lastFrameCounter: LastFrameCounter;
  readonly txInfo: TxInfo | undefined;
  readonly options: VerifyOptions;
}

interface Proof {
  readonly session: Session;
  readonly ciphers: SessionCiphers;
  readonly fCnt: number;
}

/** Each session's likeliest counter is tried before any session's next one. */
function prove(attempt: Attempt): Proof | undefined {
  const { frame, candidates, lastFrameCounter, options } = attempt;
  const tries = candidates.map((session) => {
    const last = lastFrameCounter(session.deviceId, counterName(session));
    return { session, counters: counterCandidates(frame.fCnt16, last, options.counters) };
  });
  const rounds = Math.max(...tries.map(({ counters }) => counters.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const { session, counters } of tries) {
      const fCnt = counters[round];
      if (fCnt === undefined) continue;
      const proof = { session, ciphers: options.ciphers.of(session), fCnt };
      if (isProven(attempt, proof)) return proof;
    }
  }
  return undefined;
}

/**
 * A counter that was set back by an old frame that nobody had heard must not shut the device out,
 * whose own counter is too far ahead of it then.
 */
function proveAfterReset(attempt: Attempt): Proof | undefined {
  const { highestFrameCounter } = attempt.options;
  const candidates = attempt.candidates.filter(
    (session) => highestFrameCounter(session.deviceId, counterName(session)) !== undefined,
  );
  if (candidates.length === 0) return undefined;
  return prove({ ...attempt, candidates, lastFrameCounter: highestFrameCounter });
}

export function counterName({ devAddr, id }: Session): string {
  return id === undefined ? devAddr : `${devAddr}/${id}`;
}

function isProven(attempt: Attempt, proof: Proof): boolean {
  const { frame } = attempt;
  const { session, ciphers, fCnt } = proof;
  if (session.macVersion === '1.0') {
    return isSameMic(dataMic(ciphers.fNwkSIntKey, frame, fCnt), frame.mic);
  }
  const half = uplinkMicF(ciphers.fNwkSIntKey, frame, fCnt);
  if (!isSameMic(half, frame.mic.subarray(2))) return false;
  const confFCnt = attempt.options.confirmedDownlinkCounter(session);
  return isSignedForChannel(frame, ciphers, { fCnt, confFCnt, txInfo: attempt.txInfo });
}

/**
 * The half of a 1.1 MIC under FNwkSIntKey needs no knowledge; the other covers which downlink an
 * acknowledgement is for. 16 bits are too few to believe a frame by, but enough to say that it is
 * no forgery, only more than is known here.
 */
function isHalfProven({ frame, candidates, lastFrameCounter, options }: Attempt): boolean {
  if (!frame.fCtrl.ack) return false;
  return candidates.some((session) => {
    if (session.macVersion === '1.0') return false;
    const last = lastFrameCounter(session.deviceId, counterName(session));
    const { fNwkSIntKey } = options.ciphers.of(session);
    return counterCandidates(frame.fCnt16, last, options.counters).some((fCnt) =>
      isSameMic(uplinkMicF(fNwkSIntKey, frame, fCnt), frame.mic.subarray(2)),
    );
  });
}

type Unfinished<Finished> = { -readonly [Name in keyof Finished]: Finished[Name] };

/** Field by field, since a spread with fields after it costs 4 µs: as much as the whole MIC. */
function opened(uplink: FrameUplink, frame: DataFrame, proof: Proof): VerifiedUplink {
  const verified: Unfinished<VerifiedUplink> = {
    kind: 'payload',
    adapter: uplink.adapter,
    deviceId: proof.session.deviceId,
    devAddr: frame.devAddr,
    fCnt: proof.fCnt,
    confirmed: frame.mType === 'ConfirmedDataUp',
    rxInfo: uplink.rxInfo,
    vouchedBy: 'mic',
    phyPayload: uplink.phyPayload,
  };
  if (proof.session.id !== undefined) verified.session = proof.session.id;
  if (uplink.rxTime !== undefined) verified.rxTime = uplink.rxTime;
  if (uplink.txInfo !== undefined) verified.txInfo = uplink.txInfo;
  if (frame.fPort !== undefined) {
    verified.fPort = frame.fPort;
    verified.frmPayload = clear(frame, proof);
  }
  if (frame.fOpts.length > 0 || frame.fPort === 0) addCommands(verified, frame, proof);
  return verified;
}

/** What the device tells of itself in MAC commands becomes measurements beside its payload. */
function addCommands(
  verified: Unfinished<VerifiedUplink>,
  frame: DataFrame,
  { session, fCnt }: Proof,
): void {
  let commands = frame.fPort === 0 ? verified.frmPayload : frame.fOpts;
  if (frame.fPort !== 0 && session.macVersion === '1.1') {
    const key = createKeystreamKey(session.keys.nwkSEncKey);
    const { direction, devAddr } = frame;
    const position = { direction, devAddr, fCnt, counter: counterOf(frame) };
    commands = cryptFOpts(key, position, frame.fOpts);
    verified.fOpts = commands;
  }
  const measurements = statusOf(parseMacCommands(commands ?? frame.fOpts, frame.direction));
  if (measurements.length > 0) verified.measurements = measurements;
}

/** FPort 0 carries MAC commands under the network's key; it is too rare to keep a cipher for. */
function clear(frame: DataFrame, { session, ciphers, fCnt }: Proof): Buffer {
  const key = frame.fPort === 0 ? createKeystreamKey(session.keys.nwkSEncKey) : ciphers.appSKey;
  const position = { direction: frame.direction, devAddr: frame.devAddr, fCnt };
  return cryptFrmPayload(key, position, frame.frmPayload);
}
