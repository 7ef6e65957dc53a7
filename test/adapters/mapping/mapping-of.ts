/** Mappings as a configuration would have them, for the tests. */
import { mappingSchema } from '../../../config/mapping-schema.ts';
import type { Adapter } from '../../../gateway/adapters/adapter.ts';
import {
  checkMappings,
  createMappingAdapters,
} from '../../../gateway/adapters/mapping/mappings.ts';

/** A test vector: ids that are hashed with it stand in the golden files. */
export const identityKey = Buffer.from('a test key of 32 bytes, no secret');

/** The adapter of one entry of `ingest.mappings`. */
export function mappingOf(entry: unknown): Adapter {
  const mapping = mappingSchema.parse(entry);
  const problems = checkMappings([mapping], []);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const [adapter] = createMappingAdapters([mapping], { identityKey }).adapters;
  if (adapter === undefined) throw new Error('there is no adapter');
  return adapter;
}

/** Of one rule, for bodies in JSON on `test/{name}`. */
export function ruleOf(rule: object, others: object = {}): Adapter {
  return mappingOf({ name: 'test', topics: ['test/{name}'], ...others, rules: [rule] });
}

/** What is wrong with a mapping, each as `path: detail`. */
export function problemsOf(...entries: readonly unknown[]): string[] {
  const mappings = entries.map((entry) => mappingSchema.parse(entry));
  return checkMappings(mappings, ['chirpstack']).map(({ path, detail }) => `${path}: ${detail}`);
}
