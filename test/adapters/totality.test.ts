import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adapters } from '../../gateway/adapters/registry.ts';
import { fixtureText, inboundOf } from './inbound.ts';

const topics = [
  'application/1/device/0101010101010101/event/up',
  'v3/app/devices/dev1/up',
  'eu868/gateway/0016c001f153a14c/event/up',
  'up/field-7',
  'v1/gateway/telemetry',
  'v2/t',
  '',
];
const samples = [
  'lns/chirpstack-v4-tb-1.json',
  'lns/chirpstack-v4-tb-3.json',
  'lns/tts-tti-tb-1.json',
  'lns/gatewaybridge-v4-up.json',
  'cellular/senml/ex3.json',
  'cellular/thingsboard/gateway-telemetry.json',
  'cellular/nrf-cloud/device-example.json',
].map((path) => Buffer.from(fixtureText(path)));

const topicArbitrary = fc.oneof(fc.constantFrom(...topics), fc.string());

describe.each(adapters.map((adapter) => ({ adapter, name: adapter.name })))(
  'The adapter $name',
  ({ adapter }) => {
    /** It never throws, gives at least one item or a fault, and the same for the same bytes. */
    function check(route: string, body: unknown): void {
      const inbound = inboundOf(route, body, 'field-7');
      const parsed = adapter.parse(inbound);
      if ('code' in parsed) expect(parsed.detail).not.toBe('');
      else expect(parsed.length).toBeGreaterThan(0);
      expect(adapter.parse(inbound)).toEqual(parsed);
    }

    it('is total on any bytes', () => {
      fc.assert(
        fc.property(topicArbitrary, fc.uint8Array({ maxLength: 200 }), (route, bytes) => {
          check(route, Buffer.from(bytes));
        }),
      );
    });

    it('is total on any JSON', () => {
      fc.assert(
        fc.property(topicArbitrary, fc.jsonValue(), (route, value) => {
          check(route, Buffer.from(JSON.stringify(value)));
        }),
      );
    });

    it('is total on real messages with any field replaced', () => {
      const replacement = fc.jsonValue({ maxDepth: 1 });
      fc.assert(
        fc.property(fc.constantFrom(...samples), fc.nat(), replacement, (sample, pick, value) => {
          let fields = 0;
          const count = (_: string, inner: unknown) => {
            fields += 1;
            return inner;
          };
          JSON.parse(sample.toString(), count);
          const target = pick % fields;
          let at = -1;
          const replaced: unknown = JSON.parse(sample.toString(), (_, inner: unknown) => {
            at += 1;
            return at === target ? value : inner;
          });
          for (const route of topics) check(route, Buffer.from(JSON.stringify(replaced)));
        }),
        { numRuns: 50 },
      );
    });

    it('is total on real messages with any byte changed', () => {
      fc.assert(
        fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat(255), (sample, pick, byte) => {
          const changed = Buffer.from(sample);
          changed[pick % changed.length] = byte;
          for (const route of topics) check(route, changed);
        }),
        { numRuns: 50 },
      );
    });
  },
);
