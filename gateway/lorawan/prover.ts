/**
 * What is done with a frame, whatever it is: a data frame is proven by its session, a request to
 * join by the root key, and a downlink that is heard on its way tells whose it is.
 */
import type { Session } from '../model/device.ts';
import { type Fault, fault } from '../model/fault.ts';
import type { FrameUplink, SourceEvent, VerifiedUplink } from '../model/uplink.ts';
import { createConfirmedDownlinks } from './confirmed-downlinks.ts';
import { parseFrame } from './frame.ts';
import type { Joins, RefusedFrame } from './joins.ts';
import { counterName, type LastFrameCounter, type VerifyOptions, verifyUplink } from './verify.ts';

export type Proven = VerifiedUplink | SourceEvent | RefusedFrame;

export interface Prover {
  /** Total: any bytes give something that is proven or a fault, never an exception. */
  verify(uplink: FrameUplink): Proven | Fault;
  /** An event that holds a downlink frame, with whose it is where that is proven. */
  hear(event: SourceEvent): SourceEvent | RefusedFrame;
  unwritten(): Promise<unknown> | undefined;
}

interface ProverParts {
  readonly joins: Joins;
  readonly lastFrameCounter: LastFrameCounter;
  readonly options: VerifyOptions;
}

export function createProver({ joins, lastFrameCounter, options }: ProverParts): Prover {
  const { ciphers, counters } = options;
  const { sessionsOf } = joins;
  const downlinks = createConfirmedDownlinks({ sessionsOf, ciphers, counters });
  const lastUplink = (session: Session) => lastFrameCounter(session.deviceId, counterName(session));
  /** Who sends no downlinks itself knows what a device acknowledges by hearing it. */
  const acknowledging = (age: number): VerifyOptions => ({
    ...options,
    confirmedDownlinkCounter: (session) =>
      downlinks.countersOf(session)[age] ?? options.confirmedDownlinkCounter(session),
  });
  const [ofNewest, ofOneBefore] = [acknowledging(0), acknowledging(1)];

  function verify(uplink: FrameUplink): Proven | Fault {
    const first = verifyUplink(uplink, sessionsOf, lastFrameCounter, ofNewest);
    const isMade = first.kind !== 'fault' || first.code !== 'MIC_MISMATCH';
    const verified =
      !isMade && mayAcknowledgeOlder(uplink)
        ? verifyUplink(uplink, sessionsOf, lastFrameCounter, ofOneBefore)
        : first;
    if (verified.kind === 'fault') return verified.code === unsupported ? other(uplink) : verified;
    if (verified.session !== undefined) joins.proven(verified.deviceId, verified.session);
    return verified;
  }

  function mayAcknowledgeOlder({ phyPayload }: FrameUplink): boolean {
    const frame = parseFrame(phyPayload);
    if (frame.kind !== 'data' || frame.direction !== 'up' || !frame.fCtrl.ack) return false;
    return sessionsOf(frame.devAddr).some((session) => downlinks.countersOf(session).length > 1);
  }

  /** Not a data uplink. */
  function other(uplink: FrameUplink): Proven | Fault {
    const frame = parseFrame(uplink.phyPayload);
    if (frame.kind === 'join-request' || frame.kind === 'rejoin-request') {
      return joins.request(uplink, frame);
    }
    const what = frame.kind === 'data' ? frame.mType : frame.kind;
    return fault(unsupported, `A ${what} frame carries no telemetry.`);
  }

  function hear(event: SourceEvent): SourceEvent | RefusedFrame {
    const { phyPayload, gatewayId } = event;
    if (phyPayload === undefined) return event;
    const frame = parseFrame(phyPayload);
    if (frame.kind === 'data') downlinks.hear(frame, lastUplink);
    if (frame.kind !== 'join-accept') return event;
    const heard = joins.accept(frame, gatewayId);
    if (heard === undefined) return event;
    const { deviceId, refusal } = heard;
    return refusal === undefined
      ? { ...event, type: 'join-accept', deviceId, vouchedBy: 'mic' }
      : { kind: 'quarantined', fault: refusal, adapter: event.adapter, deviceId };
  }

  return { verify, hear, unwritten: () => joins.unwritten() };
}

const unsupported = 'FRAME_UNSUPPORTED';
