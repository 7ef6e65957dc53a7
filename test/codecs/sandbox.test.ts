/** The sandbox as a thread: what bad codecs cost, and that the next call is served. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { createSandbox, type Sandbox } from '../../gateway/codecs/sandbox.ts';
import { program, scriptOf, uplinkRequest, uplinkScript } from './scripts.ts';

const good = uplinkScript('return { data: { temperature: input.bytes[0] } };');

/** Body of decodeUplink and a part of what is said of it. */
const hostile: readonly (readonly [name: string, body: string, said: string | RegExp])[] = [
  ['throws', 'throw new Error("frame too short")', 'frame too short'],
  ['throws an object', 'throw { code: 7 }', '{"code":7}'],
  ['throws what cannot be read', 'throw { get message() { throw 1 } }', 'says nothing'],
  ['uses what is not there', 'return process.exit(1)', "'process' is not defined"],
  ['asks for modules', 'return require("fs")', "'require' is not defined"],
  ['loops', 'for (;;);', 'longer than'],
  ['loops past its errors', 'for (;;) try { for (;;); } catch (e) {}', 'longer than'],
  ['loops in a getter', 'return { data: { get t() { for (;;); } } }', 'longer than'],
  ['loops in JSON', 'return { data: { toJSON: 1, x: { toJSON() { for (;;); } } } }', 'toJSON'],
  ['recurses', 'function f() { return f() + 1; } return f()', 'stack overflow'],
  ['fills arrays', 'for (var a = []; ; ) a.push({ x: 1 })', /out of memory|longer than/],
  ['fills buffers', 'for (var a = []; ; ) a.push(new ArrayBuffer(1e6))', /out of memory|longer/],
  ['doubles strings', 'for (var s = "xxxxxxxx"; ; ) s += s', 'too long'],
  ['returns 10 MB', 'return { data: { s: "x".repeat(1e7) } }', 'more text'],
  ['returns NaN', 'return { data: { t: 0 / 0 } }', 'data.t is NaN'],
  ['returns infinity', 'return { data: { t: 1 / 0 } }', 'data.t is infinite'],
  ['returns functions', 'return { data: { t: function () {} } }', 'data.t is a function'],
  ['returns cycles', 'var d = {}; d.d = d; return { data: d }', 'contains itself'],
  ['returns prototype keys', 'return { data: JSON.parse(\'{"__proto__":1}\') }', '__proto__'],
  ['returns constructors', 'return { data: { constructor: 1 } }', 'constructor'],
  [
    'returns 10,000 fields',
    'var d = {}; for (var i = 0; i < 1e4; i++) d["f" + i] = i; return { data: d }',
    'more fields',
  ],
  ['returns no object', 'return 5', 'returned no object'],
  ['returns no data', 'return {}', 'returned no data'],
  ['returns a promise', 'return Promise.resolve({ data: {} })', 'returned a promise'],
  ['waits', 'return (async function () { return { data: {} } })()', 'returned a promise'],
  ['sorts with a built-in', 'var s = "x".repeat(1e6); for (;;) s.indexOf("y")', 'longer than'],
];

describe('The sandbox', () => {
  let sandbox: Sandbox;
  const problems: string[] = [];
  /** An hour goes by before each test: nobody is left alone for what a test before has done. */
  let hours = 0;

  beforeAll(() => {
    sandbox = createSandbox({
      ...{ limits: codecLimits, program, isShared: true },
      now: () => performance.now() + hours * 3_600_000,
      onProblem: (detail) => problems.push(detail),
    });
  });
  beforeEach(() => {
    hours += 1;
  });
  afterAll(() => sandbox.close());

  it('answers calls of several scripts in order', async () => {
    const other = uplinkScript('return { data: { port: input.fPort } };');
    const answers = await sandbox.run([
      { script: good, calls: [uplinkRequest([1]), uplinkRequest([2])] },
      { script: other, calls: [uplinkRequest([1], { fPort: 5 })] },
    ]);
    expect(answers).toEqual([
      ['v{"data":{"temperature":1}}', 'v{"data":{"temperature":2}}'],
      ['v{"data":{"port":5}}'],
    ]);
  });

  it.each(hostile)('serves the calls beside one that %s', async (_name, body, said) => {
    const script = uplinkScript(
      `if (input.fPort !== 9) return { data: { ok: input.bytes[0] } };\n${body}`,
    );
    const calls = [uplinkRequest([1]), uplinkRequest([2], { fPort: 9 }), uplinkRequest([3])];
    const answers = await sandbox.run([
      { script, calls },
      { script: good, calls: [uplinkRequest([4])] },
    ]);
    expect(answers).toEqual([
      ['v{"data":{"ok":1}}', expect.stringMatching(said), 'v{"data":{"ok":3}}'],
      ['v{"data":{"temperature":4}}'],
    ]);
    expect(answers[0]?.[1]?.[0]).toBe('e');
  });

  it('gives up a script that loads for ever, inside the engine and out of its reach', async () => {
    const inside = scriptOf('for (;;);');
    const outside = scriptOf('var s = "x".repeat(1e6); for (;;) s.indexOf("y")', { id: 'outside' });
    const answers = await sandbox.run([
      { script: inside, calls: [uplinkRequest([1])] },
      { script: outside, calls: [uplinkRequest([1]), uplinkRequest([1]), uplinkRequest([1])] },
      { script: good, calls: [uplinkRequest([9])] },
    ]);
    expect(answers[0]?.[0]).toContain('longer than 100 ms while it was loaded');
    expect(answers[1]?.[0]).toContain('longer than');
    expect(answers[1]?.[2]).toContain('is left alone for a while: it ran longer than');
    expect(answers[2]).toEqual(['v{"data":{"temperature":9}}']);
    expect(problems).toContainEqual(expect.stringMatching(/^outside ran .* cost the sandbox/));
    expect(problems).toContainEqual(expect.stringMatching(/^outside ran .* left alone for 5 s$/));
  });

  it('leaves a script alone that is late again and again, then tries it with one call', async () => {
    const late = uplinkScript('if (input.fPort === 9) for (;;); return { data: {} }');
    const run = async (...fPorts: number[]) => {
      const calls = fPorts.map((fPort) => uplinkRequest([1], { fPort }));
      const [texts = []] = await sandbox.run([{ script: late, calls }]);
      return texts.map((text) => text.replace(/\d+ ms/, 'N ms'));
    };
    const ran = 'eran longer than N ms';
    const alone = 'eis left alone for a while: it ran longer than N ms';
    const well = 'v{"data":{}}';
    expect(await run(1, 9, 9, 1, 9, 1, 1)).toEqual([well, ran, ran, well, ran, alone, alone]);
    expect(await run(1)).toEqual([alone]);
    hours += 1;
    expect(await run(9, 1)).toEqual([ran, alone]);
    hours += 1;
    expect(await run(1, 9, 1)).toEqual([well, ran, well]);
  });

  it('answers what came before a call that takes the thread along', async () => {
    const killer = uplinkScript(
      'if (input.fPort === 9) { var s = "x".repeat(1e6); for (;;) s.indexOf("y"); } return { data: {} }',
    );
    const ports = [...Array.from({ length: 50 }, () => 1), 9, 9, 9, 1];
    const calls = ports.map((fPort) => uplinkRequest([1], { fPort }));
    const [texts = []] = await sandbox.run([{ script: killer, calls }]);
    expect(texts.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 'v{"data":{}}'));
    expect(texts.at(50)).toContain('ran longer than');
    expect(texts.at(-1)).toContain('left alone');
  });

  it('takes more calls than one chunk holds', async () => {
    const calls = Array.from({ length: 1_203 }, (_, at) => uplinkRequest([at % 256]));
    const [texts = []] = await sandbox.run([{ script: good, calls }]);
    expect(texts).toEqual(calls.map((_, at) => `v{"data":{"temperature":${at % 256}}}`));
  });

  it('gives the memory back that bombs have taken', async () => {
    const alone = createSandbox({ limits: codecLimits, program });
    const bomb = uplinkScript('for (var a = []; ; ) a.push({ x: 1 })', { id: 'bomb' });
    await alone.run([{ script: good, calls: [uplinkRequest([1])] }]);
    const before = process.memoryUsage().rss;
    const calls = Array.from({ length: 5 }, () => uplinkRequest([1]));
    await alone.run([{ script: bomb, calls }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    await alone.close();
  });

  it('says of each call what is wrong when its thread does not start', async () => {
    const broken = createSandbox({
      limits: codecLimits,
      program: new URL('./no-such-program.mjs', import.meta.url),
    });
    const [texts] = await broken.run([{ script: good, calls: [uplinkRequest([1])] }]);
    await broken.close();
    expect(texts?.[0]).toContain('the sandbox does not start');
  });

  it('makes a wrong script an error of its calls', async () => {
    const answers = await sandbox.run([
      { script: scriptOf('function ('), calls: [uplinkRequest([1])] },
      { script: scriptOf('export default 1'), calls: [uplinkRequest([1])] },
      { script: scriptOf('var x = 1'), calls: [uplinkRequest([1])] },
    ]);
    expect(answers.flat()).toEqual([
      expect.stringContaining('eSyntaxError: function name expected (line 1)'),
      expect.stringContaining('eSyntaxError'),
      'ethe script has no decodeUplink',
    ]);
  });
});
