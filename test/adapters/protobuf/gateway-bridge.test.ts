import { describe, expect, it } from '@jest/globals';
import type { Parsed } from '../../../gateway/adapters/adapter.ts';
import { findAdapter } from '../../../gateway/adapters/registry.ts';
import { eventOf, faultOf, fixtureText, frameOf, inboundOf } from '../inbound.ts';
import { gateway } from './chirpstack-schemas.ts';
import { encode } from './encoder.ts';

const adapter = 'chirpstack-gateway-bridge-protobuf';
const family = findAdapter('chirpstack-gateway-bridge-json');
const gatewayId = '0016c001f153a14c';
const gatewayIdBase64 = Buffer.from(gatewayId, 'hex').toString('base64');
const root = `eu868/gateway/${gatewayId}`;

function parse(route: string, body: Buffer): Parsed {
  const parsed = family?.parse(inboundOf(route, body));
  if (parsed === undefined) throw new Error('no adapter reads these topics');
  return parsed;
}

function bothForms(
  word: keyof typeof gateway,
  message: Record<string, unknown>,
  kind = 'event',
): readonly [Parsed, unknown] {
  const route = `${root}/${kind}/${word}`;
  const fromJson = parse(route, Buffer.from(JSON.stringify(message)));
  if ('code' in fromJson) throw new Error(fromJson.detail);
  const expected = fromJson.map((item) => ({ ...item, adapter }));
  return [parse(route, encode(message, gateway[word])), expected];
}

describe('A message of a gateway bridge in protobuf', () => {
  it.each([
    ['up', 'gatewaybridge-v4-up', 'event'],
    ['stats', 'gatewaybridge-v4-stats', 'event'],
    ['ack', 'gatewaybridge-v4-ack', 'event'],
    ['exec', 'gatewaybridge-v4-exec', 'event'],
    ['raw', 'gatewaybridge-v4-raw', 'event'],
    ['conn', 'gatewaybridge-v4-conn', 'state'],
  ] as const)('%s becomes what its JSON form becomes', (word, name, kind) => {
    const [fromProtobuf, expected] = bothForms(
      word,
      JSON.parse(fixtureText(`lns/${name}.json`)),
      kind,
    );
    expect(fromProtobuf).toEqual(expected);
  });

  it('of a downlink equals its JSON form, also as older bridges write it', () => {
    const items = [
      { phyPayload: 'YAEC', txInfo: { frequency: 868_100_000 } },
      { phyPayload: 'YAED' },
    ];
    for (const fields of [{ downlinkId: 7, items }, { phyPayload: 'YAEC' }, { downlinkId: 7 }]) {
      const [fromProtobuf, expected] = bothForms('down', { gatewayId, ...fields }, 'command');
      expect(fromProtobuf).toEqual(expected);
    }
  });

  it.each([
    ['a frame with both times', { gwTime: '2024-01-01T00:00:01Z', nsTime: '2024-01-01T00:00:02Z' }],
    ['a frame with a checked CRC', { crcStatus: 'CRC_OK' }],
    ['noise', { crcStatus: 'BAD_CRC' }],
    ['a frame without a CRC', { crcStatus: 'NO_CRC' }],
  ])('%s equals its JSON form', (_, changes) => {
    const message = JSON.parse(fixtureText('lns/gatewaybridge-v4-up.json'));
    const rxInfo = { ...message.rxInfo, ...changes };
    const [fromProtobuf, expected] = bothForms('up', { ...message, rxInfo });
    expect(fromProtobuf).toEqual(expected);
  });
});

const phyPayload = 'gKb+agGABQABOIc6cwQ=';
const frame = Buffer.from(phyPayload, 'base64');

function parseUp(message: object): Parsed {
  return parse(`${root}/event/up`, encode(message, gateway.up));
}

describe('A frame in protobuf', () => {
  const legacy = {
    phyPayload,
    txInfoLegacy: {
      frequency: 868_100_000,
      loRaModulationInfo: { bandwidth: 125, spreadingFactor: 9 },
    },
    rxInfoLegacy: { gatewayID: gatewayIdBase64, rssi: -99, loRaSNR: -4.5 },
  };

  it('of a bridge of version 3 has its bandwidth in Hz', () => {
    expect(frameOf(parseUp(legacy))).toEqual({
      kind: 'frame',
      adapter,
      phyPayload: frame,
      txInfo: { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 9 },
      rxInfo: [{ gatewayId, rssi: -99, snr: -4.5 }],
    });
  });

  it("takes today's fields where a sender writes both", () => {
    const rxInfo = { gatewayId, rssi: -98 };
    const txInfo = { frequency: 868_100_000 };
    const today = frameOf(parseUp({ ...legacy, rxInfo, txInfo }));
    expect(today.rxInfo).toEqual([{ gatewayId, rssi: -98 }]);
    expect(today.txInfo).toEqual(txInfo);
  });

  it('needs neither reception nor transmission', () => {
    expect(frameOf(parseUp({ phyPayload })).rxInfo).toEqual([{ gatewayId }]);
  });

  it('of 123 bytes begins like JSON and is none', () => {
    const long = Buffer.alloc(123, 0x40);
    const body = encode({ phyPayload: long.toString('base64') }, gateway.up);
    expect(body.subarray(0, 2).toString()).toBe('\n{');
    expect(frameOf(parse(`${root}/event/up`, body)).phyPayload).toEqual(long);
  });

  it.each([
    [{ phyPayload: '' }, 'phyPayload is not 1 to 255 bytes'],
    [{ phyPayload: Buffer.alloc(256).toString('base64') }, 'phyPayload is not 1 to 255 bytes'],
    [
      { phyPayload, rxInfo: { gatewayId: '0016c001f153a14d' } },
      'gatewayId is not the gateway of the topic',
    ],
  ])('is malformed with %j', (message, detail) => {
    expect(faultOf(parseUp({ ...message, txInfo: { frequency: 1 } }))).toEqual({
      kind: 'fault',
      code: 'INBOUND_MALFORMED',
      detail,
    });
  });

  it.each(['city/gateways', `gateway/${gatewayId}/event/UP!`])(
    'is refused on %s, which does not tell what it is',
    (route) => {
      const { detail } = faultOf(parse(route, encode({ phyPayload }, gateway.up)));
      expect(detail).toBe('the topic names no message of a gateway bridge');
    },
  );

  it('is refused on a topic without a EUI', () => {
    const { detail } = faultOf(parse('gateway/roof/event/up', encode({ phyPayload }, gateway.up)));
    expect(detail).toBe('gatewayId is not an EUI of 16 hex digits');
  });
});

describe('An event of a gateway in protobuf', () => {
  it('is offline when the state has its default value', () => {
    const parsed = parse(`${root}/state/conn`, encode({ gatewayId }, gateway.conn));
    expect(eventOf(parsed).measurements).toEqual([{ name: 'state', value: 'OFFLINE' }]);
  });

  it('of a bridge of version 3 names the gateway in bytes', () => {
    const message = { gatewayIdLegacy: gatewayIdBase64, state: 'ONLINE' };
    const parsed = parse(`${root}/state/conn`, encode(message, gateway.conn));
    expect(eventOf(parsed).measurements).toEqual([{ name: 'state', value: 'ONLINE' }]);
  });

  it('is a command by its topic', () => {
    const parsed = parse(`${root}/command/raw`, encode({ gatewayId }, gateway.raw));
    expect(eventOf(parsed).type).toBe('command-raw');
  });

  it('of an unknown type is kept by its topic', () => {
    const parsed = parse(`${root}/event/mesh-heartbeat`, encode({ gatewayId }, gateway.raw));
    expect(eventOf(parsed)).toEqual({ kind: 'event', adapter, type: 'mesh-heartbeat', gatewayId });
  });

  it.each([
    [{ gatewayId: '0016c001f153a14d' }, 'gatewayId is not the gateway of the topic'],
    [{ gatewayIdLegacy: 'AQI=' }, 'gatewayID is not an EUI of 8 bytes'],
  ])('is malformed with %j', (message, detail) => {
    const parsed = parse(`${root}/event/stats`, encode(message, gateway.stats));
    expect(faultOf(parsed).detail).toBe(detail);
  });
});
