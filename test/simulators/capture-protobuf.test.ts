/** Times in ChirpStack's protobuf messages move as those of the same messages in JSON do. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { shiftMessage } from '../../simulators/capture/time-shift.ts';
import { fixtureText } from '../adapters/inbound.ts';
import { gateway, version3, version4 } from '../adapters/protobuf/chirpstack-schemas.ts';
import { encode, type Schema } from '../adapters/protobuf/encoder.ts';

const days = 900;
const shiftMs = days * 86_400_000;
const device = 'application/a/device/0101010101010101/event';
const bridge = 'eu868/gateway/0016c001f153a14c/event';

/** The fields of the fixture that the definitions at hand have. */
function jsonOf(name: string, schema: Schema): unknown {
  const whole: Record<string, unknown> = JSON.parse(fixtureText(`lns/${name}.json`));
  return Object.fromEntries(Object.entries(whole).filter(([key]) => key in schema));
}

function captured(route: string, body: Buffer): CapturedMessage {
  return { at: 0, via: 'mqtt', route, body };
}

const messages: readonly (readonly [string, string, Schema])[] = [
  ['chirpstack-v4-up', `${device}/up`, version4.up],
  ['chirpstack-v4-status', `${device}/status`, version4.status],
  ['chirpstack-v3-up-protobuf', `${device}/up`, version3.up],
  ['chirpstack-v3-up-protobuf', '/ingest/server?event=up', version3.up],
  ['gatewaybridge-v4-up', `${bridge}/up`, gateway.up],
  ['gatewaybridge-v4-stats', `${bridge}/stats`, gateway.stats],
];

describe('Time shift in protobuf', () => {
  it.each(messages)('of %s on %s is that in JSON', (name, route, schema) => {
    const json = jsonOf(name, schema);
    const inJson = shiftMessage(captured(route, Buffer.from(JSON.stringify(json))), shiftMs);
    const inProtobuf = shiftMessage(captured(route, encode(json, schema)), shiftMs);
    const expected = encode(JSON.parse(inJson.body.toString('utf8')), schema);
    expect(inProtobuf.at).toBe(shiftMs);
    expect(inProtobuf.body.toString('hex')).toBe(expected.toString('hex'));
    expect(inProtobuf.body.equals(encode(json, schema))).toBe(false);
  });

  it('knows where a join of version 3 has its times', () => {
    const at = (time: string) => ({
      ...{ applicationID: '1', devEUI: 'AgICAgICAgI=', devAddr: 'AFE5Qg==' },
      ...{ rxInfo: [{ gatewayID: 'AwMDAwMDAwM=', time }], publishedAt: time },
    });
    const [body, moved] = ['2022-08-17T07:49:50Z', '2022-08-17T08:49:50Z'].map((time) =>
      encode(at(time), version3.join),
    );
    const shifted = shiftMessage(captured(`${device}/join`, body ?? Buffer.alloc(0)), 3_600_000);
    expect(shifted.body.toString('hex')).toBe(moved?.toString('hex'));
  });

  it('and back gives the message', () => {
    for (const [name, route, schema] of messages) {
      const body = encode(jsonOf(name, schema), schema);
      const there = shiftMessage(captured(route, body), shiftMs);
      expect(shiftMessage(there, -shiftMs).body.equals(body)).toBe(true);
    }
  });

  it('leaves a message alone that is cut off', () => {
    const body = encode(jsonOf('chirpstack-v4-up', version4.up), version4.up);
    for (let length = 0; length < body.length; length += 7) {
      const cut = body.subarray(0, length);
      const { body: shifted } = shiftMessage(captured(`${device}/up`, cut), shiftMs);
      expect(shifted).toHaveLength(length);
    }
  });

  it('leaves protobuf on other topics alone', () => {
    const body = encode(jsonOf('chirpstack-v4-up', version4.up), version4.up);
    const { body: shifted } = shiftMessage(captured('some/where', body), shiftMs);
    expect(shifted.equals(body)).toBe(true);
  });

  it('never throws and keeps the length, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.constantFrom(`${device}/up`, `${bridge}/up`), bytes, (route, body) => {
        const start = body.toString('latin1').trimStart()[0];
        fc.pre(start !== '{' && start !== '[');
        expect(shiftMessage(captured(route, body), shiftMs).body).toHaveLength(body.length);
      }),
      { numRuns: 300 },
    );
  });
});
