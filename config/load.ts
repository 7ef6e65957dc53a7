/** Reads the configuration once: file, then environment, then every error at once with its line. */
import { readFileSync } from 'node:fs';
import { closest, distance } from 'fastest-levenshtein';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type EnvironmentSetting, readEnvironment } from './environment.ts';
import { type Config, configSchema } from './schema.ts';
import { isTextAt, keysAt } from './schema-paths.ts';

export interface ConfigProblem {
  /** Where it stands: `file:line`, or the environment variable. */
  readonly at: string;
  readonly path: string;
  readonly detail: string;
  readonly remedy?: string;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Where a path such as `ingest.routes.0.adapter` stands. */
      readonly locate: (path: string) => string;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

type Path = readonly (string | number)[];

/** Never throws: a file that cannot be read or parsed is a problem like any other. */
export function loadConfig(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const source = file === undefined ? emptySource() : readSource(file);
  if (!source.ok) return { ok: false, problems: source.problems };
  const { settings, problems } = readEnvironment(environment, { keysAt, isText: isTextAt });
  const variableOf = new Map<string, string>();
  for (const setting of settings) {
    if (place(setting, source.document)) variableOf.set(setting.path.join('.'), setting.variable);
    else problems.push({ variable: setting.variable, detail: 'what stands above it has no keys' });
  }
  const written = valuesOf(source.document);
  if (!written.ok) return { ok: false, problems: [{ at: source.name, ...written.problem }] };
  const parsed = configSchema.safeParse(written.values);
  const found: ConfigProblem[] = problems.map(({ variable, detail }) => ({
    at: variable,
    path: variable,
    detail,
  }));
  const locate = (path: Path) => variableFor(path, variableOf) ?? source.locate(path);
  if (!parsed.success) {
    found.push(...parsed.error.issues.flatMap((issue) => problemsOf(issue, locate)));
  }
  if (found.length > 0 || !parsed.success) return { ok: false, problems: found };
  const config = deepFreeze(parsed.data);
  return { ok: true, config, locate: (path) => locate(partsOf(path)) };
}

/** A remark such as the id of a device, in brackets after its number, is no part of the path. */
function partsOf(path: string): Path {
  return path.replace(/ \([^)]*\)/, '').split('.');
}

/** One line a problem, as people read it. */
export function formatProblem({ at, path, detail, remedy }: ConfigProblem): string {
  return `${at}: ${path}: ${detail}${remedy === undefined ? '' : ` (${remedy})`}`;
}

/** False where the file has text or a list in place of the section. */
function place({ path, value }: EnvironmentSetting, document: Document): boolean {
  try {
    document.setIn(path, value);
    return true;
  } catch {
    return false;
  }
}

type Values =
  | { readonly ok: true; readonly values: unknown }
  | { readonly ok: false; readonly problem: Omit<ConfigProblem, 'at'> };

/** Refuses a file whose aliases multiply each other without end. */
function valuesOf(document: Document): Values {
  try {
    return { ok: true, values: document.toJS() ?? {} };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: { path: 'YAML', detail } };
  }
}

interface Source {
  readonly ok: true;
  readonly name: string;
  readonly document: Document;
  locate(path: Path): string;
}

function emptySource(): Source {
  const document = parseDocument('version: 1\n');
  return { ok: true, name: 'defaults', document, locate: () => 'defaults' };
}

function readSource(file: string): Source | { ok: false; problems: ConfigProblem[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const remedy = 'name a file that exists, or write one from `fieldgate config print`';
    const detail = `cannot be read: ${reasonOf(error)}`;
    return { ok: false, problems: [{ at: file, path: 'file', detail, remedy }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      at: `${file}:${lines.linePos(error.pos[0]).line}`,
      path: 'YAML',
      detail: error.message,
    }));
    return { ok: false, problems };
  }
  if (document.contents !== null && !isMap(document.contents)) {
    const remedy = 'start with `version: 1`, or with the output of `fieldgate config print`';
    return {
      ok: false,
      problems: [{ at: `${file}:1`, path: 'file', detail: 'is not a map of settings', remedy }],
    };
  }
  const locate = (path: Path) => locateIn(document, lines, file, path);
  return { ok: true, name: file, document, locate };
}

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  if (code === 'EISDIR') return 'is a directory';
  return code === 'EACCES' ? 'permission is missing' : String(error);
}

/** The line of the deepest part of the path that is written down: a missing key has none itself. */
function locateIn(document: Document, lines: LineCounter, file: string, path: Path): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start !== undefined) return `${file}:${lines.linePos(start).line}`;
  }
  return `${file}:1`;
}

function variableFor(path: Path, variables: ReadonlyMap<string, string>): string | undefined {
  const wanted = path.join('.');
  for (const [set, variable] of variables) {
    if (wanted === set || wanted.startsWith(`${set}.`)) return variable;
  }
  return undefined;
}

function problemsOf(issue: z.core.$ZodIssue, locate: (path: Path) => string): ConfigProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code !== 'unrecognized_keys') {
    return [{ at: locate(path), path: path.join('.') || 'file', detail: issue.message }];
  }
  return issue.keys.map((key) => ({
    at: locate([...path, key]),
    path: [...path, key].join('.'),
    detail: 'unknown key',
    ...suggestion(key, keysAt(path)),
  }));
}

function suggestion(key: string, known: readonly string[]): { remedy?: string } {
  if (known.length === 0) return {};
  // A name from the environment is in capitals, and two letters that changed places count as two.
  const nearest = closest(key.toLowerCase(), [...known]);
  return distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, key.length / 3)
    ? { remedy: `did you mean ${nearest}?` }
    : { remedy: `known here: ${known.join(', ')}` };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
