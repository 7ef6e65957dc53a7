/**
 * Where each uplink was first written down, by its content and the time of its reception. Times
 * come in order, so new keys land on a few neighbouring pages of the tree; and a bound in time is
 * what tells a copy from a device that starts its counter again.
 *
 * An uplink that reaches the gateway late is noted under the network's time as well, so that
 * another late one of it finds it there.
 */
import { believableTime, type UplinkTimes } from './content-identity.ts';
import { readCounter, writeCounter } from './frame-session.ts';
import type { IdentityBook } from './identity-book.ts';
import type { LedgerFiles } from './lmdb-files.ts';
import { RecentContents } from './recent-contents.ts';

/**
 * Keys hold the time in steps of this, part of the stored format. Shorter: fewer pages for each
 * group of new keys. Longer: fewer steps to search where an uplink comes twice or late.
 */
const slotMs = 1_024;
const prefixBytes = 4;

/** How many windows the memory spans: one of receipt, and one each for two clocks that disagree. */
const windowsKept = 3;
const fCntMax = 2 ** 32 - 1;
/**
 * What is written is a bound above the highest counter, so that it is written once in this many
 * uplinks. After a restart a bound costs some searches that find nothing, and nothing else.
 */
const countersABound = 16;
/** Uplinks that look the same, but are not, that can come within one slot. */
const alikeMax = 8;
/** Devices whose highest counter is held in memory; those of others are read when asked for. */
const devicesMax = 500_000;
/** Contents that are read back on opening at most; beyond them the oldest copies go unnoticed. */
const contentsReadMax = 1_000_000;

interface ContentLimits {
  readonly copyWindowMs: number;
}

export interface DeviceCounter {
  readonly deviceId: string;
  /** The 32-bit uplink counter. */
  readonly fCnt: number;
}

export class ContentBook {
  readonly #identities: IdentityBook;
  readonly #windowMs: number;
  readonly #recent: RecentContents;
  readonly #files: Pick<LedgerFiles, 'sessions'>;
  /** The highest counter noted of each device, as far as it is asked for: what lies above is new. */
  readonly #highest = new Map<string, number>();

  constructor(
    files: Pick<LedgerFiles, 'sessions'>,
    identities: IdentityBook,
    now: number,
    { copyWindowMs }: ContentLimits,
  ) {
    this.#files = files;
    this.#identities = identities;
    this.#windowMs = copyWindowMs;
    const keepMs = windowsKept * copyWindowMs;
    this.#recent = new RecentContents(keepMs);
    const from = timePrefix(slotOf(Math.max(0, now - keepMs)));
    const to = timePrefix(slotOf(now + keepMs) + 1);
    const kept = [...identities.between(from, to, contentsReadMax)];
    for (const key of kept.sort()) {
      this.#recent.add(key.slice(prefixBytes), slotOfKey(key) * slotMs);
    }
  }

  /** False for nearly all uplinks, late ones too: then there is nothing to search for. */
  mayKnow(content: string, times: UplinkTimes, { deviceId, fCnt }: DeviceCounter): boolean {
    if (this.#recent.mayHave(content)) return true;
    if (!this.#isLate(times)) return false;
    return fCnt <= this.#highestOf(deviceId);
  }

  /** Seqs of first receptions of this content near these times, likeliest first. */
  *find(content: string, times: UplinkTimes): Generator<number> {
    const tried = new Set<number>();
    for (const slot of this.#slotsFor(times)) {
      if (tried.has(slot)) continue;
      tried.add(slot);
      yield* this.#identities.findAll(timePrefix(slot) + content);
    }
  }

  /** Only inside a write transaction. */
  note(content: string, seq: Buffer, times: UplinkTimes, counter: DeviceCounter): void {
    const { receivedAt, rxTime } = times;
    const isFirst = !this.mayKnow(content, times, counter);
    this.#remember(counter);
    const slot = slotOf(receivedAt);
    this.#recent.add(content, receivedAt);
    this.#identities.put(timePrefix(isFirst ? slot : this.#freeSlot(content, slot)) + content, seq);
    if (rxTime === undefined || !this.#isLate(times)) return;
    const told = slotOf(rxTime);
    if (told !== slot) {
      this.#identities.put(timePrefix(this.#freeSlot(content, told)) + content, seq);
    }
  }

  /** After a transaction that failed: what was noted in it is not on disk. */
  forgetCounters(): void {
    this.#highest.clear();
  }

  /** -1 for a device of which nothing is noted. */
  #highestOf(deviceId: string): number {
    const known = this.#highest.get(deviceId);
    if (known !== undefined) return known;
    const stored = readCounter(this.#files, highestKey(deviceId)) ?? -1;
    if (this.#highest.size >= devicesMax) this.#highest.clear();
    this.#highest.set(deviceId, stored);
    return stored;
  }

  #remember({ deviceId, fCnt }: DeviceCounter): void {
    const highest = this.#highestOf(deviceId);
    if (highest >= fCnt) return;
    this.#highest.set(deviceId, fCnt);
    const bound = boundOf(fCnt);
    if (bound !== boundOf(highest)) writeCounter(this.#files, highestKey(deviceId), bound);
  }

  /** Two uplinks that look the same may come at once: the slot before is searched, too. */
  #freeSlot(content: string, slot: number): number {
    for (let at = slot; at > Math.max(0, slot - alikeMax); at -= 1) {
      if (this.#identities.find(timePrefix(at) + content) === undefined) return at;
    }
    return slot;
  }

  /** Further from its reception by the network than copies are awaited, by either clock's fault. */
  #isLate({ receivedAt, rxTime }: UplinkTimes): boolean {
    return rxTime !== undefined && Math.abs(receivedAt - rxTime) > this.#windowMs;
  }

  *#slotsFor(times: UplinkTimes): Generator<number> {
    if (this.#isLate(times)) yield* this.#slotsByNetwork(times);
    yield* this.#slotsBefore(times.receivedAt);
    // After the clock was set back, what came just before is ahead of us.
    const newest = this.#recent.newest();
    if (newest > times.receivedAt) yield* this.#slotsBefore(newest);
    yield* this.#slotsByNetwork(times);
  }

  *#slotsBefore(receivedAt: number): Generator<number> {
    const last = slotOf(Math.max(0, receivedAt - this.#windowMs));
    for (let slot = slotOf(receivedAt); slot >= last; slot -= 1) yield slot;
  }

  /**
   * The two times of reception differ by a window, and the noted one from its receipt by another.
   */
  *#slotsByNetwork({ rxTime }: UplinkTimes): Generator<number> {
    if (rxTime === undefined) return;
    const middle = slotOf(rxTime);
    const reach = Math.ceil((2 * this.#windowMs) / slotMs);
    yield middle;
    for (let away = 1; away <= reach; away += 1) {
      yield middle + away;
      if (middle >= away) yield middle - away;
    }
  }
}

/** -1 for the counter of a device of which nothing is noted. */
function boundOf(fCnt: number): number {
  if (fCnt < 0) return -1;
  const counter = Math.min(fCnt, fCntMax);
  return counter - (counter % countersABound) + countersABound - 1;
}

/** Beside the counters of sessions, whose keys hold a DevAddr. */
function highestKey(deviceId: string): string {
  return `highest ${deviceId}`;
}

/** A clock that is no clock counts from the beginning. */
function slotOf(time: number): number {
  return Math.floor((believableTime(time) ?? 0) / slotMs);
}

/** Four bytes as Latin-1 text: the order of the text is the order of the times. */
function timePrefix(slot: number): string {
  return String.fromCharCode(
    (slot >>> 24) & 0xff,
    (slot >>> 16) & 0xff,
    (slot >>> 8) & 0xff,
    slot & 0xff,
  );
}

function slotOfKey(key: string): number {
  return Buffer.from(key, 'latin1').readUInt32BE();
}
