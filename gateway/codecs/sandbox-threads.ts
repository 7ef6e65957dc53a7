/**
 * The threads of a sandbox: the one that works, and one that stands by with the scripts in use
 * loaded, so that work goes on at once where the first had to be killed.
 */
import type { SandboxScript } from './sandbox-messages.ts';
import type { SandboxThread } from './sandbox-thread.ts';

export interface SandboxThreads {
  /** The one that works. Rejects when it cannot be started. One caller at a time. */
  working(): Promise<SandboxThread>;
  /** The script has answered: the thread that stands by gets it ready, too. */
  note(script: SandboxScript): void;
  /** Gives the working thread up. Nobody waits for its end. */
  drop(): void;
  close(): Promise<void>;
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

export function createSandboxThreads(options: SandboxThreadsOptions): SandboxThreads {
  const { start, hasStandby, timeLimitMs } = options;
  let thread: SandboxThread | undefined;
  let standby: Standby | undefined;
  const used = new Map<string, SandboxScript>();
  const ending = new Set<Promise<void>>();

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

  function drop(): void {
    thread = end(thread);
  }

  return {
    async working() {
      if (thread !== undefined) return thread;
      thread = (await takeStandby()) ?? (await start());
      if (hasStandby) standBy();
      return thread;
    },
    note(script) {
      if (!hasStandby) return;
      const isNew = !used.delete(script.key);
      used.set(script.key, script);
      if (isNew && standby !== undefined) makeReady(standby, script);
      const [oldest] = used.keys();
      if (used.size > readyMax && oldest !== undefined) used.delete(oldest);
    },
    drop,
    async close() {
      drop();
      end(await takeStandby());
      await Promise.all(ending);
    },
  };
}
