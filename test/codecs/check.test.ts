/** Checking the examples of a checkout, in the layouts that vendors publish in. All of it our own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compare } from '../../gateway/codecs/check/compare.ts';
import { findExamples } from '../../gateway/codecs/check/find-examples.ts';
import { runExamples } from '../../gateway/codecs/check/run-examples.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { createSandbox } from '../../gateway/codecs/sandbox.ts';
import { program, time } from './scripts.ts';

const files: Readonly<Record<string, string>> = {
  'vendor/index.yaml': 'vendors:\n  - id: acme\n    name: Acme\n',
  'vendor/acme/index.yaml': 'endDevices:\n  - th1\n',
  'vendor/acme/th1.yaml':
    'name: TH1\nfirmwareVersions:\n  - version: "1"\n    profiles:\n      EU863-870:\n        id: p\n        codec: th1-codec\n',
  'vendor/acme/th1.js': `function decodeUplink(i) {
      if (i.fPort !== 1) return { errors: ['unknown port'] };
      return { data: { t: i.bytes[0] / 10, gone: undefined } };
    }
    function normalizeUplink(i) { return { data: { air: { temperature: i.data.t } } }; }
    function encodeDownlink(i) { return { bytes: [i.data.on ? 1 : 0], fPort: 2 }; }
    function decodeDownlink(i) { return { data: { on: i.bytes[0] === 1 } }; }`,
  'vendor/acme/th1-codec.yaml': `uplinkDecoder:
  fileName: th1.js
  examples:
    - description: exact
      input: { fPort: 1, bytes: [0xd7] }
      output: { data: { t: 21.5 } }
      normalizedOutput: { data: [{ air: { temperature: 21.5 } }] }
    - description: by rule
      input: { fPort: 1, bytes: [1] }
      output: { data: { t: 0.10000001, gone: null } }
    - description: refused
      input: { fPort: 2, bytes: [1] }
      output: { errors: [unknown port] }
    - description: wrong
      input: { fPort: 1, bytes: [1] }
      output: { data: { t: 7 } }
    - description: no bytes at all
      input: { fPort: 1, bytes: [300] }
      output: { data: {} }
downlinkEncoder:
  fileName: th1.js
  examples:
    - { description: on, input: { data: { on: true } }, output: { bytes: [1], fPort: 2 } }
downlinkDecoder:
  fileName: th1.js
  examples:
    - { description: on, input: { fPort: 2, bytes: [1] }, output: { data: { on: true } } }
`,
  'vendor/acme/old-codec.yaml':
    'uplinkDecoder:\n  fileName: th1.js\n  examples:\n    - { input: { fPort: 1, bytes: [1] }, output: { data: { t: 7 } } }\n',
  'vendor/acme/out-codec.yaml': 'uplinkDecoder:\n  fileName: ../../../x.js\n  examples: []\n',
  'vendor/acme/torn-codec.yaml': 'uplinkDecoder: [\n',
  'vendors/acme/codecs/x1.js': 'function decodeUplink(i) { return { data: { v: i.bytes[0] } } }',
  'vendors/acme/codecs/test_decode_x1.json': `[
    // as people write it
    { name: 'first', "input": { "fPort": 0x0a, "bytes": [0x07,], /* odd */ }, "expected": { data: { v: 7 } } },
  ]`,
  'vendors/acme/codecs/test_encode_x1.json':
    '[{ "name": "none", "input": { "data": {} }, "expected": { "bytes": [1] } }]',
  'vendors/acme/codecs/test_decode_lost.json':
    '[{ "name": "lost", "input": { "bytes": [] }, "expected": { "data": {} } }]',
  'packages/y1/package.json': '{ "main": "driver.js" }',
  'packages/y1/driver.js':
    'exports.decodeUplink = (i) => ({ data: { at: i.recvTime, v: i.bytes.length } })',
  'packages/y1/examples.json': `[{ "type": "uplink", "description": "hex",
    "input": { "bytes": "0x0102", "fPort": 1, "recvTime": "2026-06-01T00:00:00.000Z" },
    "output": { "data": { "at": "2026-06-01T00:00:00.000Z", "v": 2 } } }]`,
  'packages/y2/examples.json': '{}',
  'own/z1.js': 'function Decoder(b) { return { v: b[0] } }',
  'own/z1.yaml':
    'name: Z1\nexamples:\n  - { input: { bytes: "07" }, output: { data: { v: 7 } } }\n',
};

describe('Checking examples', () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'fieldgate-check-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('finds every layout and says which files cannot be read', () => {
    const { examples, problems } = findExamples(directory);
    expect(examples).toHaveLength(12);
    expect(problems).toEqual([
      'packages/y2/examples.json: it holds no list',
      'vendor/acme/out-codec.yaml: its script lies outside the directory',
      'vendor/acme/th1-codec.yaml: uplink 4: the input bytes are no list of numbers from 0 to 255',
      expect.stringContaining('vendor/acme/torn-codec.yaml: '),
    ]);
  });

  it('says of each example whether it passed, failed or was left out', async () => {
    const sandbox = createSandbox({ limits: codecLimits, program });
    const progress: number[] = [];
    const checked = await runExamples(findExamples(directory).examples, {
      directory,
      sandbox,
      limits: codecLimits,
      now: time,
      onProgress: (done) => progress.push(done),
    });
    await sandbox.close();
    const lines = checked.map(({ example, verdict }) => {
      const { outcome, ...more } = verdict;
      return [`${example.kind} ${example.description}`.trim(), outcome, ...Object.values(more)];
    });
    expect(lines).toEqual([
      ['uplink', 'passed', []],
      ['uplink hex', 'passed', []],
      ['uplink', 'skipped', 'no device of its vendor uses this codec'],
      ['uplink exact', 'passed', []],
      ['uplink by rule', 'passed', ['rounding', 'absent-is-null']],
      ['uplink refused', 'passed', []],
      ['uplink wrong', 'failed', 'data.t: expected 7, got 0.1'],
      ['encode on', 'passed', []],
      ['downlink on', 'passed', []],
      ['uplink lost', 'skipped', 'its script is not in the directory'],
      ['uplink first', 'passed', []],
      ['encode none', 'failed', 'the script has no encodeDownlink'],
    ]);
    expect(progress.at(-1)).toBe(lines.length);
  });
});

describe('Comparing results', () => {
  it.each([
    [{ a: [1, 2] }, { a: [1, 2] }, { equal: true, rules: [] }],
    [0, -0, { equal: true, rules: [] }],
    [{ a: null }, {}, { equal: true, rules: ['absent-is-null'] }],
    [1.0000001, 1, { equal: true, rules: ['rounding'] }],
    [{}, { a: null }, { equal: false, difference: 'x.a: expected nothing, got null' }],
    [[1], { 0: 1 }, { equal: false, difference: 'x: expected [1], got {"0":1}' }],
    ['1', 1, { equal: false, difference: 'x: expected "1", got 1' }],
    [[1, 2], [1], { equal: false, difference: 'x.1: expected 2, got nothing' }],
    [1.1, 1, { equal: false, difference: 'x: expected 1.1, got 1' }],
  ])('of %j and %j says what differs', (expected, actual, verdict) => {
    expect(compare(expected, actual, 'x')).toEqual(verdict);
  });
});
