/**
 * The ledger on LMDB: deliveries wait while a commit is under way, then go to disk as one group.
 *
 *   accept ─▶ prepare ─▶ queue ─▶ one write transaction: admit each ─▶ commit ─▶ resolve
 *                        full: refused     (ingest thread, a few ms)   (fdatasync, LMDB's thread)
 */
import { type Clock, systemClock } from '../model/clock.ts';
import { admit, type Books, type Prepared, prepare } from './admission.ts';
import { ContentBook } from './content-book.ts';
import { forgetFrames, highestCounter, type ResetRuleOf } from './counter-reset.ts';
import { hasRoom } from './disk-room.ts';
import { readCounter, sessionKey } from './frame-session.ts';
import { IdentityBook } from './identity-book.ts';
import {
  type Delivery,
  type Ledger,
  LedgerUnavailable,
  type Receipt,
  type RetentionLimits,
} from './ledger.ts';
import { assertLimits, type LedgerLimits, ledgerLimits } from './ledger-limits.ts';
import {
  commitCause,
  type DirectoryOptions,
  isUsable,
  type LedgerFiles,
  newestSeq,
  openLedgerFiles,
} from './lmdb-files.ts';
import { retainEntries } from './retention.ts';

export interface LedgerOptions extends DirectoryOptions {
  readonly limits?: Partial<LedgerLimits>;
  readonly clock?: Clock;
  /** Which devices may count their frames anew; none by default. */
  readonly resetRuleOf?: ResetRuleOf;
}

interface Waiting {
  readonly prepared: Prepared;
  readonly resolve: (receipts: readonly Receipt[]) => void;
  readonly reject: (error: Error) => void;
}

/** One at a time for each directory: the caller has claimed it (`claimDirectory`). */
export async function openLedger(options: LedgerOptions): Promise<LmdbLedger> {
  const limits = { ...ledgerLimits, ...options.limits };
  assertLimits(limits);
  const files = openLedgerFiles(options, { readOnly: false });
  const { clock = systemClock, resetRuleOf = () => undefined } = options;
  return new LmdbLedger(files, limits, { clock, resetRuleOf });
}

export class LmdbLedger implements Ledger {
  readonly #files: LedgerFiles;
  readonly #limits: LedgerLimits;
  readonly #books: Books;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #head: number;
  #writing: Promise<void> | undefined;
  /** Why nothing is taken at present: the disk does not answer, or the ledger is closed. */
  #refusal: string | undefined;
  #isClosed = false;
  #isBroken = false;

  constructor(
    files: LedgerFiles,
    limits: LedgerLimits,
    { clock, resetRuleOf }: Required<Pick<LedgerOptions, 'clock' | 'resetRuleOf'>>,
  ) {
    this.#files = files;
    this.#limits = limits;
    this.#head = newestSeq(files);
    const identities = new IdentityBook(files, clock, limits);
    const contents = new ContentBook(files, identities, clock.now(), limits);
    const nextSeq = this.#head + 1;
    const counters = new Map<string, number>();
    this.#books = { files, identities, contents, limits, resetRuleOf, nextSeq, counters };
  }

  accept(delivery: Delivery): Promise<readonly Receipt[]> {
    return new Promise((resolve, reject) => {
      const prepared = prepare(delivery);
      const refusal = this.#refusal ?? this.#queueRefusal(prepared.bytes);
      if (refusal !== undefined) throw new LedgerUnavailable(refusal);
      this.#queue.push({ prepared, resolve, reject });
      this.#queuedBytes += prepared.bytes;
      this.#writing ??= this.#write();
    });
  }

  lastFrameCounter(deviceId: string, devAddr: string): number | undefined {
    const key = sessionKey({ deviceId, devAddr });
    return this.#books.counters.get(key) ?? readCounter(this.#files, key);
  }

  highestFrameCounter(deviceId: string, devAddr: string): number | undefined {
    return highestCounter(this.#files, sessionKey({ deviceId, devAddr }));
  }

  /**
   * Forgets a session, so that its next frame may have any counter: for a device that has joined
   * anew under the same DevAddr, or has been given other keys. Resolves when it is on disk.
   */
  async forgetSession(deviceId: string, devAddr: string): Promise<void> {
    const key = sessionKey({ deviceId, devAddr });
    await this.#commit(() => {
      this.#files.sessions.removeSync(key);
      forgetFrames(this.#files, key);
    });
  }

  head(): number {
    return this.#head;
  }

  retain(limits: RetentionLimits): Promise<number> {
    const { retainBatchMax } = this.#limits;
    return retainEntries(this.#files, limits, retainBatchMax, (apply) => this.#commit(apply));
  }

  /**
   * Writes a note of no meaning: resolves when the disk takes writes, rejects with
   * LedgerUnavailable while it does not.
   */
  async probe(): Promise<void> {
    if (!this.#isRoomLeft()) throw new LedgerUnavailable(fullSentence);
    try {
      await this.#commit(() => this.#files.notes.putSync(probeNote, Buffer.of(0)));
    } catch (error) {
      throw new LedgerUnavailable(failedSentence, { cause: error });
    }
  }

  /** Writes what waits, then closes the files; later calls reject. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#refusal = 'The ledger is closed.';
    await this.#writing;
    await this.#files.root.close();
  }

  #queueRefusal(bytes: number): string | undefined {
    const isFull =
      this.#queue.length >= this.#limits.queueLengthMax ||
      this.#queuedBytes + bytes > this.#limits.queueBytesMax;
    return isFull ? 'The queue in front of the disk is full.' : undefined;
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      await (this.#isRoomLeft() ? this.#writeGroup() : this.#refuseQueue(fullSentence));
    }
    this.#writing = undefined;
  }

  /** Async as its alternative is, so that `#writing` is set before it is done. */
  async #refuseQueue(reason: string): Promise<void> {
    rejectAll(this.#emptyQueue(), new LedgerUnavailable(reason));
  }

  #isRoomLeft(): boolean {
    const bytes = this.#limits.diskReserveBytes + 2 * this.#queuedBytes;
    return hasRoom(this.#files.path, bytes);
  }

  /** All of the group is on disk and resolved, or none of it and rejected. */
  async #writeGroup(): Promise<void> {
    const group: Waiting[] = [];
    const receipts: Receipt[][] = [];
    const { nextSeq } = this.#books;
    let undoRotation = () => {};
    const timer = setTimeout(() => this.#giveUp(group), this.#limits.commitTimeoutMs);
    try {
      await this.#commit(() => {
        undoRotation = this.#books.identities.rotateIfDue();
        this.#admitGroup(group, receipts);
      });
      this.#head = this.#books.nextSeq - 1;
      group.forEach(({ resolve }, place) => {
        resolve(receipts[place] ?? []);
      });
    } catch (error) {
      undoRotation();
      this.#books.contents.forgetCounters();
      this.#books.nextSeq = nextSeq;
      // Nothing could be taken at all: then it is the whole queue that cannot be written.
      this.#isBroken = !isUsable(this.#files);
      const failed =
        group.length > 0 && !this.#isBroken ? group : [...group, ...this.#emptyQueue()];
      rejectAll(failed, new LedgerUnavailable(failedSentence, { cause: error }));
    }
    clearTimeout(timer);
    this.#books.counters.clear();
    if (!this.#isClosed) this.#refusal = this.#isBroken ? brokenSentence : undefined;
  }

  /** Taken as late as possible: what came while the disk was busy is still in this group. */
  #admitGroup(group: Waiting[], receipts: Receipt[][]): void {
    const { groupItemsMax, groupApplyMsMax } = this.#limits;
    const endsAt = performance.now() + groupApplyMsMax;
    let items = 0;
    for (const waiting of this.#queue) {
      items += waiting.prepared.items.length;
      const isClockDue = group.length % clockEvery === clockEvery - 1;
      const isOver = items > groupItemsMax || (isClockDue && performance.now() > endsAt);
      if (isOver && group.length > 0) break;
      group.push(waiting);
      this.#queuedBytes -= waiting.prepared.bytes;
      receipts.push(admit(waiting.prepared, this.#books));
    }
    this.#queue = this.#queue.slice(group.length);
  }

  /**
   * The disk hangs. If it comes back, the group may prove written: a resend is a redelivery then.
   */
  #giveUp(group: readonly Waiting[]): void {
    this.#refusal = 'The disk does not answer.';
    rejectAll([...group, ...this.#emptyQueue()], new LedgerUnavailable(this.#refusal));
  }

  #emptyQueue(): Waiting[] {
    const waiting = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    return waiting;
  }

  async #commit<Result>(apply: () => Result): Promise<Result> {
    if (this.#isBroken) throw new LedgerUnavailable(brokenSentence);
    try {
      return await this.#files.root.childTransaction(apply);
    } catch (error) {
      throw await commitCause(error);
    }
  }
}

/** Deliveries between two looks at the clock: a look costs as much as a tenth of a delivery. */
const clockEvery = 8;

/** Under `notes`; its value means nothing. */
const probeNote = 'probe';
const failedSentence = 'The disk did not take it.';
const fullSentence = 'The disk is full, but for ledger.diskReserveBytes: make room to go on.';
const brokenSentence = 'The disk failed while it wrote the root page: restart to go on.';

function rejectAll(group: readonly Waiting[], error: LedgerUnavailable): void {
  for (const { reject } of group) reject(error);
}
