/**
 * Calls of codec scripts, in threads that are killed when a call does not end. Where many share a
 * sandbox, scripts that are trusted have threads of their own: what others cost falls on no one
 * else, but for the time that a pass of uplinks waits for them.
 */
import assert from 'node:assert/strict';
import type { CodecLimits } from './limits.ts';
import { type PassTime, startPassTime } from './pass-time.ts';
import { createPatience, type Trust } from './patience.ts';
import { createQuickLane } from './quick-lane.ts';
import type { SandboxCall, SandboxScript } from './sandbox-messages.ts';
import { startThread } from './sandbox-thread.ts';
import { createSandboxThreads } from './sandbox-threads.ts';
import { createTrialLane, type LaneJob } from './trial-lane.ts';

export interface Sandbox {
  /**
   * Makes the calls and answers each with `v` and JSON, or with `e` and a message. Never rejects
   * while it is open: a sandbox that cannot be started is an error of each call.
   */
  run(jobs: readonly SandboxJob[]): Promise<readonly (readonly string[])[]>;
  close(): Promise<void>;
}

export interface SharedSandbox extends Sandbox {
  /**
   * The same for a pass of uplinks, which does not wait for all that scripts on trial may take: `p`
   * and a message where a call has no answer in that time.
   */
  runInPass(jobs: readonly SandboxJob[]): Promise<readonly (readonly string[])[]>;
}

export interface SandboxJob {
  readonly script: SandboxScript;
  readonly calls: readonly SandboxCall[];
}

export interface SandboxOptions {
  readonly limits: CodecLimits;
  /** The thread's program; the compiled one beside this file if absent. */
  readonly program?: URL;
  /** Keeps trusted scripts and others apart, with four threads of some 15 MB; one if absent. */
  readonly isShared?: boolean;
  /** Milliseconds that run evenly, by which scripts are left alone for a while. */
  readonly now?: () => number;
  /** Called when a script has cost the thread, and when one is left alone for a while. */
  readonly onProblem?: (detail: string) => void;
}

/** What a pass waits for scripts on trial, beside what they may lose together at that time. */
const passWaitMs = 50;
/**
 * How long after its limit a call is given up that cannot be stopped: soon where others wait; else
 * after a while, as most built-in functions end by themselves, and the next thread costs more.
 */
const trustedGraceMs = 10;
const trialGraceMs = 50;
const passedOver =
  'phad no answer in the time that others wait for scripts on trial; it can be derived again';

export function createSandbox(options: SandboxOptions): SharedSandbox {
  const { limits, isShared = false, onProblem = () => {} } = options;
  const program = options.program ?? new URL('./sandbox-worker.js', import.meta.url);
  const { timeLimitMs } = limits;
  const start = () => startThread(program, limits);
  const patience = createPatience(timeLimitMs, options.now);
  const threadsOf = () => createSandboxThreads({ start, hasStandby: isShared, timeLimitMs });
  const ours = { trusted: threadsOf(), trial: threadsOf() };
  const parts = { patience, timeLimitMs, onProblem, onData: ours.trusted.note };
  const trusted = createQuickLane({ ...parts, threads: ours.trusted, graceMs: trustedGraceMs });
  const unknown = createQuickLane({ ...parts, threads: ours.trial, graceMs: trialGraceMs });
  const trial = createTrialLane({ ...parts, threads: ours.trial });
  const underWay = new Set<Promise<unknown>>();
  let started: Promise<unknown> | undefined;
  let isClosed = false;

  /** Nobody is on trial while threads start for the first time. */
  function startAll(): Promise<unknown> {
    started ??= Promise.all([ours.trial.start(), ours.trusted.start()]);
    return started;
  }

  /**
   * What is trusted is answered by `begun`, unless it has kept others waiting; all by `done`. What
   * nothing is known of has its first turn before others have a long one.
   */
  function complete(jobs: readonly LaneJob[], time?: PassTime) {
    const of = (trust: Trust) =>
      jobs.filter(({ script }) => patience.trustOf(script.key) === trust);
    const [known, others] = [of('trusted'), [...of('unknown'), ...of('suspect')]];
    const begun = inOrder(known, async (job) => time?.lose(await trusted.begin(job)));
    const tried = inOrder(others, async (job) => void (await unknown.begin(job, time)));
    const done = Promise.all([begun, tried]).then(() => tryAll([...others, ...known], time));
    return { begun, done: follow(done) };
  }

  function tryAll(jobs: readonly LaneJob[], time?: PassTime): Promise<void> {
    return inOrder(jobs, (job) => trial.complete(job, time));
  }

  function follow<Result>(work: Promise<Result>): Promise<Result> {
    const followed: Promise<unknown> = work
      .catch(() => {})
      .finally(() => underWay.delete(followed));
    underWay.add(followed);
    return work;
  }

  return {
    async run(jobs) {
      assert.ok(!isClosed, 'a closed sandbox runs nothing');
      const all = jobs.map(laneJob);
      await follow(isShared ? startAll().then(() => complete(all).done) : tryAll(all));
      return all.map(({ texts }) => texts);
    },
    async runInPass(jobs) {
      assert.ok(isShared, 'only who shares a sandbox has others wait');
      assert.ok(!isClosed, 'a closed sandbox runs nothing');
      const all = jobs.map(laneJob);
      await follow(startAll());
      const time = startPassTime(passWaitMs + patience.leftMs());
      const { begun, done } = complete(all, time);
      await begun;
      await Promise.race([done, time.over]);
      time.end();
      return all.map(({ calls, texts }) => calls.map((_, at) => texts[at] ?? passedOver));
    },
    async close() {
      isClosed = true;
      await Promise.all(underWay);
      await Promise.all([ours.trial.close(), ours.trusted.close()]);
    },
  };
}

async function inOrder(
  jobs: readonly LaneJob[],
  work: (job: LaneJob) => Promise<void>,
): Promise<void> {
  for (const job of jobs) await work(job);
}

function laneJob({ script, calls }: SandboxJob): LaneJob {
  return { script, calls, texts: [] };
}
