/**
 * Finds the examples in a checkout: The Things Network's device repository (codec files in YAML),
 * ChirpStack's device profiles (`codecs/test_decode_<script>.json`), TS013 packages
 * (`examples.json`), and a gateway's own scripts with metadata. One walk finds them all.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import { memberOf } from '../decoded-result.ts';
import { type Example, type ExampleKind, readExample } from './example.ts';

export interface FoundExamples {
  readonly examples: readonly Example[];
  /** What could not be read, with the file's name. */
  readonly problems: readonly string[];
}

const fileBytesMax = 4_194_304;
const depthMax = 12;
const filesMax = 200_000;
const examplesMax = 100_000;

export function findExamples(directory: string): FoundExamples {
  const root = resolve(directory);
  const found: Found = { root, examples: [], problems: [], files: 0 };
  visit(root, 0, found);
  return found;
}

interface Found {
  readonly root: string;
  readonly examples: Example[];
  readonly problems: string[];
  files: number;
  /** Why what is found now is not to be run. */
  readonly skip?: string;
}

const unused = 'no device of its vendor uses this codec';

function visit(folder: string, depth: number, found: Found): void {
  const used = usedCodecs(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const isOfInterest = !entry.name.startsWith('.') && entry.name !== 'node_modules';
      if (isOfInterest && depth < depthMax) visit(path, depth + 1, found);
      continue;
    }
    const read = entry.isFile() ? readerOf(entry.name) : undefined;
    if (read === undefined) continue;
    found.files += 1;
    try {
      if (found.files > filesMax) throw new Error(`more than ${filesMax} files`);
      if (found.examples.length > examplesMax) throw new Error(`after ${examplesMax} examples`);
      if (statSync(path).size > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`);
      const text = readFileSync(path, 'utf8');
      const isUnused = used !== undefined && !used.has(entry.name.replace(/\.ya?ml$/, ''));
      read(path, text, isUnused ? { ...found, skip: unused } : found);
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
      found.problems.push(`${relative(found.root, path)}: ${line}`);
    }
  }
}

/** The codecs that a vendor's listed devices name; undefined for a folder that lists none. */
function usedCodecs(folder: string): ReadonlySet<string> | undefined {
  const index = textOf(join(folder, 'index.yaml'));
  if (!/^endDevices:/m.test(index)) return undefined;
  const devices = [...index.matchAll(/^ *- *["']?([\w.-]+)/gm)].map(([, id]) => id);
  const texts = devices.map((id) => textOf(join(folder, `${id}.yaml`)));
  const names = texts.flatMap((text) => [...text.matchAll(/^\s*codec: *["']?([\w.-]+)/gm)]);
  return new Set(names.map(([, name = '']) => name));
}

function textOf(path: string): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size > 0 && size <= fileBytesMax ? readFileSync(path, 'utf8') : '';
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

type Reader = (path: string, text: string, found: Found) => void;

function readerOf(name: string): Reader | undefined {
  if (/\.ya?ml$/.test(name)) return readCodecFile;
  if (/^test_(?:decode|encode)_.+\.json$/.test(name)) return readProfileTests;
  if (name === 'examples.json') return readPackageExamples;
  return undefined;
}

const parts = [
  ['uplinkDecoder', 'uplink'],
  ['downlinkEncoder', 'encode'],
  ['downlinkDecoder', 'downlink'],
] as const;

function readCodecFile(path: string, text: string, found: Found): void {
  if (!/^(?:(?:up|down)link(?:En|De)coder|examples):/m.test(text)) return;
  const codec: unknown = parse(text);
  for (const [part, kind] of parts) {
    const decoder = memberOf(codec, part);
    const fileName = memberOf(decoder, 'fileName');
    if (typeof fileName !== 'string') continue;
    add(memberOf(decoder, 'examples'), kind, path, join(dirname(path), fileName), found);
  }
  add(memberOf(codec, 'examples'), 'uplink', path, path.replace(/\.ya?ml$/, '.js'), found);
}

function readProfileTests(path: string, text: string, found: Found): void {
  const [, direction, name] = /^test_(decode|encode)_(.+)\.json$/.exec(basename(path)) ?? [];
  const script = join(dirname(path), `${name}.js`);
  add(parseLoose(text), direction === 'decode' ? 'uplink' : 'encode', path, script, found);
}

const packageKinds: ReadonlyMap<unknown, ExampleKind> = new Map([
  ['uplink', 'uplink'],
  ['downlink-encode', 'encode'],
  ['downlink-decode', 'downlink'],
]);

function readPackageExamples(path: string, text: string, found: Found): void {
  const list = parseLoose(text);
  if (!Array.isArray(list)) throw new Error('it holds no list');
  const script = join(dirname(path), mainOf(dirname(path)));
  for (const one of list) {
    const kind = packageKinds.get(memberOf(one, 'type'));
    if (kind !== undefined) add([one], kind, path, script, found);
  }
}

function mainOf(folder: string): string {
  try {
    const main = memberOf(parseLoose(readFileSync(join(folder, 'package.json'), 'utf8')), 'main');
    return typeof main === 'string' ? main : 'index.js';
  } catch {
    return 'index.js';
  }
}

/** A script outside the checkout is none of its own. */
function add(list: unknown, kind: ExampleKind, path: string, scriptPath: string, found: Found) {
  if (!Array.isArray(list)) return;
  const file = relative(found.root, path);
  const script = relative(found.root, resolve(scriptPath));
  if (script.split(sep)[0] === '..') throw new Error('its script lies outside the directory');
  for (const [at, given] of list.entries()) {
    const example = readExample(given, { kind, file, script });
    if (typeof example === 'string') found.problems.push(`${file}: ${kind} ${at}: ${example}`);
    else found.examples.push(found.skip === undefined ? example : { ...example, skip: found.skip });
  }
}

const token =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_$][\w$]*(?=\s*:)|\b0x[0-9a-f]+|,(?=\s*[\]}])/gi;

/** JSON as people write it for tests: with comments, hex numbers, bare names, commas at the end. */
export function parseLoose(text: string): unknown {
  // Twice: a comma before a comment is the last one only once the comment is gone.
  return JSON.parse(text.replace(token, strictToken).replace(token, strictToken));
}

function strictToken(found: string): string {
  if (found.startsWith('"')) return found;
  if (found.startsWith("'")) return JSON.stringify(found.slice(1, -1).replace(/\\(.)/g, '$1'));
  if (/^0x/i.test(found)) return String(Number(found));
  return /^[,/]/.test(found) ? '' : JSON.stringify(found);
}
