import { describe, expect, it } from '@jest/globals';
import type { Parsed } from '../../../gateway/adapters/adapter.ts';
import { findAdapter } from '../../../gateway/adapters/registry.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from '../inbound.ts';
import { version3, version4 } from './chirpstack-schemas.ts';
import { encode, integer, message, type Schema, text } from './encoder.ts';

const application = 'application/17c82e96-be03-4f38-aef3-f83d48582d97';
const family = findAdapter('chirpstack-json');

function parse(route: string, body: Buffer): Parsed {
  const parsed = family?.parse(inboundOf(route, body));
  if (parsed === undefined) throw new Error('no adapter reads these topics');
  return parsed;
}

/** The same items, but for the name of the form they were read from. */
function withAdapter(parsed: Parsed, adapter: string): unknown {
  return 'code' in parsed ? parsed : parsed.map((item) => ({ ...item, adapter }));
}

const version4Cases = [
  ['up', 'chirpstack-v4-up', '0101010101010101'],
  ['up', 'chirpstack-v4-tb-1', '1000000000000001'],
  ['join', 'chirpstack-v4-join', '0101010101010101'],
  ['status', 'chirpstack-v4-status', '0101010101010101'],
  ['status', 'chirpstack-v4-tb-3', '24e124707c483636'],
  ['ack', 'chirpstack-v4-ack', '0101010101010101'],
  ['txack', 'chirpstack-v4-txack', '0101010101010101'],
  ['log', 'chirpstack-v4-log', '0101010101010101'],
  ['location', 'chirpstack-v4-location', '0101010101010101'],
  ['integration', 'chirpstack-v4-integration', '0016c001f000175a'],
] as const;

/**
 * A downlink's timing is a duration in text in JSON; it has no part in what is made of the event.
 */
function published(name: string): Record<string, unknown> {
  const { timing: _timing, ...txInfo } = JSON.parse(fixtureText(`lns/${name}.json`)).txInfo ?? {};
  const message = JSON.parse(fixtureText(`lns/${name}.json`));
  return message.txInfo === undefined ? message : { ...message, txInfo };
}

describe('An event of ChirpStack v4 in protobuf', () => {
  it.each(version4Cases)('%s of %s becomes what its JSON form becomes', (event, name, devEui) => {
    const route = `${application}/device/${devEui}/event/${event}`;
    const message = published(name);
    const fromJson = parse(route, Buffer.from(JSON.stringify(message)));
    const fromProtobuf = parse(route, encode(message, version4[event]));
    expect('code' in fromJson).toBe(false);
    expect(fromProtobuf).toEqual(withAdapter(fromJson, 'chirpstack-v4-protobuf'));
  });
});

const upRoute = `${application}/device/0101010101010101/event/up`;
const up = published('chirpstack-v4-up');

function parseUp(changes: object, route = upRoute): Parsed {
  return parse(route, encode({ ...up, ...changes }, version4.up));
}

function bothForms(changes: object): [Parsed, unknown] {
  const fromJson = parse(upRoute, Buffer.from(JSON.stringify({ ...up, ...changes })));
  return [parseUp(changes), withAdapter(fromJson, 'chirpstack-v4-protobuf')];
}

describe('An uplink of ChirpStack v4 in protobuf', () => {
  it.each([
    [{ fCnt: 4_294_967_295, confirmed: true, adr: true }],
    [{ fPort: 0 }],
    [{ data: '' }],
    [{ joinServerContext: { sessionKeyId: 'AX', appSKey: { kekLabel: 'k', aesKey: 'AQI=' } } }],
    [{ object: { temperature: 21.25, state: 'open', isWet: false, deep: { list: [1, [null]] } } }],
    [{ object: { temperature: -0.5, nothing: null, empty: {}, none: [] } }],
    [{ object: {} }],
    [{ devAddr: '', deduplicationId: '' }],
    [{ rxInfo: [] }],
    [{ rxInfo: [{ gatewayId: 'roof', rssi: -120 }, { gatewayId: '' }] }],
    [{ rxInfo: [{ gatewayId: '0016C001F153A14C', rssi: -97, snr: -7.2, crcStatus: 'CRC_OK' }] }],
    [
      {
        rxInfo: [
          {
            gatewayId: '0016c001f153a14c',
            gwTime: '2024-01-01T00:00:01.250Z',
            nsTime: '2024-01-01T00:00:02.999999999Z',
            location: { latitude: 40.4093, longitude: 49.8671, altitude: -28 },
          },
          {
            gatewayId: '0016c001f153a14d',
            nsTime: '2024-01-01T00:00:02Z',
            location: { latitude: 91, longitude: 1 },
          },
          { gatewayId: '0016c001f153a14e', location: { latitude: 1, longitude: 1 } },
        ],
      },
    ],
    [{ txInfo: { frequency: 868_300_000, modulation: { fsk: { datarate: 50_000 } } } }],
    [{ txInfo: {} }],
  ])('equals its JSON form with %j', (changes) => {
    const [fromProtobuf, fromJson] = bothForms(changes);
    expect('code' in fromProtobuf).toBe(false);
    expect(fromProtobuf).toEqual(fromJson);
  });

  it('keeps a frequency of 867.1 MHz and the payload', () => {
    const uplink = payloadOf(parseUp({}));
    expect(uplink.txInfo?.frequency).toBe(867_100_000);
    expect(uplink.frmPayload).toEqual(Buffer.from([0xaa]));
  });

  it('counts no more receptions than the JSON form', () => {
    const rxInfo = Array.from({ length: 200 }, () => ({ gatewayId: 'a' }));
    expect(payloadOf(parseUp({ rxInfo })).rxInfo).toHaveLength(128);
  });

  it('takes no key of its object for a prototype', () => {
    const object = JSON.parse('{"__proto__": {"a": 1}, "constructor": {"b": 1}, "c": 1}');
    expect(payloadOf(parseUp({ object })).object).toEqual({ c: 1 });
  });

  it('has null where its object has a number that JSON does not know', () => {
    const object = { a: Number.NaN, b: Number.NEGATIVE_INFINITY };
    expect(payloadOf(parseUp({ object })).object).toEqual({ a: null, b: null });
  });

  it('passes over fields that a later version may add, at every level', () => {
    const [number, added] = [99, integer];
    const later = { later: [number, added] } as const;
    const value = { later: 1 };
    const deeper: Schema = { later: [2, message({ fields: [1, message(later)] })] };
    const schema: Schema = {
      ...version4.up,
      ...later,
      rxInfo: [12, message({ later: [12, message(later)], gatewayId: [1, text] })],
      txInfo: [13, message({ ...later, modulation: [2, message({ lora: [3, message(later)] })] })],
      object: [11, message({ ...later, fields: [1, message({ value: [2, message(later)] })] })],
      list: [
        11,
        message({ fields: [1, message({ list: [2, message({ v: [6, message(later)] })] })] }),
      ],
      time: [2, message(later)],
      deeper: [11, message(deeper)],
    };
    const changed = {
      ...up,
      ...value,
      rxInfo: { gatewayId: 'a', later: value },
      txInfo: { ...value, modulation: { lora: value } },
      object: { ...value, fields: { value } },
      list: { fields: { list: { v: value } } },
      time: value,
      deeper: { later: { fields: value } },
    };
    const uplink = payloadOf(parse(upRoute, encode(changed, schema)));
    expect(uplink.rxInfo).toEqual([{ gatewayId: 'a' }]);
    expect(uplink.txInfo).toEqual({});
    expect(uplink.rxTime).toBe(0);
  });

  it('is read from a webhook whose path names the event', () => {
    expect(payloadOf(parseUp({}, '/ingest/chirpstack?event=up')).deviceId).toBe('0101010101010101');
  });

  it.each([
    [{ fPort: 256 }, 'fPort is not an integer from 0 to 255'],
    [{ devAddr: 'x' }, 'devAddr is not 8 hex digits'],
    [{ deduplicationId: 'x'.repeat(129) }, 'deduplicationId is not short'],
    [{ deviceInfo: {} }, 'deviceInfo.devEui is missing'],
    [{ deviceInfo: { devEui: 'x' } }, 'deviceInfo.devEui is not an EUI of 16 hex digits'],
    [
      { deviceInfo: { devEui: '0101010101010102' } },
      'deviceInfo.devEui is not the device of the topic',
    ],
    [{ rxInfo: [{ gatewayId: 'a', snr: Number.NaN }] }, 'rxInfo.snr is not a number'],
    [
      { rxInfo: [{ gatewayId: 'a', location: { latitude: Number.POSITIVE_INFINITY } }] },
      'location is not a number',
    ],
    [{ time: '+020000-01-01T00:00:00Z' }, 'time is not a time'],
    [{ object: nested(33) }, 'object is not within 32 levels'],
    [{ object: { list: nestedList(33) } }, 'object is not within 32 levels'],
  ])('is malformed with %j', (changes, detail) => {
    expect(faultOf(parseUp(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it.each([`${application}/device/0101010101010101/event/x`, 'city/lora'])(
    'is refused on %s, which names no event',
    (route) => {
      expect(faultOf(parseUp({}, route)).detail).toBe('the topic names no event of ChirpStack v4');
    },
  );
});

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { a: nested(levels - 1) };
}

function nestedList(levels: number): unknown {
  return levels === 0 ? 1 : [nestedList(levels - 1)];
}

describe('A device status in protobuf', () => {
  const route = `${application}/device/0101010101010101/event/status`;
  const status = published('chirpstack-v4-status');
  const parseStatus = (changes: object) =>
    parse(route, encode({ ...status, ...changes }, version4.status));

  it.each([{ externalPowerSource: true }, { batteryLevelUnavailable: true }, { batteryLevel: 0 }])(
    'has no battery level with %j',
    (changes) => {
      expect(eventOf(parseStatus(changes)).measurements).toEqual([
        { name: 'link_margin', value: 10, unit: 'dB' },
      ]);
    },
  );

  it('keeps a margin below zero', () => {
    expect(eventOf(parseStatus({ margin: -7 })).measurements?.[0]?.value).toBe(-7);
  });

  it('is malformed with a battery level that is no number', () => {
    const { detail } = faultOf(parseStatus({ batteryLevel: Number.NaN }));
    expect(detail).toBe('batteryLevel is not a number');
  });
});

const route3 = 'application/123/device/0202020202020202/event';
const up3 = JSON.parse(fixtureText('lns/chirpstack-v4-tb-2.json'));
const head3 = { applicationID: '123', deviceName: 'garden-sensor', devEUI: 'AgICAgICAgI=' };
const publishedAt = '2023-02-01T10:00:00.5Z';

function parse3(event: keyof typeof version3, message: object, route = `${route3}/${event}`) {
  return parse(route, encode(message, version3[event]));
}

describe('An event of ChirpStack v3 in protobuf', () => {
  const cases: [keyof typeof version3, object][] = [
    ['up', up3],
    ['up', { ...up3, publishedAt, devAddr: 'JgAAAQ==', confirmedUplink: true, rxInfo: [] }],
    ['up', { ...up3, objectJSON: '', data: '' }],
    ['join', { ...head3, devAddr: 'JgAAAQ==', publishedAt }],
    ['ack', { ...head3, acknowledged: true, fCnt: 7, publishedAt }],
    ['txack', { ...head3, fCnt: 7, publishedAt }],
    ['error', { ...head3, type: 'UPLINK_MIC', error: 'invalid MIC', publishedAt }],
    ['status', { ...head3, margin: 6, batteryLevel: 75.5, publishedAt }],
    ['location', { ...head3, location: { latitude: 40.4, longitude: 49.8 }, publishedAt }],
    ['integration', { ...head3, integrationName: 'loracloud', eventType: 'x', publishedAt }],
  ];

  it.each(cases)('%s becomes what its JSON form becomes: %j', (event, message) => {
    const fromJson = parse(`${route3}/${event}`, Buffer.from(JSON.stringify(message)));
    expect('code' in fromJson).toBe(false);
    const expected = withAdapter(fromJson, 'chirpstack-v3-protobuf');
    // Without the field the JSON form leaves open what protobuf's default value settles.
    const settled = event === 'up' ? [expect.objectContaining({ confirmed: false })] : [];
    const parsed = parse3(event, message);
    if (event === 'up' && !('confirmedUplink' in message)) {
      expect(parsed).toEqual(settled);
      const open = { ...payloadOf(parsed), confirmed: undefined };
      expect([open]).toEqual(expected);
    } else {
      expect(parsed).toEqual(expected);
    }
  });

  it('is known by its own adapter too', () => {
    const body = encode(up3, version3.up);
    const parsed = findAdapter('chirpstack-v3-protobuf')?.parse(inboundOf(`${route3}/up`, body));
    expect(parsed).toEqual(parse(`${route3}/up`, body));
  });

  it('keeps no message key of zeros, and no content on port 0', () => {
    const rxInfo = [{ gatewayID: '', uplinkID: Buffer.alloc(16).toString('base64') }];
    const uplink = payloadOf(parse3('up', { ...up3, rxInfo, fPort: 0 }));
    expect(uplink).not.toHaveProperty('messageKey');
    expect(uplink).not.toHaveProperty('frmPayload');
    expect(uplink.rxInfo).toEqual([]);
  });

  it.each([
    [{ objectJSON: 'null' }, undefined],
    [{ objectJSON: '{}' }, undefined],
    [{ objectJSON: '{"a":[1]}' }, { a: [1] }],
  ])('has with %j the object %j', (changes, object) => {
    expect(payloadOf(parse3('up', { ...up3, ...changes })).object).toEqual(object);
  });

  it.each([
    [{ fPort: 256 }, 'fPort is not an integer from 0 to 255'],
    [{ objectJSON: '{' }, 'objectJSON is not a JSON object'],
    [{ devAddr: 'AQI=' }, 'devAddr is not 4 bytes'],
    [{ rxInfo: [{ gatewayID: 'AQI=' }] }, 'rxInfo.gatewayID is not an EUI of 8 bytes'],
    [{ devEUI: 'AQEBAQEBAQE=' }, 'devEUI is not the device of the topic'],
  ])('is malformed with %j', (changes, detail) => {
    expect(faultOf(parse3('up', { ...up3, ...changes })).detail).toBe(detail);
  });

  it('is refused on a topic that names no event', () => {
    const { detail } = faultOf(parse3('up', up3, 'application/1/device/x/event/rx'));
    expect(detail).toBe('the topic names no event of ChirpStack v3');
  });

  it('needs a device', () => {
    const body = encode({ applicationID: 1, fCnt: 2 }, version3.ack);
    const parsed = findAdapter('chirpstack-v3-protobuf')?.parse(inboundOf(`${route3}/ack`, body));
    expect(parsed).toMatchObject({ detail: 'devEUI is missing' });
  });
});
