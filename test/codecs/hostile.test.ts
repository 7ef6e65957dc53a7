/** Twelve hostile codecs in one pass with honest ones: what each uplink becomes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import type { Script } from '../../gateway/codecs/script.ts';
import { openScriptCodecs, type ScriptCodecs } from '../../gateway/codecs/script-codecs.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { Device } from '../../gateway/model/device.ts';
import { deriveEntry } from '../../gateway/pipeline/derive.ts';
import { createScriptPass } from '../../gateway/pipeline/script-pass.ts';
import { entryOf, uplinkOf } from '../pipeline/entries.ts';
import { program, uplinkScript } from './scripts.ts';

/** Late in this test is what is late on any machine: the bodies that end, end in their time. */
const ran = /^ran longer than \d+ ms$/;
const aloneOr = (own: RegExp) =>
  new RegExp(`${own.source}|^is left alone for a while: it ran longer than \\d+ ms$`);

/** Body of decodeUplink, and what is to be read of its uplinks. */
const hostile: Readonly<Record<string, readonly [body: string, said: RegExp]>> = {
  throws: ['throw new Error("frame too short")', /^frame too short$/],
  loops: ['for (;;) try { for (;;); } catch (e) {}', aloneOr(ran)],
  recurses: [
    'function f() { return f() + 1; } return f()',
    aloneOr(/^InternalError: stack overflow$|^ran longer than \d+ ms$/),
  ],
  bomb: [
    'for (var a = []; ; ) a.push({ x: 1 })',
    aloneOr(/^InternalError: out of memory$|^ran longer than \d+ ms$/),
  ],
  large: [
    'return { data: { s: "x".repeat(1e7) } }',
    aloneOr(/^returned more text than is taken$|^ran longer than \d+ ms$/),
  ],
  nan: ['return { data: { t: 0 / 0 } }', /^data\.t is NaN$/],
  functions: ['return { data: { t: function () {} } }', /^data\.t is a function$/],
  cycles: ['var d = {}; d.d = d; return { data: d }', /^data contains itself, or is nested/],
  prototype: ['return { data: JSON.parse(\'{"__proto__":1}\') }', /^data has a field named __p/],
  fields: [
    'var d = {}; for (var i = 0; i < 1e4; i++) d["f" + i] = i; return { data: d }',
    aloneOr(/^returned more fields than are taken$|^ran longer than \d+ ms$/),
  ],
  pattern: ['return { data: { t: /^(a+)+$/.test("a".repeat(40) + "b") } }', aloneOr(ran)],
  stuck: ['var s = "x".repeat(1e6); for (;;) s.indexOf("y" + Math.random())', aloneOr(ran)],
};
const honest = ['honest-1', 'honest-2', 'honest-3'];

const scripts: ReadonlyMap<string, Script> = new Map([
  ...Object.entries(hostile).map(([id, [body]]): [string, Script] => [
    id,
    uplinkScript(body, { id }),
  ]),
  ...honest.map((id): [string, Script] => [
    id,
    uplinkScript(`return { data: { temperature: input.bytes[0], ${id.replace('-', '')}: 1 } }`, {
      id,
    }),
  ]),
]);

/** Devices have the names of their codecs; each sends as often, and by turns. */
function entriesOf(rounds: number): LedgerEntry[] {
  return Array.from({ length: rounds }, () => [...scripts.keys()])
    .flat()
    .map((deviceId, seq) => {
      const item = uplinkOf({ deviceId, frmPayload: Buffer.from([20 + (seq % 20)]), fPort: 2 });
      return entryOf({ seq, item });
    });
}

describe('Twelve hostile codecs', () => {
  let codecs: ScriptCodecs;
  const problems: string[] = [];

  beforeAll(() => {
    codecs = openScriptCodecs({
      ...{ limits: codecLimits, program, isShared: true },
      script: (reference) => scripts.get(reference),
      onProblem: (detail) => problems.push(detail),
    });
  });
  afterAll(() => codecs.close());

  it('have their faults in their own words, and honest devices their readings', async () => {
    const deviceOf = (id: string): Device => ({ id, kind: 'lorawan', codec: id });
    const pass = createScriptPass(codecs, deviceOf);
    const parts = { deviceOf, codecOf: () => undefined, scriptResultOf: pass.resultOf };
    for (const rounds of [3, 1]) {
      const entries = entriesOf(rounds);
      await pass.prepare(entries);
      for (const entry of entries) {
        const device = entry.item.kind === 'payload' ? (entry.item.deviceId ?? '') : '';
        const { readings, fault } = deriveEntry(entry, parts);
        const said = hostile[device]?.[1];
        if (said === undefined) {
          expect(fault).toBeUndefined();
          expect(readings).toContainEqual(
            expect.objectContaining({ quantity: 'air_temperature', value: 20 + (entry.seq % 20) }),
          );
          continue;
        }
        expect(readings).toEqual([]);
        expect(fault?.code).toBe('PAYLOAD_UNDECODABLE');
        expect(fault?.detail?.replace(`${device}: `, '')).toMatch(said);
      }
    }
  }, 60_000);

  it('are told by their names once they are left alone', () => {
    for (const name of ['loops', 'pattern', 'stuck']) {
      expect(problems).toContainEqual(
        expect.stringMatching(new RegExp(`^${name} ran longer than .* left alone for \\d+ s$`)),
      );
    }
    expect(problems.filter((detail) => detail.startsWith('honest'))).toEqual([]);
  });
});
