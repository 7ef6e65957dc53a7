/**
 * Frame counters have 32 bits, of which a frame carries 16. These are the counters that a frame can
 * mean, likeliest first; only its MIC tells which one is right. The rule is ChirpStack's: with N
 * the next counter expected, N - 1 again is a retransmission, else N + ((f16 - N) mod 2^16), and
 * last the plain 16 bits of a device that was reset.
 */

const span = 0x1_0000;
const counterMax = 0xffff_ffff;

export interface CounterOptions {
  /** Counters further ahead than this are not tried; 65,536 and more means no limit. */
  readonly gapMax: number;
  /**
   * For a session without a last counter: how many upper halves to try, from 0. A device that was
   * registered in the middle of its life would else never be heard again after 65,535 frames.
   */
  readonly firstEpochsMax: number;
}

export const counterDefaults: CounterOptions = { gapMax: span, firstEpochsMax: 16 };

/** At most max(3, firstEpochsMax) counters; none when all of them lie beyond the gap limit. */
export function counterCandidates(
  fCnt16: number,
  lastFrameCounter: number | undefined,
  options: CounterOptions = counterDefaults,
): readonly number[] {
  if (lastFrameCounter === undefined) {
    return Array.from({ length: options.firstEpochsMax }, (_, epoch) => epoch * span + fCnt16);
  }
  const ahead = reconstruct(fCnt16, lastFrameCounter);
  const isInReach = ahead - lastFrameCounter <= options.gapMax && ahead <= counterMax;
  const candidates = isInReach ? [ahead] : [];
  // A copy by a slower gateway comes after newer frames: its counter lies behind, in the same span.
  const behind = ahead - span;
  if (ahead > lastFrameCounter && behind >= 0) candidates.push(behind);
  if (ahead !== fCnt16 && !candidates.includes(fCnt16)) candidates.push(fCnt16);
  return candidates;
}

/** The counter at or after the last one with these low 16 bits. */
export function reconstruct(fCnt16: number, lastFrameCounter: number): number {
  const next = lastFrameCounter + 1;
  if (fCnt16 === lastFrameCounter % span) return lastFrameCounter;
  return next + ((fCnt16 - (next % span) + span) % span);
}
