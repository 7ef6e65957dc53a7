/** One stream of deltas at one pace, shared by everybody who asked for the same. */
import type { ReadingRow } from '../model/reading-row.ts';

export interface LiveDelta {
  /** The first sequence this delta stands for. */
  readonly from: number;
  /** The last one. */
  readonly seq: number;
  readonly rows: readonly ReadingRow[];
  /** False when more came at once than a channel holds: the viewer must fetch what is missing. */
  readonly isComplete: boolean;
}

export type ChannelSink = (delta: LiveDelta) => void;

export interface Channel {
  /** A row of a series that the channel is about. */
  offer(row: ReadingRow, isNewest: boolean): void;
  /** Returns how to leave; leaving says how many stay. */
  join(sink: ChannelSink): () => number;
  close(): void;
}

export interface ChannelOptions {
  readonly rateMs: number;
  /** Only the last value of a series counts; else every row is passed on. */
  readonly conflates: boolean;
  latest(index: number): ReadingRow | undefined;
  seq(): number;
}

/** Rows held between two flushes of a channel that does not conflate; more than that is a gap. */
const pendingRowsMax = 20_000;

export function createChannel(options: ChannelOptions): Channel {
  const sinks = new Set<ChannelSink>();
  const dirty = new Set<number>();
  let pending: ReadingRow[] = [];
  let isComplete = true;
  let sentSeq = options.seq();

  const timer = setInterval(flush, options.rateMs);
  timer.unref();

  function take(): readonly ReadingRow[] {
    if (!options.conflates) {
      const rows = pending;
      pending = [];
      return rows;
    }
    const rows: ReadingRow[] = [];
    for (const index of dirty) {
      const row = options.latest(index);
      if (row !== undefined) rows.push(row);
    }
    dirty.clear();
    return rows;
  }

  function flush(): void {
    const seq = options.seq();
    if (seq === sentSeq) return;
    const delta: LiveDelta = { from: sentSeq + 1, seq, rows: take(), isComplete };
    sentSeq = seq;
    isComplete = true;
    for (const sink of sinks) sink(delta);
  }

  return {
    offer(row, isNewest) {
      if (options.conflates) {
        if (isNewest) dirty.add(row[0]);
      } else if (pending.length < pendingRowsMax) {
        pending.push(row);
      } else {
        isComplete = false;
      }
    },
    join(sink) {
      flush();
      sinks.add(sink);
      return () => {
        sinks.delete(sink);
        if (sinks.size === 0) clearInterval(timer);
        return sinks.size;
      };
    },
    close: () => clearInterval(timer),
  };
}
