/**
 * Calls of scripts for which others wait: none of them has much time. One that takes longer is a
 * suspect from then on, and what it has not answered is left to the trial lane.
 */
import { createAllowance } from './allowance.ts';
import type { PassTime } from './pass-time.ts';
import { callsPerChunkMax, type LaneJob, type LaneParts, lostIn, nameOf } from './trial-lane.ts';

export interface QuickLane {
  /**
   * Answers as many calls as take little time each, and as a pass has time for. Resolves with what
   * one took too long, milliseconds.
   */
  begin(job: LaneJob, time?: PassTime): Promise<number>;
}

interface QuickLaneParts extends LaneParts {
  readonly timeLimitMs: number;
  /** How long after its limit a call is given up that cannot be stopped. */
  readonly graceMs: number;
}

/** What all of them may lose together; what is left of that is the limit of each call, within... */
const lossMsMax = 40;
/** ...these bounds. */
const callMsMin = 5;
const callMsMax = 20;

interface Made {
  /** Answers of the first calls; none when the script has cost its thread. */
  readonly texts: readonly string[];
  readonly lostMs: number;
}

const nothing: Made = { texts: [], lostMs: 0 };

export function createQuickLane(parts: QuickLaneParts): QuickLane {
  const { threads, patience, graceMs, onProblem, onData } = parts;
  const callMs = Math.min(callMsMax, parts.timeLimitMs);
  const loss = createAllowance(lossMsMax, () => performance.now());

  function suspect(key: string, lostMs: number): void {
    loss.spend(lostMs);
    patience.suspect(key);
  }

  async function make({ script, calls }: LaneJob, time?: PassTime): Promise<Made> {
    const timeLimitMs = Math.max(callMsMin, Math.min(callMs, Math.ceil(loss.spend(0))));
    const endWait = time?.wait();
    const outcome = await threads.exchange(() => {
      if (time?.isOver() === true) return undefined;
      return { script, calls, timeLimitMs, allowanceMs: 0, graceMs };
    });
    const lostMs = lostIn(outcome);
    endWait?.(lostMs);
    if (outcome === undefined) return nothing;
    if (!outcome.ok) {
      suspect(script.key, lostMs);
      if ('startError' in outcome) return nothing;
      onProblem(`${nameOf(script)} ${outcome.reason}, and cost the sandbox its thread`);
      return { texts: [], lostMs };
    }
    const { texts, lateMs } = outcome.answer;
    if (lateMs > 0) suspect(script.key, lateMs);
    // The late call is made again, with all its time.
    const inTime = lateMs > 0 ? texts.slice(0, -1) : texts;
    if (inTime.some((text) => text.startsWith('v'))) {
      patience.answered(script.key, { slowMs: 0, hasData: true });
      onData(script);
    }
    return { texts: inTime, lostMs: lateMs };
  }

  return {
    async begin({ script, calls, texts }, time) {
      let lostMs = 0;
      while (texts.length < calls.length && time?.isOver() !== true) {
        if (patience.trustOf(script.key) === 'suspect') break;
        const rest = calls.slice(texts.length, texts.length + callsPerChunkMax);
        const made = await make({ script, calls: rest, texts: [] }, time);
        texts.push(...made.texts);
        lostMs += made.lostMs;
      }
      return lostMs;
    },
  };
}
