/**
 * Calls of codec scripts, in a thread that is killed when a call does not end; another that stands
 * by takes its place. The engine stops most scripts by itself; what it does inside one built-in
 * function it cannot stop, and what breaks it takes its thread along: then the call at fault gets
 * an error, and the others of its chunk are made again. They have no effects, so that costs nothing
 * but time. How much of it scripts may lose is a matter of `patience.ts`.
 */
import assert from 'node:assert/strict';
import type { CodecLimits } from './limits.ts';
import { createPatience, type LateCall, type Turn } from './patience.ts';
import type { ChunkAnswer, SandboxCall, SandboxScript } from './sandbox-messages.ts';
import { type Broken, type SandboxThread, startThread } from './sandbox-thread.ts';
import { createSandboxThreads } from './sandbox-threads.ts';

export interface Sandbox {
  /**
   * Makes the calls in order and answers each with `v` and JSON, or with `e` and a message. Never
   * rejects while it is open: a sandbox that cannot be started is an error of each call.
   */
  run(jobs: readonly SandboxJob[]): Promise<readonly (readonly string[])[]>;
  close(): Promise<void>;
}

export interface SandboxJob {
  readonly script: SandboxScript;
  readonly calls: readonly SandboxCall[];
}

export interface SandboxOptions {
  readonly limits: CodecLimits;
  /** The thread's program; the compiled one beside this file if absent. */
  readonly program?: URL;
  /** Keeps a second thread ready, for some 15 MB; not if absent. */
  readonly hasStandby?: boolean;
  /** Milliseconds that run evenly, by which scripts are left alone for a while. */
  readonly now?: () => number;
  /** Called when a script has cost the thread, and when one is left alone for a while. */
  readonly onProblem?: (detail: string) => void;
}

const callsPerChunkMax = 500;

export function createSandbox(options: SandboxOptions): Sandbox {
  const { limits, hasStandby = false, onProblem = () => {} } = options;
  const program = options.program ?? new URL('./sandbox-worker.js', import.meta.url);
  const { timeLimitMs } = limits;
  const start = () => startThread(program, limits);
  const threads = createSandboxThreads({ start, hasStandby, timeLimitMs });
  const patience = createPatience(timeLimitMs, options.now);
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  /** Makes the calls, with as many threads and turns as that takes. */
  async function complete(script: SandboxScript, calls: readonly SandboxCall[]): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < calls.length) {
      const turn = patience.turnOf(script.key);
      const rest = calls.slice(texts.length);
      if ('isLeftAlone' in turn) {
        texts.push(...rest.map(() => `eis left alone for a while: it ${turn.reason}`));
        break;
      }
      const chunk = rest.slice(0, Math.min(turn.callsMax, callsPerChunkMax));
      texts.push(...(await make(script, chunk, turn)));
    }
    return texts;
  }

  /** Answers of the first calls of the chunk, of one at least. */
  async function make(
    script: SandboxScript,
    calls: readonly SandboxCall[],
    { timeLimitMs, allowanceMs }: Turn,
  ): Promise<readonly string[]> {
    let thread: SandboxThread;
    try {
      thread = await threads.working();
    } catch (error) {
      return calls.map(() => `ethe sandbox does not start: ${String(error)}`);
    }
    const outcome = await thread.exchange({ script, calls, timeLimitMs, allowanceMs });
    return outcome.ok ? take(script, outcome.answer) : rescue(script, calls, outcome);
  }

  function take(script: SandboxScript, { texts, slowMs, lateMs }: ChunkAnswer): readonly string[] {
    assert.ok(texts.length > 0, 'the thread gets on with every chunk');
    const hasData = texts.some((text) => text.startsWith('v'));
    if (lateMs === 0 || hasData) patience.answered(script.key, { slowMs, hasData });
    if (lateMs === 0) threads.note(script);
    else blame(script, { lostMs: lateMs, isKilled: false, reason: texts.at(-1)?.slice(1) ?? '' });
    return texts;
  }

  /** Calls before the one at fault are made again, as their answers went with the thread. */
  async function rescue(
    script: SandboxScript,
    calls: readonly SandboxCall[],
    { at, reason, lostMs }: Broken,
  ): Promise<string[]> {
    threads.drop();
    onProblem(`${nameOf(script)} ${reason}, and cost the sandbox its thread`);
    const before = at === 0 ? [] : await complete(script, calls.slice(0, at));
    blame(script, { lostMs, isKilled: true, reason });
    return [...before, `e${reason}`];
  }

  function blame(script: SandboxScript, late: LateCall): void {
    const forMs = patience.late(script.key, late);
    if (forMs === undefined) return;
    onProblem(`${nameOf(script)} ${late.reason}, and is left alone for ${forMs / 1_000} s`);
  }

  async function runAll(jobs: readonly SandboxJob[]): Promise<string[][]> {
    const answers: string[][] = [];
    for (const { script, calls } of jobs) answers.push(await complete(script, calls));
    return answers;
  }

  return {
    run(jobs) {
      assert.ok(!isClosed, 'a closed sandbox runs nothing');
      const result = last.then(() => runAll(jobs));
      last = result.catch(() => {});
      return result;
    },
    async close() {
      isClosed = true;
      await last;
      await threads.close();
    },
  };
}

/** The first digits of its hash tell a script that nobody has named. */
function nameOf({ id, key }: SandboxScript): string {
  return id ?? `script ${key.slice(0, 12)}`;
}
