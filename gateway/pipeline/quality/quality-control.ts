/**
 * Quality control of everything that is derived. A flag that was given stays: whenever an entry is
 * derived again, its readings get the flags of the first time, since the tests then remember what
 * they remembered then.
 *
 * That holds because of three things, tried in this order. The verdicts of the newest 262,144
 * entries are in memory, for a store that is a little behind. What the tests remember is on disk
 * for a place in the ledger, and the entries from there to the one that is asked for are judged
 * again without telling anybody. Where there is no such place any more, the 100,000 entries before
 * are judged: then flags are the same where these reach back for 48 hours, or to the beginning of
 * the ledger; where they do not, tests that look far back may say "not evaluated".
 */
import type { LedgerEntry, LedgerReader } from '../../ledger/ledger.ts';
import type { Device } from '../../model/device.ts';
import type { Reading } from '../../model/reading.ts';
import type { Derived } from '../derive.ts';
import { judgeByItself } from '../quality.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Judge, Unjudged } from './judge.ts';
import { createLane, type Lane, type LaneLimits } from './lane.ts';
import { flagOf, tests, type Verdict } from './verdict.ts';
import { createVerdictMemo } from './verdict-memo.ts';

export interface QualityParts {
  readonly reader: Pick<LedgerReader, 'read'>;
  readonly checkpoints: Checkpoints;
  readonly limits: LaneLimits;
  readonly deviceOf: (id: string) => Device | undefined;
  /** Derives an entry with this judge. */
  readonly derive: (entry: LedgerEntry, judge: Judge) => Derived;
  /** Called with entries before they are derived, as the derive loop does. */
  readonly prepare: (entries: readonly LedgerEntry[]) => Promise<void> | undefined;
  /** The last entry that was derived for the live side when the last process stopped. */
  readonly live: number;
}

export interface QualityControl {
  /** Remembers what the entries need; nothing to wait for when they follow those before. */
  prepare(entries: readonly LedgerEntry[]): Promise<void> | undefined;
  /** For an entry that was among the last prepared. */
  derive(entry: LedgerEntry): Derived;
  /** Writes down what is remembered, if it is time; `store` is where the slowest reader stands. */
  keep(when: { readonly now: number; readonly store: number; readonly isLast?: boolean }): void;
  /** Entries will be derived again by other codecs or devices: what was found of them is void. */
  forget(): void;
  /** What was found of these readings of an entry, while it is remembered. */
  verdictsOf(seq: number, readings: readonly Reading[]): readonly Verdict[] | undefined;
  /** What tests have found since the last call, as `test:flag`. */
  findings(): Record<string, number>;
}

const replayMax = 100_000;
const replayChunk = 2_000;
/** A checkpoint is due after so long or so many entries, whichever comes first. */
const keepMs = 300_000;
const keepEntries = 100_000;

interface Seat {
  /** The last entry that was judged. */
  at: number;
  readonly lane: Lane;
}

export function createQualityControl(parts: QualityParts): QualityControl {
  const { reader, checkpoints, limits, deviceOf } = parts;
  const memo = createVerdictMemo();
  const verdicts: Verdict[] = [];
  let front: Seat | undefined;
  let behind: Seat | undefined;
  let told = new Float64Array(tests.length * 8);
  let keptAt = 0;
  let keptSeq = parts.live;

  /** A seat that remembers what it would if it had judged everything up to `at`. */
  async function seatAt(at: number): Promise<Seat> {
    const kept = checkpoints.before(at);
    const isNear = kept !== undefined && at - kept.seq <= replayMax;
    const seat: Seat = {
      at: isNear ? kept.seq : Math.max(0, at - replayMax),
      lane: createLane({ limits, deviceOf }, isNear ? kept.records : []),
    };
    await advance(seat, at);
    return seat;
  }

  /** Judges what lies between, and tells nobody. */
  async function advance(seat: Seat, to: number): Promise<void> {
    while (seat.at < to) {
      const entries = reader.read(seat.at, Math.min(replayChunk, to - seat.at));
      const between = entries.filter(({ seq }) => seq <= to);
      await parts.prepare(between);
      for (const entry of between) parts.derive(entry, judgeIn(seat, []));
      seat.at = between.at(-1)?.seq ?? to;
    }
  }

  async function seatFor(entries: readonly LedgerEntry[], before: number): Promise<void> {
    if (front === undefined) {
      front = await seatAt(parts.live);
      told = Float64Array.from(front.lane.counts);
    }
    if (before > front.at) await advance(front, before);
    else if (before < front.at && !isRemembered(entries) && behind?.at !== before) {
      behind = await seatAt(before);
    }
    await parts.prepare(entries);
  }

  function isRemembered(entries: readonly LedgerEntry[]): boolean {
    const first = entries[0];
    const last = entries.at(-1);
    return first !== undefined && last !== undefined && memo.has(first.seq) && memo.has(last.seq);
  }

  function judgeIn(seat: Seat, amended: Reading[]): Judge {
    return (readings, device) => {
      seat.lane.judge(readings, device, verdicts, amended);
      return amended;
    };
  }

  function deriveInFront(entry: LedgerEntry, seat: Seat): Derived {
    let judged: readonly Unjudged[] = [];
    const amended: Reading[] = [];
    const derived = parts.derive(entry, (readings, device) => {
      seat.lane.judge(readings, device, verdicts, amended);
      judged = readings;
      return amended;
    });
    memo.note(entry.seq, judged, verdicts, amended);
    seat.at = entry.seq;
    return derived;
  }

  function judgeFromMemo(seq: number): Judge {
    return (readings) => {
      const found = memo.recall(seq, readings);
      if (found === undefined) return judgeByItself(readings);
      for (const [place, reading] of readings.entries()) {
        reading.quality = flagOf(found.verdicts[place] ?? 0);
      }
      return found.amended;
    };
  }

  return {
    prepare(entries) {
      const before = (entries[0]?.seq ?? 1) - 1;
      if (front === undefined) return seatFor(entries, before);
      if (front.at === before || behind?.at === before) return parts.prepare(entries);
      if (before > front.at || !isRemembered(entries)) return seatFor(entries, before);
      behind = undefined;
      return parts.prepare(entries);
    },
    derive(entry) {
      const { seq } = entry;
      if (front !== undefined && seq > front.at) return deriveInFront(entry, front);
      if (memo.has(seq)) return parts.derive(entry, judgeFromMemo(seq));
      if (behind === undefined || seq <= behind.at) return parts.derive(entry, judgeByItself);
      const derived = parts.derive(entry, judgeIn(behind, []));
      behind.at = seq;
      return derived;
    },
    keep({ now, store, isLast = false }) {
      if (front === undefined || front.at === keptSeq) return;
      if (keptAt === 0) keptAt = now;
      const isDue = now - keptAt >= keepMs || front.at - keptSeq >= keepEntries;
      if (!isDue && !isLast) return;
      checkpoints.save({ seq: front.at, records: front.lane.records() });
      checkpoints.prune(Math.min(store, front.at));
      keptAt = now;
      keptSeq = front.at;
    },
    forget() {
      memo.clear();
      behind = undefined;
    },
    verdictsOf: (seq, readings) => memo.recall(seq, readings)?.verdicts,
    findings() {
      const counts = front?.lane.counts ?? told;
      const found: Record<string, number> = {};
      for (const [place, test] of tests.entries()) {
        for (let bits = 1; bits < 8; bits += 1) {
          const at = place * 8 + bits;
          const since = (counts[at] ?? 0) - (told[at] ?? 0);
          if (since > 0) found[`${test}:${bits === 5 ? 9 : bits}`] = since;
        }
      }
      told.set(counts);
      return found;
    },
  };
}
