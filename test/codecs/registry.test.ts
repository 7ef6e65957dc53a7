/** Codecs and their versions on disk, and what is taken as one. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CodecDraft } from '../../gateway/codecs/codec-check.ts';
import { openCodecShelf } from '../../gateway/codecs/codec-shelf.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import {
  type CodecRegistry,
  openCodecRegistry,
  versionsMax,
} from '../../gateway/codecs/registry.ts';
import { createRestingSandbox } from '../../gateway/codecs/resting-sandbox.ts';
import type { Sandbox } from '../../gateway/codecs/sandbox.ts';
import { codecVersion, parseReference, versionOf } from '../../gateway/codecs/script.ts';
import { program, time } from './scripts.ts';

const byte = 'function decodeUplink(i) { return { data: { temperature: i.bytes[0] } } }';
const half = 'function decodeUplink(i) { return { data: { temperature: i.bytes[0] / 2 } } }';
const upload = { origin: 'upload', name: 'test' } as const;
const limits = { ...codecLimits, scriptBytesMax: 1_000, scriptsMax: 3 };

function draft(source: string, part: Partial<CodecDraft> = {}): CodecDraft {
  return { source, variables: {}, examples: [], ...part };
}

function example(bytes: readonly number[], temperature: number) {
  return { description: 'one', input: { bytes, fPort: 1 }, output: { data: { temperature } } };
}

let directory: string;
let sandbox: Sandbox;
let registry: CodecRegistry;

function open(): CodecRegistry {
  return openCodecRegistry({ directory, limits, sandbox, clock: { now: () => time } });
}

beforeAll(() => {
  sandbox = createRestingSandbox({ limits, program });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-registry-'));
  registry = open();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('The codec registry', () => {
  it('keeps every version of a codec, and gives the last one', async () => {
    const first = await registry.put('acme', draft(byte, { title: 'Acme' }), upload);
    expect(first).toMatchObject({ ok: true, isNew: true });
    await registry.put('acme', draft(half), upload);
    expect(registry.get('acme')).toMatchObject({
      ...{ id: 'acme', title: 'Acme', origin: 'upload', current: versionOf(half) },
      versions: [
        { version: versionOf(byte), addedBy: 'test', addedAt: time, isSound: true },
        { version: versionOf(half) },
      ],
    });
    expect(registry.script('acme')?.source).toBe(half);
    expect(registry.script(`acme@${versionOf(byte).slice(0, 12)}`)?.source).toBe(byte);
    expect(registry.script('acme@0123456789ab')).toBeUndefined();
    expect(registry.script('acne')).toBeUndefined();
  });

  it('makes another version of another mapping, which a new text keeps unless it brings one', async () => {
    const mapping = [{ from: 'T2', quantity: 'water_temperature' }];
    await registry.put('acme', draft(byte, { mapping }), upload);
    const mapped = registry.get('acme')?.current;
    expect(mapped).toBe(codecVersion(versionOf(byte), draft(byte, { mapping })));
    expect(mapped).not.toBe(versionOf(byte));
    await registry.put('acme', draft(half), upload);
    expect(openCodecShelf(directory).script('acme')).toMatchObject({ source: half, mapping });
    await registry.put('acme', draft(half, { mapping: [] }), upload);
    expect(registry.get('acme')?.current).toBe(versionOf(half));
    expect(registry.script('acme')).not.toHaveProperty('mapping');
    const problems = ['mapping.0.quantity: nox is no quantity'];
    const refused = await registry.put('acme', draft(half, { problems }), upload);
    expect(refused).toEqual({ ok: false, reason: 'invalid', problems });
  });

  it('has all of it again after a restart, and on another thread', async () => {
    await registry.put('acme', draft(byte), upload);
    await registry.put('acme', draft(half, { variables: { a: '1' } }), upload);
    const again = open();
    expect(again.list()).toEqual(registry.list());
    const shelf = openCodecShelf(directory);
    expect(shelf.script('acme')).toEqual(registry.script('acme'));
    expect(shelf.script(`acme@${versionOf(byte)}`)?.source).toBe(byte);
  });

  it('tells a shelf of what is new only when it is told to look', async () => {
    const shelf = openCodecShelf(directory);
    expect(shelf.script('acme')).toBeUndefined();
    registry.onChange((id) => shelf.forget(id));
    await registry.put('acme', draft(byte), upload);
    expect(shelf.script('acme')?.source).toBe(byte);
    await registry.put('acme', draft(half), upload);
    expect(shelf.script('acme')?.source).toBe(half);
  });

  it('takes other variables or another dialect for another version', () => {
    const key = versionOf(byte);
    expect(codecVersion(key, { variables: {} })).toBe(key);
    expect(codecVersion(key, { variables: { a: '1' } })).not.toBe(key);
    expect(codecVersion(key, { variables: {}, dialect: 'Decode' })).not.toBe(key);
    expect(codecVersion(key, { variables: { a: '1', b: '2' } })).toBe(
      codecVersion(key, { variables: { b: '2', a: '1' } }),
    );
  });

  it('goes back to an earlier version when that is put again', async () => {
    for (const source of [byte, half, byte]) await registry.put('acme', draft(source), upload);
    expect(registry.get('acme')?.current).toBe(versionOf(byte));
    expect(registry.get('acme')?.versions).toHaveLength(2);
  });

  it.each([
    ['does not load', draft('function ('), 'SyntaxError'],
    ['decodes nothing', draft('var a = 1'), 'has no decodeUplink'],
    ['lacks the dialect asked for', draft(byte, { dialect: 'Decode' }), 'has no Decode'],
    ['is too large', draft(byte + ' '.repeat(2_000)), 'larger than 1000 bytes'],
    ['fails an example', draft(byte, { examples: [example([5], 6)] }), 'expected 6, got 5'],
    ['has an example of no form', draft(byte, { examples: [5] }), 'example 1: '],
  ])('refuses a script that %s, and keeps the version before', async (_, bad, said) => {
    await registry.put('acme', draft(half), upload);
    const outcome = await registry.put('acme', bad, upload);
    expect(outcome).toMatchObject({ ok: false, reason: 'invalid' });
    expect(outcome.problems.join()).toContain(said);
    expect(registry.script('acme')?.source).toBe(half);
  });

  it('runs examples with the dialect and the variables of the draft', async () => {
    const source =
      'function Decode(p, b, v) { return { temperature: b[0] * v.f } } function Decoder() { throw 1 }';
    const part = {
      dialect: 'Decode',
      variables: { f: '3' },
      examples: [example([5], 15)],
    } as const;
    expect(await registry.put('acme', draft(source, part), upload)).toMatchObject({ ok: true });
  });

  it.each(['cayenne-lpp', '../up', '', 'a b', 'x'.repeat(65)])(
    'refuses the name %p',
    async (id) => {
      expect(await registry.put(id, draft(byte), upload)).toMatchObject({ reason: 'invalid' });
      expect(await registry.check(id, draft(byte))).toHaveLength(1);
    },
  );

  it('holds no more codecs than it may', async () => {
    for (const id of ['a', 'b', 'c']) await registry.put(id, draft(byte), upload);
    expect(await registry.put('d', draft(byte), upload)).toMatchObject({ reason: 'full' });
    expect(await registry.put('a', draft(half), upload)).toMatchObject({ ok: true });
  });

  it('leaves the files of the directory of scripts to it', async () => {
    await registry.put('acme', draft(byte), { origin: 'directory', name: 'directory' });
    expect(await registry.put('acme', draft(half), upload)).toMatchObject({ reason: 'owned' });
    registry.retire('acme');
    expect(registry.script('acme')).toBeUndefined();
    expect(registry.script(`acme@${versionOf(byte)}`)?.source).toBe(byte);
    expect(await registry.put('acme', draft(half), upload)).toMatchObject({ ok: true });
  });

  it('forgets a codec with its texts, but not those of another', async () => {
    await registry.put('a', draft(byte), upload);
    await registry.put('b', draft(byte), upload);
    expect(registry.delete('a')).toBe(true);
    expect(registry.delete('a')).toBe(false);
    expect(open().script('b')?.source).toBe(byte);
    registry.delete('b');
    expect(readdirSync(join(directory, 'sources'))).toEqual([]);
  });

  it('keeps a limited number of versions', async () => {
    for (let at = 0; at < versionsMax + 2; at += 1) {
      await registry.put('acme', draft(`${byte} // ${at}`), upload);
    }
    expect(registry.get('acme')?.versions).toHaveLength(versionsMax);
    expect(readdirSync(join(directory, 'sources'))).toHaveLength(versionsMax);
  });

  it('sees what another process has written, and what is torn', async () => {
    const changed: string[] = [];
    registry.onChange((id) => changed.push(id));
    const other = open();
    await other.put('acme', draft(byte), upload);
    writeFileSync(join(directory, 'torn.json'), '{"format":1');
    registry.refresh();
    expect(registry.script('acme')?.source).toBe(byte);
    expect(registry.problems()).toEqual([expect.stringContaining('torn: its record cannot')]);
    other.delete('acme');
    registry.refresh();
    expect(registry.get('acme')).toBeUndefined();
    expect(changed).toEqual(['acme', 'torn', 'acme']);
    const told: string[] = [];
    expect(openCodecShelf(directory, (why) => told.push(why)).script('torn')).toBeUndefined();
    expect(told).toHaveLength(1);
  });
});

describe('A reference to a codec', () => {
  it.each([
    ['acme', { id: 'acme' }],
    ['acme@0123abcd', { id: 'acme', pin: '0123abcd' }],
    ['acme@0123abc', { id: 'acme@0123abc' }],
    ['@0123abcd', { id: '@0123abcd' }],
    ['acme@0123ABCD', { id: 'acme@0123ABCD' }],
  ])('%p is %p', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });
});
