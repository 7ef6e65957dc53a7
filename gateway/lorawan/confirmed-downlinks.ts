/**
 * Confirmed downlinks, listened to: LoRaWAN 1.1 signs the counter of the one that a device
 * acknowledges into the uplink that acknowledges it [LoRaWAN 1.1, 4.4], and the frame does not say
 * which one it is. Only a downlink whose own MIC fits is believed.
 */
import type { Session } from '../model/device.ts';
import type { DataFrame } from './frame.ts';
import { type CounterOptions, counterCandidates } from './frame-counter.ts';
import { downlinkMic11, isSameMic } from './frame-mic.ts';
import { counterOf } from './keystream.ts';
import type { SessionCipherCache } from './session-ciphers.ts';

export interface ConfirmedDownlinks {
  /** Any downlink; `lastUplink` is the counter of the session's last uplink. */
  hear(frame: DataFrame, lastUplink: (session: Session) => number | undefined): void;
  /**
   * The newest first; empty when none was heard. There are two, since a gateway that is slow hands
   * in its copy of an acknowledgement after the answer to it was heard.
   */
  countersOf(session: Session): readonly number[];
}

interface ConfirmedDownlinkParts {
  readonly sessionsOf: (devAddr: string) => readonly Session[];
  readonly ciphers: SessionCipherCache;
  readonly counters: CounterOptions;
}

/** Sessions remembered, the one that was heard longest ago forgotten first. */
export const sessionsHeardMax = 100_000;
const remembered = 2;

interface Heard {
  readonly confirmed: readonly number[];
  /** The last counters of all 32 bits: the network's and the application's count apart. */
  readonly last: Readonly<Partial<Record<Counter, number>>>;
}

type Counter = ReturnType<typeof counterOf>;

export function createConfirmedDownlinks(
  { sessionsOf, ciphers, counters }: ConfirmedDownlinkParts,
  sessionsMax = sessionsHeardMax,
): ConfirmedDownlinks {
  const heard = new Map<string, Heard>();

  function fCntOf(frame: DataFrame, session: Session, acknowledged: readonly number[]) {
    const last = heard.get(nameOf(session))?.last[counterOf(frame)];
    const key = ciphers.of(session).sNwkSIntKey;
    return counterCandidates(frame.fCnt16, last, counters).find((fCnt) =>
      acknowledged.some((confFCnt) =>
        isSameMic(downlinkMic11(key, frame, fCnt, confFCnt), frame.mic),
      ),
    );
  }

  function remember(frame: DataFrame, session: Session, fCnt: number): void {
    const name = nameOf(session);
    const before = heard.get(name);
    const confirmed = before?.confirmed ?? [];
    const isNew = frame.mType === 'ConfirmedDataDown' && confirmed[0] !== fCnt;
    heard.delete(name);
    heard.set(name, {
      confirmed: isNew ? [fCnt, ...confirmed].slice(0, remembered) : confirmed,
      last: { ...before?.last, [counterOf(frame)]: fCnt },
    });
    const [oldest] = heard.keys();
    if (heard.size > sessionsMax && oldest !== undefined) heard.delete(oldest);
  }

  return {
    hear(frame, lastUplink) {
      if (frame.direction !== 'down') return;
      for (const session of sessionsOf(frame.devAddr)) {
        if (session.macVersion !== '1.1') continue;
        const fCnt = fCntOf(frame, session, acknowledgedBy(frame, lastUplink(session)));
        if (fCnt !== undefined) remember(frame, session, fCnt);
      }
    },
    countersOf: (session) => heard.get(nameOf(session))?.confirmed ?? [],
  };
}

function nameOf({ deviceId, devAddr, id }: Session): string {
  return `${deviceId}/${devAddr}/${id ?? ''}`;
}

/** A downlink that is heard before the uplink that it acknowledges is of the next counter. */
function acknowledgedBy({ fCtrl }: DataFrame, lastUplink: number | undefined): readonly number[] {
  if (!fCtrl.ack) return [0];
  return lastUplink === undefined ? [0] : [lastUplink, lastUplink + 1];
}
