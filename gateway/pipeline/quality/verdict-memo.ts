/**
 * What was found for the newest entries, so that a store that is a little behind is given exactly
 * the flags that the live side has shown. Rings of a fixed size: nothing is allocated for an entry.
 */
import type { Reading } from '../../model/reading.ts';
import type { Verdict } from './verdict.ts';

/** Entries and readings that are remembered: 17 MB, some 20 s of a gateway at its limit. */
export const memoEntries = 262_144;
const memoReadings = 1_048_576;

export interface VerdictMemo {
  note(
    seq: number,
    readings: readonly Reading[],
    verdicts: readonly Verdict[],
    amended: readonly Reading[],
  ): void;
  has(seq: number): boolean;
  /** Undefined where the readings are others than those that were judged. */
  recall(seq: number, readings: readonly Reading[]): Remembered | undefined;
  clear(): void;
}

interface Remembered {
  readonly verdicts: readonly Verdict[];
  readonly amended: readonly Reading[];
}

export function createVerdictMemo(): VerdictMemo {
  const seqs = new Float64Array(memoEntries);
  const starts = new Float64Array(memoEntries);
  const counts = new Uint32Array(memoEntries);
  const kept = new Int32Array(memoReadings);
  const values = new Float64Array(memoReadings);
  const amendments = new Map<number, readonly Reading[]>();
  let head = 0;

  function has(seq: number): boolean {
    const at = seq % memoEntries;
    return seqs[at] === seq && (starts[at] ?? 0) > head - memoReadings;
  }

  return {
    note(seq, readings, verdicts, amended) {
      const at = seq % memoEntries;
      const forgotten = seqs[at];
      if (forgotten !== undefined && amendments.size > 0) amendments.delete(forgotten);
      seqs[at] = seq;
      starts[at] = head;
      counts[at] = readings.length;
      for (let place = 0; place < readings.length; place += 1) {
        const slot = (head + place) % memoReadings;
        kept[slot] = verdicts[place] ?? 0;
        values[slot] = numberOf(readings[place]);
      }
      head += readings.length;
      if (amended.length > 0) amendments.set(seq, [...amended]);
    },
    has,
    recall(seq, readings) {
      const at = seq % memoEntries;
      if (!has(seq) || counts[at] !== readings.length) return undefined;
      const verdicts: Verdict[] = [];
      for (const [place, reading] of readings.entries()) {
        const slot = ((starts[at] ?? 0) + place) % memoReadings;
        if (!Object.is(values[slot], numberOf(reading))) return undefined;
        verdicts.push(kept[slot] ?? 0);
      }
      return { verdicts, amended: amendments.get(seq) ?? [] };
    },
    clear() {
      seqs.fill(0);
      amendments.clear();
    },
  };
}

/** States have no number; that a text is another is not looked at, its flag is the same. */
function numberOf(reading: Reading | undefined): number {
  return typeof reading?.value === 'number' ? reading.value : Number.NaN;
}
