import { describe, expect, it } from '@jest/globals';
import { chirpstackJson } from '../../gateway/adapters/chirpstack-json.ts';
import { chirpstackV3 } from '../../gateway/adapters/chirpstack-v3.ts';
import { adapters, defaultRoutes } from '../../gateway/adapters/registry.ts';
import { createRouter } from '../../gateway/adapters/topic-filter.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const devEui = '0202020202020202';
const topic = `application/123/device/${devEui}/event/up`;
const plain = JSON.parse(fixtureText('lns/chirpstack-v3-up-data.json'));
const protobuf = JSON.parse(fixtureText('lns/chirpstack-v3-up-protobuf.json'));

function parse(changes: object, message = plain, route = topic) {
  return chirpstackV3.parse(inboundOf(route, { ...message, ...changes }));
}

function minimal(route: string, fields: object) {
  return chirpstackV3.parse(inboundOf(route, { devEUI: devEui, ...fields }));
}

describe('ChirpStack JSON of either version', () => {
  const event = (route: string, body: unknown) => chirpstackJson.parse(inboundOf(route, body));

  it('is read by one adapter, whose items name their version', () => {
    expect(payloadOf(event(topic, plain)).adapter).toBe('chirpstack-v3-json');
    const deviceInfo = { devEui };
    expect(payloadOf(event(topic, { deviceInfo })).adapter).toBe('chirpstack-v4-json');
    expect(payloadOf(event(topic, { deviceInfo, devEUI: devEui })).adapter).toBe(
      'chirpstack-v4-json',
    );
  });

  it('is malformed without either sign', () => {
    expect(faultOf(event(topic, {})).detail).toBe('deviceInfo.devEui is missing');
    expect(faultOf(event(topic, [])).detail).toBe('the body is not a JSON object');
  });

  it('has no topic that a second adapter claims by default', () => {
    const filters = adapters.flatMap(({ topicFilters }) => topicFilters);
    expect(new Set(filters).size).toBe(filters.length);
    expect(createRouter(defaultRoutes)(topic)?.name).toBe('chirpstack-json');
  });
});

describe('A ChirpStack v3 uplink', () => {
  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(minimal(topic, {}))).toEqual({
      kind: 'payload',
      adapter: 'chirpstack-v3-json',
      deviceId: devEui,
      fPort: 0,
      fCnt: 0,
      rxInfo: [],
    });
  });

  it('is the same device in base64, capitals and dashes', () => {
    for (const spelling of ['AgICAgICAgI=', '02-02-02-02-02-02-02-02', 'AgICAgICAgI']) {
      expect(payloadOf(parse({ devEUI: spelling })).deviceId).toBe(devEui);
    }
  });

  it.each(['', '{}', '[1]', '1', null])('has no object when objectJSON is %p', (objectJSON) => {
    expect(payloadOf(parse({ objectJSON }, protobuf))).not.toHaveProperty('object');
  });

  it('drops prototype keys inside objectJSON', () => {
    const objectJSON = '{"__proto__":{"t":1},"u":2}';
    expect(payloadOf(parse({ objectJSON }, protobuf)).object).toEqual({ u: 2 });
  });

  it("takes the first reception's identifier for its key, unless it is all zeros", () => {
    const keyOf = (uplinkID: unknown) =>
      payloadOf(parse({ rxInfo: [{ gatewayID: devEui, uplinkID }] })).messageKey;
    expect(keyOf('b1a2')).toBe('b1a2');
    expect(keyOf('00000000-0000-0000-0000-000000000000')).toBeUndefined();
    expect(keyOf('AAAAAAAAAAAAAAAAAAAAAA==')).toBeUndefined();
    expect(keyOf('x'.repeat(129))).toBeUndefined();
    expect(keyOf(undefined)).toBeUndefined();
  });

  it('leaves out receptions that name no gateway and keeps one that tells nothing else', () => {
    const rxInfo = [{ rssi: -1 }, { gatewayID: '' }, { gatewayID: 'roof' }];
    expect(payloadOf(parse({ rxInfo })).rxInfo).toEqual([{ gatewayId: 'roof' }]);
  });

  it('keeps a transmission without numbers and lives without one', () => {
    expect(payloadOf(parse({ txInfo: {} })).txInfo).toEqual({});
    expect(payloadOf(parse({ txInfo: { dataRate: {} } })).txInfo).toEqual({});
    expect(payloadOf(parse({ txInfo: null }))).not.toHaveProperty('txInfo');
  });

  it('has no payload to decode on port 0', () => {
    expect(payloadOf(parse({ fPort: 0 }))).not.toHaveProperty('frmPayload');
  });

  it.each([
    [{ data: 'AR' }, 'data is not base64'],
    [{ fCnt: -1 }, 'fCnt is not an integer from 0 to 4294967295'],
    [{ fPort: 256 }, 'fPort is not an integer from 0 to 255'],
    [{ object: [1] }, 'object is not an object'],
    [{ object: null, objectJSON: '{' }, 'objectJSON is not JSON'],
    [{ devAddr: 'x' }, 'devAddr is not 8 hex digits'],
    [{ publishedAt: 'now' }, 'publishedAt is not an RFC 3339 time'],
    [{ rxInfo: [{ gatewayID: 'a', rssi: 'loud' }] }, 'rxInfo[0].rssi is not a number'],
    [{ devEUI: 'x' }, 'devEUI is not an EUI of 16 hex digits'],
    [{ devEUI: null }, 'devEUI is missing'],
    [{ devEUI: '0303030303030303' }, 'devEUI is not the device of the topic'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it('is refused when the body is no JSON', () => {
    expect(faultOf(chirpstackV3.parse(inboundOf(topic, Buffer.from('{')))).detail).toBe(
      'the body is not JSON at character 1',
    );
  });
});

describe('A ChirpStack v3 event', () => {
  it.each([
    ['up', { data: 'qg==' }],
    ['up', { fPort: 1 }],
    ['join', { devAddr: '00189440', rxInfo: [] }],
    ['status', { margin: 5 }],
    ['status', { batteryLevel: 5 }],
    ['ack', { acknowledged: false, fCnt: 1 }],
    ['error', { error: 'x', fCnt: 1 }],
    ['txack', { fCnt: 1 }],
    ['location', { location: {} }],
    ['integration', { integrationName: 'loracloud' }],
  ])('is known as %s by its shape when the topic is custom', (type, fields) => {
    const parsed = minimal('city/sensors', fields);
    if (type === 'up') expect(payloadOf(parsed).deviceId).toBe(devEui);
    else expect(eventOf(parsed).type).toBe(type);
  });

  it.each(['city/join', '/ingest/v3?event=join', 'join'])('is named by %s', (route) => {
    expect(eventOf(minimal(route, { fPort: 1 })).type).toBe('join');
  });

  it('is refused when nothing tells what it is', () => {
    const detail = 'it is no event of ChirpStack v3';
    expect(faultOf(minimal('city/sensors', {})).detail).toBe(detail);
    expect(faultOf(minimal(`application/1/device/${devEui}/event/log`, {})).detail).toBe(detail);
  });

  it.each([
    [{ margin: 3, batteryLevel: 50, battery: 200 }, [3, 50]],
    [{ margin: 3, battery: 127 }, [3, 50]],
    [{ margin: 3, battery: 0 }, [3]],
    [{ margin: 3, battery: 255 }, [3]],
    [{ margin: 3 }, [3]],
  ])('of status %p measures %p', (fields, values) => {
    const event = eventOf(minimal(`application/1/device/${devEui}/event/status`, fields));
    expect(event.measurements?.map(({ value }) => value)).toEqual(values);
  });

  it('of location without a place measures nothing', () => {
    const route = `application/1/device/${devEui}/event/location`;
    expect(eventOf(minimal(route, {})).measurements).toEqual([]);
  });
});
