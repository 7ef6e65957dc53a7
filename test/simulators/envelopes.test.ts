/** Envelopes have the shape of captured messages, and the frames in them are real. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type CitySource, createCitySources } from '../../simulators/city-traffic.ts';
import { createCityWeather } from '../../simulators/city-weather.ts';
import { createDeviceCurve } from '../../simulators/device-values.ts';
import { createFrameSigner } from '../../simulators/lorawan/abp-device.ts';
import { encodePayload } from '../../simulators/lorawan/city-uplink.ts';
import { createScenario } from '../../simulators/scenario.ts';

const time = Date.UTC(2026, 5, 15, 6);
const scenario = createScenario({ seed: 'envelopes' });
const sources = createCitySources(scenario);

function fixture(name: string): unknown {
  const file = new URL(`../fixtures/lns/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Every path of an object with the type that stands there; list places count as one. */
function shapeOf(value: unknown, path = ''): Record<string, string> {
  if (Array.isArray(value)) {
    return Object.assign({}, ...value.map((item) => shapeOf(item, `${path}[]`)));
  }
  if (typeof value !== 'object' || value === null) return { [path]: typeof value };
  const parts = Object.entries(value).map(([key, part]) => shapeOf(part, `${path}.${key}`));
  return Object.assign({}, ...parts);
}

function sourceOf(network: string, format?: string): CitySource {
  const source = sources.find(
    ({ device }) =>
      device.network === network && (format === undefined || device.format === format),
  );
  if (source === undefined) throw new Error(`no device of ${network}`);
  return source;
}

function messageOf(source: CitySource) {
  const [first] = source.uplinkAt(time);
  const body = JSON.parse(first.payload.toString());
  return { topic: first.topic, body, shape: shapeOf(body) };
}

/** The captured message's fields that carry the uplink itself. */
function expectFields(shape: Record<string, string>, captured: unknown, left: RegExp): void {
  for (const [path, type] of Object.entries(shapeOf(captured))) {
    if (!left.test(path)) expect([path, shape[path]]).toEqual([path, type]);
  }
}

describe('Gateway bridge envelope', () => {
  it('has the fields of a captured uplink', () => {
    const { shape } = messageOf(sourceOf('gateway-bridge'));
    expectFields(shape, fixture('gatewaybridge-v4-up'), /^\.rxInfo\.time$/);
    expect(shape['.rxInfo.gwTime']).toBe('string');
  });

  it('carries one frame by every gateway that heard it, each with its own signal', () => {
    const copies = sources
      .filter(({ device }) => device.network === 'gateway-bridge')
      .map((source) => source.uplinkAt(time));
    expect(new Set(copies.map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
    const three = copies.find(({ length }) => length === 3) ?? [];
    const bodies = three.map(({ payload }) => JSON.parse(payload.toString()));
    expect(new Set(bodies.map(({ phyPayload }) => phyPayload)).size).toBe(1);
    expect(new Set(bodies.map(({ rxInfo }) => rxInfo.gatewayId)).size).toBe(3);
    expect(new Set(bodies.map(({ rxInfo }) => rxInfo.uplinkId)).size).toBe(3);
    for (const [index, { topic }] of three.entries()) {
      expect(topic).toBe(`eu868/gateway/${bodies[index].rxInfo.gatewayId}/event/up`);
    }
  });

  it('carries the frame that the device signs for its values', () => {
    const scene = createScenario({ seed: 'frames', devices: 20 });
    const [source] = createCitySources(scene, {});
    if (source === undefined) throw new Error('no device');
    const { device } = source;
    const weather = createCityWeather(scene.seed);
    const values = createDeviceCurve(device, { seed: scene.seed, weather }).at(time);
    const { fPort, frmPayload } = encodePayload(device, values);
    const frame = createFrameSigner(device)({ fPort, frmPayload, fCnt: 0, adr: true });
    const [first] = source.uplinkAt(time);
    expect(JSON.parse(first.payload.toString()).phyPayload).toBe(frame.toString('base64'));
  });
});

describe('ChirpStack envelope', () => {
  it('has the fields of captured uplinks', () => {
    const { topic, shape, body } = messageOf(sourceOf('chirpstack', 'cayenne'));
    expectFields(shape, fixture('chirpstack-v4-up'), /\.tags\.|\.metadata\./);
    expectFields(shape, fixture('chirpstack-v4-tb-1'), /\.metadata\.|rfChain|\.time$/);
    expect(shape['.rxInfo[].gwTime']).toBe('string');
    expect(topic).toBe(
      `application/${body.deviceInfo.applicationId}/device/${body.deviceInfo.devEui}/event/up`,
    );
    expect(body.object).toBeUndefined();
  });

  it('carries a decoded object where the network server has a codec', () => {
    const objects = sources
      .filter(({ device }) => device.format === 'object')
      .map((source) => Object.keys(messageOf(source).body.object).join(' '));
    expect(new Set(objects)).toEqual(
      new Set(['pm2_5 pm10 no2 temperature humidity', 'fill_level temperature']),
    );
  });

  it('gives every uplink an id of its own', () => {
    const source = sourceOf('chirpstack');
    const ids = [1, 2, 3].map((step) => {
      const [message] = source.uplinkAt(time + step * 1_000);
      return JSON.parse(message.payload.toString()).deduplicationId;
    });
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('The Things Stack envelope', () => {
  it('has the fields of a captured uplink', () => {
    const { topic, shape, body } = messageOf(sourceOf('the-things-stack'));
    const left = /channel_index|settings\.coding_rate/;
    expectFields(shape, fixture('tts-v3-mqtt-up'), left);
    const { application_ids, device_id } = body.end_device_ids;
    expect(topic).toBe(`v3/${application_ids.application_id}@fieldgate/devices/${device_id}/up`);
  });

  it('leaves out the counter while it is zero, as its encoder does', () => {
    const [fresh] = createCitySources(scenario).filter(
      ({ device }) => device.network === 'the-things-stack',
    );
    if (fresh === undefined) throw new Error('no device');
    const counters = [0, 1].map(() => {
      const [message] = fresh.uplinkAt(time);
      return JSON.parse(message.payload.toString()).uplink_message.f_cnt;
    });
    expect(counters).toEqual([undefined, 1]);
  });
});

describe('Modem messages', () => {
  it('are flat JSON with values and radio state', () => {
    const { topic, body } = messageOf(sourceOf('modem', 'flat-json'));
    expect(topic).toMatch(/^up\/modem-[0-9a-f]{8}$/);
    expect(body.ts).toBe(time);
    expect(body.rsrp).toBeGreaterThanOrEqual(-140);
    expect(body.rsrp).toBeLessThanOrEqual(-44);
    expect(body.rsrq).toBeLessThanOrEqual(-3);
    expect(['NR-SA', 'LTE-M', 'NB-IoT']).toContain(body.rat);
    expect(typeof body.pm2_5).toBe('number');
  });

  it('are SenML with base name and base time on some', () => {
    const { body } = messageOf(sourceOf('modem', 'senml'));
    expect(body[0].bt).toBe(time / 1000);
    expect(body.map(({ n }: { n: string }) => n)).toEqual(['water_level', 'battery_voltage']);
    expect(body[1]).not.toHaveProperty('bn');
  });
});
