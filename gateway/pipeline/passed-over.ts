/**
 * Uplinks that a pass had no time for, as others in it kept a sandbox busy: they are derived again
 * by themselves a moment later, without haste, so that a codec that is new and sound loses nothing
 * to one that is not.
 */
import type { AgainJob, DeriveAgain } from './derive-again.ts';

export interface PassedOver {
  /** Such an uplink, and the id of its codec. */
  note(codec: string, seq: number): void;
  /** Resolves when the step under way is over. */
  stop(): Promise<void>;
}

/** Time for the pass, and for what else is passed over meanwhile. Milliseconds. */
const afterMsDefault = 1_000;
/** Those beyond keep their fault until somebody has them derived again. */
const seqsMax = 10_000;

export function createPassedOver(
  again: DeriveAgain,
  { afterMs = afterMsDefault }: { readonly afterMs?: number } = {},
): PassedOver {
  let waiting = new Map<string, Set<number>>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** One codec after the other: one that is stuck holds up none but those that wait here. */
  async function catchUp(): Promise<void> {
    const jobs = [...waiting].map(([codec, seqs]) => jobOf(codec, seqs));
    waiting = new Map();
    count = 0;
    for (const job of jobs) {
      if (!isStopped) await again.start(job);
    }
    timer = undefined;
    arm();
  }

  function arm(): void {
    if (isStopped || count === 0) return;
    timer ??= setTimeout(catchUp, afterMs);
  }

  return {
    note(codec, seq) {
      if (count >= seqsMax) return;
      const seqs = waiting.get(codec) ?? new Set();
      waiting.set(codec, seqs.add(seq));
      count += 1;
      arm();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return again.stop();
    },
  };
}

function jobOf(codec: string, seqs: ReadonlySet<number>): AgainJob {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (const seq of seqs) [from, to] = [Math.min(from, seq), Math.max(to, seq)];
  return { from, to, codec, seqs };
}
