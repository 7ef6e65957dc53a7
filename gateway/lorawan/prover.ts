/**
 * What is done with a frame, whatever it is: a data frame is proven by its session, a request to
 * join by the root key, and a downlink that is heard on its way tells whose it is.
 */
import { type Fault, fault } from '../model/fault.ts';
import type { FrameUplink, SourceEvent, VerifiedUplink } from '../model/uplink.ts';
import { parseFrame } from './frame.ts';
import type { Joins, RefusedFrame } from './joins.ts';
import { type LastFrameCounter, type VerifyOptions, verifyUplink } from './verify.ts';

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
  function verify(uplink: FrameUplink): Proven | Fault {
    const verified = verifyUplink(uplink, joins.sessionsOf, lastFrameCounter, options);
    if (verified.kind === 'fault') return verified.code === unsupported ? other(uplink) : verified;
    if (verified.session !== undefined) joins.proven(verified.deviceId, verified.session);
    return verified;
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
