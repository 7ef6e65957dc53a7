/**
 * Confirmed downlinks, listened to: LoRaWAN 1.1 signs the counter of the one that a device
 * acknowledges into the uplink that acknowledges it [LoRaWAN 1.1, 4.4], and the frame does not say
 * which one it is. Only a downlink whose own MIC fits is believed, and none that was sent before
 * those heard: a recorded one would else stand in for the newest.
 */
import type { Session } from '../model/device.ts';
import type { DownlinkBook, HeardDownlinks } from './downlink-book.ts';
import type { DataFrame } from './frame.ts';
import { type CounterOptions, counterCandidates } from './frame-counter.ts';
import { downlinkMic11, isSameMic } from './frame-mic.ts';
import { keyCheck } from './key-check.ts';
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
  /** Keeps what was heard across restarts. */
  readonly book?: Pick<DownlinkBook, 'all' | 'put' | 'remove'>;
}

/** Sessions remembered, the one that was heard longest ago forgotten first. */
export const sessionsHeardMax = 100_000;
const remembered = 2;

export function createConfirmedDownlinks(
  { sessionsOf, ciphers, counters, book }: ConfirmedDownlinkParts,
  sessionsMax = sessionsHeardMax,
): ConfirmedDownlinks {
  const heard = new Map<string, HeardDownlinks>(book?.all());
  const names = new WeakMap<Session, string>();

  /** With a check of its key: a session that is registered under another key counts anew. */
  function nameOf(session: Session): string {
    const known = names.get(session);
    if (known !== undefined) return known;
    const { deviceId, devAddr, id, keys } = session;
    const name = `${deviceId}/${devAddr}/${id ?? keyCheck(keys.sNwkSIntKey)}`;
    names.set(session, name);
    return name;
  }

  function fCntOf(frame: DataFrame, session: Session, acknowledged: readonly number[]) {
    const last = heard.get(nameOf(session))?.last[counterOf(frame)];
    const key = ciphers.of(session).sNwkSIntKey;
    return counterCandidates(frame.fCnt16, last, counters).find(
      (fCnt) =>
        (last === undefined || fCnt > last) &&
        acknowledged.some((confFCnt) =>
          isSameMic(downlinkMic11(key, frame, fCnt, confFCnt), frame.mic),
        ),
    );
  }

  function remember(frame: DataFrame, session: Session, fCnt: number): void {
    const name = nameOf(session);
    const before = heard.get(name);
    const confirmed = before?.confirmed ?? [];
    const isConfirmed = frame.mType === 'ConfirmedDataDown';
    const now: HeardDownlinks = {
      confirmed: isConfirmed ? [fCnt, ...confirmed].slice(0, remembered) : confirmed,
      last: { ...before?.last, [counterOf(frame)]: fCnt },
    };
    heard.delete(name);
    heard.set(name, now);
    // Nothing rests on the others: that they were heard need not be known after a restart.
    if (isConfirmed) book?.put(name, now);
    const [oldest] = heard.keys();
    if (heard.size <= sessionsMax || oldest === undefined) return;
    heard.delete(oldest);
    book?.remove(oldest);
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

/** A downlink that is heard before the uplink that it acknowledges is of the next counter. */
function acknowledgedBy({ fCtrl }: DataFrame, lastUplink: number | undefined): readonly number[] {
  if (!fCtrl.ack) return [0];
  return lastUplink === undefined ? [0] : [lastUplink, lastUplink + 1];
}
