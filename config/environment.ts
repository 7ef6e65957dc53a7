/** Settings from the environment: FIELDGATE__SECTION__KEY, and …__FILE for a secret in a file. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface EnvironmentSetting {
  readonly variable: string;
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

export interface EnvironmentProblem {
  readonly variable: string;
  readonly detail: string;
}

const prefix = 'FIELDGATE__';

/**
 * Reads every setting of the environment. `keysAt` tells the known keys of a section, so that
 * DATA_DIR, DATADIR and dataDir all find `dataDir`; `isText` says where a value stays as written.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  schema: {
    keysAt(path: readonly (string | number)[]): readonly string[];
    isText(path: readonly (string | number)[]): boolean;
  },
): { settings: EnvironmentSetting[]; problems: EnvironmentProblem[] } {
  const settings: EnvironmentSetting[] = [];
  const problems: EnvironmentProblem[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || text === undefined) continue;
    const segments = variable.slice(prefix.length).split('__');
    const fromFile = segments.at(-1) === 'FILE';
    if (fromFile) segments.pop();
    if (segments.length === 0 || segments.includes('')) {
      problems.push({ variable, detail: 'names no setting: FIELDGATE__SECTION__KEY' });
      continue;
    }
    const path = resolvePath(segments, schema.keysAt);
    const raw = fromFile ? readSecret(text) : text;
    if (raw === undefined) {
      problems.push({ variable, detail: `cannot read the file it names: ${text}` });
      continue;
    }
    settings.push({ variable, path, value: schema.isText(path) ? raw : scalarOf(raw) });
  }
  return { settings, problems };
}

function resolvePath(
  segments: readonly string[],
  keysAt: (path: readonly (string | number)[]) => readonly string[],
): (string | number)[] {
  const path: (string | number)[] = [];
  for (const segment of segments) {
    if (/^\d{1,6}$/.test(segment)) path.push(Number(segment));
    else path.push(keysAt(path).find((key) => plain(key) === plain(segment)) ?? segment);
  }
  return path;
}

function plain(text: string): string {
  return text.replaceAll('_', '').toLowerCase();
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

function scalarOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
