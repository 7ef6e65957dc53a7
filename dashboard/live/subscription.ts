/**
 * One subscription of one viewer: snapshot first, then deltas without a hole, or a word that there
 * is one.
 */
import type { LiveDelta } from '../../gateway/live/channel.ts';
import type { Hub, LiveSelection } from '../../gateway/live/hub.ts';
import type { ReadingRow } from '../../gateway/model/reading-row.ts';
import type { SeriesEntry, ServerMessage } from '../protocol.ts';

export interface LiveSubscription {
  /** Hears changes from now on, at this pace; replaces the pace it had. */
  listen(rateMs: number): void;
  /** Sends what the viewer missed, or the whole picture. */
  start(resume: { epoch: string; seq: number } | undefined): void;
  /** After a pause: what came since the last message. */
  catchUp(): void;
  close(): void;
}

export interface SubscriptionParts {
  readonly id: number;
  readonly hub: Hub;
  readonly selection: LiveSelection;
  send(message: ServerMessage): void;
  isReady(): boolean;
}

const snapshotRowsMax = 2_000;

export function createSubscription(parts: SubscriptionParts): LiveSubscription {
  const { id, hub, selection, send, isReady } = parts;
  const known = new Set<number>();
  let sentSeq = 0;
  let hasStarted = false;
  let leave = () => {};

  function newSeries(rows: readonly ReadingRow[]): SeriesEntry[] {
    const fresh: SeriesEntry[] = [];
    for (const [index] of rows) {
      if (known.has(index)) continue;
      known.add(index);
      const identity = hub.identity(index);
      if (identity === undefined) continue;
      fresh.push([index, identity.device, identity.quantity, identity.channel, identity.unit]);
    }
    return fresh;
  }

  function sendSnapshot(): void {
    const { seq, rows } = hub.snapshot(selection);
    const of = Math.max(1, Math.ceil(rows.length / snapshotRowsMax));
    for (let part = 1; part <= of; part += 1) {
      const some = rows.slice((part - 1) * snapshotRowsMax, part * snapshotRowsMax);
      const series = newSeries(some);
      send({ t: 'snap', id, seq, part, of, series, rows: some.map((row) => [...row]) });
    }
    sentSeq = seq;
  }

  function sendDelta({ seq, rows, isComplete }: LiveDelta): void {
    const from = sentSeq + 1;
    sentSeq = seq;
    if (!isComplete) send({ t: 'gap', id, from, to: seq });
    const series = newSeries(rows);
    const named = series.length > 0 ? { series } : {};
    send({ t: 'd', id, from, seq, ...named, rows: rows.map((row) => [...row]) });
  }

  function catchUp(): void {
    if (hub.seq() === sentSeq) return;
    const missed = hub.since(sentSeq, selection);
    if (missed === undefined) sendSnapshot();
    else sendDelta(missed);
  }

  return {
    listen(rateMs) {
      leave();
      leave = hub.subscribe(selection, rateMs, (delta) => {
        if (!isReady()) return;
        if (delta.from === sentSeq + 1) sendDelta(delta);
        else if (delta.seq > sentSeq) catchUp();
      });
      // What the pace before had not told yet is told now, not with the next change.
      if (hasStarted && isReady()) catchUp();
    },
    start(resume) {
      hasStarted = true;
      if (resume === undefined) {
        sendSnapshot();
        return;
      }
      const isSameEpoch = resume.epoch === hub.epoch;
      const missed = isSameEpoch ? hub.since(resume.seq, selection) : undefined;
      const why = isSameEpoch ? 'expired' : 'restarted';
      send({ t: 'resume', id, ok: missed !== undefined, ...(missed === undefined ? { why } : {}) });
      sentSeq = resume.seq;
      if (missed === undefined) sendSnapshot();
      else sendDelta(missed);
    },
    catchUp,
    close: () => leave(),
  };
}
