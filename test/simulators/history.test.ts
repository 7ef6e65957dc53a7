/** A history: each device's every hour once, in messages that a gateway reads whole. */
import { describe, expect, it } from '@jest/globals';
import { createCityWeather } from '../../simulators/city-weather.ts';
import { createDeviceCurve } from '../../simulators/device-values.ts';
import { historyMessages, valuesPerMessageMax } from '../../simulators/history.ts';
import { createScenario } from '../../simulators/scenario.ts';

const hourMs = 3_600_000;
const from = Date.UTC(2026, 0, 1);
const plan = {
  scenario: createScenario({ seed: 'history', devices: 30 }),
  ...{ from, to: from + 20 * 24 * hourMs, intervalMs: hourMs },
};

interface Sample {
  ts: number;
  values: Record<string, number>;
}

function samplesOf(payload: Buffer): [string, Sample[]] {
  const message: Record<string, Sample[]> = JSON.parse(payload.toString());
  const [entry = ['', []]] = Object.entries(message);
  return entry;
}

describe('A history', () => {
  const messages = [...historyMessages(plan)];

  it('has each hour of each device once, in order', () => {
    const times = new Map<string, number[]>();
    for (const { payload } of messages) {
      const [id, samples] = samplesOf(payload);
      times.set(id, [...(times.get(id) ?? []), ...samples.map(({ ts }) => ts)]);
    }
    const hours = Array.from({ length: 20 * 24 }, (_, hour) => from + hour * hourMs);
    expect([...times.keys()].sort()).toEqual(plan.scenario.devices.map(({ id }) => id).sort());
    for (const own of times.values()) expect(own).toEqual(hours);
  });

  it('keeps within what a gateway takes in one message', () => {
    for (const { payload, readings } of messages) {
      const [, samples] = samplesOf(payload);
      const values = samples.flatMap((sample) => Object.values(sample.values));
      expect(values).toHaveLength(readings);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(readings).toBeLessThanOrEqual(valuesPerMessageMax);
    }
  });

  it('says what the device itself would have said', () => {
    const device = plan.scenario.devices.find(({ kind }) => kind === 'noise');
    const message = messages.find(({ payload }) => samplesOf(payload)[0] === device?.id);
    if (device === undefined || message === undefined) throw new Error('no noise meter');
    const seed = plan.scenario.seed;
    const curve = createDeviceCurve(device, { seed, weather: createCityWeather(seed) });
    const [first] = samplesOf(message.payload)[1];
    expect(first?.values['noise_level']).toBeCloseTo(curve.at(from).noiseAverage, 1);
  });

  it('is the same bytes every time, and others for another seed', () => {
    const bytes = (seed: string) => {
      const scenario = createScenario({ seed, devices: 3 });
      const payloads = [...historyMessages({ ...plan, scenario })].map(({ payload }) => payload);
      return Buffer.concat(payloads).toString();
    };
    expect(bytes('one')).toBe(bytes('one'));
    expect(bytes('one')).not.toBe(bytes('two'));
  });

  it('says only the first things of each device when told so', () => {
    const [, samples] = samplesOf(
      [...historyMessages({ ...plan, fieldsMax: 1 })][0]?.payload ?? Buffer.alloc(0),
    );
    expect(new Set(samples.map(({ values }) => Object.keys(values).length))).toEqual(new Set([1]));
  });
});
