/** What scripts make of a batch of uplinks. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configSchema } from '../../config/schema.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import type { Script } from '../../gateway/codecs/script.ts';
import { openScriptCodecs, type ScriptCodecs } from '../../gateway/codecs/script-codecs.ts';
import { program, scriptOf, time } from './scripts.ts';

const thermometer =
  'function decodeUplink(i) { return { data: { temperature: i.bytes[0] / 10 } } }';
const scripts: ReadonlyMap<string, Script> = new Map([
  ['acme-th', scriptOf(thermometer, { id: 'acme-th', variables: { offset: '2' } })],
  [
    'acme-old',
    scriptOf(
      'function Decode(p, b, v) { return { temperature: b[0] * Number(v.factor) } } function Decoder() { throw 1 }',
      { id: 'acme-old', dialect: 'Decode', variables: { factor: '2' } },
    ),
  ],
  ['acme-bad', scriptOf('function decodeUplink() { throw new Error("bad frame") }')],
]);

describe('Script codecs', () => {
  let codecs: ScriptCodecs;

  beforeAll(() => {
    const script = (reference: string) => scripts.get(reference);
    codecs = openScriptCodecs({ limits: codecLimits, script, program });
  });
  afterAll(() => codecs.close());

  it('say which version a device has', () => {
    expect(codecs.versionOf('acme-th')).toMatch(/^[0-9a-f]{64}$/);
    expect(codecs.versionOf('acme-old')).not.toBe(codecs.versionOf('acme-th'));
    expect(codecs.versionOf('__proto__')).toBeUndefined();
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
      await codecs.decode([
        input('acme-th', 215),
        input('acme-old', 5),
        input('acme-bad', 1),
        input('acme-th', 100),
        input('no-such', 1),
        input('acme-old', 5, { factor: '3' }),
      ]),
    ).toMatchObject([
      { ok: true, values: [{ quantity: 'air_temperature', value: 21.5 }] },
      { ok: true, values: [{ quantity: 'air_temperature', value: 10 }] },
      { ok: false, error: 'bad frame' },
      { ok: true, values: [{ quantity: 'air_temperature', value: 10 }] },
      { ok: false, error: 'there is no script named no-such' },
      { ok: true, values: [{ quantity: 'air_temperature', value: 15 }] },
    ]);
  });

  it('have the limits that the configuration gives by default', () => {
    const { directory: none, ...limits } = configSchema.parse({ version: 1 }).codecs;
    expect(none).toBeUndefined();
    expect(limits).toEqual(codecLimits);
  });
});
