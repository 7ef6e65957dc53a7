/**
 * From a user's checkout of a device repository into the data directory: scripts become codecs,
 * devices become models in `models/<vendor>.json`. What is at fault is told and left out.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodecDraft } from '../codec-check.ts';
import type { CodecRegistry, PutOutcome } from '../registry.ts';
import {
  type Checkout,
  type FoundCodec,
  type FoundVendor,
  openCheckout,
  sentenceOf,
} from './checkout.ts';
import { isProfileRepository, profileRepositoryVendors } from './chirpstack-profiles.ts';
import { packageVendors } from './packages.ts';
import { deviceRepositoryVendors, isDeviceRepository } from './the-things-network.ts';

export interface ImportOptions {
  readonly directory: string;
  /** Only this one. */
  readonly vendor?: string;
  readonly registry: CodecRegistry;
  /** Where models go, a file for each vendor. */
  readonly modelsDirectory: string;
  readonly onProgress: (counts: ImportCounts) => void;
}

export interface ImportCounts {
  readonly vendors: number;
  readonly models: number;
  /** Codecs that are new, that have another version, and that are as they were. */
  readonly added: number;
  readonly replaced: number;
  readonly unchanged: number;
  /** Codecs that were not taken. */
  readonly refused: number;
}

export interface ImportReport extends ImportCounts {
  readonly layout: 'the-things-network' | 'chirpstack' | 'packages';
  /** A sentence for each thing that was left out. */
  readonly problems: readonly string[];
  /** Codecs that were taken though some of their own examples fail. */
  readonly remarks: readonly string[];
}

type Counts = { -readonly [Name in keyof ImportCounts]: number };

export async function importAll(options: ImportOptions): Promise<ImportReport> {
  const checkout = openCheckout(options.directory);
  const counts: Counts = {
    ...{ vendors: 0, models: 0, added: 0, replaced: 0, unchanged: 0, refused: 0 },
  };
  const problems: string[] = [];
  const remarks: string[] = [];
  const { layout, read } = layoutOf(checkout);
  const written = new Map<string, FoundVendor>();
  for (const vendor of read(checkout, options.vendor, (problem) => problems.push(problem))) {
    for (const codec of vendor.codecs) {
      const outcome = await importCodec(codec, checkout, options.registry, { problems, remarks });
      counts[outcome] += 1;
    }
    const before = written.get(vendor.id);
    if (before === undefined) counts.vendors += 1;
    const models = [...(before?.models ?? []), ...vendor.models];
    written.set(vendor.id, { ...vendor, models });
    counts.models += vendor.models.length;
    writeModels(options.modelsDirectory, { ...vendor, models });
    options.onProgress(counts);
  }
  return { ...counts, layout, problems, remarks };
}

function layoutOf(checkout: Checkout) {
  if (isDeviceRepository(checkout))
    return { layout: 'the-things-network', read: deviceRepositoryVendors } as const;
  if (isProfileRepository(checkout))
    return { layout: 'chirpstack', read: profileRepositoryVendors } as const;
  return { layout: 'packages', read: packageVendors } as const;
}

interface Told {
  readonly problems: string[];
  readonly remarks: string[];
}

type CodecOutcome = 'added' | 'replaced' | 'unchanged' | 'refused';

async function importCodec(
  codec: FoundCodec,
  checkout: Checkout,
  registry: CodecRegistry,
  { problems, remarks }: Told,
): Promise<CodecOutcome> {
  const { id, title, script, examples } = codec;
  try {
    const draft = { source: checkout.text(script), title, variables: {}, examples };
    const before = registry.get(id)?.current;
    const outcome = await putWithout(registry, id, draft, remarks);
    if (!outcome.ok) {
      problems.push(`${script}: ${sentenceOf(outcome.problems[0])}`);
      return 'refused';
    }
    if (before === undefined) return 'added';
    return outcome.record.current === before ? 'unchanged' : 'replaced';
  } catch (error) {
    problems.push(`${script}: ${sentenceOf(error)}`);
    return 'refused';
  }
}

/** A repository's example may be the one that is wrong: the script is taken, and that is told. */
async function putWithout(
  registry: CodecRegistry,
  id: string,
  draft: CodecDraft,
  remarks: string[],
): Promise<PutOutcome> {
  const by = { origin: 'import', name: 'import' } as const;
  const outcome = await registry.put(id, draft, by);
  const isExamples = !outcome.ok && outcome.problems.every((one) => one.startsWith('example '));
  if (!isExamples) return outcome;
  remarks.push(`${id}: ${sentenceOf(outcome.problems[0])}`);
  return registry.put(id, { ...draft, examples: [] }, by);
}

/** A vendor's folder in the checkout has this name, which need not be one that is safe here. */
function writeModels(directory: string, { id, name, models }: FoundVendor): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${id.replace(/[^A-Za-z0-9_-]+/g, '-')}.json`);
  writeFileSync(
    `${path}.tmp`,
    JSON.stringify({ format: 1, vendor: { id, name }, models }, null, 1),
  );
  renameSync(`${path}.tmp`, path);
}
