/** What a frame that was opened here does to the counter of its session. */
import type { VerifiedUplink } from '../model/uplink.ts';
import {
  isReset,
  type ResetRuleOf,
  type RuledFrame,
  rememberFrame,
  wasTaken,
} from './counter-reset.ts';
import { readCounter, sessionKey, writeCounter } from './frame-session.ts';
import type { FrameIdentity } from './identity.ts';
import type { LedgerFiles } from './lmdb-files.ts';

/** Of `reset` and `replayed`: the counter before. */
export type CounterStep =
  | { readonly kind: 'ahead' | 'copy' }
  | { readonly kind: 'reset' | 'replayed'; readonly last: number };

interface CounterBooks {
  readonly files: LedgerFiles;
  readonly resetRuleOf: ResetRuleOf;
  /** Counters accepted in this transaction, by session key. */
  readonly counters: Map<string, number>;
}

interface CountedFrame {
  readonly item: VerifiedUplink;
  readonly frame: FrameIdentity;
  readonly receivedAt: number;
  readonly books: CounterBooks;
}

/**
 * Only inside a write transaction: moves the counter where the frame is a new one of its session.
 * Whoever calls knows whether a frame that is not new is a copy that may still come.
 */
export function countFrame(
  counted: CountedFrame,
  isAwaited: (isNewest: boolean) => boolean,
): CounterStep {
  const { frame, books } = counted;
  const key = sessionKey(frame);
  const last = readCounter(books.files, key);
  const ruled = ruledFrame(counted, key);
  const move = { key, ruled, last };
  if (last === undefined) return moveCounter(counted, move, { kind: 'ahead' });
  // After a reset the frames of before are ahead again.
  const isRecorded = ruled !== undefined && wasTaken(books.files, ruled);
  const isAhead = frame.fCnt > last;
  if (isAhead && !isRecorded) return moveCounter(counted, move, { kind: 'ahead' });
  if (ruled !== undefined && !isAhead && !isRecorded && isReset(books.files, ruled, last)) {
    return moveCounter(counted, move, { kind: 'reset', last });
  }
  return isAwaited(frame.fCnt === last) ? { kind: 'copy' } : { kind: 'replayed', last };
}

/** A joined session never counts anew: the device joins again instead. */
function ruledFrame(
  { item, frame, receivedAt, books }: CountedFrame,
  key: string,
): RuledFrame | undefined {
  const { phyPayload } = item;
  if (frame.session !== undefined || phyPayload === undefined) return undefined;
  const rule = books.resetRuleOf(frame.deviceId);
  return rule && { frame, phyPayload, receivedAt, key, rule };
}

interface Move {
  readonly key: string;
  readonly ruled: RuledFrame | undefined;
  readonly last: number | undefined;
}

function moveCounter(
  { frame, books }: CountedFrame,
  { key, ruled, last }: Move,
  step: CounterStep,
): CounterStep {
  if (ruled !== undefined) rememberFrame(books.files, ruled, last);
  writeCounter(books.files, key, frame.fCnt);
  books.counters.set(key, frame.fCnt);
  return step;
}
