/**
 * How much time scripts may lose, so that one that does not end costs the devices of others little.
 * All scripts on trial lose from one allowance, which holds the time limit of one call. A script
 * that is late again and again is left alone for a while, then tried with one call, and left alone
 * for twice as long when that is late, too: a circuit breaker for each script.
 */
import { createAllowance } from './allowance.ts';

export interface Patience {
  /** What the next calls of a script may take. */
  turnOf(key: string): Turn | LeftAlone;
  /** Calls were answered in time. */
  answered(key: string, answers: Answers): void;
  /** A call was late, which took `lostMs`. For how long the script is left alone now, if it is. */
  late(key: string, late: LateCall): number | undefined;
  trustOf(key: string): Trust;
  /** It has kept others waiting, if not longer than it may. */
  suspect(key: string): void;
  /** What scripts may still lose, milliseconds. */
  leftMs(): number;
}

/**
 * Trusted is a script that has given data and has not kept others waiting of late; a suspect is one
 * that has.
 */
export type Trust = 'trusted' | 'unknown' | 'suspect';

export interface Turn {
  readonly timeLimitMs: number;
  /** Slow calls together may take this before the limit is looked at again. */
  readonly allowanceMs: number;
  readonly callsMax: number;
}

export interface LeftAlone {
  readonly isLeftAlone: true;
  /** What its last call did, in words. */
  readonly reason: string;
}

export interface Answers {
  /** What the slow calls among them took. */
  readonly slowMs: number;
  /** Whether one of them gave data: a script that only fails has shown nothing. */
  readonly hasData: boolean;
}

export interface LateCall {
  readonly lostMs: number;
  /** Whether it could be ended only with its thread. */
  readonly isKilled: boolean;
  readonly reason: string;
}

/** What a call has when nothing is left: of a script that has given data before, and of another. */
const provenLimitMs = 20;
const unprovenLimitMs = 10;
/** So many late calls within this time and a script is left alone; with its thread, one is two. */
const strikesMax = 3;
const strikeLifeMs = 60_000;
const leftAloneFirstMs = 5_000;
const leftAloneMsMax = 600_000;
/** A script that was well for so long is left alone for the first time again. */
const forgivenMs = 1_800_000;
/** How long a script is no longer trusted: that others had to wait for, and that was late. */
const suspectMs = 60_000;
const suspectLateMs = 600_000;
/** Scripts that it remembers; the one heard of longest ago goes first. */
const rememberedMax = 2_000;

interface Standing {
  isProven: boolean;
  strikes: number;
  struckAt: number;
  suspectUntil: number;
  /** How often it was left alone; one late call does it again after that. */
  times: number;
  until: number;
  isTried: boolean;
  reason: string;
}

/** `now` runs evenly, in milliseconds. */
export function createPatience(
  timeLimitMs: number,
  now: () => number = () => performance.now(),
): Patience {
  const standings = new Map<string, Standing>();
  const { spend } = createAllowance(timeLimitMs, now);

  function standingOf(key: string): Standing {
    const standing = standings.get(key) ?? newStanding();
    standings.delete(key);
    standings.set(key, standing);
    const [oldest] = standings.keys();
    if (standings.size > rememberedMax && oldest !== undefined) standings.delete(oldest);
    return standing;
  }

  return {
    turnOf(key) {
      const standing = standingOf(key);
      if (now() < standing.until) return { isLeftAlone: true, reason: standing.reason };
      standing.isTried = standing.until > 0;
      const leastMs = standing.isProven ? provenLimitMs : unprovenLimitMs;
      const allowanceMs = spend(0);
      return {
        timeLimitMs: Math.min(timeLimitMs, Math.max(leastMs, Math.ceil(allowanceMs))),
        allowanceMs,
        callsMax: standing.isTried ? 1 : Number.POSITIVE_INFINITY,
      };
    },
    answered(key, { slowMs, hasData }) {
      spend(slowMs);
      const standing = standingOf(key);
      standing.isProven ||= hasData;
      standing.until = 0;
      if (now() - standing.struckAt > forgivenMs) standing.times = 0;
    },
    late(key, { lostMs, isKilled, reason }) {
      const isSpent = spend(lostMs) === 0;
      const standing = standingOf(key);
      if (now() - standing.struckAt > strikeLifeMs) standing.strikes = 0;
      standing.strikes += isKilled ? 2 : 1;
      standing.struckAt = now();
      standing.suspectUntil = now() + suspectLateMs;
      standing.reason = reason;
      const isExcused = standing.strikes < strikesMax && !standing.isTried;
      if (isExcused && (standing.isProven || !isSpent)) return undefined;
      const forMs = Math.min(leftAloneMsMax, leftAloneFirstMs * 2 ** standing.times);
      standing.times += 1;
      standing.strikes = 0;
      standing.until = now() + forMs;
      return forMs;
    },
    trustOf(key) {
      const { isProven, suspectUntil, until } = standingOf(key);
      if (now() < suspectUntil || until > 0) return 'suspect';
      return isProven ? 'trusted' : 'unknown';
    },
    suspect(key) {
      const standing = standingOf(key);
      standing.suspectUntil = Math.max(standing.suspectUntil, now() + suspectMs);
    },
    leftMs: () => spend(0),
  };
}

function newStanding(): Standing {
  return {
    isProven: false,
    ...{ strikes: 0, struckAt: Number.NEGATIVE_INFINITY, suspectUntil: 0 },
    ...{ times: 0, until: 0, isTried: false, reason: '' },
  };
}
