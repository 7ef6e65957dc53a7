import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { profiles } from '../../../gateway/adapters/mapping/profiles/registry.ts';
import { fixtureText, inboundOf } from '../inbound.ts';
import { mappingOf } from './mapping-of.ts';

const samples = [
  'cellular/vega/nb-14.json',
  'cellular/nrf-cloud/device-example.json',
  'cellular/emqx-neuron/tags-format.json',
  'cellular/1nce/telemetry-data.json',
  'cellular/lab5e/output-shape.json',
  'cellular/thingsboard/sodaq-nbiot-uplink.json',
  'cellular/milesight/camera-snapshot-topic.json',
  'cellular/king-pigeon/iot100-din.json',
].map((path) => fixtureText(path));

const routes = ['vega/1/data', 'prod/t/m/d/field-7/d2c', 'router/1/signal', '/neuron/a/b/c', ''];

/** A message with one of its values replaced. */
function withReplaced(sample: string, pick: number, value: unknown): Buffer {
  let fields = 0;
  JSON.parse(sample, (_, inner: unknown) => {
    fields += 1;
    return inner;
  });
  let at = -1;
  const replaced: unknown = JSON.parse(sample, (_, inner: unknown) => {
    at += 1;
    return at === pick % fields ? value : inner;
  });
  return Buffer.from(JSON.stringify(replaced) ?? '');
}

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  fc
    .tuple(fc.constantFrom(...samples), fc.nat(), fc.jsonValue({ maxDepth: 1 }))
    .map(([sample, pick, value]) => withReplaced(sample, pick, value)),
);

describe.each(profiles.map(({ name }) => ({ name })))('The profile $name', ({ name }) => {
  const adapter = mappingOf({ profile: name });

  it('is total, and gives the same for the same bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...routes), bodies, (route, body) => {
        const inbound = inboundOf(route, body);
        const parsed = adapter.parse(inbound);
        if ('code' in parsed) expect(parsed.detail).not.toBe('');
        else expect(parsed.length).toBeGreaterThan(0);
        expect(adapter.parse(inbound)).toEqual(parsed);
      }),
      { numRuns: 100 },
    );
  });

  it('never shows a personal identifier, whatever else is in the message', () => {
    const identifiers =
      /867723030711\d{3}|25099028346|89701991707|8988280666|90140510000|0123456789"/;
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.jsonValue(), (sample, pick, value) => {
        const parsed = adapter.parse(inboundOf('vega/1/data', withReplaced(sample, pick, value)));
        expect(JSON.stringify(parsed)).not.toMatch(identifiers);
      }),
      { numRuns: 40 },
    );
  });
});
