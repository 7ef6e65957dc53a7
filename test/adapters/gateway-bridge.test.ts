import { describe, expect, it } from '@jest/globals';
import { gatewayBridge } from '../../gateway/adapters/gateway-bridge.ts';
import { eventOf, faultOf, fixtureText, frameOf, inboundOf } from './inbound.ts';

const gatewayId = '0016c001f153a14c';
const topic = `eu868/gateway/${gatewayId}/event/up`;
const message = JSON.parse(fixtureText('lns/gatewaybridge-v4-up.json'));

function parse(changes: object, route = topic) {
  return gatewayBridge.parse(inboundOf(route, { ...message, ...changes }));
}

function withRx(changes: object, route = topic) {
  return parse({ rxInfo: { ...message.rxInfo, ...changes } }, route);
}

describe('A frame of a gateway bridge', () => {
  it("has the server's time before the gateway's", () => {
    const gwTime = '2024-01-01T00:00:01Z';
    const nsTime = '2024-01-01T00:00:02Z';
    const frame = frameOf(withRx({ gwTime, nsTime }));
    expect(frame.rxTime).toBe(Date.parse(nsTime));
    expect(frame.rxInfo[0]?.rxTime).toBe(Date.parse(gwTime));
  });

  it.each(['CRC_OK', undefined])('is taken with the CRC status %p', (crcStatus) => {
    expect(frameOf(withRx({ crcStatus })).phyPayload).toHaveLength(14);
  });

  it.each(['BAD_CRC', 'NO_CRC'])('is an event with the CRC status %s', (crcStatus) => {
    expect(eventOf(withRx({ crcStatus }))).toEqual({
      kind: 'event',
      adapter: 'chirpstack-gateway-bridge-json',
      type: 'bad-crc',
      gatewayId,
    });
  });

  it('needs neither reception nor transmission when the topic names the gateway', () => {
    const frame = frameOf(parse({ rxInfo: undefined, txInfo: undefined }));
    expect(frame.rxInfo).toEqual([{ gatewayId }]);
    expect(frame).not.toHaveProperty('txInfo');
    expect(frame).not.toHaveProperty('rxTime');
  });

  it('is known by its shape on another topic', () => {
    expect(frameOf(parse({}, 'city/gateways')).rxInfo[0]?.gatewayId).toBe(gatewayId);
  });

  it.each([
    [{ phyPayload: undefined }, 'phyPayload is not base64 of 1 to 255 bytes'],
    [{ phyPayload: '' }, 'phyPayload is not base64 of 1 to 255 bytes'],
    [
      { phyPayload: Buffer.alloc(256).toString('base64') },
      'phyPayload is not base64 of 1 to 255 bytes',
    ],
    [{ phyPayload: '!' }, 'phyPayload is not base64'],
    [{ rxInfo: [1] }, 'rxInfo is not an object'],
    [{ gatewayId: 'x' }, 'gatewayId is not an EUI of 16 hex digits'],
    [{ gatewayId: '0016c001f153a14d' }, 'gatewayId is not the gateway of the topic'],
    [{ rxInfo: { ...message.rxInfo, time: '1' } }, 'rxInfo.time is not an RFC 3339 time'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it('is refused when the body is no JSON', () => {
    const parsed = gatewayBridge.parse(inboundOf(topic, Buffer.from('[1')));
    expect(faultOf(parsed).code).toBe('INBOUND_MALFORMED');
  });
});

describe('An event of a gateway', () => {
  it.each([
    ['conn', { state: 'ONLINE' }],
    ['stats', { rxPacketsReceived: 1 }],
    ['exec', { execId: 1 }],
    ['ack', { downlinkId: 1 }],
  ])('is known as %s by its shape', (type, fields) => {
    const parsed = gatewayBridge.parse(inboundOf('x', { gatewayId, ...fields }));
    expect(eventOf(parsed).type).toBe(type);
  });

  it('is offline when the state has its default value', () => {
    const route = `gateway/${gatewayId}/state/conn`;
    expect(eventOf(gatewayBridge.parse(inboundOf(route, {}))).measurements).toEqual([
      { name: 'state', value: 'OFFLINE' },
    ]);
  });

  it.each(['x', `gateway/${gatewayId}/other/up`, `gateway/${gatewayId}/event/UP!`, 'gateway/a/b'])(
    'is refused on %s when nothing tells what it is',
    (route) => {
      const parsed = gatewayBridge.parse(inboundOf(route, { gatewayId }));
      expect(faultOf(parsed).detail).toBe('it is no message of a gateway bridge');
    },
  );

  it('is refused without a gateway', () => {
    const parsed = gatewayBridge.parse(inboundOf('x', { gatewayId: '', execId: 1 }));
    expect(faultOf(parsed).detail).toBe('gatewayId is not an EUI of 16 hex digits');
  });
});

describe('A downlink on its way to a gateway', () => {
  const route = `gateway/${gatewayId}/command/down`;
  const heard = (fields: object) =>
    gatewayBridge.parse(inboundOf(route, { gatewayId, downlinkId: 1, ...fields }));

  it('gives the frame of the first receive window, or the one of older bridges', () => {
    const items = [{ phyPayload: 'YAEC' }, { phyPayload: 'YAED' }];
    const event = { type: 'command-down', phyPayload: Buffer.from('600102', 'hex') };
    expect(eventOf(heard({ items }))).toMatchObject(event);
    expect(eventOf(heard({ phyPayload: 'YAEC' }))).toMatchObject(event);
    expect(eventOf(heard({}))).not.toHaveProperty('phyPayload');
  });

  it('is malformed with what is no frame', () => {
    expect(faultOf(heard({ items: [{ phyPayload: '' }] })).code).toBe('INBOUND_MALFORMED');
    expect(faultOf(heard({ items: [7] })).code).toBe('INBOUND_MALFORMED');
  });
});
