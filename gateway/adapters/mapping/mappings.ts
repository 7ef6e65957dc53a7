/** The mappings of a configuration as adapters with their routes, or everything wrong with them. */
import assert from 'node:assert/strict';
import type { Mapping } from '../../../config/mapping-schema.ts';
import type { Adapter } from '../adapter.ts';
import type { Route } from '../topic-filter.ts';
import type { MappingProblem } from './context.ts';
import { compileMapping } from './mapping.ts';
import { findProfile, profiles } from './profiles/registry.ts';

export interface MappingAdapters {
  readonly adapters: readonly Adapter[];
  /** In the order of the configuration: the first that fits is used. */
  readonly routes: readonly Route[];
}

export interface MappingOptions {
  /** This installation's secret for hashed device ids; at least 16 bytes. */
  readonly identityKey: Buffer;
}

const identityKeyBytesMin = 16;

/** The mappings must have passed checkMappings. */
export function createMappingAdapters(
  mappings: readonly Mapping[],
  { identityKey }: MappingOptions,
): MappingAdapters {
  assert.ok(identityKey.length >= identityKeyBytesMin, 'the identity key is a secret');
  const problems: MappingProblem[] = [];
  const compiled = mappings.map((mapping, at) =>
    compileEntry(mapping, at, { identityKey, problems }),
  );
  assert.deepEqual(problems, [], 'the mappings were checked');
  return {
    adapters: compiled,
    routes: compiled.flatMap((adapter) =>
      adapter.topicFilters.map((filter) => ({ filter, adapter })),
    ),
  };
}

/** Paths begin with the place in the list: `0.rules.1.deviceId.from`. */
export function checkMappings(
  mappings: readonly Mapping[],
  takenNames: readonly string[],
): readonly MappingProblem[] {
  const problems: MappingProblem[] = [];
  const identityKey = Buffer.alloc(identityKeyBytesMin);
  const names = new Set(takenNames);
  const filters = new Set<string>();
  mappings.forEach((mapping, at) => {
    const adapter = compileEntry(mapping, at, { identityKey, problems });
    const claim = (taken: Set<string>, key: string, word: string) => {
      if (taken.has(word)) problems.push({ path: `${at}.${key}`, detail: `${word} is taken` });
      taken.add(word);
    };
    claim(names, 'name', adapter.name);
    for (const filter of adapter.topicFilters) claim(filters, 'topics', filter);
  });
  return problems;
}

function compileEntry(
  entry: Mapping,
  at: number,
  parts: { readonly identityKey: Buffer; readonly problems: MappingProblem[] },
): Adapter {
  const path = String(at);
  const mapping = withProfile(entry, path, parts.problems);
  const name = mapping.name ?? mapping.profile;
  if (name === undefined) parts.problems.push({ path, detail: 'has no name' });
  return compileMapping(mapping, { ...parts, name: name ?? 'unnamed', path });
}

/** Each key of the entry replaces the profile's as a whole. */
function withProfile(entry: Mapping, path: string, problems: MappingProblem[]): Mapping {
  if (entry.profile === undefined) return entry;
  const profile = findProfile(entry.profile);
  if (profile === undefined) {
    const known = profiles.map(({ name }) => name).join(', ');
    const detail = `no profile is named ${entry.profile}; known: ${known}`;
    problems.push({ path: `${path}.profile`, detail });
    return { ...entry, rules: entry.rules ?? [] };
  }
  return { ...profile, ...entry };
}
