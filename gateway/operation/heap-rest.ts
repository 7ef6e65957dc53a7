/**
 * Gives memory back after a burst. V8 keeps what it once had: after thousands of connections its
 * heap may grow to a multiple of what is alive before it is collected, and while little happens, it
 * is not collected at all. So in quiet moments V8 is asked to care for size rather than speed, for
 * a while: it then collects in small steps, gives free pages back and shrinks the young generation.
 * The wish holds for all threads of the process. Then the C library is asked for its free pages.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

export interface HeapRest {
  /** Once an interval. */
  look(): void;
}

export interface HeapRestParts {
  /** Memory of the process' own. */
  readonly ownBytes: () => number;
  /** Processor time of all threads since the last call, as a share of the time that went by. */
  readonly busyShare: () => number;
  readonly saveMemory: (isSaving: boolean) => void;
  /** Is over well before the next look. */
  readonly giveBackFreePages: () => void;
  readonly onDone: (bytes: { readonly before: number; readonly after: number }) => void;
}

const lookEveryMs = 5_000;
/** V8 takes three collections for it, some seconds apart. */
const looksSaving = 4;
/**
 * From ten seconds to five minutes: what is alive now may be garbage later, and no growth would
 * tell. The longer nothing goes away, the longer it is left alone.
 */
const looksBetweenLeast = 2;
const looksBetweenMost = 60;
/** More than the young generations of two threads hold in ordinary traffic. */
const grownBytes = 128 * 2 ** 20;
/** Of a processor: 500 messages a second take 0.6 of a slow one, half of the full rate takes more. */
const busyShareMax = 0.8;

export function createHeapRest(parts: HeapRestParts): HeapRest {
  const { ownBytes, busyShare, saveMemory, giveBackFreePages, onDone } = parts;
  let lowest = Number.POSITIVE_INFINITY;
  /** As the last time left it. */
  let after = Number.POSITIVE_INFINITY;
  let before = 0;
  let looksLeft = 0;
  let looksSince = 0;
  let looksBetween = looksBetweenLeast;

  /** The last look sees what giving back has left. */
  function goOn(own: number): void {
    looksLeft -= 1;
    if (looksLeft === 1) {
      saveMemory(false);
      giveBackFreePages();
    }
    if (looksLeft > 0) return;
    looksBetween =
      before - own > grownBytes ? looksBetweenLeast : Math.min(looksBetween * 2, looksBetweenMost);
    after = own;
    looksSince = 0;
    onDone({ before, after });
  }

  function giveUp(): void {
    if (looksLeft > 1) saveMemory(false);
    looksLeft = 0;
  }

  return {
    look: () => {
      const own = ownBytes();
      const isBusy = busyShare() > busyShareMax;
      lowest = Math.min(lowest, own);
      after = Math.min(after, own);
      looksSince += 1;
      if (looksLeft > 0) {
        if (isBusy) giveUp();
        else goOn(own);
        return;
      }
      const isGrown = own > after + grownBytes;
      const isLarge = own > lowest + 2 * grownBytes && looksSince >= looksBetween;
      if (isBusy || !(isGrown || isLarge)) return;
      if (isGrown) looksBetween = looksBetweenLeast;
      before = own;
      looksLeft = looksSaving + 1;
      saveMemory(true);
    },
  };
}

interface DebugLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Returns how to end it. */
export function startHeapRest(log: DebugLog): () => void {
  let last = { cpu: process.cpuUsage(), atMs: performance.now() };
  const rest = createHeapRest({
    ownBytes: readOwnBytes,
    busyShare: () => {
      const { user, system } = process.cpuUsage(last.cpu);
      const elapsedMs = performance.now() - last.atMs;
      last = { cpu: process.cpuUsage(), atMs: performance.now() };
      return (user + system) / 1_000 / elapsedMs;
    },
    saveMemory,
    giveBackFreePages: () => startFreePagesThread(log),
    onDone: (bytes) => log.debug({ event: 'memory-given-back', ...bytes }, 'memory-given-back'),
  });
  const timer = setInterval(rest.look, lookEveryMs).unref();
  return () => {
    clearInterval(timer);
    saveMemory(false);
  };
}

/** Without it, there is only less memory given back. */
function startFreePagesThread(log: DebugLog): void {
  const program = new URL('./free-pages-thread.js', import.meta.url);
  const thread = new Worker(program, { name: 'free-pages', env: {} });
  thread.once('error', (error) => {
    log.debug({ event: 'memory-kept', reason: String(error) }, 'memory-kept');
  });
  thread.unref();
}

function saveMemory(isSaving: boolean): void {
  setFlagsFromString(isSaving ? '--optimize-for-size' : '--no-optimize-for-size');
}

/** Without pages of files, of which a ledger may have any number; elsewhere than on Linux with. */
function readOwnBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1_024;
  } catch {
    // There is no such file.
  }
  return process.memoryUsage.rss();
}
