import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adapters } from '../../../gateway/adapters/registry.ts';
import { fixtureText, inboundOf } from '../inbound.ts';
import { gateway, version3, version4 } from './chirpstack-schemas.ts';
import { encode } from './encoder.ts';

function published(name: string) {
  return JSON.parse(fixtureText(`lns/${name}.json`));
}

const gatewayRoot = 'gateway/0016c001f153a14c';
const samples = [
  {
    route: 'application/1/device/0101010101010101/event/up',
    body: encode(
      { ...published('chirpstack-v4-up'), object: { a: [1, { b: null }], c: 'd' } },
      version4.up,
    ),
  },
  {
    route: 'application/1/device/0101010101010101/event/status',
    body: encode(published('chirpstack-v4-status'), version4.status),
  },
  {
    route: 'application/123/device/0202020202020202/event/up',
    body: encode(published('chirpstack-v4-tb-2'), version3.up),
  },
  {
    route: `${gatewayRoot}/event/up`,
    body: encode(published('gatewaybridge-v4-up'), gateway.up),
  },
  {
    route: `${gatewayRoot}/event/stats`,
    body: encode(published('gatewaybridge-v4-stats'), gateway.stats),
  },
];
const readers = adapters.filter(({ name }) => /chirpstack/.test(name));

/** It never throws, and gives at least one item or a fault. */
function check(route: string, body: Buffer): void {
  for (const adapter of readers) {
    const parsed = adapter.parse(inboundOf(route, body));
    const isSound = 'code' in parsed ? parsed.detail !== '' : parsed.length > 0;
    if (!isSound) throw new Error(`${adapter.name} gives nothing for ${body.toString('hex')}`);
  }
}

const sampleArbitrary = fc.constantFrom(...samples);

describe('The protobuf adapters', () => {
  it('are total on any bytes', () => {
    fc.assert(
      fc.property(sampleArbitrary, fc.uint8Array({ maxLength: 120 }), ({ route }, bytes) => {
        check(route, Buffer.from(bytes));
      }),
      { numRuns: 200 },
    );
  });

  it('are total on messages with any byte changed', () => {
    fc.assert(
      fc.property(sampleArbitrary, fc.nat(), fc.nat(255), ({ route, body }, pick, byte) => {
        const changed = Buffer.from(body);
        changed[pick % changed.length] = byte;
        check(route, changed);
      }),
      { numRuns: 300 },
    );
  });

  it('are total on every cut of a message', () => {
    expect.assertions(0);
    for (const { route, body } of samples) {
      for (let length = 0; length < body.length; length += 1) {
        check(route, body.subarray(0, length));
      }
    }
  });
});
