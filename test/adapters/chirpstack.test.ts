import { describe, expect, it } from '@jest/globals';
import { chirpstack } from '../../gateway/adapters/chirpstack.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const devEui = '1000000000000001';
const topic = `application/1/device/${devEui}/event/up`;
const message = JSON.parse(fixtureText('lns/chirpstack-v4-tb-1.json'));

function parse(changes: object, route = topic) {
  return chirpstack.parse(inboundOf(route, { ...message, ...changes }));
}

function minimal(event: string, fields: object) {
  const body = { deviceInfo: { devEui }, ...fields };
  return chirpstack.parse(inboundOf(event, body));
}

describe('A ChirpStack v4 uplink', () => {
  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(minimal(topic, {}))).toEqual({
      kind: 'payload',
      adapter: 'chirpstack-v4-json',
      deviceId: devEui,
      fPort: 0,
      fCnt: 0,
      confirmed: false,
      rxInfo: [],
    });
  });

  it('takes identifiers in capitals and with dashes', () => {
    const deviceInfo = { devEui: '10-00-00-00-00-00-00-0A' };
    const route = 'application/1/device/100000000000000A/event/up';
    expect(payloadOf(parse({ deviceInfo, devAddr: 'ABCDEF01' }, route))).toMatchObject({
      deviceId: '100000000000000a',
      devAddr: 'abcdef01',
    });
  });

  it('has no payload to decode on port 0', () => {
    expect(payloadOf(parse({ fPort: 0 }))).not.toHaveProperty('frmPayload');
  });

  it('has no payload when it is empty', () => {
    expect(payloadOf(parse({ data: '' }))).not.toHaveProperty('frmPayload');
  });

  it('keeps what the server has decoded, unless it is nothing', () => {
    expect(payloadOf(parse({ object: { t: 1 } })).object).toEqual({ t: 1 });
    expect(payloadOf(parse({ object: {} }))).not.toHaveProperty('object');
  });

  it('is encrypted when a join server holds the key', () => {
    const context = { sessionKeyId: 'AQ==', appSKey: null };
    expect(payloadOf(parse({ joinServerContext: context })).encrypted).toBe(true);
  });

  it.each([null, {}, { sessionKeyId: '', appSKey: null }])(
    'is not encrypted with %p as the context',
    (joinServerContext) => {
      expect(payloadOf(parse({ joinServerContext }))).not.toHaveProperty('encrypted');
    },
  );

  it("reads the gateway's time, else the old field, else the server's", () => {
    const [gwTime, time, nsTime] = [1, 2, 3].map((second) => `2024-01-01T00:00:0${second}Z`);
    const rxInfo = [
      { gatewayId: 'a', gwTime, nsTime },
      { gatewayId: 'b', time, nsTime },
      { gatewayId: 'c', nsTime },
    ];
    const times = payloadOf(parse({ rxInfo })).rxInfo.map(({ rxTime = 0 }) => rxTime % 60_000);
    expect(times).toEqual([1_000, 2_000, 3_000]);
  });

  it('takes an absent SNR beside an RSSI for 0, for LoRa only', () => {
    const rxInfo = [{ gatewayId: 'a', rssi: -90 }, { gatewayId: 'b' }];
    expect(payloadOf(parse({ rxInfo })).rxInfo).toEqual([
      { gatewayId: 'a', rssi: -90, snr: 0 },
      { gatewayId: 'b' },
    ]);
    const txInfo = { modulation: { fsk: {} } };
    expect(payloadOf(parse({ rxInfo, txInfo })).rxInfo[0]).not.toHaveProperty('snr');
  });

  it('leaves out receptions that name no gateway', () => {
    expect(payloadOf(parse({ rxInfo: [{ rssi: -1 }, { gatewayId: '' }] })).rxInfo).toEqual([]);
  });

  it.each([
    [{ latitude: 40.4, longitude: 49.9, altitude: -28 }, true],
    [{ latitude: 40.4, longitude: 49.9 }, true],
    [{ latitude: 0, longitude: 0, altitude: 5 }, false],
    [{ latitude: 91, longitude: 1 }, false],
    [{ latitude: 1, longitude: 181 }, false],
  ])('knows whether %p is a place', (location, isPlace) => {
    const [rxInfo] = payloadOf(parse({ rxInfo: [{ gatewayId: 'a', location }] })).rxInfo;
    expect(rxInfo?.location).toEqual(isPlace ? location : undefined);
  });

  it('keeps a modulation without numbers and a message without transmission', () => {
    expect(payloadOf(parse({ txInfo: {} })).txInfo).toEqual({});
    expect(payloadOf(parse({ txInfo: { modulation: { lora: {} } } })).txInfo).toEqual({});
    expect(payloadOf(parse({ txInfo: null }))).not.toHaveProperty('txInfo');
  });

  it('has no key and no address when they are empty', () => {
    const uplink = payloadOf(parse({ deduplicationId: '', devAddr: '' }));
    expect(uplink).not.toHaveProperty('messageKey');
    expect(uplink).not.toHaveProperty('devAddr');
  });

  it('has the same key when the same bytes come again', () => {
    expect(payloadOf(parse({})).messageKey).toBe(payloadOf(parse({})).messageKey);
  });

  it.each([
    [{ data: 'AR' }, 'data is not base64'],
    [{ data: 5 }, 'data is not text'],
    [{ fCnt: -1 }, 'fCnt is not an integer from 0 to 4294967295'],
    [{ fPort: 256 }, 'fPort is not an integer from 0 to 255'],
    [{ confirmed: 'no' }, 'confirmed is not true or false'],
    [{ time: 'yesterday' }, 'time is not an RFC 3339 time'],
    [{ devAddr: 'x' }, 'devAddr is not 8 hex digits'],
    [{ object: [1] }, 'object is not an object'],
    [{ rxInfo: { a: 1 } }, 'rxInfo is not an array'],
    [{ rxInfo: [{ gatewayId: 'a', rssi: 'loud' }] }, 'rxInfo[0].rssi is not a number'],
    [{ txInfo: { frequency: true } }, 'txInfo.frequency is not a number'],
    [{ joinServerContext: 1 }, 'joinServerContext is not an object'],
    [{ deduplicationId: 'x'.repeat(129) }, 'deduplicationId is not short'],
    [{ deviceInfo: { devEui: 'x' } }, 'deviceInfo.devEui is not an EUI of 16 hex digits'],
    [{ deviceInfo: {} }, 'deviceInfo.devEui is missing'],
    [{ deviceInfo: undefined }, 'deviceInfo.devEui is missing'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it.each(['application/1/device/2000000000000002/event/up', 'application/1/device/x/event/up'])(
    'is refused on %s, which is not its own topic',
    (route) => {
      expect(faultOf(parse({}, route)).detail).toBe(
        'deviceInfo.devEui is not the device of the topic',
      );
    },
  );

  it('is refused when the body is no JSON', () => {
    expect(faultOf(chirpstack.parse(inboundOf(topic, Buffer.from('{')))).code).toBe(
      'INBOUND_MALFORMED',
    );
  });

  it('is not changed by prototype keys', () => {
    const body = `{"__proto__":{"fCnt":9},"deviceInfo":{"devEui":"${devEui}"}}`;
    expect(payloadOf(chirpstack.parse(inboundOf(topic, Buffer.from(body)))).fCnt).toBe(0);
  });
});

describe('A ChirpStack v4 event', () => {
  it.each([
    ['up', { rxInfo: [] }],
    ['up', { data: 'qg==' }],
    ['up', { fPort: 1 }],
    ['join', { devAddr: '00189440' }],
    ['status', { margin: 5 }],
    ['status', { batteryLevel: 5 }],
    ['status', { externalPowerSource: true }],
    ['ack', { queueItemId: 'x' }],
    ['ack', { acknowledged: true }],
    ['txack', { downlinkId: 1, queueItemId: 'x', txInfo: {} }],
    ['log', { level: 'ERROR', description: 'x' }],
    ['location', { location: {} }],
    ['integration', { integrationName: 'loracloud', object: {} }],
  ])('is known as %s by its shape when the topic is custom', (type, fields) => {
    const parsed = minimal('city/sensors', fields);
    if (type === 'up') expect(payloadOf(parsed).deviceId).toBe(devEui);
    else expect(eventOf(parsed).type).toBe(type);
  });

  it.each(['city/join', '/ingest/chirpstack?event=join', 'join'])('is named by %s', (route) => {
    expect(eventOf(minimal(route, { rxInfo: [] })).type).toBe('join');
  });

  it('is refused when nothing tells what it is', () => {
    const detail = 'it is no event of ChirpStack v4';
    expect(faultOf(minimal('city/sensors', {})).detail).toBe(detail);
    expect(faultOf(minimal(`application/1/device/${devEui}/event/x`, {})).detail).toBe(detail);
  });

  it.each([
    [{ margin: -3, batteryLevel: 50 }, [-3, 50]],
    [{ margin: 3, batteryLevel: 0, batteryLevelUnavailable: true }, [3]],
    [{ margin: 3, batteryLevel: 0, externalPowerSource: true }, [3]],
    [{}, [0]],
  ])('of status %p measures %p', (fields, values) => {
    const event = eventOf(minimal(`application/1/device/${devEui}/event/status`, fields));
    expect(event.measurements?.map(({ value }) => value)).toEqual(values);
  });

  it('is malformed with a battery level that is no number', () => {
    const parsed = minimal('city/status', { batteryLevel: 'full' });
    expect(faultOf(parsed).detail).toBe('batteryLevel is not a number');
  });
});
