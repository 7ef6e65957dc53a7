/** Time that may be lost: full at first, and filled again by a tenth of the time that goes by. */

export interface Allowance {
  /** Takes away what was lost, and says what is left, in milliseconds. */
  spend(ms: number): number;
}

const refillPart = 0.1;

/** `now` runs evenly, in milliseconds. */
export function createAllowance(msMax: number, now: () => number): Allowance {
  let left = { ms: msMax, at: now() };
  return {
    spend(ms) {
      const at = now();
      const filled = Math.min(msMax, left.ms + (at - left.at) * refillPart);
      left = { ms: Math.max(0, filled - ms), at };
      return left.ms;
    },
  };
}
