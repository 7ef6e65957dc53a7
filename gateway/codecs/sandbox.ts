/**
 * Calls of codec scripts, in a thread that is killed and started again when a call does not end.
 * The engine stops most scripts by itself; what it does inside one built-in function it cannot
 * stop, and what breaks it takes its thread along: then the call at fault gets an error, and the
 * others of its chunk are made again. They have no effects, so that costs nothing but time.
 */
import assert from 'node:assert/strict';
import type { CodecLimits } from './limits.ts';
import type { Chunk, SandboxCall, SandboxScript } from './sandbox-messages.ts';
import { type Outcome, type SandboxThread, startThread } from './sandbox-thread.ts';

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
  /** Called when a thread has ended unasked, with the reason. */
  readonly onCrash?: (reason: string) => void;
}

const callsPerChunkMax = 500;
/** What the calls of one batch may lose to the clock together before each has less. */
const allowanceMs = 150;
/** Threads that one script may cost before it is left alone, and for how long that is. */
const threadsPerScriptMax = 2;
const setAsideMs = 30_000;
const scriptsStruckMax = 1_000;
const setAside = 'is left alone for a while: it did not end, again and again';
export function createSandbox(options: SandboxOptions): Sandbox {
  const { limits, onCrash = () => {} } = options;
  const program = options.program ?? new URL('./sandbox-worker.js', import.meta.url);
  let thread: SandboxThread | undefined;
  const ending = new Set<Promise<void>>();
  /** Scripts that it has been given. */
  let known = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const strikes = createStrikes();

  async function running(): Promise<SandboxThread> {
    if (thread !== undefined) return thread;
    thread = await startThread(program, limits);
    known = new Set();
    return thread;
  }

  /** Makes the calls of one chunk, with as many threads as that takes. */
  async function complete(script: SandboxScript, calls: readonly SandboxCall[], left: Allowance) {
    const texts: string[] = [];
    while (texts.length < calls.length) {
      const rest = calls.slice(texts.length);
      if (strikes.areOut(script.key)) {
        texts.push(...rest.map(() => `e${setAside}`));
        break;
      }
      const outcome = await attempt(script, rest, left.ms);
      if (outcome.ok) {
        left.ms = outcome.answer.allowanceMs;
        texts.push(...outcome.answer.texts);
        continue;
      }
      onCrash(outcome.reason);
      strikes.add(script.key);
      left.ms -= limits.timeLimitMs;
      // Those before it are made again on their own, as their answers went with the thread.
      texts.push(...(await complete(script, rest.slice(0, outcome.at), left)));
      texts.push(`e${outcome.reason}`);
    }
    return texts;
  }

  async function attempt(
    script: SandboxScript,
    calls: readonly SandboxCall[],
    left: number,
  ): Promise<Outcome> {
    try {
      const current = await running();
      const chunk: Chunk = {
        key: script.key,
        calls,
        allowanceMs: left,
        ...(known.has(script.key) ? {} : { source: script.source }),
      };
      known.add(script.key);
      const outcome = await current.exchange(chunk);
      if (outcome.ok) assert.equal(outcome.answer.texts.length, calls.length);
      else drop(current);
      return outcome;
    } catch (error) {
      return { ok: false, at: 0, reason: `the sandbox does not start: ${String(error)}` };
    }
  }

  /** It ends by and by: nobody waits for a thread that is given up. */
  function drop(given: SandboxThread): void {
    thread = undefined;
    const settled: Promise<void> = given
      .end()
      .catch(() => {})
      .finally(() => ending.delete(settled));
    ending.add(settled);
  }

  async function runAll(jobs: readonly SandboxJob[]): Promise<string[][]> {
    const left: Allowance = { ms: allowanceMs };
    const answers: string[][] = [];
    for (const { script, calls } of jobs) {
      const texts: string[] = [];
      for (let at = 0; at < calls.length; at += callsPerChunkMax) {
        texts.push(...(await complete(script, calls.slice(at, at + callsPerChunkMax), left)));
      }
      answers.push(texts);
    }
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
      if (thread !== undefined) drop(thread);
      await Promise.all(ending);
    },
  };
}

interface Allowance {
  ms: number;
}

interface Strikes {
  add(key: string): void;
  areOut(key: string): boolean;
}

/** Scripts that cost a thread again and again are left alone for a while, so that others get on. */
function createStrikes(): Strikes {
  const struck = new Map<string, { readonly count: number; readonly at: number }>();
  return {
    add(key) {
      const count = (struck.get(key)?.count ?? 0) + 1;
      struck.delete(key);
      struck.set(key, { count, at: performance.now() });
      const [oldest] = struck.keys();
      if (struck.size > scriptsStruckMax && oldest !== undefined) struck.delete(oldest);
    },
    areOut(key) {
      const found = struck.get(key);
      if (found === undefined || found.count < threadsPerScriptMax) return false;
      if (performance.now() - found.at < setAsideMs) return true;
      struck.delete(key);
      return false;
    },
  };
}
