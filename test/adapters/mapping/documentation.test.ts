import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { profiles } from '../../../gateway/adapters/mapping/profiles/registry.ts';
import { eventOf, faultOf, inboundOf, payloadOf } from '../inbound.ts';
import { mappingOf, problemsOf } from './mapping-of.ts';

const docs = new URL('../../../docs/', import.meta.url);
const text = readFileSync(new URL('mapping.md', docs), 'utf8');
const blocks: { ingest: { mappings: { name?: string }[] } }[] = [
  ...text.matchAll(/```yaml\n(.*?)```/gs),
].map(([, block = '']) => parseYaml(block));
const mappings = blocks.flatMap(({ ingest }) => ingest.mappings);

function example(name: string) {
  return mappingOf(mappings.find((mapping) => mapping.name === name));
}

describe('The examples of the mapping language', () => {
  it('are sound, all of them at once', () => {
    expect(mappings).toHaveLength(6);
    expect(problemsOf(...mappings)).toEqual([]);
  });

  it('read a webhook with hex and one reception', () => {
    const body = {
      devEui: '24E124136B502217',
      fPort: '85',
      fCntUp: 128,
      payload: '0367EA',
      timestamp: '2022-12-27T07:21:27.078Z',
      gatewayIdentifier: 'roof',
      rssi: '-51',
      snr: '13.8',
      spreadingFactor: 7,
      freq: 868.1,
    };
    expect(payloadOf(example('netmore-like').parse(inboundOf('/ingest/netmore', body)))).toEqual({
      kind: 'payload',
      adapter: 'netmore-like',
      deviceId: '24e124136b502217',
      fPort: 85,
      fCnt: 128,
      frmPayload: Buffer.from('0367ea', 'hex'),
      rxTime: 1_672_125_687_078,
      rxInfo: [{ gatewayId: 'roof', rssi: -51, snr: 13.8 }],
      txInfo: { frequency: 868_100_000, spreadingFactor: 7 },
    });
  });

  it('read an array of such messages, with a number for the gateway and without a counter', () => {
    const message = {
      devEui: '70b3d5000000a260',
      sensorType: 'made_up_14',
      timestamp: '2022-04-12T05:08:50.301732Z',
      payload: '01FE90',
      spreadingFactor: '12',
      rssi: -113,
      snr: '-11.8',
      gatewayIdentifier: 184,
      fPort: 3,
    };
    const parsed = example('netmore-like').parse(inboundOf('/ingest/netmore', [message, message]));
    const uplink = {
      kind: 'payload',
      adapter: 'netmore-like',
      deviceId: '70b3d5000000a260',
      fPort: 3,
      frmPayload: Buffer.from('01fe90', 'hex'),
      rxTime: 1_649_740_130_301,
      rxInfo: [{ gatewayId: '184', rssi: -113, snr: -11.8 }],
      txInfo: { spreadingFactor: 12 },
    };
    expect(parsed).toEqual([uplink, uplink]);
    const without = { devEui: message.devEui, sensorType: 'made_up_14' };
    expect(faultOf(example('netmore-like').parse(inboundOf('x', [without]))).code).toBe(
      'INBOUND_MALFORMED',
    );
    expect(eventOf(example('netmore-like').parse(inboundOf('x', without))).type).toBe('other');
  });

  // In the shape that the developer guide of AWS IoT Core for LoRaWAN documents.
  it('read an uplink of AWS IoT Core', () => {
    const LoRaWAN = {
      DataRate: '4',
      DevEui: '24e124136b502217',
      FPort: 1,
      Frequency: '868100000',
      Gateways: [{ GatewayEui: '0016c001f153a14c', Rssi: -109, Snr: 5 }],
      Timestamp: '2021-02-08T04:00:40Z',
    };
    const body = { WirelessDeviceId: 'x', PayloadData: 'AWf/1w==', WirelessMetadata: { LoRaWAN } };
    expect(payloadOf(example('aws-iot-core').parse(inboundOf('aws/lorawan/x', body)))).toEqual({
      kind: 'payload',
      adapter: 'aws-iot-core',
      deviceId: '24e124136b502217',
      fPort: 1,
      frmPayload: Buffer.from('0167ffd7', 'hex'),
      rxTime: Date.UTC(2021, 1, 8, 4, 0, 40),
      rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -109, snr: 5 }],
      txInfo: { frequency: 868_100_000 },
    });
  });

  it('read messages of several types', () => {
    const adapter = example('everynet-like');
    const uplink = {
      type: 'uplink',
      meta: {
        device: '24e124136b502217',
        device_addr: '26011bda',
        gateway: '0016c001f153a14c',
        packet_hash: 'f00d',
      },
      params: {
        port: 85,
        counter_up: 128,
        payload: 'A2fq',
        rx_time: 1_672_125_687.078,
        duplicate: false,
        radio: {
          freq: 868.1,
          hardware: { rssi: -51, snr: 13.8 },
          modulation: { bandwidth: 125_000, spreading: 7 },
        },
      },
    };
    expect(payloadOf(adapter.parse(inboundOf('everynet/1', uplink)))).toMatchObject({
      deviceId: '24e124136b502217',
      devAddr: '26011bda',
      messageKey: 'f00d',
      rxTime: 1_672_125_687_078,
      rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -51, snr: 13.8 }],
      txInfo: { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 7 },
    });
    // As the server's own documentation shows it: the field is absent where it is false.
    const { duplicate: _, ...params } = uplink.params;
    const lone = adapter.parse(inboundOf('everynet/1', { ...uplink, params }));
    expect(payloadOf(lone).frmPayload).toEqual(Buffer.from('0367ea', 'hex'));
    const again = { ...uplink, params: { ...params, duplicate: true } };
    expect(eventOf(adapter.parse(inboundOf('everynet/1', again))).type).toBe('duplicate');
    const join = { type: 'join_request', meta: { device: '24e124136b502217' } };
    expect(eventOf(adapter.parse(inboundOf('everynet/1', join))).type).toBe('join');
    expect(eventOf(adapter.parse(inboundOf('everynet/1', { type: 'status' }))).type).toBe('other');
  });
});

describe('The set-up pages', () => {
  it.each(profiles.map(({ name }) => ({ name })))('have one for $name', ({ name }) => {
    expect(readdirSync(new URL('sources/', docs))).toContain(`${name}.md`);
    const page = readFileSync(new URL(`sources/${name}.md`, docs), 'utf8');
    expect(page).toContain(`profile: ${name}`);
    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(16);
  });
});
