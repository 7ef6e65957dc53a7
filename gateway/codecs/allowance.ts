/** Time that may be lost: it is full at first, and a tenth of the time that goes by fills it again. */

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
