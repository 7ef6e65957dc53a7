/**
 * What each network server of the city hands on has the fields and types of its real messages, goes
 * where they go, and is read by the gateway as what the device has sent.
 */
import { describe, expect, it } from '@jest/globals';
import { defaultRoutes, findAdapter } from '../../../gateway/adapters/registry.ts';
import { isGenuineRequest } from '../../../gateway/adapters/thingpark-security.ts';
import { adapterFor } from '../../../gateway/adapters/topic-filter.ts';
import { type CitySource, createCitySources } from '../../../simulators/city-traffic.ts';
import { createCityWeather } from '../../../simulators/city-weather.ts';
import { createDeviceCurve } from '../../../simulators/device-values.ts';
import { encodePayload } from '../../../simulators/lorawan/city-uplink.ts';
import type { Envelope } from '../../../simulators/networks/envelope.ts';
import { loriotTopic } from '../../../simulators/networks/loriot.ts';
import { thingParkTunnel } from '../../../simulators/networks/thingpark.ts';
import { createScenario } from '../../../simulators/scenario.ts';
import { fixtureText, inboundOf, payloadOf } from '../../adapters/inbound.ts';

const time = Date.UTC(2026, 5, 15, 6, 7, 8, 250);
const scenario = createScenario({ seed: 'networks', networks: 'every' });
const weather = createCityWeather(scenario.seed);
const sources = createCitySources(scenario);

/** Every path of an object with the types that stand there; list places count as one. */
function shapeOf(value: unknown, path = '', shape = new Map<string, string>()) {
  if (Array.isArray(value)) for (const item of value) shapeOf(item, `${path}[]`, shape);
  else if (typeof value !== 'object' || value === null) shape.set(path, typeof value);
  else for (const [key, part] of Object.entries(value)) shapeOf(part, `${path}.${key}`, shape);
  return shape;
}

function fixtureShape(name: string) {
  return shapeOf(JSON.parse(fixtureText(`lns/${name}.json`)));
}

function sourcesOf(network: string, via: string): CitySource[] {
  const found = sources.filter(({ device }) => device.network === network && device.via === via);
  if (found.length === 0) throw new Error(`no device of ${network} by ${via}`);
  return found;
}

function readBy(adapter: string, { topic, payload }: Envelope) {
  const reader = findAdapter(adapter);
  if (reader === undefined) throw new Error(`no adapter ${adapter}`);
  return payloadOf(reader.parse(inboundOf(topic, payload)));
}

/** What a device makes of its own: values, an object, a gateway's name and the city's tags. */
const own =
  /^(?:\.DevEUI_uplink\.payload|\.object|(?:\.deviceInfo)?\.tags|\.uplink_message\.decoded_payload)\b/;

interface Form {
  readonly network: string;
  readonly via: 'mqtt' | 'http';
  /** Of the messages of one uplink. */
  readonly message: number;
  readonly fixture: string;
  readonly route: RegExp;
  readonly adapter: string;
  /** Fields of the fixture that are of another situation. */
  readonly absent: readonly string[];
  /** Fields that its other messages have, or that its source code names (facts of the fixture). */
  readonly more: readonly string[];
}

const flow = [
  ...['LostUplinksAS', 'CustomerData.loc.lat', 'CustomerData.loc.lon', 'AckRequested'],
  ...['CustomerData.tags[]', 'CustomerData.name'],
].map((name) => `.DevEUI_uplink.${name}`);

const forms: readonly Form[] = [
  {
    ...{ network: 'chirpstack-v3', via: 'mqtt', message: 0, adapter: 'chirpstack-json' },
    fixture: 'chirpstack-v3-up',
    route: /^application\/12\/device\/[0-9a-f]{16}\/event\/up$/,
    absent: [],
    more: ['.deviceProfileName', '.deviceProfileID', '.rxInfo[].uplinkID'],
  },
  {
    ...{ network: 'chirpstack-v3', via: 'http', message: 0, adapter: 'chirpstack-v3-json' },
    fixture: 'chirpstack-v3-up-protobuf',
    route: /^\/ingest\/chirpstack-v3-webhook\?event=up$/,
    absent: [],
    more: [],
  },
  {
    ...{ network: 'thingpark', via: 'mqtt', message: 0, adapter: 'thingpark' },
    fixture: 'thingpark-tb-1',
    route: /^mqtt\/things\/[0-9A-F]{16}\/uplink$/,
    absent: ['.DevEUI_uplink.BaseStationData.name'],
    more: flow,
  },
  {
    ...{ network: 'thingpark', via: 'http', message: 0, adapter: 'thingpark' },
    fixture: 'thingpark-uplink',
    route: /^\/ingest\/thingpark-webhook\?LrnDevEui=[0-9A-F]{16}&LrnFPort=5&LrnInfos=\S+&Token=/,
    absent: [],
    more: flow,
  },
  {
    ...{ network: 'loriot', via: 'mqtt', message: 0, adapter: 'loriot' },
    fixture: 'loriot-gw',
    route: new RegExp(`^${loriotTopic}$`),
    absent: [],
    more: [],
  },
  {
    ...{ network: 'loriot', via: 'http', message: 0, adapter: 'loriot' },
    fixture: 'loriot-rx',
    route: /^\/ingest\/loriot-webhook$/,
    absent: [],
    more: [],
  },
  {
    ...{ network: 'loriot', via: 'http', message: 1, adapter: 'loriot' },
    fixture: 'loriot-gw',
    route: /^\/ingest\/loriot-webhook$/,
    absent: [],
    more: [],
  },
  {
    ...{ network: 'chirpstack', via: 'http', message: 0, adapter: 'chirpstack-json' },
    fixture: 'chirpstack-v4-tb-1',
    route: /^\/ingest\/chirpstack-webhook\?event=up$/,
    absent: ['time', 'rfChain', 'metadata.region_common_name', 'metadata.region_config_id'].map(
      (name) => `.rxInfo[].${name}`,
    ),
    more: [
      ...['.deviceInfo.deviceClassEnabled', '.regionConfigId', '.rxInfo[].gwTime'],
      ...['.rxInfo[].nsTime', '.rxInfo[].location.latitude', '.rxInfo[].location.longitude'],
    ],
  },
  {
    ...{
      network: 'the-things-stack',
      via: 'http',
      message: 0,
      adapter: 'the-things-stack-v3-json',
    },
    fixture: 'tts-ttn-tb-1',
    route: /^\/ingest\/the-things-stack-webhook$/,
    absent: [
      ...['rx_metadata[].frequency_offset', 'rx_metadata[].channel_index'],
      ...['settings.timestamp', 'consumed_airtime', 'network_ids.cluster_address'],
    ].map((name) => `.uplink_message.${name}`),
    more: ['latitude', 'longitude', 'source'].map(
      (name) => `.uplink_message.rx_metadata[].location.${name}`,
    ),
  },
];

describe.each(forms)('$network by $via, message $message', (form) => {
  const { network, via, message, fixture, adapter } = form;
  const all = sourcesOf(network, via).map((source) => {
    // A counter of zero is not always written.
    source.uplinkAt(time - 60_000);
    const fCnt = source.nextFCnt();
    const envelope = source.uplinkAt(time)[message];
    if (envelope === undefined) throw new Error('no such message');
    return { source, fCnt, ...envelope, body: JSON.parse(envelope.payload.toString('utf8')) };
  });

  it('has the fields of a real message, with their types', () => {
    const real = fixtureShape(fixture);
    for (const { body } of all) {
      const shape = shapeOf(body);
      for (const [path, type] of real) {
        if (own.test(path) || form.absent.includes(path)) continue;
        expect([path, shape.get(path)]).toEqual([path, type]);
      }
      const extra = [...shape.keys()].filter((path) => !real.has(path) && !own.test(path));
      expect(form.more).toEqual(expect.arrayContaining(extra));
    }
  });

  it('goes where real ones go', () => {
    for (const { topic, source } of all) {
      expect(topic).toMatch(form.route);
      expect(source.sender).toBe(via === 'mqtt' ? network : `${network}-webhook`);
    }
    const routed = adapterFor(all[0]?.topic ?? '', defaultRoutes)?.name;
    if (via === 'mqtt') expect(routed).toBe(network === 'loriot' ? undefined : adapter);
  });

  it('is read as what the device has sent', () => {
    for (const { source, fCnt, topic, payload } of all) {
      const { device } = source;
      const parsed = readBy(adapter, { topic, payload });
      const values = createDeviceCurve(device, { seed: scenario.seed, weather }).at(time);
      const sent = encodePayload(device, values);
      expect(parsed.deviceId).toBe(device.id);
      expect(parsed.fPort).toBe(sent.fPort);
      expect(parsed.fCnt).toBe(fCnt);
      expect(parsed.frmPayload).toEqual(sent.frmPayload);
      expect(parsed.object).toEqual(sent.object);
      expect(parsed.encrypted ?? false).toBe(false);
      expect(Math.abs((parsed.rxTime ?? 0) - time)).toBeLessThan(300);
      if (fixture === 'loriot-rx') expect(parsed.rxInfo).toEqual([]);
      else expect(parsed.rxInfo[0]?.rssi).toBeLessThan(-20);
      expect(parsed.txInfo?.frequency).toBeGreaterThan(867e6);
    }
  });
});

describe('ThingPark webhook', () => {
  const [source] = sourcesOf('thingpark', 'http');
  const [request] = source?.uplinkAt(time) ?? [];
  const { topic = '', payload = Buffer.alloc(0) } = request ?? {};
  const query = topic.slice(topic.indexOf('?') + 1);
  const tunnel = { ...thingParkTunnel(scenario.seed), timeWindowMs: 1_000 };

  it('proves itself by the token that the gateway asks for', () => {
    expect(isGenuineRequest({ query, body: payload, now: time }, tunnel)).toBe(true);
  });

  it('does not with the key of another city', () => {
    const { key } = thingParkTunnel('another');
    const request = { query, body: payload, now: time };
    expect(isGenuineRequest(request, { ...tunnel, key })).toBe(false);
  });
});

describe('LORIOT webhook', () => {
  it('brings one uplink twice, under one key', () => {
    const [source] = sourcesOf('loriot', 'http');
    const keys = source
      ?.uplinkAt(time + 60_000)
      .map((envelope) => readBy('loriot', envelope).messageKey);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('A city of every network', () => {
  it('gives the same bytes for the same seed', () => {
    const [first, second] = [1, 2].map(() =>
      createCitySources(scenario).flatMap((source) =>
        [1, 2, 3].flatMap((step) => source.messagesAt(time + step * 900_000)),
      ),
    );
    expect(first).toEqual(second);
  });

  it('has every network by all that it can send by', () => {
    const ways = new Set(sources.map(({ device }) => `${device.network} ${device.via}`));
    expect(ways.size).toBe(1 + 5 * 2 + 3);
    expect(scenario.devices).toHaveLength(60);
  });
});
