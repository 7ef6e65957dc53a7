/** The sandbox's thread as seen from outside: gives it chunks and watches whether it gets on. */
import { Worker } from 'node:worker_threads';
import { engineModule } from './engine-module.ts';
import type { CodecLimits } from './limits.ts';
import type {
  Chunk,
  ChunkAnswer,
  ChunkLimits,
  SandboxCall,
  SandboxScript,
  SandboxSettings,
} from './sandbox-messages.ts';
import { threadMs, wallFactorMax } from './thread-time.ts';

export interface SandboxThread {
  /** One piece of work at a time. Without calls, the script is loaded. */
  exchange(work: SandboxWork): Promise<Outcome>;
  end(): Promise<void>;
}

export interface SandboxWork extends ChunkLimits {
  readonly script: SandboxScript;
  readonly calls: readonly SandboxCall[];
  /** How long after its limit a call is given up, which takes the thread along. */
  readonly graceMs?: number;
}

export type Outcome = { readonly ok: true; readonly answer: ChunkAnswer } | Broken;

/** The thread has ended or must be ended. */
export interface Broken {
  readonly ok: false;
  /** The place of the call at fault. */
  readonly at: number;
  readonly reason: string;
  /** What that call has taken. */
  readonly lostMs: number;
}

/** How often the thread is looked at. */
const watchMs = 5;
/** A while, as most built-in functions end by themselves, and the next thread costs more. */
const graceMsUsual = 50;
/** For a chunk to reach the thread. */
const startMs = 100;
/** For a thread to start on a machine that is busy. */
const startTimeoutMs = 30_000;
/** The engine's own frames lie on the thread's stack, and are larger than the script's. */
const resourceLimits = { stackSizeMb: 8, maxOldGenerationSizeMb: 128 } as const;

/** Whoever waits for the thread just now. */
interface Waiting {
  take(message: unknown): void;
  fail(reason: string): void;
}

export async function startThread(program: URL, limits: CodecLimits): Promise<SandboxThread> {
  const progress = new SharedArrayBuffer(12);
  const settings: SandboxSettings = { limits, progress, module: await engineModule() };
  const options = { workerData: settings, name: 'codecs', resourceLimits, env: {} };
  const worker = new Worker(program, options);
  let waiting: Waiting | undefined;
  worker.on('message', (message: unknown) => waiting?.take(message));
  worker.on('error', (error) => waiting?.fail(`broke the sandbox: ${String(error)}`));
  worker.on('exit', () => waiting?.fail('ended the sandbox'));

  async function end(): Promise<void> {
    waiting = undefined;
    await worker.terminate();
  }

  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => waiting?.fail('it took too long to start'), startTimeoutMs);
    waiting = {
      take(folder) {
        clearTimeout(timer);
        const watched = { worker, progress, folder: String(folder) };
        const known = new Set<string>();
        resolve({
          end,
          exchange({ script: { key, source }, graceMs = graceMsUsual, ...limitedCalls }) {
            const chunk = { key, ...(known.has(key) ? {} : { source }), ...limitedCalls };
            known.add(key);
            return exchange({ ...watched, graceMs }, chunk, (next) => {
              waiting = next;
            });
          },
        });
      },
      fail(reason) {
        clearTimeout(timer);
        void end();
        reject(new Error(reason));
      },
    };
  });
}

interface Watched {
  readonly worker: Worker;
  readonly progress: SharedArrayBuffer;
  /** Its folder under /proc, by which its run time is told. */
  readonly folder: string;
  readonly graceMs: number;
}

function exchange(
  { worker, progress, folder, graceMs }: Watched,
  chunk: Chunk,
  wait: (next: Waiting | undefined) => void,
): Promise<Outcome> {
  const steps = new Int32Array(progress);
  return new Promise((resolve) => {
    const end = (outcome: Outcome) => {
      clearInterval(watch);
      wait(undefined);
      resolve(outcome);
    };
    let seen = { step: Atomics.load(steps, 0), at: performance.now(), ran: threadMs(folder) };
    const fail = (reason: string) => {
      const lostMs = performance.now() - seen.at;
      end({ ok: false, at: Atomics.load(steps, 1), reason, lostMs });
    };
    const watch = setInterval(() => {
      const step = Atomics.load(steps, 0);
      const at = performance.now();
      const patienceMs = Atomics.load(steps, 2) + graceMs;
      if (step !== seen.step) seen = { step, at, ran: threadMs(folder) };
      else if (at - seen.at < patienceMs) return;
      else if (
        at - seen.at > patienceMs * wallFactorMax ||
        threadMs(folder) - seen.ran >= patienceMs
      )
        fail(`ran longer than ${patienceMs} ms`);
    }, watchMs);
    wait({ take: (answer) => end({ ok: true, answer: readAnswer(answer) }), fail });
    Atomics.store(steps, 1, 0);
    Atomics.store(steps, 2, startMs);
    worker.postMessage(chunk);
  });
}

const emptyAnswer: ChunkAnswer = { texts: [], slowMs: 0, lateMs: 0 };

/** Our own thread's answer crossed a thread, not the world: its form is as it was sent. */
function readAnswer(answer: unknown): ChunkAnswer {
  return typeof answer === 'object' && answer !== null
    ? { ...emptyAnswer, ...answer }
    : emptyAnswer;
}
