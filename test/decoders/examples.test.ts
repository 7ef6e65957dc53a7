/** Every codec decodes the bytes in its examples.json to the values, warnings and errors there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { codecs } from '../../decoders/registry.ts';

interface Example {
  readonly description: string;
  readonly fPort: number;
  /** Hex */
  readonly bytes: string;
  readonly values?: readonly unknown[];
  readonly warnings?: readonly string[];
  readonly error?: string;
}

function examplesOf(name: string): readonly Example[] {
  const path = new URL(`../../decoders/${name}/examples.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'));
}

function expectedOf({ values, warnings, error }: Example) {
  if (error !== undefined) return { ok: false, error };
  return warnings === undefined ? { ok: true, values } : { ok: true, values, warnings };
}

describe.each(codecs.map((codec) => [codec.name, codec] as const))('Codec %s', (name, codec) => {
  const examples = examplesOf(name);

  it.each(examples.map((example) => [example.description, example] as const))(
    'decodes its example: %s',
    (_description, example) => {
      const { fPort } = example;
      const decoded = codec.decode({ bytes: Buffer.from(example.bytes, 'hex'), fPort });
      expect(decoded).toEqual(expectedOf(example));
    },
  );

  it('shows at least four good and three bad payloads', () => {
    const bad = examples.filter(({ error }) => error !== undefined);
    expect(bad.length).toBeGreaterThanOrEqual(3);
    expect(examples.length - bad.length).toBeGreaterThanOrEqual(4);
  });

  it('describes each example differently', () => {
    const descriptions = examples.map(({ description }) => description);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it('refuses every good payload of its examples when the last byte is cut off', () => {
    for (const { bytes, fPort, values, description } of examples) {
      const whole = Buffer.from(bytes, 'hex');
      if (values === undefined || whole.length === 0) continue;
      const decoded = codec.decode({ bytes: whole.subarray(0, -1), fPort });
      expect([description, decoded.ok]).toEqual([description, false]);
    }
  });
});
