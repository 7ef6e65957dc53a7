/**
 * Reads the ledger at its own pace and hands on what it derives: first to the live side, then to
 * the store. A store that is down holds back only itself: live goes on, and what the store missed
 * is derived again once it answers, from where the store's own cursor stands.
 */
import type { Catalogue, CatalogueNote } from '../ledger/catalogue.ts';
import type { LedgerEntry, LedgerReader } from '../ledger/ledger.ts';
import type { LinkSample, Reading } from '../model/reading.ts';
import type { RecordBundle } from '../stores/store.ts';
import type { Derived } from './derive.ts';

export interface DeriveLoopParts {
  readonly reader: Pick<LedgerReader, 'read'>;
  /**
   * Keeps the store's place; who keeps the last values keeps the place of the live side with them.
   */
  readonly catalogue: Pick<Catalogue, 'position' | 'setPosition' | 'note'>;
  readonly derive: (entry: LedgerEntry) => Derived;
  /** Called with all entries of a pass before they are derived, which waits for what it returns. */
  readonly prepare?: (entries: readonly LedgerEntry[]) => Promise<void> | undefined;
  readonly feed: DeriveFeed;
  /** Hands readings on to the live side; called once for each entry, in order. */
  readonly publish: (readings: readonly Reading[]) => void;
  readonly observe: (progress: DeriveProgress) => void;
  /** Readings that may wait for their turn at the store; see below. */
  readonly readingsHeldMax?: number;
  /** The store says that it has so many readings more, and with them everything up to `seq`. */
  readonly onStored: (readings: number, seq: number) => void;
}

export interface DeriveFeed {
  gather(): RecordBundle;
  /** Resolves when the store has the bundle; retries by itself; rejects only when it is closed. */
  offer(bundle: RecordBundle): Promise<void>;
  isDown(): boolean;
}

export interface DeriveProgress {
  readonly live: number;
  readonly store: number;
  /** When the oldest entry of this pass was received, epoch milliseconds. */
  readonly receivedAt: number;
  readonly faults: Readonly<Record<string, number>>;
}

export interface DeriveLoop {
  /** Something new may be in the ledger. */
  wake(): void;
  /** Resolves when the pass under way is over. */
  stop(): Promise<void>;
}

/**
 * Entries a pass: large enough that its own costs are nothing, small enough that a viewer does not
 * wait for it and that the collector finds nearly all of them dead.
 */
const entriesMax = 250;
/** A modem's message may hold thousands of values: so many bytes of them at once are enough. */
const bytesMax = 4 * 1024 * 1024;
const offersInFlightMax = 2;
/**
 * What is derived waits here for its turn at the store, and what comes meanwhile joins it: some
 * 40 MB of lines. With more than this the store's side is left behind, and derived again from the
 * ledger later, which a store that is only slow must not bring about: it would be the slower.
 */
const readingsHeldMaxUsual = 400_000;
/**
 * From one pass to the next while not much is new: a pass has costs of its own, and so has what the
 * store makes of it.
 */
const gatherMs = 25;
/** How long a pass waits when there is nothing to do and nobody wakes it. */
const idleMs = 500;

export function startDeriveLoop(parts: DeriveLoopParts): DeriveLoop {
  const { readingsHeldMax = readingsHeldMaxUsual } = parts;
  let live = parts.catalogue.position('live');
  let stored = parts.catalogue.position('store');
  /** Derived for the store up to here: stored, on the way or held. */
  let derived = stored;
  let held = parts.feed.gather();
  let offered = stored;
  let inFlight = 0;
  let isStopped = false;
  let wake: () => void = () => {};
  let endRest: () => void = () => {};

  /** The feed answers in the order of the offers: a stored bundle means that all before it are. */
  function offerHeld(): void {
    if (offered === derived || inFlight >= offersInFlightMax) return;
    const [bundle, upTo] = [held, derived];
    held = parts.feed.gather();
    offered = upTo;
    inFlight += 1;
    const settle = () => {
      inFlight -= 1;
      offerHeld();
      wake();
    };
    parts.feed.offer(bundle).then(() => {
      stored = upTo;
      parts.catalogue.setPosition('store', stored);
      parts.onStored(bundle.readings, stored);
      settle();
    }, settle);
  }

  /** Derives what follows `after` for either side; returns how many entries there were. */
  async function deriveFor(after: number, limit: number, toStore: boolean): Promise<number> {
    const entries = parts.reader.read(after, limit, bytesMax);
    const last = entries.at(-1);
    const first = entries[0];
    if (last === undefined || first === undefined) return 0;
    await parts.prepare?.(entries);
    const { notes, fresh, faults, records } = deriveAll(entries, live, parts.derive);
    if (notes.length > 0) {
      parts.publish(fresh);
      live = last.seq;
      parts.catalogue.note(notes);
    }
    if (toStore) {
      held.add(records);
      derived = last.seq;
      offerHeld();
    }
    parts.observe({ live, store: stored, receivedAt: first.receivedAt, faults });
    return entries.length;
  }

  /** Both sides in one go while they are level; else live first, then the store's backlog. */
  async function pass(): Promise<number> {
    const mayHold = !parts.feed.isDown() && held.readings < readingsHeldMax;
    if (mayHold && derived === live) return deriveFor(live, entriesMax, true);
    const didLive = await deriveFor(live, entriesMax, false);
    const backlog = Math.min(live - derived, entriesMax);
    const didStore = mayHold && backlog > 0 ? await deriveFor(derived, backlog, true) : 0;
    return Math.max(didLive, didStore);
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const startedAt = performance.now();
      const done = await pass();
      const restMs = done < entriesMax ? startedAt + gatherMs - performance.now() : 0;
      if (done === 0) await idle(idleMs, (resolve) => (wake = endRest = resolve));
      else if (restMs > 0) await idle(restMs, (resolve) => (endRest = resolve));
      else await nextTurn();
    }
  }

  const running = run();
  return {
    wake: () => wake(),
    async stop() {
      isStopped = true;
      endRest();
      await running;
    },
  };
}

/** Entries up to `live` are known to the live side; the records are all that there are. */
function deriveAll(
  entries: readonly LedgerEntry[],
  live: number,
  derive: (entry: LedgerEntry) => Derived,
) {
  const records: { readonly readings: Reading[]; readonly links: LinkSample[] } = {
    readings: [],
    links: [],
  };
  const notes: CatalogueNote[] = [];
  const fresh: Reading[] = [];
  const faults: Record<string, number> = {};
  for (const entry of entries) {
    const derived = derive(entry);
    for (const reading of derived.readings) records.readings.push(reading);
    for (const link of derived.links) records.links.push(link);
    if (entry.seq <= live) continue;
    for (const reading of derived.readings) fresh.push(reading);
    const verdict = derived.fault;
    notes.push(verdict === undefined ? { entry } : { entry, fault: verdict });
    if (verdict !== undefined) faults[verdict.code] = (faults[verdict.code] ?? 0) + 1;
  }
  return { notes, fresh, faults, records };
}

/** Lets messages and timers through between two passes. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function idle(ms: number, onWake: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    onWake(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
