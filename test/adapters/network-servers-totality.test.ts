import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chirpstackJson } from '../../gateway/adapters/chirpstack-json.ts';
import { chirpstackV3 } from '../../gateway/adapters/chirpstack-v3.ts';
import { heliumConsole } from '../../gateway/adapters/helium.ts';
import { kerlink } from '../../gateway/adapters/kerlink.ts';
import { loriot } from '../../gateway/adapters/loriot.ts';
import { milesightGateway } from '../../gateway/adapters/milesight.ts';
import { multitech } from '../../gateway/adapters/multitech.ts';
import { senet } from '../../gateway/adapters/senet.ts';
import { thingPark } from '../../gateway/adapters/thingpark.ts';
import { fixtureText, inboundOf } from './inbound.ts';

const sources = [
  { adapter: chirpstackJson, route: 'application/1/device/x/event/up', sample: 'chirpstack-v3-up' },
  { adapter: chirpstackV3, route: 'v3', sample: 'chirpstack-v3-up-protobuf' },
  { adapter: thingPark, route: 'mqtt/things/x/uplink', sample: 'thingpark-uplink-decoded' },
  { adapter: loriot, route: 'loriot', sample: 'loriot-gw' },
  { adapter: kerlink, route: 'dataUp', sample: 'kerlink-wmc-push' },
  { adapter: heliumConsole, route: 'helium/x/rx', sample: 'helium-console-uplink' },
  { adapter: milesightGateway, route: 'm', sample: 'milesight-gateway-uplink' },
  { adapter: multitech, route: 'lorawan/a/b/up', sample: 'multitech-app-up' },
  { adapter: senet, route: 's', sample: 'senet-uplink' },
];

const text = (sample: string) => fixtureText(`lns/${sample}.json`);

describe.each(sources)('The adapter $adapter.name', ({ adapter, route, sample }) => {
  /** It never throws, gives at least one item or a fault, and the same for the same bytes. */
  function check(body: Buffer): void {
    const inbound = inboundOf(route, body);
    const parsed = adapter.parse(inbound);
    if ('code' in parsed) expect(parsed.detail).not.toBe('');
    else expect(parsed.length).toBeGreaterThan(0);
    expect(adapter.parse(inbound)).toEqual(parsed);
  }

  it('is total on its own message with any field replaced by anything', () => {
    const replacement = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', '\0', -0));
    const property = fc.property(fc.nat(), replacement, (pick, value) => {
      let fields = 0;
      JSON.parse(text(sample), (_, inner: unknown) => {
        fields += 1;
        return inner;
      });
      let at = -1;
      const replaced: unknown = JSON.parse(text(sample), (_, inner: unknown) => {
        at += 1;
        return at === pick % fields ? value : inner;
      });
      check(Buffer.from(JSON.stringify(replaced)));
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('is total on its own message with any byte changed, and on any bytes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), fc.uint8Array(), (pick, byte, bytes) => {
        const changed = Buffer.from(text(sample));
        changed[pick % changed.length] = byte;
        check(changed);
        check(Buffer.from(bytes));
      }),
      { numRuns: 60 },
    );
  });
});

describe('ThingPark XML', () => {
  const xml = fixtureText('lns/thingpark-uplink.xml');

  it('is read totally with any part cut out, and any part put in', () => {
    fc.assert(
      fc.property(fc.nat(xml.length), fc.nat(40), fc.string(), (start, length, between) => {
        const changed = xml.slice(0, start) + between + xml.slice(start + length);
        for (const body of [changed, `<${between}>`, `<a>${between}</a>`]) {
          const parsed = thingPark.parse(inboundOf('x', Buffer.from(body)));
          expect('code' in parsed || parsed.length > 0).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
