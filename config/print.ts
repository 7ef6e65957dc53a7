/**
 * Writes the annotated defaults: a file that is valid as it stands, every key with its sentence.
 */
import { stringify } from 'yaml';
import { reloadable } from './reloadable.ts';
import { branchesOf, isSchema, propertiesOf, rootSchema } from './schema-paths.ts';

type Schema = Readonly<Record<string, unknown>>;

/** YAML text; keys without a default are written as comments. */
export function annotatedDefaults(): string {
  const head = [
    '# Fieldgate configuration with every default.',
    '# Each key can also be set as FIELDGATE__SECTION__KEY; a secret as FIELDGATE__SECTION__KEY__FILE.',
    '# On SIGHUP a running gateway takes these over; every other key needs a restart:',
    ...reloadable.map((path) => `#   ${path}`),
    '',
  ];
  return [...head, ...section(rootSchema(), 0)].join('\n').concat('\n');
}

function section(schema: Schema, depth: number): string[] {
  return Object.entries(propertiesOf(schema)).flatMap(([key, child]) =>
    isSchema(child) ? setting(key, child, depth) : [],
  );
}

function setting(key: string, schema: Schema, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const lines = commentOf(schema).map((text) => `${indent}# ${text}`);
  const branches = branchesOf(schema).filter((branch) => Object.keys(propertiesOf(branch)).length);
  const [inner, ...others] = branches;
  const fallback = schema['default'];
  if (inner !== undefined && (depth === 0 || isSchema(fallback))) {
    const body = section(withDefaults(inner, fallback), depth + 1);
    const instead = others.flatMap((other) => [
      `${indent}  # Or:`,
      ...commented(section(other, depth + 1)),
    ]);
    return ['', ...lines, `${indent}${key}:`, ...body, ...instead];
  }
  if (inner !== undefined) {
    return [...lines, `${indent}# ${key}:`, ...commented(section(inner, depth + 1))];
  }
  const value = 'const' in schema ? schema['const'] : fallback;
  const written =
    value === undefined
      ? undefined
      : stringify(value, { flowCollectionPadding: true, collectionStyle: 'flow' });
  return written === undefined
    ? [...lines, `${indent}# ${key}:`]
    : [...lines, `${indent}${key}: ${written.trim()}`];
}

function commented(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^(\s*)(# )?/, '$1# '));
}

function withDefaults(schema: Schema, fallback: unknown): Schema {
  if (!isSchema(fallback)) return schema;
  const properties = Object.entries(propertiesOf(schema)).map(([key, child]) => [
    key,
    isSchema(child) && key in fallback ? { ...child, default: fallback[key] } : child,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

function commentOf(schema: Schema): string[] {
  const words: string[] = [];
  if (typeof schema['description'] === 'string') words.push(schema['description']);
  const options = schema['enum'];
  if (Array.isArray(options)) words.push(`One of: ${options.join(', ')}.`);
  return words.length === 0 ? [] : [words.join(' ')];
}
