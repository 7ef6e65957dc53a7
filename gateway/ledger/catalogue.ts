/**
 * What the derive worker knows of the ledger: how far its readers are, the last value of every
 * series, which entry belongs to which device, and what could not be decoded. All of it is a view:
 * when the directory is deleted, it is built again from the ledger.
 */
import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { Fault, FaultCode } from '../model/fault.ts';
import { fault, faultSentences } from '../model/fault.ts';
import type { LedgerEntry, Outcome } from './ledger.ts';

/** The readers whose places in the ledger are kept. */
export type ReaderName = 'live' | 'store';

export interface CatalogueQuery {
  readonly device?: string;
  readonly outcome?: Outcome;
  readonly fault?: FaultCode;
  /** Entries older than this seq, newest first. */
  readonly before?: number;
  /** Entries newer than this seq, oldest first. */
  readonly after?: number;
  readonly limit: number;
}

export interface CatalogueReader {
  position(reader: ReaderName): number;
  /** Seqs that match, as the query orders them; undefined where the query names no index. */
  find(query: CatalogueQuery): number[] | undefined;
  /** Why an accepted entry gave no readings. */
  verdict(seq: number): Fault | undefined;
  /** When the device was last heard, epoch milliseconds. */
  lastSeen(device: string): number | undefined;
  /** Every device that was ever heard, in the order of its id, after `after`. */
  devicesHeard(after: string, limit: number): { id: string; lastSeen: number }[];
  close(): Promise<void>;
}

export interface Catalogue extends CatalogueReader {
  /**
   * Notes entries and their verdicts, oldest first. Written a moment later, together with what
   * else came: until then readers do not see it, and after a crash it is done again.
   */
  note(notes: readonly CatalogueNote[]): void;
  /** Entries were derived again: their verdicts are others, or gone. */
  amend(verdicts: readonly Amendment[]): Promise<void>;
  /** Written with the notes that came before it, never without them. */
  setPosition(reader: ReaderName, seq: number): void;
  keepLatest(rows: readonly LatestRow[]): void;
  latest(): Iterable<LatestRow>;
  /** Removes what belongs to entries before `seq`, which retention has taken from the ledger. */
  forgetBefore(seq: number): void;
}

export interface Amendment {
  readonly seq: number;
  readonly verdict: Fault | undefined;
}

export interface CatalogueNote {
  readonly entry: LedgerEntry;
  readonly fault?: Fault;
}

/** A series' identity and its last row, as the live side counts them. */
export interface LatestRow {
  readonly key: readonly [device: string, quantity: string, channel: string];
  readonly value: readonly unknown[];
}

const notesHeldMax = 10_000;

type IndexKey = [kind: string, name: string, seq: number];

interface Tables {
  readonly root: RootDatabase;
  readonly index: Database<boolean, IndexKey>;
  readonly verdicts: Database<{ code: string; detail: string }, number>;
  readonly seen: Database<number, string>;
  readonly latest: Database<readonly unknown[], [string, string, string]>;
  readonly positions: Database<number, string>;
}

/**
 * Threads of one process share one environment, so every one of them opens it in the same way:
 * one that is opened for reading first could not be written to by another thread.
 */
function openTables(directory: string): Tables {
  mkdirSync(directory, { recursive: true });
  const root = open({ path: directory, maxDbs: 8, noMemInit: true });
  return {
    root,
    index: root.openDB({ name: 'index' }),
    verdicts: root.openDB({ name: 'verdicts' }),
    seen: root.openDB({ name: 'seen' }),
    latest: root.openDB({ name: 'latest' }),
    positions: root.openDB({ name: 'positions' }),
  };
}

export interface CatalogueOptions {
  /** How long what is noted waits for more of it. Milliseconds. */
  readonly writeAfterMs: number;
}

/**
 * With more than so many notes it waits a few times longer: each goes to a page of its device's
 * own, so more of them together cost the disk less. With fewer it does not, as the ledger waits
 * while the disk takes them.
 */
const fewNotes = 2_500;
const waitsOfMany = 4;

/** The writer, one per data directory, on the worker thread. */
export function openCatalogue(
  directory: string,
  { writeAfterMs }: CatalogueOptions = { writeAfterMs: 250 },
): Catalogue {
  const tables = openTables(directory);
  const reader = readerOf(tables);
  const positions = new Map<ReaderName, number>();
  let held: Noted[] = [];
  let timer: NodeJS.Timeout | undefined;
  let waits = 0;

  function writeInTime(): void {
    waits += 1;
    if (held.length <= fewNotes || waits >= waitsOfMany) write();
    else timer = setTimeout(writeInTime, writeAfterMs);
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    waits = 0;
    writeNotes(tables, held);
    for (const [name, seq] of positions) tables.positions.put(name, seq);
    positions.clear();
    held = [];
  }

  return {
    ...reader,
    position: (name) => positions.get(name) ?? reader.position(name),
    note(notes) {
      for (const one of notes) held.push(notedOf(one));
      if (held.length >= notesHeldMax) write();
      else timer ??= setTimeout(writeInTime, writeAfterMs);
    },
    async amend(verdicts) {
      write();
      // What was written a moment ago is seen inside a transaction only.
      await tables.root.transaction(() => {
        for (const one of verdicts) amendVerdict(tables, one);
      });
    },
    setPosition(name, seq) {
      positions.set(name, seq);
      timer ??= setTimeout(writeInTime, writeAfterMs);
    },
    keepLatest(rows) {
      for (const { key, value } of rows) tables.latest.put([...key], value);
    },
    *latest() {
      for (const { key, value } of tables.latest.getRange()) yield { key, value };
    },
    forgetBefore(seq) {
      write();
      for (const [kind, name, first] of namesOf(tables.index)) {
        if (first >= seq) continue;
        const old = tables.index.getKeys({ start: [kind, name, 0], end: [kind, name, seq] });
        for (const key of old) tables.index.remove(key);
      }
      for (const old of tables.verdicts.getKeys({ end: seq })) tables.verdicts.remove(old);
    },
    close() {
      write();
      return reader.close();
    },
  };
}

/** The first key of every name, found by leaps: a device's entries are not walked. */
function* namesOf(index: Tables['index']): Generator<IndexKey> {
  let start: IndexKey = ['', '', 0];
  for (;;) {
    const [key] = index.getKeys({ start, limit: 1 });
    if (key === undefined) return;
    yield key;
    start = [key[0], key[1], Number.MAX_SAFE_INTEGER];
  }
}

/** Any other thread's view. */
export function openCatalogueReader(directory: string): CatalogueReader {
  return readerOf(openTables(directory));
}

function readerOf(tables: Tables): CatalogueReader {
  return {
    position: (reader) => tables.positions.get(reader) ?? 0,
    find: (query) => findIn(tables.index, query),
    verdict(seq) {
      const found = tables.verdicts.get(seq);
      return found !== undefined && isFaultCode(found.code)
        ? fault(found.code, found.detail)
        : undefined;
    },
    lastSeen: (device) => tables.seen.get(device),
    devicesHeard: (after, limit) =>
      [...tables.seen.getRange({ start: after, exclusiveStart: true, limit })].map(
        ({ key, value }) => ({ id: key, lastSeen: value }),
      ),
    close: () => tables.root.close(),
  };
}

/** What is kept of an entry until it is written: without its body, which may be large. */
interface Noted {
  readonly seq: number;
  readonly device: string | undefined;
  readonly outcome: Outcome;
  readonly receivedAt: number;
  readonly refusal: Fault | undefined;
  readonly verdict: Fault | undefined;
}

function notedOf({ entry, fault: verdict }: CatalogueNote): Noted {
  const { seq, item, outcome, receivedAt } = entry;
  const refusal = item.kind === 'quarantined' ? item.fault : undefined;
  return { seq, device: item.deviceId, outcome, receivedAt, refusal, verdict };
}

/** A device's many entries touch the same pages of the tree, so they are written together. */
function writeNotes(tables: Tables, notes: readonly Noted[]): void {
  const seen = new Map<string, number>();
  for (const note of notes) {
    const { device, outcome, receivedAt } = note;
    writeNote(tables, note);
    const isHeard = outcome === 'accepted' || outcome === 'copy';
    if (isHeard && device !== undefined) seen.set(device, receivedAt);
  }
  for (const [device, receivedAt] of seen) tables.seen.put(device, receivedAt);
}

function writeNote({ index, verdicts }: Tables, note: Noted): void {
  const { seq, device, outcome, refusal, verdict } = note;
  if (device !== undefined) index.put(['device', device, seq], true);
  if (outcome !== 'accepted') index.put(['outcome', outcome, seq], true);
  const reason = verdict ?? refusal;
  if (reason === undefined) return;
  index.put(['fault', reason.code, seq], true);
  if (verdict !== undefined) verdicts.put(seq, { code: verdict.code, detail: verdict.detail });
}

function amendVerdict({ index, verdicts }: Tables, { seq, verdict }: Amendment): void {
  const before = verdicts.get(seq);
  if (before?.code === verdict?.code && before?.detail === verdict?.detail) return;
  if (before !== undefined) index.remove(['fault', before.code, seq]);
  if (verdict === undefined) {
    verdicts.remove(seq);
    return;
  }
  index.put(['fault', verdict.code, seq], true);
  verdicts.put(seq, { code: verdict.code, detail: verdict.detail });
}

/** One index leads; the caller checks the other wishes on the entries themselves. */
function findIn(index: Tables['index'], query: CatalogueQuery): number[] | undefined {
  const lead = leadOf(query);
  if (lead === undefined) return undefined;
  const [kind, name] = lead;
  const { before = Number.MAX_SAFE_INTEGER, after, limit } = query;
  const range =
    after === undefined
      ? { start: [kind, name, before - 1], end: [kind, name, 0], reverse: true, limit }
      : { start: [kind, name, after + 1], end: [kind, name, Number.MAX_SAFE_INTEGER], limit };
  return [...index.getKeys(range)].map((key) => key[2]);
}

function leadOf({ device, fault: code, outcome }: CatalogueQuery): [string, string] | undefined {
  if (code !== undefined) return ['fault', code];
  if (device !== undefined) return ['device', device];
  return outcome === undefined || outcome === 'accepted' ? undefined : ['outcome', outcome];
}

function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(faultSentences, text);
}
