/**
 * Derives kept uplinks again after a codec or a device was mended, and writes the same points over
 * those that are there. It goes to the store only, beside the derive loop and in small steps: live
 * viewers are shown no old values, and what comes in meanwhile does not wait behind it.
 */
import { findCodec } from '../../decoders/registry.ts';
import { parseReference } from '../codecs/script.ts';
import type { ScriptCodecs } from '../codecs/script-codecs.ts';
import type { Catalogue } from '../ledger/catalogue.ts';
import type { CodecHistory } from '../ledger/codec-history.ts';
import type { LedgerEntry, LedgerReader } from '../ledger/ledger.ts';
import type { Device } from '../model/device.ts';
import type { RecordBatch } from '../stores/store.ts';
import { createCodecNotes } from './codec-notes.ts';
import { type Derived, deriveEntry } from './derive.ts';
import type { Checkpoints } from './quality/checkpoints.ts';
import type { LaneLimits } from './quality/lane.ts';
import { createQualityControl } from './quality/quality-control.ts';
import { createScriptPass } from './script-pass.ts';

/** Which entries; both ends are of it. */
export interface AgainJob {
  readonly from: number;
  readonly to: number;
  /** Of this device only. */
  readonly device?: string;
  /** Of the devices that have this codec now, whatever its version. */
  readonly codec?: string;
  /** Only these of them are written; the others are what their quality is judged by. */
  readonly seqs?: ReadonlySet<number>;
}

export interface AgainProgress {
  /** Everything up to this entry is in the store. */
  readonly at: number;
  /** Uplinks and values derived, and uplinks that still give none, since the step before. */
  readonly entries: number;
  readonly readings: number;
  readonly faults: number;
  readonly isOver: boolean;
}

export interface AgainParts {
  readonly reader: Pick<LedgerReader, 'read' | 'get'>;
  readonly catalogue: Pick<Catalogue, 'find' | 'amend'>;
  readonly history: Pick<CodecHistory, 'lastOf' | 'apply'>;
  readonly scripts: Pick<ScriptCodecs, 'versionOf' | 'decode'>;
  readonly deviceOf: (id: string) => Device | undefined;
  readonly programVersion: string;
  readonly checkpoints: Pick<Checkpoints, 'before'>;
  readonly limits: LaneLimits;
  /** Resolves once the store has the batch; rejects when it is closed. */
  readonly offer: (batch: RecordBatch) => Promise<void>;
  /** How far the derive loop is: what it has under way is not overtaken. */
  readonly live: () => number;
  readonly tell: (progress: AgainProgress) => void;
}

export interface DeriveAgain {
  /** Ends the job under way, if there is one, and begins this one; resolves when that has ended. */
  start(job: AgainJob): Promise<void>;
  /** Resolves when the step under way is over. */
  stop(): Promise<void>;
}

/** Entries looked at in one step: live passes wait for no more than that. */
const stepEntries = 500;
/** The newest entries are looked for in the ledger: the catalogue may not name them yet. */
const unnamedMax = 50_000;
/** How long it waits for the derive loop to come as far. */
const waitMs = 50;

export function createDeriveAgain(parts: AgainParts): DeriveAgain {
  let generation = 0;
  let running: Promise<void> = Promise.resolve();

  async function run(job: AgainJob, own: number): Promise<void> {
    const derivation = createDerivation(job, parts);
    let at = job.from - 1;
    while (generation === own && at < job.to) {
      const upTo = Math.min(job.to, parts.live());
      if (at >= upTo) {
        await pause(waitMs);
        continue;
      }
      const step = nextStep(job, at, upTo, parts);
      const counts = await derivation.step(step);
      at = step.through;
      if (generation === own) parts.tell({ at, ...counts, isOver: at >= job.to });
      await pause(0);
    }
  }

  return {
    start(job) {
      generation += 1;
      const own = generation;
      // A store that is closed ends it: it goes on where it was at the next start.
      running = running.then(() => run(job, own)).catch(() => {});
      return running;
    },
    async stop() {
      generation += 1;
      await running;
    },
  };
}

interface Step {
  readonly entries: readonly LedgerEntry[];
  /** No wanted entry up to this one is left out. */
  readonly through: number;
}

function nextStep(job: AgainJob, after: number, upTo: number, parts: AgainParts): Step {
  const { reader } = parts;
  const { device } = job;
  const named = Math.min(upTo, job.to - unnamedMax);
  if (device !== undefined && after < named) {
    const found = parts.catalogue.find({ device, after, limit: stepEntries }) ?? [];
    const through = found.length < stepEntries ? named : Math.min(named, found.at(-1) ?? named);
    const seqs = found.filter((seq) => seq <= through);
    return {
      through,
      entries: wanted(
        seqs.flatMap((seq) => reader.get(seq) ?? []),
        job,
        parts,
      ),
    };
  }
  const read = reader.read(after, stepEntries).filter(({ seq }) => seq <= upTo);
  const through = read.length < stepEntries ? upTo : (read.at(-1)?.seq ?? upTo);
  return { through, entries: wanted(read, job, parts) };
}

function wanted(
  entries: readonly LedgerEntry[],
  { device, codec }: AgainJob,
  { deviceOf }: AgainParts,
): readonly LedgerEntry[] {
  if (device === undefined && codec === undefined) return entries;
  return entries.filter(({ item: { deviceId } }) => {
    if (deviceId === undefined || (device !== undefined && device !== deviceId)) return false;
    if (codec === undefined) return true;
    return parseReference(deviceOf(deviceId)?.codec ?? '').id === codec;
  });
}

interface StepCounts {
  readonly entries: number;
  readonly readings: number;
  readonly faults: number;
}

/** With a script pass and a memory of earlier values of its own, beside those of the loop. */
function createDerivation(job: AgainJob, parts: AgainParts) {
  const { scripts, deviceOf, programVersion, catalogue } = parts;
  const notes = createCodecNotes(parts.history, Number.POSITIVE_INFINITY, (id) =>
    pass.deviceOf(id),
  );
  const pass = createScriptPass(scripts, deviceOf, { notes, programVersion });
  /** Wanted entries up to here have been judged. */
  let through = job.from - 1;
  const quality = createQualityControl({
    reader: { read: (after, limit) => earlier(job, { after, limit, upTo: through }, parts) },
    checkpoints: { before: parts.checkpoints.before, save() {}, prune() {} },
    limits: parts.limits,
    deviceOf: pass.deviceOf,
    prepare: pass.prepare,
    derive: (entry, judge) =>
      deriveEntry(entry, {
        deviceOf: pass.deviceOf,
        codecOf: findCodec,
        scriptResultOf: pass.resultOf,
        judge,
      }),
    live: job.from - 1,
  });

  return {
    async step({ entries, through: last }: Step): Promise<StepCounts> {
      if (entries.length > 0) {
        await quality.prepare(entries);
        pass.note(entries);
      }
      const derived = entries
        .map((entry): [number, Derived] => [entry.seq, quality.derive(entry)])
        .filter(([seq]) => job.seqs?.has(seq) ?? true);
      through = last;
      const readings = derived.flatMap(([, { readings: own }]) => own);
      const links = derived.flatMap(([, { links: own }]) => own);
      if (readings.length + links.length > 0) await parts.offer({ readings, links });
      await catalogue.amend(derived.map(([seq, { fault: verdict }]) => ({ seq, verdict })));
      const faults = derived.filter(([, { fault }]) => fault !== undefined).length;
      const uplinks = entries.filter(({ outcome }) => outcome === 'accepted').length;
      return { entries: uplinks, readings: readings.length, faults };
    },
  };
}

interface Stretch {
  readonly after: number;
  readonly limit: number;
  readonly upTo: number;
}

/** What the tests are to remember of the time before: of the same devices only. */
function earlier(job: AgainJob, { after, limit, upTo }: Stretch, parts: AgainParts): LedgerEntry[] {
  let at = after;
  while (at < upTo) {
    const { entries, through } = nextStep(job, at, upTo, parts);
    if (entries.length > 0) return entries.slice(0, limit);
    at = through;
  }
  return [];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}
