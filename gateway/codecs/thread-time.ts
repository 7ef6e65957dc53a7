/**
 * How long a thread has really run. On a busy machine a sound codec may wait for a processor longer
 * than it may run; by the wall clock alone it would then fail for what others do.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** The calling thread's folder under /proc; undefined where the system has none. */
export function ownThread(): string | undefined {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}`;
  } catch {
    return undefined;
  }
}

/** Milliseconds on a processor; by the wall clock where the system does not tell. */
export function threadMs(thread: string | undefined): number {
  try {
    const text = thread === undefined ? '' : readFileSync(`${thread}/schedstat`, 'latin1');
    const nanoseconds = Number.parseInt(text, 10);
    return nanoseconds > 0 ? nanoseconds / 1e6 : performance.now();
  } catch {
    return performance.now();
  }
}

/** A call that gets no processor at all is given up after this many times its limit. */
export const wallFactorMax = 10;

export interface CallTimer {
  start(limitMs: number): void;
  /** Cheap to ask, and asked often. */
  isOver(): boolean;
}

/** Wall clock for the first quarter of the limit, which hardly any call outlives; then run time. */
export function createCallTimer(thread: string | undefined): CallTimer {
  let startedAt = 0;
  let limitMs = 0;
  let ranBefore: number | undefined;
  return {
    start(limit) {
      startedAt = performance.now();
      limitMs = limit;
      ranBefore = undefined;
    },
    isOver() {
      const tookMs = performance.now() - startedAt;
      if (tookMs < limitMs / 4) return false;
      ranBefore ??= threadMs(thread) - limitMs / 4;
      if (tookMs < limitMs) return false;
      return tookMs > limitMs * wallFactorMax || threadMs(thread) - ranBefore >= limitMs;
    },
  };
}
