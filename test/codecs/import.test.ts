/** Checkouts of device repositories, small and our own, in the layouts that there are. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ImportReport, importAll } from '../../gateway/codecs/import/import-all.ts';
import { parseToml } from '../../gateway/codecs/import/toml.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { type CodecRegistry, openCodecRegistry } from '../../gateway/codecs/registry.ts';
import { createRestingSandbox } from '../../gateway/codecs/resting-sandbox.ts';
import type { Sandbox } from '../../gateway/codecs/sandbox.ts';
import { program, time } from './scripts.ts';

const thermometer = 'function decodeUplink(i) { return { data: { temperature: i.bytes[0] } } }';
const codecYaml = (file: string, temperature = 5) =>
  `uplinkDecoder:\n  fileName: ${file}\n  examples:\n    - description: warm\n      input: { fPort: 1, bytes: [5] }\n      output: { data: { temperature: ${temperature} } }\n`;

const deviceRepository: Readonly<Record<string, string>> = {
  'vendor/index.yaml':
    'vendors:\n  - { id: acme, name: Acme, vendorID: 42 }\n  - { id: bravo, name: Bravo }\n  - { id: number-only, vendorID: 7 }\n',
  'vendor/acme/index.yaml': 'endDevices:\n  - th-1\n  - th-2\n  - gone\n',
  'vendor/acme/th-1.yaml': `name: Thermometer 1
description: Measures the air
sensors: [temperature, humidity]
firmwareVersions:
  - version: '1.0'
    hardwareVersions: ['2']
    profiles:
      EU868: { id: th-profile, codec: th-codec, lorawanCertified: true }
      US915: { id: th-profile, vendorID: bravo, codec: th-codec }
`,
  'vendor/acme/th-2.yaml':
    'name: Thermometer 2\nfirmwareVersions:\n  - version: 3\n    profiles: { EU868: { id: none, codec: wrong-codec } }\n',
  'vendor/acme/th-profile.yaml':
    'macVersion: 1.0.3\nregionalParametersVersion: RP001-1.0.3-RevA\nsupportsJoin: true\nsupportsClassB: false\n',
  'vendor/acme/th-codec.yaml': codecYaml('th.js'),
  'vendor/acme/th.js': thermometer,
  'vendor/acme/wrong-codec.yaml': codecYaml('wrong.js', 6),
  'vendor/acme/wrong.js': `${thermometer} // another`,
  'vendor/acme/unused-codec.yaml': codecYaml('th.js'),
  'vendor/bravo/index.yaml': 'endDevices: [meter, torn]\n',
  'vendor/bravo/meter.yaml':
    'name: Meter\nfirmwareVersions:\n  - version: 1\n    profiles: { EU868: { codec: meter-codec }, AS923: { codec: outside-codec } }\n',
  'vendor/bravo/torn.yaml': 'name: [',
  'vendor/bravo/th-profile.yaml': 'macVersion: 1.0.4\n',
  'vendor/bravo/meter-codec.yaml': codecYaml('meter.js'),
  'vendor/bravo/meter.js': 'function (',
  'vendor/bravo/outside-codec.yaml': codecYaml('../../../secret.js'),
};

const profileRepository: Readonly<Record<string, string>> = {
  'vendors/acme/vendor.toml':
    '# ours\n[vendor]\nid = "x"\nname = "Acme"\ndevices = [\n  "th.toml", # one\n  "old.toml",\n]\n',
  'vendors/acme/devices/th.toml': `[device]
id = "0b1c"
name = "Thermometer \\u0031"
description = """
Measures
"""

[[device.firmware]]
version = "1.0"
profiles = ["EU868.toml", "none.toml"]
codec = "th.js"

[[device.firmware]]
version = "2.0"
profiles = []
codec = "gone.js"

[device.metadata]
product_url = 'https://example.org'
`,
  'vendors/acme/profiles/EU868.toml':
    '[profile]\nregion = "EU868"\nmac_version = "1.0.3"\nreg_params_revision = "A"\nsupports_otaa = true\nsupports_class_b = false\nmax_eirp = 1_6\n',
  'vendors/acme/devices/torn.toml': '[device\n',
  'vendors/acme/codecs/th.js': thermometer,
  'vendors/acme/codecs/test_decode_th.json':
    '[{ name: "warm", input: { bytes: [0x05], fPort: 1 }, expected: { data: { temperature: 5 } } }]',
};

const packages: Readonly<Record<string, string>> = {
  'acme/th/package.json': '{ "name": "@acme/th", "version": "1.2.0", "main": "lib.js" }',
  'acme/th/examples.json':
    '[{ "type": "uplink", "description": "warm", "input": { "bytes": "05", "fPort": 1 }, "output": { "data": { "temperature": 5 } } }, { "type": "downlink-encode" }]',
  'acme/th/lib.js': `${thermometer}\nmodule.exports = { decodeUplink };`,
  'acme/torn/package.json': '{',
  'acme/torn/examples.json': '[]',
  'bravo/m/package.json': '{ "name": "m" }',
  'bravo/m/examples.json': '[]',
};

let root: string;
let sandbox: Sandbox;
let registry: CodecRegistry;

function lay(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, 'checkout', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function load(vendor?: string): Promise<ImportReport> {
  return importAll({
    ...{ registry, directory: join(root, 'checkout'), modelsDirectory: join(root, 'models') },
    ...(vendor === undefined ? {} : { vendor }),
    onProgress() {},
  });
}

function modelsOf(vendor: string) {
  return JSON.parse(readFileSync(join(root, 'models', `${vendor}.json`), 'utf8'));
}

beforeAll(() => {
  sandbox = createRestingSandbox({ limits: codecLimits, program });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fieldgate-import-'));
  const parts = { limits: codecLimits, sandbox, clock: { now: () => time } };
  registry = openCodecRegistry({ directory: join(root, 'codecs'), ...parts });
});
afterEach(() => rmSync(root, { recursive: true }));

describe('Import of a device repository', () => {
  it('makes codecs and models, and tells what is at fault', async () => {
    lay(deviceRepository);
    writeFileSync(join(root, 'secret.js'), thermometer);
    const report = await load();
    expect(report).toMatchObject({
      ...{ layout: 'the-things-network', vendors: 2, models: 3 },
      ...{ added: 2, replaced: 0, unchanged: 0, refused: 2 },
    });
    expect(registry.list().map(({ id, origin }) => `${id} ${origin}`)).toEqual([
      'acme.th-codec import',
      'acme.wrong-codec import',
    ]);
    expect(registry.get('acme.th-codec')?.versions[0]?.examples).toBe(1);
    expect(report.remarks).toEqual([expect.stringContaining('expected 6, got 5')]);
    expect(report.problems).toEqual([
      expect.stringContaining('vendor/acme/none.yaml: '),
      expect.stringContaining('vendor/acme/gone.yaml: '),
      expect.stringMatching(/^vendor\/bravo\/torn\.yaml: /),
      expect.stringContaining('vendor/bravo/meter.js: SyntaxError'),
      expect.stringContaining('lies outside'),
    ]);
    expect(modelsOf('acme').models[0]).toEqual({
      ...{ id: 'acme/th-1', name: 'Thermometer 1', description: 'Measures the air' },
      sensors: ['temperature', 'humidity'],
      firmware: [
        {
          ...{ version: '1.0', hardwareVersions: ['2'], codec: 'acme.th-codec' },
          regions: {
            EU868: {
              ...{ macVersion: '1.0.3', regionalParametersVersion: 'RP001-1.0.3-RevA' },
              ...{ supportsJoin: true, supportsClassB: false },
            },
            US915: { macVersion: '1.0.4' },
          },
        },
      ],
    });
  });

  it('changes nothing when it is done again, and replaces what has changed', async () => {
    lay(deviceRepository);
    await load('acme');
    expect(await load('acme')).toMatchObject({ added: 0, unchanged: 2, vendors: 1 });
    lay({ 'vendor/acme/th.js': `${thermometer} // 2` });
    expect(await load('acme')).toMatchObject({ replaced: 1, unchanged: 1 });
    expect(registry.get('acme.th-codec')?.versions).toHaveLength(2);
  });

  it('reads device profiles', async () => {
    lay(profileRepository);
    const report = await load();
    expect(report).toMatchObject({ layout: 'chirpstack', vendors: 1, models: 1, added: 1 });
    expect(report.problems).toEqual([
      expect.stringContaining('profiles/none.toml is not there'),
      'vendors/acme/codecs/gone.js is not there',
      expect.stringMatching(/^vendors\/acme\/devices\/torn\.toml: line 1/),
    ]);
    expect(registry.get('acme.th')?.versions[0]?.examples).toBe(1);
    expect(modelsOf('acme')).toMatchObject({
      vendor: { id: 'acme', name: 'Acme' },
      models: [
        {
          ...{ id: 'acme/th', name: 'Thermometer 1', description: 'Measures\n' },
          firmware: [
            {
              version: '1.0',
              codec: 'acme.th',
              regions: { EU868: { macVersion: '1.0.3', supportsJoin: true } },
            },
            { version: '2.0', regions: {} },
          ],
        },
      ],
    });
  });

  it('reads packages of TS013', async () => {
    lay(packages);
    const report = await load();
    expect(report).toMatchObject({ layout: 'packages', vendors: 2, added: 1, refused: 1 });
    expect(report.problems).toHaveLength(2);
    expect(registry.get('acme.acme-th')?.versions[0]?.examples).toBe(1);
    expect(modelsOf('acme').models).toEqual([
      expect.objectContaining({ id: 'acme/acme/th', name: 'acme/th' }),
    ]);
    expect(await load('nobody')).toMatchObject({ vendors: 0 });
  });

  it('follows no link out of the checkout', async () => {
    lay(deviceRepository);
    writeFileSync(join(root, 'secret.js'), thermometer);
    rmSync(join(root, 'checkout/vendor/acme/th.js'));
    symlinkSync(join(root, 'secret.js'), join(root, 'checkout/vendor/acme/th.js'));
    expect((await load('acme')).problems.join()).toContain('th.js lies outside');
  });

  it('finds nothing in an empty folder', async () => {
    mkdirSync(join(root, 'checkout'));
    expect(await load()).toMatchObject({ vendors: 0, added: 0, problems: [] });
  });
});

describe('TOML', () => {
  it.each<[string, object]>([
    [
      'a = 1\nb = "x # y" # no\nc = [1, [2, "3"], true]\n',
      { a: 1, b: 'x # y', c: [1, [2, '3'], true] },
    ],
    [
      '[a.b]\nc = -1.5\n[[l]]\nx = 1\n[[l]]\nx = 2\n[l.m]\ny = 3',
      { a: { b: { c: -1.5 } }, l: [{ x: 1 }, { x: 2, m: { y: 3 } }] },
    ],
    ['"k e" = \'\\n\'\nt = """\none\ntwo"""', { 'k e': '\\n', t: 'one\ntwo' }],
    ['[__proto__]\na = 1', JSON.parse('{"__proto__":{"a":1}}')],
  ])('reads %p', (text, expected) => {
    expect(JSON.parse(JSON.stringify(parseToml(text)))).toEqual(expected);
  });

  it.each(['a', 'a = ', 'a = {b = 1}', 'a = 2020-01-01', 'a = 1 2', 'a.b = 1'])(
    'refuses %p with its line',
    (text) => {
      expect(() => parseToml(text)).toThrow(/line 1/);
    },
  );
});
