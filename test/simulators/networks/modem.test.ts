/** Modems of the city: their radio state, their outages, and their messages by all ways. */
import { describe, expect, it } from '@jest/globals';
import { defaultRoutes, findAdapter } from '../../../gateway/adapters/registry.ts';
import { adapterFor } from '../../../gateway/adapters/topic-filter.ts';
import { type CitySource, createCitySources } from '../../../simulators/city-traffic.ts';
import { createCityWeather } from '../../../simulators/city-weather.ts';
import { createDeviceCurve } from '../../../simulators/device-values.ts';
import { createCellularRadio } from '../../../simulators/networks/cells.ts';
import type { Envelope } from '../../../simulators/networks/envelope.ts';
import { recordsPerMessageMax } from '../../../simulators/networks/modem.ts';
import {
  createOutages,
  createStore,
  recordsStoredMax,
} from '../../../simulators/networks/outages.ts';
import { createScenario } from '../../../simulators/scenario.ts';
import { fixtureText, inboundOf, payloadOf } from '../../adapters/inbound.ts';

const start = Date.UTC(2026, 5, 15);
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const scenario = createScenario({ seed: 'modems', networks: 'every' });
const weather = createCityWeather(scenario.seed);
const modems = scenario.devices.filter(({ network }) => network === 'modem');

function sourcesNow(): CitySource[] {
  return createCitySources(scenario).filter(({ device }) => device.network === 'modem');
}

function sourceOf(format: string, via = 'mqtt'): CitySource {
  const found = sourcesNow().find(
    ({ device }) => device.format === format && (via === 'any' || device.via === via),
  );
  if (found === undefined) throw new Error(`no modem of ${format} by ${via}`);
  return found;
}

function jsonOf({ payload }: Envelope) {
  return JSON.parse(payload.toString('utf8'));
}

function readBy(source: CitySource, { topic, payload }: Envelope) {
  // The account of a webhook names the device.
  const inbound = inboundOf(topic, payload, source.device.id);
  const reader = adapterFor(topic, defaultRoutes) ?? findAdapter('modem-json');
  if (reader === undefined) throw new Error('nobody reads it');
  return payloadOf(reader.parse(inbound));
}

function typesOf(object: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, typeof value]));
}

describe('Radio state of a modem', () => {
  const radios = modems.map((device) => createCellularRadio(device, scenario));
  const times = Array.from({ length: 7 * 24 * 12 }, (_, step) => start + step * 5 * minuteMs);

  it('lies within what modems can report and is the same whenever it is asked for', () => {
    for (const radio of radios) {
      for (const time of times.filter((_, step) => step % 7 === 0)) {
        const { cell, rsrp, rsrq, sinr } = radio(time);
        expect(rsrp).toBeGreaterThanOrEqual(cell.rat === 'NR-SA' ? -156 : -140);
        expect(rsrp).toBeLessThanOrEqual(-44);
        expect(rsrq).toBeGreaterThanOrEqual(-30);
        expect(rsrq).toBeLessThanOrEqual(-3);
        expect(sinr).toBeGreaterThanOrEqual(-20);
        expect(sinr).toBeLessThanOrEqual(30);
        expect(cell.cellId).toBeLessThan(cell.rat === 'NR-SA' ? 2 ** 36 : 2 ** 28);
      }
    }
    const [first] = radios;
    const forwards = times.map((time) => first?.(time));
    const backwards = times.toReversed().map((time) => first?.(time));
    expect(backwards.toReversed()).toEqual(forwards);
  });

  it('walks with the time and is handed over now and then', () => {
    const handovers = radios.map((radio) => {
      const cells = times.map((time) => radio(time).cell.cellId);
      return cells.filter((cell, at) => at > 0 && cell !== cells[at - 1]).length;
    });
    expect(handovers.filter((count) => count > 0).length).toBeGreaterThan(modems.length / 2);
    for (const count of handovers) expect(count).toBeLessThan(times.length / 4);
    const levels = new Set(times.map((time) => radios[0]?.(time).rsrp));
    expect(levels.size).toBeGreaterThan(5);
  });

  it('is worse in the rush hour than at night', () => {
    const meanOf = (hour: number): number => {
      const all = radios.flatMap((radio) =>
        Array.from(
          { length: 5 },
          (_, day) => radio(start + day * dayMs + hour * 60 * minuteMs).sinr,
        ),
      );
      return all.reduce((sum, one) => sum + one, 0) / all.length;
    };
    // Half past three at night and half past six in the evening, in Baku.
    expect(meanOf(23.5)).toBeGreaterThan(meanOf(14.5));
  });
});

describe('Messages of a modem', () => {
  it.each([
    ['flat-json', 'mqtt', /^up\/modem-[0-9a-f]{8}$/],
    ['flat-json', 'http', /^\/ingest\/modem-[0-9a-f]{8}$/],
    ['flat-json', 'coap', /^up\/modem-[0-9a-f]{8}$/],
    ['thingsboard', 'mqtt', /^up\/modem-[0-9a-f]{8}$/],
    ['thingsboard', 'http', /^\/ingest\/modem-[0-9a-f]{8}$/],
    ['senml', 'mqtt', /^up\/modem-[0-9a-f]{8}$/],
    ['senml', 'http', /^\/ingest\/modem-[0-9a-f]{8}$/],
    ['senml', 'coap', /^up\/modem-[0-9a-f]{8}$/],
  ])('are read as what it has measured: %s by %s', (format, via, route) => {
    const source = sourceOf(format, via);
    const [envelope] = source.uplinkAt(start);
    expect(envelope.topic).toMatch(route);
    expect(source.sender).toBe(source.device.id);
    const { deviceId, measurements = [], radio } = readBy(source, envelope);
    expect(deviceId).toBe(source.device.id);
    expect(measurements.length).toBeGreaterThan(0);
    for (const { time } of measurements) expect(time).toBe(start);
    const values = createDeviceCurve(source.device, { seed: scenario.seed, weather }).at(start);
    const read = new Map(measurements.map(({ name, value }) => [name.split('/').at(-1), value]));
    const expected = { temperature: values.temperature, water_level: values.waterLevel };
    for (const [name, value] of Object.entries(expected)) {
      if (read.has(name)) expect(Math.abs(Number(read.get(name)) - value)).toBeLessThan(0.06);
    }
    if (format === 'senml') return;
    const state = createCellularRadio(source.device, scenario)(start);
    const { rsrp, rsrq, sinr, cell } = state;
    const { rat, band, pci, cellId, tac } = cell;
    const operator = { mcc: '001', mnc: '01' };
    expect(radio).toEqual({ rat, rsrp, rsrq, sinr, band, pci, cellId, tac, ...operator });
  });

  it('have the form of published ones', () => {
    const lines = fixtureText('cellular/thingsboard/device-telemetry.ndjson').split('\n');
    const sample = JSON.parse(lines[1] ?? '');
    const telemetry = jsonOf(sourceOf('thingsboard').uplinkAt(start)[0]);
    expect(typesOf(telemetry)).toEqual(typesOf(sample));
    const [first, second] = JSON.parse(fixtureText('cellular/senml/ex3.json'));
    const [base, other] = jsonOf(sourceOf('senml', 'coap').uplinkAt(start)[0]);
    expect(typesOf(first)).toMatchObject(typesOf(base));
    expect(typesOf(second)).toMatchObject({ n: typeof other.n, v: typeof other.v });
  });
});

describe('Outages of modems', () => {
  const step = 15 * minuteMs;
  const steps = 15 * 96;

  it.each(['flat-json', 'thingsboard', 'senml'])(
    'keep every record of %s for a burst',
    (format) => {
      const source = sourceOf(format, 'any');
      const bursts = Array.from({ length: steps }, (_, index) =>
        source.messagesAt(start + index * step),
      );
      const silent = bursts.filter(({ length }) => length === 0).length;
      expect(silent).toBeGreaterThan(0);
      expect(silent).toBeLessThan(steps / 10);
      const times = bursts.flat().flatMap((envelope) => {
        const { measurements = [] } = readBy(source, envelope);
        return [...new Set(measurements.map(({ time }) => time))];
      });
      const isOutAtEnd = bursts.at(-1)?.length === 0;
      const expected = Array.from({ length: steps }, (_, index) => start + index * step);
      if (isOutAtEnd) expect(expected.slice(0, times.length)).toEqual(times);
      else expect(times).toEqual(expected);
    },
  );

  it('send a burst in messages of a bounded size', () => {
    const source = sourceOf('thingsboard', 'any');
    const sizes = Array.from({ length: 12 * 24 * 60 }, (_, index) =>
      source.messagesAt(start + index * minuteMs).map((envelope) => jsonOf(envelope).length ?? 1),
    ).flat();
    expect(Math.max(...sizes)).toBe(recordsPerMessageMax);
  });

  it('lose the oldest records when there are more than fit', () => {
    const store = createStore<number>((time) => time < 1_000);
    for (let record = 0; record < 1_000; record += 1) expect(store(record, record)).toEqual([]);
    const burst = store(1_000, 1_000);
    expect(burst).toHaveLength(recordsStoredMax);
    expect(burst[0]).toBe(1_001 - recordsStoredMax);
    expect(store(1_001, 1_001)).toEqual([1_001]);
  });

  it('are of the seed', () => {
    const times = Array.from({ length: 5_000 }, (_, index) => start + index * step);
    const [first, same, other] = [7, 7, 8].map((key) => times.map(createOutages(key)));
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('are none in a city of the usual networks', () => {
    const usual = createCitySources(createScenario({ seed: 'modems' }));
    for (const source of usual.filter(({ device }) => device.network === 'modem')) {
      for (let index = 0; index < 960; index += 1) {
        expect(source.messagesAt(start + index * step)).toHaveLength(1);
      }
    }
  });
});
