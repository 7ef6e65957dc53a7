/**
 * The threads of a lane: the one that works, and one that stands by with the scripts in use loaded,
 * so that work goes on at once where the first had to be killed.
 */
import type { SandboxScript } from './sandbox-messages.ts';
import type { Outcome, SandboxThread, SandboxWork } from './sandbox-thread.ts';

export interface SandboxThreads {
  /** Resolves once a thread waits for work, or does not start: then the work is told why. */
  start(): Promise<void>;
  /**
   * Gives a thread the work, once all that was asked for before is done. What that work is it is
   * asked then; undefined if there is none any more. A thread that breaks is given up.
   */
  exchange(workOf: () => SandboxWork | undefined): Promise<Outcome | NotStarted | undefined>;
  /** The script has answered: the thread that stands by gets it ready, too. */
  note(script: SandboxScript): void;
  close(): Promise<void>;
}

export interface NotStarted {
  readonly ok: false;
  readonly startError: string;
}

export interface SandboxThreadsOptions {
  readonly start: () => Promise<SandboxThread>;
  readonly hasStandby: boolean;
  /** For a script to load in the thread that stands by. */
  readonly timeLimitMs: number;
}

/** Scripts that the thread that stands by has ready, at some 300 kB each. */
const readyMax = 32;

/** Starts, then loads one script after the other; undefined when it has come to nothing. */
interface Standby {
  thread: Promise<SandboxThread | undefined>;
  /** Work waits for it: what it has not loaded yet it loads when it is called. */
  isWanted: boolean;
}

type Working =
  | { readonly thread: SandboxThread; readonly startError?: never }
  | { readonly thread: undefined; readonly startError: string };

export function createSandboxThreads(options: SandboxThreadsOptions): SandboxThreads {
  const { start, hasStandby, timeLimitMs } = options;
  let thread: SandboxThread | undefined;
  let standby: Standby | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const used = new Map<string, SandboxScript>();
  const ending = new Set<Promise<void>>();

  /** Nobody waits for its end, but who closes. */
  function end(given: SandboxThread | undefined): undefined {
    if (given === undefined) return;
    const ended: Promise<void> = given
      .end()
      .catch(() => {})
      .finally(() => ending.delete(ended));
    ending.add(ended);
  }

  function standBy(): void {
    standby = { thread: start().catch(() => undefined), isWanted: false };
    for (const script of used.values()) makeReady(standby, script);
  }

  function makeReady(self: Standby, script: SandboxScript): void {
    self.thread = self.thread.then(async (started) => {
      if (started === undefined || self.isWanted) return started;
      const outcome = await started.exchange({ script, calls: [], timeLimitMs, allowanceMs: 0 });
      return outcome.ok ? started : end(started);
    });
  }

  async function takeStandby(): Promise<SandboxThread | undefined> {
    const taken = standby;
    standby = undefined;
    if (taken !== undefined) taken.isWanted = true;
    return taken?.thread;
  }

  async function working(): Promise<Working> {
    try {
      if (thread !== undefined) return { thread };
      thread = (await takeStandby()) ?? (await start());
      if (hasStandby) standBy();
      return { thread };
    } catch (error) {
      return { thread: undefined, startError: String(error) };
    }
  }

  async function exchange(workOf: () => SandboxWork | undefined) {
    const { thread: taken, startError } = await working();
    if (taken === undefined) return { ok: false, startError } as const;
    const work = workOf();
    if (work === undefined) return undefined;
    const outcome = await taken.exchange(work);
    if (outcome.ok) return outcome;
    thread = end(thread);
    if (standby === undefined) standBy();
    return outcome;
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }

  return {
    start: () => inTurn(async () => void (await working())),
    exchange: (workOf) => inTurn(() => exchange(workOf)),
    note(script) {
      if (!hasStandby) return;
      const isNew = !used.delete(script.key);
      used.set(script.key, script);
      if (isNew && standby !== undefined) makeReady(standby, script);
      const [oldest] = used.keys();
      if (used.size > readyMax && oldest !== undefined) used.delete(oldest);
    },
    async close() {
      await last;
      thread = end(thread);
      end(await takeStandby());
      await Promise.all(ending);
    },
  };
}
