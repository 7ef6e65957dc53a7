/**
 * Calls of scripts that have kept others waiting: each may take all the time that a script has.
 * The engine stops most scripts by itself; what it does inside one built-in function it cannot
 * stop, and what breaks it takes its thread along: then the call at fault gets an error, and the
 * others of its chunk are made again. They have no effects, so that costs nothing but time. How
 * much of it scripts may lose is a matter of `patience.ts`.
 */
import assert from 'node:assert/strict';
import type { PassTime } from './pass-time.ts';
import type { LateCall, Patience, Turn } from './patience.ts';
import type { ChunkAnswer, SandboxCall, SandboxScript } from './sandbox-messages.ts';
import type { Broken } from './sandbox-thread.ts';
import type { SandboxThreads } from './sandbox-threads.ts';

/** Calls of one script, and the answers of the first of them, to which a lane adds. */
export interface LaneJob {
  readonly script: SandboxScript;
  readonly calls: readonly SandboxCall[];
  readonly texts: string[];
}

export interface TrialLane {
  /** Answers the calls that are left: all of them, or those that a pass has time for. */
  complete(job: LaneJob, time?: PassTime): Promise<void>;
}

export interface LaneParts {
  readonly threads: SandboxThreads;
  readonly patience: Patience;
  readonly onProblem: (detail: string) => void;
  /** A script has given data. */
  readonly onData: (script: SandboxScript) => void;
}

type Exchanged = Awaited<ReturnType<SandboxThreads['exchange']>>;

export const callsPerChunkMax = 500;

export function createTrialLane(parts: LaneParts): TrialLane {
  const { threads, patience, onProblem, onData } = parts;

  async function complete(job: LaneJob, time?: PassTime): Promise<void> {
    const { script, calls, texts } = job;
    while (texts.length < calls.length && time?.isOver() !== true) {
      const turn = patience.turnOf(script.key);
      const rest = calls.slice(texts.length);
      if ('isLeftAlone' in turn) {
        texts.push(...rest.map(() => `eis left alone for a while: it ${turn.reason}`));
        return;
      }
      const chunk = rest.slice(0, Math.min(turn.callsMax, callsPerChunkMax));
      texts.push(...(await make({ script, calls: chunk, texts: [] }, turn, time)));
    }
  }

  /** Answers of the first calls, of one at least unless the time is over. */
  async function make(
    job: LaneJob,
    { timeLimitMs, allowanceMs }: Turn,
    time: PassTime | undefined,
  ): Promise<readonly string[]> {
    const { script, calls } = job;
    const endWait = time?.wait();
    const outcome = await threads.exchange(() =>
      time?.isOver() === true ? undefined : { script, calls, timeLimitMs, allowanceMs },
    );
    endWait?.(lostIn(outcome));
    if (outcome === undefined) return [];
    if ('startError' in outcome) {
      return calls.map(() => `ethe sandbox does not start: ${outcome.startError}`);
    }
    if (!outcome.ok) return rescue(job, outcome, time);
    return take(script, outcome.answer);
  }

  function take(script: SandboxScript, { texts, slowMs, lateMs }: ChunkAnswer): readonly string[] {
    assert.ok(texts.length > 0, 'the thread gets on with every chunk');
    const hasData = texts.some((text) => text.startsWith('v'));
    if (lateMs === 0 || hasData) patience.answered(script.key, { slowMs, hasData });
    if (hasData) onData(script);
    if (lateMs > 0) {
      blame(script, { lostMs: lateMs, isKilled: false, reason: texts.at(-1)?.slice(1) ?? '' });
    }
    return texts;
  }

  /** Calls before the one at fault are made again, as their answers went with the thread. */
  async function rescue(
    { script, calls }: LaneJob,
    { at, reason, lostMs }: Broken,
    time: PassTime | undefined,
  ): Promise<readonly string[]> {
    onProblem(`${nameOf(script)} ${reason}, and cost the sandbox its thread`);
    const before: LaneJob = { script, calls: calls.slice(0, at), texts: [] };
    await complete(before, time);
    blame(script, { lostMs, isKilled: true, reason });
    return before.texts.length < at ? before.texts : [...before.texts, `e${reason}`];
  }

  function blame(script: SandboxScript, late: LateCall): void {
    const forMs = patience.late(script.key, late);
    if (forMs === undefined) return;
    onProblem(`${nameOf(script)} ${late.reason}, and is left alone for ${forMs / 1_000} s`);
  }

  return { complete };
}

/** What some of the calls took too long, milliseconds. */
export function lostIn(outcome: Exchanged): number {
  if (outcome === undefined || 'startError' in outcome) return 0;
  return outcome.ok ? outcome.answer.slowMs + outcome.answer.lateMs : outcome.lostMs;
}

/** The first digits of its hash tell a script that nobody has named. */
export function nameOf({ id, key }: SandboxScript): string {
  return id ?? `script ${key.slice(0, 12)}`;
}
