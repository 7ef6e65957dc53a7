/** Scripts of a directory, and what they make of batches. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configSchema } from '../../config/schema.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { openScriptCodecs, type ScriptCodecs } from '../../gateway/codecs/script-codecs.ts';
import { program, time } from './scripts.ts';

const files: Readonly<Record<string, string>> = {
  'acme-th.js': 'function decodeUplink(i) { return { data: { temperature: i.bytes[0] / 10 } } }',
  'acme-th.yaml': 'name: Acme TH\nvariables: { offset: 2 }\n',
  'acme-old.js':
    'function Decode(p, b, v) { return { temperature: b[0] * Number(v.factor) } } function Decoder() { throw 1 }',
  'acme-old.json': '{ "dialect": "Decode", "variables": { "factor": 2 } }',
  'acme-bad.js': 'function decodeUplink() { throw new Error("bad frame") }',
  'acme-torn.js': 'function decodeUplink() { return { data: {} } }',
  'acme-torn.yaml': 'variables: [',
  'cayenne-lpp.js': 'function decodeUplink() { return { data: {} } }',
  'of space.js': '',
  'large.js': ' '.repeat(2_000),
  'note.txt': 'not a script',
};

describe('Script codecs', () => {
  let directory: string;
  let scripts: ScriptCodecs;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'fieldgate-codecs-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const limits = { ...codecLimits, scriptBytesMax: 1_000 };
    scripts = openScriptCodecs({ directory, limits, program });
  });
  afterAll(async () => {
    await scripts.close();
    rmSync(directory, { recursive: true });
  });

  it('are what the directory holds, with what is wrong in it', () => {
    expect(scripts.list().map(({ id, title }) => `${id}: ${title}`)).toEqual([
      'acme-bad: acme-bad',
      'acme-old: acme-old',
      'acme-th: Acme TH',
      'acme-torn: acme-torn',
    ]);
    expect(scripts.problems).toEqual([
      expect.stringContaining('acme-torn.yaml: '),
      'cayenne-lpp.js: a built-in codec has this name',
      'large.js: larger than 1000 bytes',
      'of space.js: the name has characters that an id may not have',
    ]);
    expect(scripts.has('acme-th')).toBe(true);
    expect(scripts.has('__proto__')).toBe(false);
  });

  it('have the hash of their text as version', () => {
    const [first, second] = scripts.list();
    expect(first?.key).toMatch(/^[0-9a-f]{64}$/);
    expect(first?.key).not.toBe(second?.key);
  });

  it('decode a mixed batch in its order', async () => {
    const input = (codec: string, byte: number, variables = {}) => ({
      codec,
      bytes: Buffer.from([byte]),
      fPort: 1,
      time,
      variables,
    });
    expect(
      await scripts.decode([
        input('acme-th', 215),
        input('acme-old', 5),
        input('acme-bad', 1),
        input('acme-th', 100),
        input('no-such', 1),
        input('acme-old', 5, { factor: '3' }),
      ]),
    ).toEqual([
      { ok: true, values: [{ quantity: 'air_temperature', value: 21.5 }] },
      { ok: true, values: [{ quantity: 'air_temperature', value: 10 }] },
      { ok: false, error: 'bad frame' },
      { ok: true, values: [{ quantity: 'air_temperature', value: 10 }] },
      { ok: false, error: 'there is no script named no-such' },
      { ok: true, values: [{ quantity: 'air_temperature', value: 15 }] },
    ]);
  });

  it('are none without a directory, and a missing one is a problem', async () => {
    const none = openScriptCodecs({ limits: codecLimits, program });
    expect([none.list(), none.problems]).toEqual([[], []]);
    await none.close();
    const missing = openScriptCodecs({
      directory: join(directory, 'gone'),
      limits: codecLimits,
      program,
    });
    expect(missing.problems).toEqual([expect.stringContaining('cannot be read')]);
    await missing.close();
  });

  it('have the limits that the configuration gives by default', () => {
    const { directory: none, ...limits } = configSchema.parse({ version: 1 }).codecs;
    expect(none).toBeUndefined();
    expect(limits).toEqual(codecLimits);
  });
});
