/**
 * Codec scripts from a directory: `<id>.js`, and beside it `<id>.yaml` or `<id>.json` with what is
 * to be known of it. A file that is wrong stops only itself.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { readRules } from '../model/own-settings.ts';
import { type CodecDraft, idProblem } from './codec-check.ts';
import { memberOf } from './decoded-result.ts';
import type { CodecLimits } from './limits.ts';
import { dialects } from './script.ts';

/** A script with the file beside it, as they lie in the directory. */
export interface ScriptFile {
  readonly id: string;
  /** Changes when either file does. */
  readonly stamp: string;
}

const metadataBytesMax = 1_048_576;
const variablesMax = 100;
const endings = ['yaml', 'yml', 'json'] as const;

/** In ascending order of their ids. Throws when the directory cannot be read. */
export function listScripts(directory: string): ScriptFile[] {
  const scripts = readdirSync(directory).filter((name) => name.endsWith('.js'));
  return scripts.sort().map((name) => {
    const id = name.slice(0, -'.js'.length);
    const stamps = ['js', ...endings].map((ending) => stampOf(join(directory, `${id}.${ending}`)));
    return { id, stamp: stamps.join() };
  });
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.mtimeMs}:${found.size}:${found.ino}`;
}

/** A sentence when it cannot be a codec; `note` is told what could be read only in part. */
export function readScript(
  directory: string,
  id: string,
  limits: CodecLimits,
  note: (problem: string) => void,
): CodecDraft | string {
  return idProblem(id) ?? readDraft(join(directory, id), limits, note);
}

/** `path` is that of the script without its ending; beside it may lie what is said of it. */
export function readDraft(
  path: string,
  limits: CodecLimits,
  note: (problem: string) => void,
): CodecDraft | string {
  try {
    const found = statSync(`${path}.js`);
    if (!found.isFile()) return 'is no file';
    if (found.size > limits.scriptBytesMax) return `larger than ${limits.scriptBytesMax} bytes`;
    return draftOf(readFileSync(`${path}.js`, 'utf8'), readMetadata(path, note));
  } catch (error) {
    return firstLine(error);
  }
}

/** A text with what is said of it in metadata, of whatever form that is. */
export function draftOf(source: string, known: unknown): CodecDraft {
  const title = memberOf(known, 'name');
  const dialect = dialects.find((one) => one === memberOf(known, 'dialect'));
  const examples = memberOf(known, 'examples');
  const mapping = memberOf(known, 'mapping');
  return {
    source,
    variables: variablesOf(memberOf(known, 'variables')),
    examples: Array.isArray(examples) ? examples : [],
    ...(typeof title === 'string' ? { title } : {}),
    ...(dialect === undefined ? {} : { dialect }),
    ...(mapping === undefined ? {} : mappingOf(mapping)),
  };
}

function mappingOf(given: unknown): Pick<CodecDraft, 'mapping' | 'problems'> {
  const { rules, problems } = readRules(given);
  return problems.length === 0 ? { mapping: rules } : { problems };
}

function readMetadata(base: string, note: (problem: string) => void): unknown {
  for (const ending of endings) {
    const path = `${base}.${ending}`;
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) continue;
    try {
      if (size > metadataBytesMax) throw new Error('it is too large');
      return parse(readFileSync(path, 'utf8'));
    } catch (error) {
      note(`${basename(path)}: ${firstLine(error)}`);
    }
  }
  return undefined;
}

function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line;
}

function variablesOf(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null) return {};
  return Object.fromEntries(
    Object.entries(given)
      .slice(0, variablesMax)
      .map(([name, value]) => [name, String(value)]),
  );
}
