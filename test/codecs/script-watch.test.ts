/** The directory of scripts: what is changed there becomes a version, what is broken does not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { type CodecRegistry, openCodecRegistry } from '../../gateway/codecs/registry.ts';
import { createRestingSandbox } from '../../gateway/codecs/resting-sandbox.ts';
import type { Sandbox } from '../../gateway/codecs/sandbox.ts';
import { createScriptWatch, type ScriptWatch } from '../../gateway/codecs/script-watch.ts';
import { until } from '../setup/gateway-process.ts';
import { program, time } from './scripts.ts';

const files: Readonly<Record<string, string>> = {
  'acme-th.js': 'function decodeUplink(i) { return { data: { temperature: i.bytes[0] / 10 } } }',
  'acme-th.yaml': 'name: Acme TH\nvariables: { offset: 2 }\n',
  'acme-old.js': 'function Decode(p, b, v) { return {} } function Decoder() { throw 1 }',
  'acme-old.json': '{ "dialect": "Decode", "variables": { "factor": 2 } }',
  'acme-bad.js': 'function (',
  'acme-torn.js': 'function decodeUplink() { return { data: {} } }',
  'acme-torn.yaml': 'variables: [',
  'cayenne-lpp.js': 'function decodeUplink() { return { data: {} } }',
  'of space.js': '',
  'large.js': ' '.repeat(2_000),
  'note.txt': 'not a script',
};
const limits = { ...codecLimits, scriptBytesMax: 1_000 };

let sandbox: Sandbox;
let root: string;
let directory: string;
let registry: CodecRegistry;
let watch: ScriptWatch;
let told: string[];
let taken: string[];

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

function start(from: string | undefined = directory): void {
  watch = createScriptWatch({
    ...{ directory: from, registry, limits },
    onProblem: (problem) => told.push(problem),
    onTaken: (id) => taken.push(id),
  });
}

beforeAll(() => {
  sandbox = createRestingSandbox({ limits, program });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fieldgate-watch-'));
  directory = join(root, 'scripts');
  mkdirSync(directory);
  [told, taken] = [[], []];
  const parts = { limits, sandbox, clock: { now: () => time } };
  registry = openCodecRegistry({ directory: join(root, 'codecs'), ...parts });
});
afterEach(async () => {
  await watch.close();
  rmSync(root, { recursive: true });
});

describe('A directory of scripts', () => {
  it('becomes codecs, with what is wrong in it', async () => {
    for (const [name, text] of Object.entries(files)) write(name, text);
    start();
    await watch.scan();
    expect(registry.list().map(({ id, title }) => `${id}: ${title}`)).toEqual([
      'acme-bad: acme-bad',
      'acme-old: acme-old',
      'acme-th: Acme TH',
      'acme-torn: acme-torn',
    ]);
    expect(registry.script('acme-old')).toMatchObject({
      ...{ dialect: 'Decode', variables: { factor: '2' } },
    });
    expect([...told].sort()).toEqual([
      expect.stringMatching(/^acme-bad\.js: SyntaxError/),
      expect.stringContaining('acme-torn.yaml: '),
      'cayenne-lpp.js: a built-in codec has this name',
      'large.js: larger than 1000 bytes',
      'of space.js: the name has characters that an id may not have',
    ]);
    expect(watch.problems()).toHaveLength(5);
    await watch.scan();
    expect(told).toHaveLength(5);
  });

  it('gives a new version as soon as a file is changed', async () => {
    write('acme.js', 'function decodeUplink() { return { data: { a: 1 } } }');
    start();
    await watch.scan();
    const first = registry.get('acme')?.current;
    write('acme.js', 'function decodeUplink() { return { data: { a: 2 } } }');
    await until('it is taken', () => registry.get('acme')?.current !== first);
    expect(taken).toEqual(['acme', 'acme']);
    expect(registry.get('acme')?.versions).toHaveLength(2);
  });

  it('keeps the last good version of a file that is broken, and says so until it is mended', async () => {
    write('acme.js', 'function decodeUplink() { return { data: { a: 1 } } }');
    start();
    await watch.scan();
    const good = registry.get('acme')?.current;
    write('acme.js', 'function decodeUplink() {');
    await watch.scan();
    expect(registry.get('acme')?.current).toBe(good);
    expect(watch.problems()).toEqual([expect.stringContaining('the version before it stays')]);
    write('acme.js', 'function decodeUplink() { return { data: { a: 3 } } }');
    await watch.scan();
    expect(registry.get('acme')?.current).not.toBe(good);
    expect(watch.problems()).toEqual([]);
  });

  it('holds a script to the examples beside it', async () => {
    write('acme.js', 'function decodeUplink(i) { return { data: { a: i.bytes[0] } } }');
    write(
      'acme.yaml',
      'examples: [{ input: { bytes: [1], fPort: 1 }, output: { data: { a: 1 } } }]',
    );
    start();
    await watch.scan();
    const good = registry.get('acme')?.current;
    write('acme.js', 'function decodeUplink(i) { return { data: { a: 7 } } }');
    await watch.scan();
    expect(registry.get('acme')?.current).toBe(good);
    expect(watch.problems()[0]).toContain('expected 1, got 7');
  });

  it('takes codecs away whose files are gone, but not when the directory is', async () => {
    write('a.js', 'function decodeUplink() { return { data: {} } }');
    write('b.js', 'function decodeUplink() { return { data: { b: 1 } } }');
    start();
    await watch.scan();
    rmSync(join(directory, 'a.js'));
    await watch.scan();
    expect(registry.get('a')?.current).toBeUndefined();
    rmSync(directory, { recursive: true });
    await watch.scan();
    expect(registry.get('b')?.current).toBeDefined();
    expect(watch.problems()).toEqual([expect.stringContaining('cannot be read')]);
  });

  it('is given up when it is no longer configured', async () => {
    write('a.js', 'function decodeUplink() { return { data: {} } }');
    start();
    await watch.scan();
    await watch.close();
    watch = createScriptWatch({ registry, limits, onProblem: (problem) => told.push(problem) });
    await watch.scan();
    expect(registry.get('a')?.current).toBeUndefined();
    expect(told).toEqual([]);
  });
});
