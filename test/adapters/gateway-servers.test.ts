import { describe, expect, it } from '@jest/globals';
import type { Adapter } from '../../gateway/adapters/adapter.ts';
import { heliumConsole } from '../../gateway/adapters/helium.ts';
import { kerlink } from '../../gateway/adapters/kerlink.ts';
import { milesightGateway } from '../../gateway/adapters/milesight.ts';
import { multitech } from '../../gateway/adapters/multitech.ts';
import { senet } from '../../gateway/adapters/senet.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

function parserOf(adapter: Adapter, fixture: string, route: string) {
  const message = JSON.parse(fixtureText(`lns/${fixture}`));
  return (changes: object, otherRoute = route) =>
    adapter.parse(inboundOf(otherRoute, { ...message, ...changes }));
}

function bare(adapter: Adapter, body: unknown, route = 'free/text') {
  return adapter.parse(inboundOf(route, body));
}

/** All of these refuse the same kinds of bodies in the same words. */
describe.each([
  { adapter: kerlink, missing: 'endDevice.devEui is missing' },
  { adapter: heliumConsole, missing: 'dev_eui is missing' },
  { adapter: milesightGateway, missing: 'it is no message of a Milesight gateway' },
  { adapter: multitech, missing: 'deveui is missing' },
  { adapter: senet, missing: 'devEui is missing' },
])('The adapter $adapter.name', ({ adapter, missing }) => {
  it('refuses what is no JSON, and an object without a device', () => {
    const broken = adapter.parse(inboundOf('free/text', Buffer.from('{')));
    expect(faultOf(broken).code).toBe('INBOUND_MALFORMED');
    expect(faultOf(bare(adapter, {})).detail).toBe(missing);
  });

  it('vouches as a network server', () => {
    expect(adapter.isNetworkServer).toBe(true);
  });
});

describe('A Kerlink uplink', () => {
  const parse = parserOf(kerlink, 'kerlink-wmc-dataup.json', 'kerlink/dataUp');
  const device = { devEui: '0000000000006D31' };

  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(bare(kerlink, { endDevice: device, fCntUp: 3 }))).toEqual({
      kind: 'payload',
      adapter: 'kerlink-wanesy',
      deviceId: '0000000000006d31',
      fPort: 0,
      fCnt: 3,
      confirmed: false,
      rxInfo: [],
      txInfo: {},
    });
  });

  it.each([
    [{ payload: 'aabb' }, 'aabb'],
    [{ payload: 'aabb', encodingType: 'HEXA' }, 'aabb'],
    [{ payload: 'qrs=', encodingType: 'BASE64' }, 'aabb'],
  ])('reads the payload of %p', (fields, hex) => {
    const uplink = payloadOf(parse({ encodingType: null, ...fields }));
    expect(uplink.frmPayload?.toString('hex')).toBe(hex);
  });

  it('marks ciphertext', () => {
    expect(payloadOf(parse({ encrypted: true })).encrypted).toBe(true);
  });

  it("keeps the gateway's time when it comes delayed, and the server's when there is no other", () => {
    const gwInfo = [
      { gwEui: 'a', gwRecvTime: 1_580_000_000_000 },
      { gwEui: 'b', gwRecvTime: 1_570_000_000_000 },
      { gwEui: '' },
    ];
    const gwRecvTime = 1_560_000_000_000;
    expect(payloadOf(parse({ gwInfo })).rxTime).toBe(1_580_394_601_150);
    expect(payloadOf(parse({ gwInfo, delayed: true })).rxTime).toBe(1_570_000_000_000);
    expect(payloadOf(parse({ gwInfo, delayed: true, gwRecvTime })).rxTime).toBe(gwRecvTime);
    expect(payloadOf(parse({ delayed: true })).rxTime).toBe(1_580_394_601_150);
  });

  it('knows where a gateway stands when it tells', () => {
    const gwInfo = [
      { gwEui: 'a', latitude: 47.2, longitude: -1.2 },
      { gwEui: 'b', latitude: 0, longitude: 0 },
    ];
    expect(payloadOf(parse({ gwInfo })).rxInfo).toEqual([
      { gatewayId: 'a', location: { latitude: 47.2, longitude: -1.2 } },
      { gatewayId: 'b' },
    ]);
  });

  it.each([
    [{ encodingType: 'TEXT' }, 'encodingType is not HEXA or BASE64'],
    [{ payload: 'xyz' }, 'payload is not hexadecimal'],
    [{ endDevice: { devEui: 'x' } }, 'endDevice.devEui is not an EUI of 16 hex digits'],
    [{ endDevice: { ...device, devAddr: 1 } }, 'endDevice.devAddr is not text'],
    [{ gwInfo: [1] }, 'gwInfo[0] is not an object'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes)).detail).toBe(detail);
  });

  it.each([
    ['kerlink/dataDownEvent', 'data-down-event'],
    ['/ingest/kerlink/deviceEvents?x=1', 'device-events'],
    ['kerlink/7', 'event'],
  ])('is none, but an event, on %s without a counter', (route, type) => {
    const event = eventOf(bare(kerlink, { endDevice: device, time: 1_580_000_000_000 }, route));
    expect(event).toMatchObject({ type, time: 1_580_000_000_000 });
    expect(eventOf(bare(kerlink, { endDevice: device }, route))).not.toHaveProperty('time');
  });
});

describe('A Helium Console uplink', () => {
  const parse = parserOf(heliumConsole, 'helium-console-uplink.json', 'helium/x/rx');

  it('refuses a time with a digit too many and keeps a sound one', () => {
    expect(payloadOf(parse({}))).not.toHaveProperty('rxTime');
    const time = 1_586_868_546_123;
    const hotspots = [{ name: 'icy-fiery-hippo', reported_at: time }, { rssi: -1 }];
    expect(payloadOf(parse({ reported_at: time, hotspots }))).toMatchObject({
      rxTime: time,
      rxInfo: [{ gatewayId: 'icy-fiery-hippo', rxTime: time }],
    });
  });

  it('keeps the decoded object, the key and a message without hotspots', () => {
    const changes = { decoded: { payload: { t: 1 } }, uuid: 'u-1', hotspots: null, devaddr: '' };
    const uplink = payloadOf(parse(changes));
    expect(uplink).toMatchObject({ object: { t: 1 }, messageKey: 'u-1', rxInfo: [] });
    expect(uplink).not.toHaveProperty('txInfo');
    expect(uplink).not.toHaveProperty('devAddr');
    for (const uuid of ['', 'x'.repeat(129)]) {
      expect(payloadOf(parse({ uuid }))).not.toHaveProperty('messageKey');
    }
  });

  it('is none when its type says so', () => {
    expect(eventOf(parse({ type: 'join' }))).toEqual({
      kind: 'event',
      adapter: 'helium-console',
      type: 'join',
      deviceId: '1c29fbd1d2084e21',
    });
    expect(eventOf(parse({ type: 'join', reported_at: 1_586_868_546 })).time).toBe(
      1_586_868_546_000,
    );
    expect(faultOf(parse({ type: 'a b' })).detail).toBe('type is no word of Helium Console');
  });

  it.each([
    [{ payload: 'AR' }, 'payload is not base64'],
    [{ hotspots: [{ id: 1 }] }, 'hotspots[0].id is not text'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes)).detail).toBe(detail);
  });
});

describe('A Milesight gateway', () => {
  const parse = parserOf(milesightGateway, 'milesight-gateway-uplink.json', '/milesight');

  it.each([1, '1', null, undefined])('may write the application as %p', (applicationID) => {
    expect(payloadOf(parse({ applicationID })).deviceId).toBe('24e124136b502217');
  });

  it("falls back to the gateway's zone, keeps its codec's object and the rest that it tells", () => {
    const gatewayTime = '2026-03-23T15:45:04+08:00';
    const changes = { time: null, rxInfo: [], gatewayTime, confirmed: true, devAddr: '04D2848E' };
    expect(payloadOf(parse({ ...changes, decoded: { t: 1 } }))).toMatchObject({
      rxTime: Date.parse(gatewayTime),
      confirmed: true,
      devAddr: '04d2848e',
      object: { t: 1 },
    });
  });

  it.each([
    ['join', { devAddr: '04D2848E', time: '2026-03-23T07:45:04Z' }],
    ['ack', { acknowledged: true }],
    ['error', { error: 'x' }],
    ['downlink', { fport: 85 }],
  ])('also sends %s', (type, fields) => {
    const event = eventOf(bare(milesightGateway, { devEUI: '24e124136b502217', ...fields }));
    expect(event).toMatchObject({ type, deviceId: '24e124136b502217' });
  });

  it.each([
    [{ devEUI: null }, 'devEUI is missing'],
    [{ devEUI: 'x' }, 'devEUI is not an EUI of 16 hex digits'],
    [{ data: 'x' }, 'data is not base64'],
  ])('is refused with %p', (changes, detail) => {
    expect(faultOf(parse(changes)).detail).toBe(detail);
  });
});

describe('A MultiTech uplink', () => {
  const device = '00-80-00-ff-ff-00-00-03';
  const topic = `lorawan/8b-6c-f0-8e-ee-df-1b-b6/${device}/up`;
  const parse = parserOf(multitech, 'multitech-app-up.json', topic);

  it.each([
    [{ data: 'dGVzdGRhdGE=', size: 8 }, '7465737464617461'],
    [{ data: '7465737464617461', size: 8 }, '7465737464617461'],
    [{ data: '74657374', size: 3 }, 'ef8e7aeb7ef8'.slice(0, 6)],
    [{ data: 'dGVzdGRhdGE=', size: null }, '7465737464617461'],
  ])('reads the payload of %p by its size', (changes, hex) => {
    const parsed = parse(changes);
    if (changes.size === 3) expect(faultOf(parsed).detail).toContain('data is not of the length');
    else expect(payloadOf(parsed).frmPayload?.toString('hex')).toBe(hex);
  });

  it.each([
    ['80cb80d000840100', true],
    ['40cb80d000840100', false],
    ['', undefined],
    [null, undefined],
  ])('with the header %p is confirmed: %p', (mhdr, confirmed) => {
    expect(payloadOf(parse({ mhdr })).confirmed).toBe(confirmed);
  });

  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(bare(multitech, {}, `lora/${device}/up`))).toEqual({
      kind: 'payload',
      adapter: 'multitech',
      deviceId: '008000ffff000003',
      fPort: 0,
      fCnt: 0,
      rxInfo: [],
      txInfo: {},
    });
    expect(payloadOf(parse({ gweui: device, rssi: null, lsnr: null })).rxInfo).toEqual([
      { gatewayId: '008000ffff000003' },
    ]);
  });

  it.each([`lora/${device}/up`, `lorawan/u/8b-6c-f0-8e-ee-df-1b-b6/${device}/up`, 'my/own/topic'])(
    'is read on %s too',
    (route) => {
      expect(payloadOf(parse({}, route)).fCnt).toBe(1);
    },
  );

  it('moves and joins as the topic says, the first with a bare list', () => {
    const moved = bare(multitech, ['00-80-00-0d-00-00-00-01'], topic.replace(/up$/, 'moved'));
    expect(eventOf(moved)).toEqual({
      kind: 'event',
      adapter: 'multitech',
      type: 'moved',
      deviceId: '008000ffff000003',
    });
  });

  it.each([
    [{ deveui: '00-80-00-ff-ff-00-00-04' }, topic, 'deveui is not the device of the topic'],
    [{ deveui: 'x' }, 'free/text', 'deveui is not an EUI of 16 hex digits'],
    [{ fcnt: undefined }, 'free/text', 'it is no message of a MultiTech gateway'],
    [{ freq: 'x' }, topic, 'freq is not a number'],
    [{ mhdr: 'xx' }, topic, 'mhdr is not hexadecimal'],
    [{ data: 'x' }, topic, 'data is not base64'],
    [{ size: 999 }, topic, 'size is not an integer from 0 to 242'],
  ])('is malformed with %p on %s', (changes, route, detail) => {
    expect(faultOf(parse(changes, route)).detail).toBe(detail);
  });

  it('is no uplink as a list', () => {
    expect(faultOf(bare(multitech, [], topic)).detail).toBe('the body is not a JSON object');
  });
});

describe('A Senet uplink', () => {
  const parse = parserOf(senet, 'senet-uplink.json', 'senet/uplinks');

  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(bare(senet, { devEui: 'FFFFFFFFFFFFFFFF', pdu: '' }))).toEqual({
      kind: 'payload',
      adapter: 'senet',
      deviceId: 'ffffffffffffffff',
      fPort: 0,
      fCnt: 0,
      rxInfo: [],
    });
  });

  it('has the signal where the stream tells it', () => {
    expect(payloadOf(parse({ rssi: '-101', snr: 2.5 })).rxInfo).toEqual([
      { gatewayId: 'aaaaaaaaaaaaaaaa', rssi: -101, snr: 2.5 },
    ]);
  });

  it.each([
    [{ pdu: '0' }, 'pdu is not hexadecimal'],
    [{ pdu: undefined, seqno: undefined }, 'it has neither pdu nor seqno: no uplink of Senet'],
    [{ joinId: -1 }, 'joinId is not an integer from 0 to 9007199254740991'],
    [{ devEui: 'x' }, 'devEui is not an EUI of 16 hex digits'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes)).detail).toBe(detail);
  });
});
