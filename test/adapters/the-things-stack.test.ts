import { describe, expect, it } from '@jest/globals';
import { theThingsStack } from '../../gateway/adapters/the-things-stack.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const topic = 'v3/application-tts-name@ttn/devices/eui-1000000000000001/up';
const message = JSON.parse(fixtureText('lns/tts-ttn-tb-1.json'));
const content = message.uplink_message;

function parse(changes: object, route = topic) {
  return theThingsStack.parse(inboundOf(route, { ...message, ...changes }));
}

function parseContent(changes: object, others: object = {}) {
  return parse({ uplink_message: { ...content, ...changes }, ...others });
}

describe('A Things Stack uplink', () => {
  it('is the same on a webhook', () => {
    expect(parse({}, '/ingest/tts')).toEqual(parse({}));
  });

  it('has the defaults of the format where fields are filtered out', () => {
    const body = { uplink_message: {} };
    expect(payloadOf(theThingsStack.parse(inboundOf(topic, body)))).toEqual({
      kind: 'payload',
      adapter: 'the-things-stack-v3-json',
      deviceId: 'eui-1000000000000001',
      fPort: 0,
      fCnt: 0,
      confirmed: false,
      rxInfo: [],
    });
  });

  it('is encrypted when the application key comes along', () => {
    const app_s_key = { encrypted_key: 'AQ==', kek_label: 'k' };
    expect(payloadOf(parseContent({ app_s_key })).encrypted).toBe(true);
  });

  it('is marked when the console made it up', () => {
    expect(payloadOf(parse({ simulated: true })).simulated).toBe(true);
    expect(payloadOf(parse({ simulated: false }))).not.toHaveProperty('simulated');
  });

  it('keeps a payload only for a port of its own', () => {
    expect(payloadOf(parseContent({ f_port: undefined }))).not.toHaveProperty('frmPayload');
    expect(payloadOf(parseContent({ frm_payload: '' }))).not.toHaveProperty('frmPayload');
  });

  it('keeps what the server has decoded, unless it is nothing', () => {
    expect(payloadOf(parseContent({ decoded_payload: { t: 1 } })).object).toEqual({ t: 1 });
    expect(payloadOf(parseContent({ decoded_payload: {} }))).not.toHaveProperty('object');
  });

  it('falls back to the name of the device, then to the topic', () => {
    const named = { end_device_ids: { device_id: 'eui-1000000000000001' } };
    expect(payloadOf(parse(named, 'x')).deviceId).toBe('eui-1000000000000001');
    expect(payloadOf(parse({ end_device_ids: {} })).deviceId).toBe('eui-1000000000000001');
    expect(faultOf(parse({ end_device_ids: {} }, 'x')).detail).toBe(
      'end_device_ids names no device',
    );
    expect(faultOf(parse({ end_device_ids: { device_id: 'a b' } }, 'x')).detail).toBe(
      'end_device_ids names no device',
    );
  });

  it('names gateways by EUI, by name, and behind Packet Broker', () => {
    const rx_metadata = [
      { gateway_ids: { gateway_id: 'gtw1', eui: '9C5C8E00001A05C4' } },
      { gateway_ids: { gateway_id: 'gtw2' } },
      { gateway_ids: { gateway_id: 'packetbroker' }, packet_broker: {} },
      {
        gateway_ids: { gateway_id: 'packetbroker' },
        packet_broker: { forwarder_gateway_id: 'far' },
      },
      {},
      { gateway_ids: { gateway_id: 'gtw2' } },
    ];
    const { rxInfo } = payloadOf(parseContent({ rx_metadata }));
    expect(rxInfo.map(({ gatewayId }) => gatewayId)).toEqual([
      '9c5c8e00001a05c4',
      'gtw2',
      'packetbroker',
      'far',
    ]);
  });

  it('reads the place of a gateway and the time of its reception', () => {
    const rx_metadata = [
      {
        gateway_ids: { gateway_id: 'g' },
        received_at: '2024-01-01T00:00:00Z',
        location: { latitude: 40.4, longitude: 49.9, source: 'SOURCE_REGISTRY' },
      },
    ];
    expect(payloadOf(parseContent({ rx_metadata })).rxInfo).toEqual([
      {
        gatewayId: 'g',
        rxTime: Date.UTC(2024, 0, 1),
        location: { latitude: 40.4, longitude: 49.9 },
      },
    ]);
  });

  it.each([
    [{}, {}],
    [{ data_rate: { fsk: {} }, frequency: '868500000' }, { frequency: 868_500_000 }],
    [{ data_rate: { lora: {} } }, {}],
  ])('reads the settings %p', (settings, txInfo) => {
    expect(payloadOf(parseContent({ settings })).txInfo).toEqual(txInfo);
  });

  it.each([
    [{ end_device_ids: { dev_eui: 'x' } }, 'end_device_ids.dev_eui is not an EUI of 16 hex digits'],
    [{ end_device_ids: { dev_addr: 'x' } }, 'end_device_ids.dev_addr is not 8 hex digits'],
    [
      { end_device_ids: { device_id: 'x' } },
      'end_device_ids.device_id is not the device of the topic',
    ],
    [{ simulated: 1 }, 'simulated is not true or false'],
    [{ correlation_ids: 'x' }, 'correlation_ids is not an array'],
    [{ uplink_message: 5 }, 'it is no ApplicationUp of The Things Stack v3'],
    [{ uplink_message: { frm_payload: '*' } }, 'uplink_message.frm_payload is not base64'],
    [
      { uplink_message: { rx_metadata: [{ gateway_ids: { eui: 5 } }] } },
      'uplink_message.rx_metadata[0].gateway_ids.eui is not text',
    ],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it('is refused when the body is no JSON', () => {
    const parsed = theThingsStack.parse(inboundOf(topic, Buffer.from([0xff])));
    expect(faultOf(parsed).detail).toBe('the body is not UTF-8');
  });
});

describe('The key of a Things Stack uplink', () => {
  const none = { correlation_ids: ['gs:uplink:1', 5, `as:up:${'x'.repeat(130)}`] };

  it('is the identifier that the application server gave it', () => {
    expect(payloadOf(parse({})).messageKey).toBe('as:up:01H0S7ZJQ9MQPMVY49FT3SE07M');
  });

  it('is session, counter and time where that is absent', () => {
    const uplink = payloadOf(parse(none));
    expect(uplink.messageKey).toBe('AYfqmb0pc/1uRZv9xUydgQ==:10335:2023-05-19T05:33:35.641841782Z');
    expect(payloadOf(parse(none)).messageKey).toBe(uplink.messageKey);
  });

  it("takes the application server's time when the network server's is absent", () => {
    const uplink = payloadOf(parseContent({ received_at: undefined, f_cnt: undefined }, none));
    expect(uplink.messageKey).toBe('AYfqmb0pc/1uRZv9xUydgQ==:0:2023-05-19T05:33:35.848446463Z');
  });

  it.each([
    ['session', { session_key_id: undefined }, none],
    ['session', { session_key_id: '' }, none],
    ['time', { received_at: undefined }, { ...none, received_at: undefined }],
    ['time', { received_at: '' }, none],
    ['bound', { session_key_id: 'x'.repeat(128) }, none],
  ])('is absent without a %s', (_, changes, others) => {
    expect(payloadOf(parseContent(changes, others))).not.toHaveProperty('messageKey');
  });

  it('differs when a counter comes again in the same session', () => {
    const later = { received_at: '2023-05-19T06:00:00Z' };
    const one = payloadOf(parseContent({}, none));
    const other = payloadOf(parseContent(later, none));
    expect(one.messageKey).not.toBe(other.messageKey);
  });
});

describe('A Things Stack event', () => {
  const ids = { end_device_ids: message.end_device_ids };

  it('of a normalized uplink carries its measurements with their time', () => {
    const normalized_payload = { air: { temperature: 20.5 }, time: '2024-01-01T00:00:00Z' };
    const body = { ...ids, uplink_normalized: { f_port: 1, normalized_payload } };
    const time = Date.UTC(2024, 0, 1);
    expect(eventOf(theThingsStack.parse(inboundOf(topic, body)))).toEqual({
      kind: 'event',
      adapter: 'the-things-stack-v3-json',
      type: 'up/normalized',
      deviceId: '1000000000000001',
      measurements: [{ name: 'air.temperature', value: 20.5, time }],
    });
  });

  it('of a normalized uplink has the time of reception otherwise', () => {
    const received_at = '2024-01-01T00:00:00Z';
    const normalized_payload = { battery: 3.6 };
    const body = { ...ids, uplink_normalized: { received_at, normalized_payload } };
    const event = eventOf(theThingsStack.parse(inboundOf(topic, body)));
    expect(event.measurements).toEqual([{ name: 'battery', value: 3.6, time: event.time }]);
  });

  it('of a normalized uplink may be empty', () => {
    const body = { ...ids, uplink_normalized: {} };
    expect(eventOf(theThingsStack.parse(inboundOf(topic, body)))).not.toHaveProperty(
      'measurements',
    );
  });

  it('of a normalized uplink is malformed beyond its limits', () => {
    const normalized_payload = { ['x'.repeat(129)]: 1 };
    const body = { ...ids, uplink_normalized: { normalized_payload } };
    expect(faultOf(theThingsStack.parse(inboundOf(topic, body))).detail).toMatch(
      /^uplink_normalized\.normalized_payload\.x+… is not a name of up to 128 characters$/,
    );
  });

  it.each([
    ['downlink_queued', 'down/queued'],
    ['downlink_sent', 'down/sent'],
    ['downlink_nack', 'down/nack'],
    ['downlink_queue_invalidated', 'down/invalidated'],
    ['location_solved', 'location/solved'],
    ['service_data', 'service/data'],
  ])('with %s is %s', (key, type) => {
    const body = { ...ids, [key]: {} };
    expect(eventOf(theThingsStack.parse(inboundOf(topic, body))).type).toBe(type);
  });

  // The example of the LoRa Cloud guide in The Things Stack's documentation (Apache-2.0).
  const solved = {
    service: 'lora-cloud-device-management-v1-wifi',
    location: {
      latitude: 51.455,
      longitude: 5.458,
      accuracy: 15,
      source: 'SOURCE_WIFI_RSSI_GEOLOCATION',
    },
  };

  it('of a solved location measures the position', () => {
    const event = eventOf(
      theThingsStack.parse(inboundOf(topic, { ...ids, location_solved: solved })),
    );
    expect(event.measurements).toEqual([
      { name: 'latitude', value: 51.455, unit: 'deg' },
      { name: 'longitude', value: 5.458, unit: 'deg' },
    ]);
  });

  it('of a solved location without a place measures nothing', () => {
    const event = eventOf(theThingsStack.parse(inboundOf(topic, { ...ids, location_solved: {} })));
    expect(event.measurements).toEqual([]);
  });

  it('may be without a device', () => {
    const event = eventOf(theThingsStack.parse(inboundOf('x', { service_data: {} })));
    expect(event).not.toHaveProperty('deviceId');
  });
});
