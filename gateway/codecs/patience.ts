/**
 * How much time scripts may lose, so that one that does not end costs the devices of others little.
 * All scripts of a sandbox lose from one allowance, which fills again slowly. A script that is late
 * again and again is left alone for a while, then tried with one call, and left alone for twice as
 * long when that is late, too: a circuit breaker for each script.
 */

export interface Patience {
  /** What the next calls of a script may take. */
  turnOf(key: string): Turn | LeftAlone;
  /** Calls were answered in time. */
  answered(key: string, answers: Answers): void;
  /** A call was late, which took `lostMs`. For how long the script is left alone now, if it is. */
  late(key: string, late: LateCall): number | undefined;
}

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

/** The allowance holds the time limit of one call; this part of the time that goes by fills it. */
const refillPart = 0.1;
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
/** Scripts that it remembers; the one heard of longest ago goes first. */
const rememberedMax = 2_000;

interface Standing {
  isProven: boolean;
  strikes: number;
  struckAt: number;
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
  let allowance = { ms: timeLimitMs, at: now() };

  function standingOf(key: string): Standing {
    const standing = standings.get(key) ?? newStanding();
    standings.delete(key);
    standings.set(key, standing);
    const [oldest] = standings.keys();
    if (standings.size > rememberedMax && oldest !== undefined) standings.delete(oldest);
    return standing;
  }

  function spend(ms: number): number {
    const at = now();
    const filled = Math.min(timeLimitMs, allowance.ms + (at - allowance.at) * refillPart);
    allowance = { ms: Math.max(0, filled - ms), at };
    return allowance.ms;
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
      standing.reason = reason;
      const isExcused = standing.strikes < strikesMax && !standing.isTried;
      if (isExcused && (standing.isProven || !isSpent)) return undefined;
      const forMs = Math.min(leftAloneMsMax, leftAloneFirstMs * 2 ** standing.times);
      standing.times += 1;
      standing.strikes = 0;
      standing.until = now() + forMs;
      return forMs;
    },
  };
}

function newStanding(): Standing {
  return {
    isProven: false,
    ...{ strikes: 0, struckAt: Number.NEGATIVE_INFINITY },
    ...{ times: 0, until: 0, isTried: false, reason: '' },
  };
}
