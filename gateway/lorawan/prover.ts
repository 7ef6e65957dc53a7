/**
 * What is done with a frame, whatever it is: a data frame is proven by its session, a request to
 * join by the root key, and a downlink that is heard on its way tells whose it is.
 */
import type { Session } from '../model/device.ts';
import type { Fault } from '../model/fault.ts';
import type { FrameUplink, SourceEvent, VerifiedUplink } from '../model/uplink.ts';
import { createConfirmedDownlinks } from './confirmed-downlinks.ts';
import type { DownlinkBook } from './downlink-book.ts';
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
  /** Keeps which downlinks were heard across restarts. */
  readonly downlinkBook?: DownlinkBook;
}

export function createProver({ joins, lastFrameCounter, options, ...parts }: ProverParts): Prover {
  const { ciphers, counters } = options;
  const { sessionsOf } = joins;
  const { downlinkBook } = parts;
  const downlinks = createConfirmedDownlinks({
    ...{ sessionsOf, ciphers, counters },
    ...(downlinkBook === undefined ? {} : { book: downlinkBook }),
  });
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
    const verified =
      first.kind === 'fault' && mayAcknowledgeOlder(uplink)
        ? verifyUplink(uplink, sessionsOf, lastFrameCounter, ofOneBefore)
        : first;
    if (verified.kind === 'fault') {
      return verified.code === 'FRAME_UNSUPPORTED' ? other(uplink, verified) : verified;
    }
    if (verified.session !== undefined) joins.proven(verified.deviceId, verified.session);
    return verified;
  }

  function mayAcknowledgeOlder({ phyPayload }: FrameUplink): boolean {
    const frame = parseFrame(phyPayload);
    if (frame.kind !== 'data' || frame.direction !== 'up' || !frame.fCtrl.ack) return false;
    return sessionsOf(frame.devAddr).some((session) => downlinks.countersOf(session).length > 1);
  }

  /** Not a data uplink. */
  function other(uplink: FrameUplink, refusal: Fault): Proven | Fault {
    const frame = parseFrame(uplink.phyPayload);
    if (frame.kind === 'join-request' || frame.kind === 'rejoin-request') {
      return joins.request(uplink, frame);
    }
    return refusal;
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

  function unwritten(): Promise<unknown> | undefined {
    const waiting = [joins.unwritten(), downlinkBook?.unwritten()].filter(
      (each) => each !== undefined,
    );
    return waiting.length === 0 ? undefined : Promise.all(waiting);
  }

  return { verify, hear, unwritten };
}
