/**
 * The one job of deriving kept uplinks again: begun and watched over the API, done by the derive
 * worker, and kept in a file, so that it goes on after a restart.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../model/clock.ts';
import type { AgainJob } from '../pipeline/derive-again.ts';
import type { FromWorker } from '../pipeline/worker-messages.ts';

const againState = z.strictObject({
  state: z.enum(['running', 'done', 'stopped']),
  from: z.number(),
  to: z.number(),
  /** Everything from `from` up to this entry is done. */
  at: z.number(),
  entries: z.number(),
  readings: z.number(),
  faults: z.number(),
  device: z.string().exactOptional(),
  codec: z.string().exactOptional(),
  startedBy: z.string(),
  /** Epoch milliseconds. */
  startedAt: z.number(),
  endedAt: z.number().exactOptional(),
});

export type AgainState = Readonly<z.infer<typeof againState>>;

export interface AgainWish {
  readonly from: number;
  readonly device?: string;
  readonly codec?: string;
  readonly startedBy: string;
}

export interface AgainControl {
  /** Undefined while another one is under way. */
  start(wish: AgainWish): AgainState | undefined;
  /** The job under way, or the last one. */
  state(): AgainState | undefined;
  /** False when there is nothing to stop. */
  stop(): boolean;
  take(message: FromWorker): void;
}

export interface AgainControlParts {
  readonly dataDir: string;
  /** The newest ledger entry. */
  readonly head: () => number;
  readonly tell: (job: AgainJob | undefined) => void;
  readonly clock: Clock;
}

/** Between two writes of the file: steps are many, and one made twice does no harm. */
const keepMs = 1_000;

export function createAgainControl({
  dataDir,
  head,
  tell,
  clock,
}: AgainControlParts): AgainControl {
  const path = join(dataDir, 'derive-again.json');
  let state = readState(path);
  let keptAt = 0;

  function set(next: AgainState, isKept: boolean): void {
    state = next;
    if (!isKept && clock.now() - keptAt < keepMs) return;
    keptAt = clock.now();
    writeFileSync(`${path}.tmp`, JSON.stringify(next), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  function resume(): void {
    if (state?.state !== 'running') return;
    const { at, to, device, codec } = state;
    tell({ from: at + 1, to, ...(device && { device }), ...(codec && { codec }) });
  }

  return {
    start({ from, device, codec, startedBy }) {
      if (state?.state === 'running') return undefined;
      const wish = { from, to: head(), ...(device && { device }), ...(codec && { codec }) };
      const counts = { at: from - 1, entries: 0, readings: 0, faults: 0 };
      const startedAt = clock.now();
      const isNothing = wish.to < from;
      const begun = { ...wish, ...counts, startedBy, startedAt };
      set(
        isNothing
          ? { ...begun, state: 'done', endedAt: startedAt }
          : { ...begun, state: 'running' },
        true,
      );
      resume();
      return state;
    },
    state: () => state,
    stop() {
      if (state?.state !== 'running') return false;
      tell(undefined);
      set({ ...state, state: 'stopped', endedAt: clock.now() }, true);
      return true;
    },
    take(message) {
      if (message.kind === 'ready') resume();
      if (message.kind !== 'derived-again' || state?.state !== 'running') return;
      const { at, isOver, entries, readings, faults } = message.progress;
      const counts = {
        entries: state.entries + entries,
        readings: state.readings + readings,
        faults: state.faults + faults,
      };
      const next = { ...state, ...counts, at };
      set(isOver ? { ...next, state: 'done', endedAt: clock.now() } : next, isOver);
    },
  };
}

/** A file that cannot be read is no job: it is begun again by whoever wants it. */
function readState(path: string): AgainState | undefined {
  try {
    return againState.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
