/**
 * What is known now, and who wants to hear of changes. Subscriptions with equal wishes share one
 * channel, and what a channel has to say is put into text once, however many listen.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import type { ReadingRow } from '../model/reading-row.ts';
import { type ChannelSink, createChannel, type LiveDelta } from './channel.ts';
import { createChannelBook, isSelected, type SeriesSelection } from './channel-book.ts';
import { createReplayRing } from './replay-ring.ts';
import { createSeriesTable, type SeriesIdentity } from './series-table.ts';

export interface LiveSelection extends SeriesSelection {
  readonly view: 'latest' | 'series';
}

/**
 * New series first, then rows that name them by their place in `series` of this or an earlier
 * batch.
 */
export interface LiveBatch {
  readonly series: readonly SeriesIdentity[];
  readonly rows: readonly ReadingRow[];
}

export type RowSink = (identity: SeriesIdentity, row: ReadingRow) => void;

export interface LiveSnapshot {
  readonly seq: number;
  readonly rows: readonly ReadingRow[];
}

export interface Hub {
  /** Sequences of another epoch mean nothing here: it is new at each start. */
  readonly epoch: string;
  seq(): number;
  /** From receipt to here, for the newest batch, milliseconds; 0 before the first. */
  lagMs(): number;
  /** `series` is a row's series number in the sender's own table; it is translated to the hub's. */
  apply(batch: LiveBatch): void;
  identity(index: number): SeriesIdentity | undefined;
  snapshot(selection: LiveSelection): LiveSnapshot;
  /**
   * What was missed after `seq`, conflated as the view asks; undefined when that is no longer
   * known.
   */
  since(seq: number, selection: LiveSelection): LiveDelta | undefined;
  /** Tells of every row as it comes; returns how to end it. */
  tap(sink: RowSink): () => void;
  subscribe(selection: LiveSelection, rateMs: number, sink: ChannelSink): () => void;
  /** Forgets the sender's series numbers: its successor counts from nought again. */
  resetSender(): void;
  close(): void;
}

export interface HubOptions {
  readonly replayRowsMax: number;
  readonly clock: Clock;
}

export function createHub({ replayRowsMax, clock }: HubOptions): Hub {
  const table = createSeriesTable();
  const ring = createReplayRing(replayRowsMax);
  const channels = createChannelBook();
  const taps = new Set<RowSink>();
  let fromSender: number[] = [];
  let lagMs = 0;

  const matches = (selection: LiveSelection) => (index: number) => {
    const identity = table.identity(index);
    return identity !== undefined && isSelected(selection, identity);
  };

  return {
    epoch: randomUUID(),
    seq: () => ring.seq,
    lagMs: () => lagMs,
    identity: (index) => table.identity(index),
    apply({ series, rows }) {
      for (const identity of series) fromSender.push(table.indexOf(identity));
      for (const [number, time, value, quality, vouchedBy, receivedAt, seq] of rows) {
        const index = fromSender[number];
        if (index === undefined) continue;
        const row: ReadingRow = [index, time, value, quality, vouchedBy, receivedAt, seq];
        ring.push(row);
        const isNewest = table.update(row);
        const identity = table.identity(index);
        if (identity === undefined) continue;
        for (const tell of taps) tell(identity, row);
        for (const channel of channels.wanting(identity)) channel.offer(row, isNewest);
      }
      const last = rows.at(-1);
      if (last !== undefined) lagMs = Math.max(0, clock.now() - last[5]);
    },
    snapshot(selection) {
      const wanted = matches(selection);
      const candidates =
        selection.device === undefined
          ? Array.from({ length: table.size }, (_, index) => index)
          : table.indexesOf(selection.device);
      const rows: ReadingRow[] = [];
      for (const index of candidates) {
        const row = wanted(index) ? table.latest(index) : undefined;
        if (row !== undefined) rows.push(row);
      }
      return { seq: ring.seq, rows };
    },
    since(seq, selection) {
      const missed = ring.after(seq)?.filter((row) => matches(selection)(row[0]));
      if (missed === undefined) return undefined;
      const rows = selection.view === 'series' ? missed : newest(missed, table.latest);
      return { from: seq + 1, seq: ring.seq, rows, isComplete: true };
    },
    tap(sink) {
      taps.add(sink);
      return () => taps.delete(sink);
    },
    subscribe(selection, rateMs, sink) {
      const key = JSON.stringify([selection.view, selection.device, selection.area, rateMs]);
      let channel = channels.get(key);
      if (channel === undefined) {
        channel = createChannel({
          rateMs,
          conflates: selection.view === 'latest',
          latest: (index) => table.latest(index),
          seq: () => ring.seq,
        });
        channels.add(key, selection, channel);
      }
      const leave = channel.join(sink);
      return () => {
        if (leave() === 0) channels.remove(key);
      };
    },
    resetSender() {
      fromSender = [];
    },
    close() {
      for (const channel of channels.clear()) channel.close();
    },
  };
}

/**
 * What each series that the rows mention shows now. Not the last of the rows: one that came late
 * would put an older value over the one that the viewer has.
 */
function newest(
  rows: readonly ReadingRow[],
  latest: (index: number) => ReadingRow | undefined,
): ReadingRow[] {
  const mentioned = new Set(rows.map(([index]) => index));
  return [...mentioned].flatMap((index) => {
    const row = latest(index);
    return row === undefined ? [] : [row];
  });
}
