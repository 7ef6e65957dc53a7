/**
 * Codec scripts from a directory: `<id>.js`, and beside it `<id>.yaml` or `<id>.json` with what is
 * to be known of it. A file that is wrong stops only itself.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findCodec } from '../../decoders/registry.ts';
import { memberOf } from './decoded-result.ts';
import type { CodecLimits } from './limits.ts';
import { dialects, type Script, versionOf } from './script.ts';

export interface ScriptDirectory {
  readonly scripts: ReadonlyMap<string, Script>;
  /** One sentence for each file that was left out, or could be read only in part. */
  readonly problems: readonly string[];
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const metadataBytesMax = 65_536;
const variablesMax = 100;

export function readScripts(directory: string, limits: CodecLimits): ScriptDirectory {
  const scripts = new Map<string, Script>();
  const problems: string[] = [];
  for (const file of listScripts(directory, problems)) {
    const id = file.slice(0, -'.js'.length);
    const problem = problemOf(id, join(directory, file), limits, scripts.size);
    if (problem === undefined) scripts.set(id, readScript(directory, id, problems));
    else problems.push(`${file}: ${problem}`);
  }
  return { scripts, problems };
}

function listScripts(directory: string, problems: string[]): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.js'))
      .sort();
  } catch (error) {
    problems.push(`the directory cannot be read: ${String(error)}`);
    return [];
  }
}

function problemOf(id: string, path: string, limits: CodecLimits, count: number) {
  if (!idPattern.test(id)) return 'the name has characters that an id may not have';
  if (findCodec(id) !== undefined) return 'a built-in codec has this name';
  if (count >= limits.scriptsMax) return `more than ${limits.scriptsMax} scripts`;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return 'is no file';
  if (found.size > limits.scriptBytesMax) return `larger than ${limits.scriptBytesMax} bytes`;
  return undefined;
}

function readScript(directory: string, id: string, problems: string[]): Script {
  const source = readFileSync(join(directory, `${id}.js`), 'utf8');
  const known = readMetadata(directory, id, problems);
  const title = memberOf(known, 'name');
  const dialect = dialects.find((one) => one === memberOf(known, 'dialect'));
  return {
    id,
    source,
    key: versionOf(source),
    title: typeof title === 'string' ? title : id,
    variables: variablesOf(memberOf(known, 'variables')),
    ...(dialect === undefined ? {} : { dialect }),
  };
}

function readMetadata(directory: string, id: string, problems: string[]): unknown {
  for (const ending of ['yaml', 'yml', 'json']) {
    const path = join(directory, `${id}.${ending}`);
    if (!existsSync(path)) continue;
    try {
      if (statSync(path).size > metadataBytesMax) throw new Error('it is too large');
      return parse(readFileSync(path, 'utf8'));
    } catch (error) {
      problems.push(`${id}.${ending}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return undefined;
}

function variablesOf(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null) return {};
  return Object.fromEntries(
    Object.entries(given)
      .slice(0, variablesMax)
      .map(([name, value]) => [name, String(value)]),
  );
}
