import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { annotatedDefaults } from '../../config/print.ts';
import { reloadable } from '../../config/reloadable.ts';
import { configJsonSchema } from '../../config/schema.ts';
import {
  branchesOf,
  isSchema,
  keysAt,
  propertiesOf,
  rootSchema,
} from '../../config/schema-paths.ts';
import { configOf, loaded, problemsOf } from './configuration-file.ts';

describe('The annotated defaults', () => {
  it('are a sound configuration with the values of the defaults', () => {
    expect(configOf(loaded(annotatedDefaults()))).toEqual(configOf(loaded('version: 1\n')));
  });

  it('write down every setting that has a default', () => {
    const { version, ...written } = parse(annotatedDefaults());
    expect(version).toBe(1);
    const { keyFile, ...defaults } = configOf(loaded('version: 1\n'));
    expect(keyFile).toBeUndefined();
    expect({ version, ...written }).toEqual(defaults);
  });

  it('mention every key of the schema, those without a default as comments', () => {
    const text = annotatedDefaults();
    for (const { key } of settingsOf(rootSchema(), '')) expect(text).toMatch(`${key}:`);
  });

  it('offer the other store in comments that are sound once they are used', () => {
    const lines = annotatedDefaults().split('\n');
    const from = lines.findIndex((line) => line.includes('# Or:'));
    const section = lines.slice(from + 1, lines.indexOf('', from));
    const settings = section
      .map((line) => line.replace('# ', ''))
      .filter((line) => !/[.]$/.test(line));
    const text = ['version: 1', 'store:', ...settings.filter((line) => !line.endsWith(':'))];
    expect(configOf(loaded(text.join('\n'))).store).toMatchObject({ kind: 'influx' });
  });

  it('say which keys need no restart, all of them keys of the schema', () => {
    for (const path of reloadable) {
      expect(annotatedDefaults()).toContain(`#   ${path}\n`);
      // `list[].key` is a key of every entry.
      const parts = path.replaceAll('[]', '.0').split('.');
      const above = parts.slice(0, -1).map((part) => (part === '0' ? 0 : part));
      expect(keysAt(above)).toContain(parts.at(-1));
    }
  });

  it('stay within 100 columns', () => {
    for (const line of annotatedDefaults().split('\n'))
      expect(line.length).toBeLessThanOrEqual(100);
  });
});

/** Settings whose name says what they are, units included. */
const selfExplaining =
  /(Max|Ms|Bytes|Seconds|Days)$|^(http|mqtt|ingest|ledger|live|log|limits|level)$/;
const plainWords = new Set(['username', 'password', 'url', 'database']);

describe('The JSON Schema', () => {
  it('describes every setting, or its name does', () => {
    const silent = settingsOf(rootSchema(), '').filter(
      ({ key, schema }) =>
        typeof schema['description'] !== 'string' &&
        !selfExplaining.test(key) &&
        !plainWords.has(key),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('accepts what the loader accepts and refuses what it refuses', () => {
    const validate = new Ajv2020({ formats: { uri: true } }).compile(objectOf(configJsonSchema()));
    expect(validate(parse(annotatedDefaults()))).toBe(true);
    for (const text of ['version: 2', 'version: 1\nhttp: {port: -1}', 'version: 1\nhtpt: {}']) {
      expect(validate(parse(text))).toBe(false);
      expect(problemsOf(loaded(text)).length).toBeGreaterThan(0);
    }
  });
});

interface Setting {
  readonly key: string;
  readonly path: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

function settingsOf(schema: Setting['schema'], above: string): Setting[] {
  return Object.entries(propertiesOf(schema)).flatMap(([key, child]) => {
    if (!isSchema(child)) return [];
    const path = `${above}${key}`;
    const inner = branchesOf(child).flatMap((branch) => settingsOf(branch, `${path}.`));
    return [{ key, path, schema: child }, ...inner];
  });
}

function objectOf(value: unknown): object {
  if (typeof value === 'object' && value !== null) return value;
  throw new Error('it is no object');
}
