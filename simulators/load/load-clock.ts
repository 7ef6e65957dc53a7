/** Time as a load measures it: epoch milliseconds with fractions, which never go back. */
import { sleepUntil } from '../signal-sleep.ts';

export interface LoadClock {
  now(): number;
  /** Resolves after that time or at the signal. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const loadClock: LoadClock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: sleepUntil,
};
