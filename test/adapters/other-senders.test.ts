/** Forms that real senders and what stands between them and us make of the documented ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isObject } from '../../gateway/adapters/document.ts';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import { fixtureText, frameOf, inboundOf, payloadOf } from './inbound.ts';
import { mappingOf } from './mapping/mapping-of.ts';

const folder = new URL('../fixtures/lns/', import.meta.url);

function parse(adapter: string, body: unknown, route = '/ingest/a') {
  const found = findAdapter(adapter);
  if (found === undefined) throw new Error(`no ${adapter}`);
  return found.parse(inboundOf(route, body));
}

/** The same with every number as text, as templates and XML converters write them. */
function quoted(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(quoted);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, quoted(inner)]));
}

const uplinks = [
  ['chirpstack-json', 'chirpstack-v4-up.json'],
  ['the-things-stack-v3-json', 'tts-v3-uplink.json'],
  ['thingpark', 'thingpark-uplink.json'],
  ['loriot', 'loriot-gw.json'],
  ['kerlink-wanesy', 'kerlink-wmc-dataup.json'],
  ['helium-console', 'helium-console-uplink.json'],
  ['milesight-gateway', 'milesight-gateway-uplink.json'],
  ['multitech', 'multitech-app-up.json'],
  ['senet', 'senet-uplink.json'],
] as const;

describe.each(uplinks)('%s', (adapter, fixture) => {
  const bytes = readFileSync(new URL(fixture, folder));
  const plain = payloadOf(parse(adapter, bytes));

  it('reads its message with every number as text', () => {
    // What a codec has decoded is the sender's own, and stays as it is.
    const { object: _, ...rest } = payloadOf(parse(adapter, quoted(JSON.parse(bytes.toString()))));
    const { object: __, ...expected } = plain;
    expect(rest).toEqual(expected);
  });

  it('reads its message after a byte order mark, and before the NUL of a C string', () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf]);
    expect(payloadOf(parse(adapter, Buffer.concat([mark, bytes])))).toEqual(plain);
    expect(payloadOf(parse(adapter, Buffer.concat([bytes, Buffer.alloc(2)])))).toEqual(plain);
  });
});

describe('What stands for nothing', () => {
  const event = JSON.parse(fixtureText('lns/chirpstack-v4-up.json'));
  const [heard] = event.rxInfo;

  it.each([
    ['an empty object of PHP', { object: [], txInfo: [] }],
    ['an empty list of Lua', { rxInfo: {} }],
    ['an element without content', { rxInfo: '', txInfo: '', object: '', fCnt: '' }],
    ['a hole in a list', { rxInfo: [null] }],
  ])('is %s', (_name, change) => {
    const uplink = payloadOf(parse('chirpstack-v4-json', { ...event, ...change }));
    expect(uplink).toMatchObject({ deviceId: '0101010101010101', fCnt: 0 });
  });

  it('leaves the other gateways of a list as they are', () => {
    const rxInfo = [null, { ...heard, rssi: '', snr: '', location: [] }];
    const uplink = payloadOf(parse('chirpstack-v4-json', { ...event, rxInfo }));
    expect(uplink.rxInfo).toMatchObject([{ gatewayId: '0016c001f153a14c' }]);
    expect(uplink.rxInfo[0]).not.toHaveProperty('rssi');
  });

  it('is a blank battery and margin of ThingPark, whose XML has empty elements', () => {
    const { DevEUI_uplink } = JSON.parse(fixtureText('lns/thingpark-uplink.json'));
    const blank = { BatteryLevel: '', Margin: '', BatteryTime: '', LrrLAT: '', FPort: '' };
    const uplink = payloadOf(
      parse('thingpark', { DevEUI_uplink: { ...DevEUI_uplink, ...blank, payload_hex: '' } }),
    );
    expect(uplink).toMatchObject({ fPort: 0, deviceId: '0018b20000000b20' });
    expect(uplink).not.toHaveProperty('measurements');
  });
});

describe('What a codec at the sender could not decode', () => {
  it.each([
    ['loriot', 'loriot-gw.json', { decoded: 'no decoder' }],
    ['helium-console', 'helium-console-uplink.json', { decoded: { payload: [1], status: 'ok' } }],
    ['helium-console', 'helium-console-uplink.json', { decoded: { payload: 'x' } }],
  ])('costs %s no payload', (adapter, fixture, change) => {
    const message = JSON.parse(fixtureText(`lns/${fixture}`));
    const uplink = payloadOf(parse(adapter, { ...message, ...change }));
    expect(uplink.frmPayload).toEqual(payloadOf(parse(adapter, message)).frmPayload);
    expect(uplink).not.toHaveProperty('object');
  });
});

describe('Other spellings', () => {
  it('of an encoding are those of Kerlink in small letters', () => {
    const message = JSON.parse(fixtureText('lns/kerlink-wmc-dataup.json'));
    const base64 = { ...message, encodingType: 'base64', payload: 'AQI=' };
    expect(payloadOf(parse('kerlink-wanesy', base64)).frmPayload).toEqual(Buffer.from([1, 2]));
    expect(parse('kerlink-wanesy', { ...message, encodingType: 'octal' })).toHaveProperty('code');
  });

  it('of a time are milliseconds at a Milesight gateway, and an offset without its colon', () => {
    const message = JSON.parse(fixtureText('lns/milesight-gateway-uplink.json'));
    const timeOf = (time: unknown) =>
      payloadOf(parse('milesight-gateway', { ...message, time })).rxTime;
    expect(timeOf(1_672_125_687_078)).toBe(1_672_125_687_078);
    expect(timeOf('2022-12-27T11:21:27.078+0400')).toBe(Date.UTC(2022, 11, 27, 7, 21, 27, 78));
  });
});

describe('A modem whose number is none', () => {
  it('tells its other numbers', () => {
    const body = Buffer.from('{"temperature":21.5,"humidity":NaN,"rsrp":-97}\0');
    const uplink = payloadOf(parse('modem-json', body, 'up/meter-7'));
    expect(uplink.measurements).toEqual([{ name: 'temperature', value: 21.5 }]);
    expect(uplink.radio).toEqual({ rsrp: -97 });
  });
});

describe('A Vega meter that knows no cell yet', () => {
  const message = JSON.parse(fixtureText('cellular/vega/nb-11.json'));

  it.each([
    ['without a word of it', { LBS: undefined, CellStatus: undefined }],
    ['with nothing in its place', { LBS: { TAC: null }, CellStatus: null }],
  ])('tells its pulses %s', (_name, change) => {
    const adapter = mappingOf({ profile: 'vega' });
    const uplink = payloadOf(adapter.parse(inboundOf('vega/1/data', { ...message, ...change })));
    expect(uplink.measurements).toContainEqual(
      expect.objectContaining({ name: 'pulse_count', channel: '1', value: 0 }),
    );
  });
});

describe('A packet forwarder that spells its time out', () => {
  it('is understood', () => {
    const data = 'QPF9vkmAAQAB4HB6r80DjqPyvidjSG0=';
    const packet = { time: '2014-01-12 08:59:28 GMT', stat: 1, modu: 'LORA', data };
    const body = Buffer.concat([
      Buffer.from('020102000016c001ff10a1b2', 'hex'),
      Buffer.from(JSON.stringify({ rxpk: [packet] })),
    ]);
    const frame = frameOf(parse('semtech-udp', body, 'semtech-udp/0016c001ff10a1b2'));
    expect(frame.rxTime).toBe(Date.UTC(2014, 0, 12, 8, 59, 28));
  });
});

describe('A ChirpStack Gateway Bridge of version 3', () => {
  const phyPayload = 'QPF9vkmAAQAB4HB6r80DjqPyvidjSG0=';
  const rxInfo = {
    ...{ gatewayID: 'ABbAAfFToUw=', time: null, timeSinceGPSEpoch: null, rssi: -57, loRaSNR: 10 },
    ...{ channel: 0, rfChain: 0, board: 0, antenna: 0, location: null, crcStatus: 'CRC_OK' },
    ...{ fineTimestampType: 'NONE', context: 'AAAA', uplinkID: 'ABbAAfFToUwAFsAB8VOhTA==' },
  };
  const loRaModulationInfo = { bandwidth: 125, spreadingFactor: 7, codeRate: '4/5' };
  const txInfo = { frequency: 868_100_000, modulation: 'LORA', loRaModulationInfo };
  const topic = 'gateway/0016c001f153a14c/event/up';
  const read = (message: object) => parse('chirpstack-gateway-bridge-json', message, topic);

  it('writes EUIs in base64, and the modulation beside its parameters', () => {
    expect(frameOf(read({ phyPayload, rxInfo, txInfo }))).toMatchObject({
      phyPayload: Buffer.from(phyPayload, 'base64'),
      rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -57, snr: 10 }],
      txInfo: { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 7 },
    });
  });

  it('has no spreading factor for FSK', () => {
    const fsk = { frequency: 868_800_000, modulation: 'FSK', fskModulationInfo: {} };
    const frame = frameOf(read({ phyPayload, rxInfo, txInfo: fsk }));
    expect(frame.txInfo).toEqual({ frequency: 868_800_000 });
  });

  it('is refused where its EUI is not that of the topic', () => {
    const wrong = { ...rxInfo, gatewayID: 'ABbAAfFToU0=' };
    expect(read({ phyPayload, rxInfo: wrong, txInfo })).toHaveProperty('code');
  });
});
