import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { basicStation } from '../../gateway/adapters/basic-station.ts';
import { quoteLongIntegers } from '../../gateway/model/exact-json.ts';
import { formatId6, parseStationEui } from '../../gateway/model/id6.ts';
import { eventOf, faultOf, fixtureText, frameOf, inboundOf, shown } from './inbound.ts';

const gatewayId = '0101010101010101';

function parse(message: unknown, route = `basic-station/EU868/${gatewayId}`) {
  return basicStation.parse(
    inboundOf(route, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))),
  );
}

const upinfo = { rctx: 0, xtime: 2, gpstime: 0, rssi: -75, snr: 5.5, rxtime: 1_548_059_982.5 };
const updf = {
  msgtype: 'updf',
  MHdr: 0x40,
  DevAddr: -10,
  FCtrl: 0x82,
  FCnt: 400,
  FOpts: '0102',
  FPort: -1,
  FRMPayload: '',
  MIC: -20,
  RefTime: 0,
  DR: 5,
  Freq: 868_100_000,
  upinfo,
};

describe('A Basics Station message', () => {
  it('becomes the frame that it was, without a port', () => {
    expect(shown(parse(updf))).toEqual([
      {
        kind: 'frame',
        adapter: 'basic-station',
        phyPayload: 'hex:40f6ffffff8290010102ecffffff',
        rxInfo: [{ gatewayId, rssi: -75, snr: 5.5, rxTime: 1_548_059_982_500 }],
        txInfo: { frequency: 868_100_000, spreadingFactor: 7, bandwidth: 125_000 },
        rxTime: 1_548_059_982_500,
      },
    ]);
  });

  it.each([
    ['a port and no payload', { FPort: 1 }, '40f6ffffff829001010201ecffffff'],
    [
      'a port and a payload',
      { FPort: 1, FRMPayload: '04030201' },
      '40f6ffffff82900101020104030201ecffffff',
    ],
    [
      'a port and no options',
      { FPort: 2, FOpts: '', FRMPayload: 'ff' },
      '40f6ffffff82900102ffecffffff',
    ],
    [
      'a positive address and MIC',
      { DevAddr: 287_454_020, MIC: 12_345_678 },
      '404433221182900101024e61bc00',
    ],
    [
      'an unsigned address and MIC',
      { DevAddr: 4_294_967_286, MIC: 4_294_967_276 },
      '40f6ffffff8290010102ecffffff',
    ],
    [
      'the other spelling of its counter',
      { FCnt: undefined, Fcnt: 25 },
      '40f6ffffff8219000102ecffffff',
    ],
  ])('becomes the frame with %s', (_name, change, hex) => {
    expect(frameOf(parse({ ...updf, ...change })).phyPayload.toString('hex')).toBe(hex);
  });

  it('becomes a join request, in every spelling of its identifiers', () => {
    const jreq = {
      msgtype: 'jreq',
      MHdr: 0,
      JoinEui: '202:304:506:708',
      DevEui: '03-02-03-04-05-06-07-08',
      DevNonce: 20,
      MIC: -10,
      DR: 5,
      Freq: 868_100_000,
      upinfo: { ...upinfo, gpstime: 1_195_208_898_000_000 },
    };
    const hex = '00080706050403020208070605040302031400f6ffffff';
    const frame = frameOf(parse(jreq));
    expect(frame.phyPayload.toString('hex')).toBe(hex);
    // Microseconds since the GPS epoch, which are surer than the clock of the station.
    expect(frame.rxTime).toBe(Date.UTC(2017, 10, 20, 10, 28));
    const other = { ...jreq, JoinEui: undefined, JOINEUI: '0202030405060708', msgtype: 'rejoin' };
    expect(frameOf(parse(other)).phyPayload.toString('hex')).toBe(hex);
  });

  it('becomes the join request that is published, for all its spelling mistakes', () => {
    const frame = frameOf(parse(fixtureText('gateways/basicstation-jreq.json')));
    expect(frame.phyPayload.toString('hex')).toBe('002222222222222222111111111111111150464e61bc00');
    expect(frame.rxInfo).toEqual([{ gatewayId, rssi: 89, snr: 9.25, rxTime: 1_548_059_982_000 }]);
    expect(frame.txInfo).toEqual({
      frequency: 868_300_000,
      spreadingFactor: 11,
      bandwidth: 125_000,
    });
  });

  it('becomes a proprietary frame as it was', () => {
    const frame = frameOf(parse({ msgtype: 'propdf', FRMPayload: 'e0010203', upinfo }));
    expect(frame.phyPayload.toString('hex')).toBe('e0010203');
    expect(frame.txInfo).toEqual({});
  });

  it('keeps a 64-bit xtime exactly', () => {
    const clock = '{"msgtype":"clock","diid":35,"xtime":40532396647075337}';
    expect(eventOf(parse(clock)).measurements).toEqual([
      { name: 'diid', value: 35 },
      { name: 'xtime', value: '40532396647075337' },
    ]);
  });

  it('makes no reading of a device of when a downlink was sent to it', () => {
    const dntxed = '{"msgtype":"dntxed","diid":35,"DevEui":"::1","xtime":40532396647075337}';
    const deviceId = '0000000000000001';
    expect(parse(dntxed)).toEqual([
      { kind: 'event', adapter: 'basic-station', type: 'txack', gatewayId, deviceId },
    ]);
  });

  it('becomes an event when it speaks of the station or of downlinks', () => {
    expect(eventOf(parse(fixtureText('gateways/basicstation-dntxed.json')))).toMatchObject({
      type: 'txack',
      deviceId: '1111111111111111',
    });
    const version = { msgtype: 'version', station: '2.0.6', model: 'a'.repeat(200), protocol: 2 };
    expect(eventOf(parse(version))).toMatchObject({
      type: 'version',
      measurements: [
        { name: 'station', value: '2.0.6' },
        { name: 'model', value: 'a'.repeat(128) },
        { name: 'protocol', value: 2 },
      ],
    });
    expect(eventOf(parse({ msgtype: 'rmtsh' })).measurements).toBeUndefined();
  });

  it('has no spreading factor for FSK, an unknown data rate or an unknown plan', () => {
    const bare = { frequency: 868_100_000 };
    expect(frameOf(parse({ ...updf, DR: 7 })).txInfo).toEqual(bare);
    expect(frameOf(parse({ ...updf, DR: 15 })).txInfo).toEqual(bare);
    expect(frameOf(parse(updf, `basic-station/XX/${gatewayId}`)).txInfo).toEqual(bare);
    expect(frameOf(parse({ ...updf, DR: 6 }, `basic-station/RU864/${gatewayId}`)).txInfo).toEqual({
      ...bare,
      spreadingFactor: 7,
      bandwidth: 250_000,
    });
    expect(frameOf(parse(updf, `basic-station/AS923/${gatewayId}`)).txInfo).toMatchObject({
      spreadingFactor: 7,
    });
  });

  it('has no time of reception when its station knows none', () => {
    const frame = frameOf(parse({ ...updf, upinfo: { rssi: -1 } }));
    expect(frame.rxTime).toBeUndefined();
    expect(frameOf(parse({ ...updf, upinfo: undefined })).rxInfo).toEqual([{ gatewayId }]);
  });

  it.each([
    [
      'a payload that is not hex',
      JSON.parse(fixtureText('gateways/basicstation-updf.json')),
      'FRMPayload is not hex',
    ],
    ['an address beyond 32 bits', { ...updf, DevAddr: 2 ** 33 }, 'DevAddr is not an integer'],
    ['a fraction for a counter', { ...updf, FCnt: 1.5 }, 'FCnt is not an integer'],
    ['no counter', { ...updf, FCnt: undefined }, 'Fcnt is not an integer from 0 to 65535'],
    ['too many options', { ...updf, FOpts: '00'.repeat(16) }, 'FOpts is not at most 15 bytes'],
    ['a port of no frame', { ...updf, FPort: 256 }, 'FPort is not an integer from -1 to 255'],
    ['more than a frame', { ...updf, FPort: 1, FRMPayload: '00'.repeat(250) }, '1 to 255 bytes'],
    ['no bytes', { msgtype: 'propdf' }, 'FRMPayload is not part of a frame'],
    [
      'no identifier',
      { msgtype: 'jreq', MHdr: 0, DevEui: '::1', DevNonce: 1, MIC: 1 },
      'JoinEui is not an EUI',
    ],
    ['no type', {}, 'msgtype is not a word'],
    ['a type that is no word', { msgtype: 'up df' }, 'msgtype is not a word'],
    ['no object', [], 'not a JSON object'],
    ['no JSON', '{"msgtype":', 'not JSON'],
  ])('is a fault with %s', (_name, message, detail) => {
    const { code, detail: given } = faultOf(parse(message));
    expect(code).toBe('INBOUND_MALFORMED');
    expect(given).toContain(detail);
  });

  it('is a fault when its route names no station', () => {
    expect(faultOf(parse(updf, 'up/field-7')).detail).toBe('the route names no station');
  });

  it('never throws, whatever the values of its fields', () => {
    const types = ['updf', 'jreq', 'rejoin', 'propdf', 'dntxed', 'version', 'x'];
    const keys = Object.keys(updf).filter((key) => key !== 'msgtype');
    const fields = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.constantFrom(...types), fields, (msgtype, change) => {
        const parsed = parse({ ...updf, ...change, msgtype });
        if (!('code' in parsed)) expect(parsed).toHaveLength(1);
      }),
    );
  });
});

describe('A JSON text with long integers', () => {
  it('has them as text, and all else as it was', () => {
    const text =
      '{"a":12666373963464221,"b":"12666373963464221 \\" 1234567890123456","c":-9223372036854775808,"d":1548059982.50000000000000000,"e":123456789012345,"f":[1234567890123456]}';
    expect(JSON.parse(quoteLongIntegers(text))).toEqual({
      a: '12666373963464221',
      b: '12666373963464221 " 1234567890123456',
      c: '-9223372036854775808',
      d: 1_548_059_982.5,
      e: 123_456_789_012_345,
      f: ['1234567890123456'],
    });
  });

  it('means the same for every value without them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const long = /\d{16}/.test(text);
        if (!long) expect(quoteLongIntegers(text)).toBe(text);
        else expect(() => JSON.parse(quoteLongIntegers(text))).not.toThrow();
      }),
    );
  });

  it('costs time in proportion to its length when a string in it never ends', () => {
    const text = `1234567890123456"${'\\"'.repeat(100_000)}`;
    expect(quoteLongIntegers(text)).toBe(`"1234567890123456"${text.slice(16)}`);
  });
});

describe('The identifier of a station', () => {
  it.each([
    ['::0', '0000000000000000'],
    ['1::', '0001000000000000'],
    ['::a:b', '00000000000a000b'],
    ['f::1', '000f000000000001'],
    ['f:a123:f8:100', '000fa12300f80100'],
    ['01-02-03-04-05-06-07-08', '0102030405060708'],
    ['0102030405060708', '0102030405060708'],
    ['router-ABCD:0:0:1', 'abcd000000000001'],
  ])('may be written %s', (text, eui) => {
    expect(parseStationEui(text)).toBe(eui);
  });

  it.each([
    '',
    ':',
    ':::',
    '1:2:3',
    '1:2:3:4:5',
    '1::2::3',
    '1:2::3:4',
    '12345::',
    'router-',
    'x::1',
    '0'.repeat(41),
  ])('is not %p', (text) => {
    expect(parseStationEui(text)).toBeUndefined();
  });

  it('comes back from its ID6 form', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (number) => {
        const eui = number.toString(16).padStart(16, '0');
        expect(parseStationEui(formatId6(eui))).toBe(eui);
      }),
    );
  });
});

describe('A downlink that a server says to a station', () => {
  it('is an event with its frame, whoever the server means', () => {
    const dnmsg = { msgtype: 'dnmsg', DevEui: '00-00-00-00-00-00-00-01', diid: 1, pdu: '60010203' };
    const event = eventOf(parse(dnmsg));
    expect(event).toMatchObject({ type: 'dnmsg', phyPayload: Buffer.from('60010203', 'hex') });
    expect(event).not.toHaveProperty('deviceId');
    expect(eventOf(parse({ ...dnmsg, pdu: '' }))).not.toHaveProperty('phyPayload');
    expect(faultOf(parse({ ...dnmsg, pdu: 'zz' })).code).toBe('INBOUND_MALFORMED');
  });
});
