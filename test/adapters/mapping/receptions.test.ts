import { describe, expect, it } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { receptionsMax } from '../../../gateway/adapters/reception.ts';
import { fixtureText, inboundOf, payloadOf } from '../inbound.ts';
import { mappingOf, ruleOf } from './mapping-of.ts';

/** As an operator would write it for a gateway's own network server. */
const milesight = parseYaml(`
name: building-gateway
topics: ['milesight/{gateway}/uplink']
networkServer: true
rules:
  - when:
      - { from: /devEUI, exists: true }
    devEui: { from: /devEUI }
    fPort: { from: /fPort }
    fCnt: { from: /fCnt }
    payload: { from: /data, encoding: base64 }
    rxTime: { from: /time, unit: iso }
    gateways:
      from: /rxInfo
      id: { from: ./mac }
      rssi: { from: ./rssi }
      snr: { from: ./loRaSNR }
      rxTime: { from: ./time, unit: iso }
      latitude: { from: ./latitude }
      longitude: { from: ./longitude }
      altitude: { from: ./altitude }
    tx:
      frequency: { from: /txInfo/frequency }
      bandwidth: { from: /txInfo/dataRate/bandwidth, scale: 1000 }
      spreadingFactor: { from: /txInfo/dataRate/spreadFactor }
`);

describe('A LoRaWAN network server read by a mapping', () => {
  it('gives the frame with its reception', () => {
    const adapter = mappingOf(milesight);
    const body = Buffer.from(fixtureText('cellular/milesight/ug65-embedded-ns-uplink.json'));
    expect(adapter.isNetworkServer).toBe(true);
    expect(payloadOf(adapter.parse(inboundOf('milesight/hall/uplink', body)))).toEqual({
      kind: 'payload',
      adapter: 'building-gateway',
      deviceId: '24e124136b502217',
      fPort: 85,
      fCnt: 128,
      frmPayload: Buffer.from('A2fqAARoTwUAAA==', 'base64'),
      rxTime: 1_672_125_687_078,
      rxInfo: [{ gatewayId: '24e124fffef54092', rssi: -51, snr: 13.8, rxTime: 1_672_125_687_078 }],
      txInfo: { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 7 },
    });
  });
});

describe('The receptions of a mapping', () => {
  const read = (rule: object, body: unknown) => {
    const adapter = ruleOf({
      deviceId: { from: 'topic:name' },
      all: [{ from: '', include: ['-'] }],
      ...rule,
    });
    const parsed = adapter.parse(inboundOf('test/a', body));
    return 'code' in parsed ? parsed.detail : payloadOf(parsed);
  };
  const gateways = {
    from: '/gws',
    id: { from: './id' },
    latitude: { from: './lat' },
    longitude: { from: './lon' },
    altitude: { from: './alt' },
  };

  it('are those that name their gateway', () => {
    const gws = [{ id: 'roof' }, { rssi: -90 }, { id: 7 }];
    expect(read({ gateways }, { gws })).toMatchObject({
      rxInfo: [{ gatewayId: 'roof' }, { gatewayId: '7' }],
    });
    expect(read({ gateways }, { gws: { id: 'roof' } })).toMatchObject({
      rxInfo: [{ gatewayId: 'roof' }],
    });
    expect(read({ gateways }, {})).toMatchObject({ rxInfo: [] });
  });

  it('may stand in the message itself', () => {
    const own = { id: { from: '/gw' }, rssi: { from: '/rssi' } };
    expect(read({ gateways: own }, { gw: 'roof', rssi: '-97.5' })).toMatchObject({
      rxInfo: [{ gatewayId: 'roof', rssi: -97.5 }],
    });
    expect(read({ gateways: own }, {})).toMatchObject({ rxInfo: [] });
  });

  it('have a place that is one', () => {
    const placed = (lat: unknown, lon: unknown) => {
      const uplink = read({ gateways }, { gws: [{ id: 'a', lat, lon, alt: 12 }] });
      return typeof uplink === 'string' ? uplink : uplink.rxInfo[0]?.location;
    };
    expect(placed(40.4, '49.9')).toEqual({ latitude: 40.4, longitude: 49.9, altitude: 12 });
    expect([placed(0, 0), placed(91, 1), placed(1, 181), placed(40, null)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are limited', () => {
    const uplink = read({ gateways }, { gws: Array(receptionsMax + 1).fill({ id: 'a' }) });
    expect(typeof uplink === 'string' ? 0 : uplink.rxInfo.length).toBe(receptionsMax);
  });

  it('come with a data rate as text', () => {
    const tx = { dataRate: { from: '/dr' }, frequency: { from: '/mhz', scale: 1_000_000 } };
    expect(read({ tx }, { dr: 'SF12BW125', mhz: 868.1 })).toMatchObject({
      txInfo: { spreadingFactor: 12, bandwidth: 125_000, frequency: 868_100_000 },
    });
    expect(read({ tx }, {})).not.toHaveProperty('txInfo');
    expect(read({ tx }, { dr: 'fast' })).toBe('/dr is not a data rate such as SF7BW125');
  });
});
