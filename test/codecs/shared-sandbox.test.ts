/** A sandbox that scripts share: what some take too long does not become a matter of others. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { startPassTime } from '../../gateway/codecs/pass-time.ts';
import { createSandbox, type SharedSandbox } from '../../gateway/codecs/sandbox.ts';
import { program, uplinkRequest, uplinkScript } from './scripts.ts';

const stuck = 'var s = "x".repeat(1e6); for (;;) s.indexOf("y" + Math.random());';
const call = (byte: number, fPort = 1) => uplinkRequest([byte], { fPort });
const good = uplinkScript('return { data: { temperature: input.bytes[0] } }', { id: 'good' });

describe('A shared sandbox', () => {
  let sandbox: SharedSandbox;
  const problems: string[] = [];

  beforeAll(() => {
    sandbox = createSandbox({
      ...{ limits: codecLimits, program, isShared: true },
      // Nothing that is lost is filled up again.
      now: () => 0,
      onProblem: (detail) => problems.push(detail),
    });
  });
  afterAll(() => sandbox.close());

  it('gives each call of a pass the answer of a sandbox for one', async () => {
    const alone = createSandbox({ limits: codecLimits, program });
    const jobs = Array.from({ length: 12 }, (_, at) => ({
      script: uplinkScript(
        `if (input.bytes[0] === ${at}) throw new Error('its own'); this.n = (this.n || 0) + 1;
        return { data: { own: input.bytes[0] * ${at}, n: this.n, random: Math.random() } }`,
      ),
      calls: [7, 1, 11, 3, 5].map((byte) => call((byte * (at + 1)) % 13)),
    }));
    const expected = await alone.run(jobs);
    await alone.close();
    for (let round = 0; round < 3; round += 1) {
      const turned = round % 2 === 0 ? jobs : [...jobs].reverse();
      const answers = await sandbox.run(turned);
      expect(answers).toEqual(round % 2 === 0 ? expected : [...expected].reverse());
      expect(await sandbox.runInPass(jobs)).toEqual(expected);
    }
  });

  it('answers the trusted and the new in a pass, and passes over what is stuck', async () => {
    const ofGood = { script: good, calls: [call(1), call(2)] };
    const values = ['v{"data":{"temperature":1}}', 'v{"data":{"temperature":2}}'];
    expect(await sandbox.run([ofGood])).toEqual([values]);
    const spender = uplinkScript('for (;;);', { id: 'spender' });
    await sandbox.run([{ script: spender, calls: [call(1)] }]);
    const isNew = uplinkScript('return { data: { isNew: true } }');
    const hostile = uplinkScript(stuck, { id: 'stuck' });
    const answers = await sandbox.runInPass([
      { script: isNew, calls: [call(1)] },
      { script: hostile, calls: [call(1), call(1)] },
      ofGood,
    ]);
    const passed = expect.stringMatching(/^phad no answer in the time/);
    expect(answers).toEqual([['v{"data":{"isNew":true}}'], [passed, passed], values]);
    const [texts = []] = await sandbox.run([{ script: hostile, calls: [call(1)] }]);
    expect(texts[0]).toMatch(/^e(is left alone for a while: it )?ran longer than \d+ ms$/);
    expect(problems).toContainEqual(expect.stringMatching(/^stuck ran .* left alone for 5 s$/));
  });

  it('makes calls of a trusted script that are late again, with all their time', async () => {
    const turned = (body: string) => {
      const script = uplinkScript(`if (input.fPort === 9) { ${body} } return { data: {} }`);
      return { script, calls: [call(1), call(1, 9), call(1)] };
    };
    const slow = turned('for (var end = 0; end < 4e5; end++) Math.sqrt(end);');
    const jobs = [slow, turned('for (;;);'), turned(stuck)];
    const well = jobs.map(({ script }) => ({ script, calls: [call(1)] }));
    const data = 'v{"data":{}}';
    expect(await sandbox.run(well)).toEqual([[data], [data], [data]]);
    const late = expect.stringMatching(/^eran longer than \d+ ms$/);
    const answers = await sandbox.run(jobs);
    expect(answers[1]).toEqual([data, late, data]);
    expect(answers[2]).toEqual([data, late, data]);
    expect(answers[0]?.filter((text) => text === data).length).toBeGreaterThanOrEqual(2);
    expect(await sandbox.run([{ script: good, calls: [call(3)] }])).toEqual([
      ['v{"data":{"temperature":3}}'],
    ]);
  });

  it('says of each call what is wrong when no thread starts', async () => {
    const broken = createSandbox({
      ...{ limits: codecLimits, isShared: true },
      program: new URL('./no-such-program.mjs', import.meta.url),
    });
    const answers = await broken.run([{ script: good, calls: [call(1), call(1)] }]);
    await broken.close();
    const wrong = expect.stringContaining('ethe sandbox does not start');
    expect(answers).toEqual([[wrong, wrong]]);
  });
});

describe('The time of a pass', () => {
  it('is over when enough was lost, wherever that was', async () => {
    const time = startPassTime(1_000);
    const endWait = time.wait();
    endWait(600);
    expect(time.isOver()).toBe(false);
    time.lose(400);
    await time.over;
    expect(time.isOver()).toBe(true);
  });

  it('is over while calls are under way of which nothing is heard', async () => {
    const time = startPassTime(1);
    time.wait();
    await time.over;
    expect(time.isOver()).toBe(true);
  });

  it('goes on for nobody once it has ended', () => {
    const time = startPassTime(0);
    time.end();
    expect(time.isOver()).toBe(true);
  });
});
