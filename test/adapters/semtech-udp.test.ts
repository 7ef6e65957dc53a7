import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { semtechUdp } from '../../gateway/adapters/semtech-udp.ts';
import { eventOf, faultOf, fixtureText, frameOf, inboundOf, shown } from './inbound.ts';

const eui = '0016C001FF10A1B2';
const gatewayId = '0016c001ff10a1b2';
const base64 = Buffer.from('40f17dbe4900020001954378762b11ff0d', 'hex').toString('base64');

function datagram(json: unknown, { type = 0, version = 2 } = {}): Buffer {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const header = Buffer.from([version, 0x12, 0x34, type]);
  return Buffer.concat([header, Buffer.from(eui, 'hex'), Buffer.from(text)]);
}

function parse(json: unknown, options?: { readonly type?: number; readonly version?: number }) {
  return semtechUdp.parse(inboundOf(`semtech-udp/${gatewayId}`, datagram(json, options)));
}

const packet = { stat: 1, modu: 'LORA', datr: 'SF7BW125', freq: 868.1, size: 17, data: base64 };

describe('A Semtech UDP datagram', () => {
  it('becomes one frame a packet, with and without padding, as published', () => {
    const parsed = parse(fixtureText('gateways/semtech-udp-rxpk.json'));
    const rx = (rssi: number, rxTime: string, snr?: number) => ({
      gatewayId,
      rssi,
      ...(snr === undefined ? {} : { snr }),
      rxTime: Date.parse(rxTime),
    });
    expect(shown(parsed)).toEqual([
      {
        kind: 'frame',
        adapter: 'semtech-udp',
        phyPayload: 'hex:f834b808668309d1bee3c78934cdd56a2fb30e9b11ef53e7f423c0f6e08e37ce',
        rxInfo: [rx(-35, '2013-03-31T16:21:17.528Z', 5.1)],
        txInfo: { frequency: 866_349_800, spreadingFactor: 7, bandwidth: 125_000 },
        rxTime: Date.parse('2013-03-31T16:21:17.528Z'),
      },
      {
        kind: 'frame',
        adapter: 'semtech-udp',
        phyPayload: 'hex:544553545f5041434b45545f31323334',
        rxInfo: [rx(-75, '2013-03-31T16:21:17.530Z')],
        txInfo: { frequency: 869_100_000 },
        rxTime: Date.parse('2013-03-31T16:21:17.530Z'),
      },
      {
        kind: 'frame',
        adapter: 'semtech-udp',
        phyPayload: 'hex:cac811978e76c4d2dea7d4b5353220da5a26283c54827dc327b0c4f9bd3402cb',
        rxInfo: [rx(-38, '2013-03-31T16:21:17.532Z', 5.5)],
        txInfo: { frequency: 863_009_800, spreadingFactor: 10, bandwidth: 125_000 },
        rxTime: Date.parse('2013-03-31T16:21:17.532Z'),
      },
    ]);
  });

  it('becomes an event with the counters of the gateway, as published', () => {
    expect(parse(fixtureText('gateways/semtech-udp-stat.json'))).toEqual([
      {
        kind: 'event',
        adapter: 'semtech-udp',
        type: 'stats',
        gatewayId,
        time: Date.parse('2014-01-12T08:59:28Z'),
        measurements: [
          { name: 'rxnb', value: 2 },
          { name: 'rxok', value: 2 },
          { name: 'rxfw', value: 2 },
          { name: 'ackr', value: 100 },
          { name: 'dwnb', value: 2 },
          { name: 'txnb', value: 2 },
          { name: 'lati', value: 46.24 },
          { name: 'long', value: 3.2523 },
          { name: 'alti', value: 145 },
        ],
      },
    ]);
  });

  it('may be the acknowledgement of a downlink, with an error or without a body', () => {
    const event = { kind: 'event', adapter: 'semtech-udp', type: 'txack', gatewayId };
    const measurements = [{ name: 'error', value: 'COLLISION_PACKET' }];
    expect(parse(fixtureText('gateways/semtech-udp-txpk-ack.json'), { type: 5 })).toEqual([
      { ...event, measurements },
    ]);
    expect(parse('', { type: 5 })).toEqual([event]);
    expect(parse('{}', { type: 5 })).toEqual([event]);
    expect(faultOf(parse('{', { type: 5 })).code).toBe('INBOUND_MALFORMED');
    expect(faultOf(parse({ txpk_ack: 1 }, { type: 5 })).detail).toBe('txpk_ack is not an object');
  });

  it('is read in version 1 too', () => {
    expect(frameOf(parse({ rxpk: [packet] }, { version: 1 })).rxInfo).toEqual([{ gatewayId }]);
  });

  it('has the GPS time of a gateway that gives no other', () => {
    // 2017-11-20T10:28:00Z is 1195208898 s after the GPS epoch, 18 leap seconds included.
    const frame = frameOf(parse({ rxpk: [{ ...packet, tmms: 1_195_208_898_000 }] }));
    expect(frame.rxTime).toBe(Date.UTC(2017, 10, 20, 10, 28));
    expect(frameOf(parse({ rxpk: [{ ...packet, tmms: 0 }] })).rxTime).toBeUndefined();
  });

  it.each([1_357_476_605, 630_719_999_999])(
    'takes a tmms of %p, seconds in place of milliseconds, for no time',
    (tmms) => {
      expect(frameOf(parse({ rxpk: [{ ...packet, tmms }] }))).not.toHaveProperty('rxTime');
    },
  );

  it.each(['', 'Mon May  3 10:00:00 2021', '2021-05-03T10:00:00', 12, null])(
    'is a frame without a time where %p stands in its place',
    (time) => {
      const frame = frameOf(parse({ rxpk: [{ ...packet, time }] }));
      expect(frame).not.toHaveProperty('rxTime');
      expect(frame.rxInfo).toEqual([{ gatewayId }]);
    },
  );

  // Sent by a Microchip gateway and by an ESP8266 one, as bug reports of other servers quote them.
  it.each([
    ['2017-02-16T22:01:57Z', Date.UTC(2017, 1, 16, 22, 1, 57)],
    ['2016-07-06T07:51:59.396440Z', Date.UTC(2016, 6, 6, 7, 51, 59, 396)],
    ['2023-01-11 12:50:05 UTC', Date.UTC(2023, 0, 11, 12, 50, 5)],
    ['2023-01-11 12:50:05 CET', undefined],
  ])('has in stat the time %s', (text, time) => {
    const stat = { time: text, rxnb: 78, rxok: 32, rxfw: 32, ackr: 1, dwnb: 20, txnb: 20 };
    expect(eventOf(parse({ stat })).time).toBe(time);
  });

  it('has the best antenna of a gateway with several', () => {
    const rsig = [
      { ant: 0, rssic: -90, lsnr: 2 },
      { ant: 1, rssic: -80, lsnr: 7.5 },
      { ant: 2, lsnr: 9 },
      { ant: 3 },
    ];
    expect(frameOf(parse({ rxpk: [{ ...packet, rsig }] })).rxInfo).toEqual([
      { gatewayId, rssi: -80, snr: 7.5 },
    ]);
  });

  it('gives no frame for a packet with a wrong checksum or with none, and counts it', () => {
    const parsed = parse({ rxpk: [{ ...packet, stat: -1 }, packet, { ...packet, stat: 0 }] });
    expect('code' in parsed ? [] : parsed.map((part) => part.kind)).toEqual([
      'event',
      'frame',
      'event',
    ]);
    expect(shown(parsed)).toMatchObject([{ type: 'bad-crc' }, {}, { type: 'no-crc' }]);
  });

  it('loses no packet to one that cannot be read', () => {
    const parsed = parse({ rxpk: [{ ...packet, data: '!' }, packet], stat: { rxnb: 'x' } });
    expect(shown(parsed)).toMatchObject([
      { type: 'unreadable-packet' },
      { kind: 'frame' },
      { type: 'stats' },
    ]);
  });

  it.each([
    ['is alone and cannot be read', { rxpk: [{ ...packet, data: 7 }] }, 'rxpk[0].data is not text'],
    ['has no bytes', { rxpk: [{ ...packet, data: '', size: 0 }] }, 'rxpk[0].data is not base64'],
    ['has fewer bytes than it says', { rxpk: [{ ...packet, size: 18 }] }, 'as many as size says'],
    ['is longer than a frame', { rxpk: [{ data: 'A'.repeat(344) }] }, '1 to 255 bytes'],
    ['stands in no list', { rxpk: packet }, 'rxpk is not an array'],
    ['has a status that is no number', { rxpk: [{ ...packet, stat: {} }] }, 'stat is not a number'],
    ['is missing', {}, 'neither rxpk nor stat'],
    ['is no object', [1], 'not a JSON object'],
  ])('is a fault when its packet %s', (_name, json, detail) => {
    const { code, detail: given } = faultOf(parse(json));
    expect(code).toBe('INBOUND_MALFORMED');
    expect(given).toContain(detail);
  });

  it('is a fault when it is cut or of another type', () => {
    const cut = semtechUdp.parse(inboundOf('semtech-udp/x', datagram({}).subarray(0, 11)));
    expect(faultOf(cut).detail).toBe('the datagram ends within its header');
    expect(faultOf(parse({}, { type: 2 })).detail).toBe('a datagram of type 2 carries no uplink');
  });

  it('never throws, whatever the values of its fields', () => {
    const keys = ['stat', 'datr', 'data', 'freq', 'time', 'tmms', 'rsig', 'size', 'rssi'];
    const anyPacket = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.array(anyPacket, { maxLength: 3 }), fc.jsonValue(), (rxpk, stat) => {
        const parsed = parse({ rxpk, stat });
        if (!('code' in parsed)) expect(parsed.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('A downlink of a server', () => {
  const pullResp = (json: unknown, route = `semtech-udp/${gatewayId}`) => {
    const body = Buffer.concat([Buffer.from([2, 1, 2, 3]), Buffer.from(JSON.stringify(json))]);
    return semtechUdp.parse(inboundOf(route, body));
  };

  it('is an event with its frame, of the gateway in the route', () => {
    expect(eventOf(pullResp({ txpk: { imme: true, data: base64, size: 17 } }))).toEqual({
      kind: 'event',
      adapter: 'semtech-udp',
      type: 'downlink',
      gatewayId,
      phyPayload: Buffer.from(base64, 'base64'),
    });
  });

  it.each([
    [{}, 'it has no txpk'],
    [{ txpk: { data: '' } }, 'txpk.data is not base64 of 1 to 255 bytes, as many as size says'],
  ])('is malformed as %j', (json, detail) => {
    expect(faultOf(pullResp(json)).detail).toBe(detail);
    expect(faultOf(pullResp({ txpk: { data: base64 } }, 'semtech-udp/x')).detail).toContain(
      'route',
    );
  });
});
