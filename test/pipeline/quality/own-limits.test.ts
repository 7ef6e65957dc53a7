import { describe, expect, it } from '@jest/globals';
import type { Device, SettledDevice } from '../../../gateway/model/device.ts';
import {
  type LimitRule,
  limitsFor,
  originsOf,
  rulesFor,
} from '../../../gateway/pipeline/quality/limits.ts';
import { judgeOne, laneOf, readingOf } from './judging.ts';

const quantity = 'water_level';
const gauge: Device = { id: 'gauge-1', kind: 'cellular', model: 'acme/gauge' };
const expected = (max: number) => ({ min: 0, max });
const configured: LimitRule[] = [
  { quantity, models: ['acme/gauge'], expected: expected(1), metresMax: 5 },
  { quantity, devices: ['gauge-1'], expected: expected(3), spike: null },
];
const place = { device: 'gauge-1', quantity, channel: '', model: 'acme/gauge' };

describe('Limits that stand with a device or a model', () => {
  it('go over what the configuration says of that model, and of that device', () => {
    const ofModel: SettledDevice = { ...gauge, modelLimits: [{ quantity, metresMax: 7 }] };
    const rules = rulesFor(configured, ofModel);
    expect(limitsFor(place, {}, rules)).toMatchObject({ metresMax: 7, expected: expected(3) });
    const ofBoth = { ...ofModel, limits: [{ quantity, expected: expected(4) }] };
    const all = rulesFor(configured, ofBoth);
    expect(limitsFor(place, {}, all)).toMatchObject({ metresMax: 7, expected: expected(4) });
    const origins = originsOf(place, { range: expected(9) }, all);
    expect(Object.fromEntries(origins)).toEqual({
      ...{ range: 'vocabulary', metresMax: 'model', expected: 'device', spike: 'configuration' },
    });
  });

  it('leave the rules as they are where there are none', () => {
    expect(rulesFor(configured, gauge)).toBe(configured);
    expect(rulesFor(configured, undefined)).toBe(configured);
  });

  it('hold from the next value on, without a restart', () => {
    const lane = laneOf();
    const at = (minute: number) =>
      readingOf({ value: 2, time: 1_780_272_000_000 + minute * 60_000 });
    expect(judgeOne(lane, at(0), gauge).quality).toBe(1);
    const narrowed = { ...gauge, limits: [{ quantity, expected: expected(1) }] };
    expect(judgeOne(lane, at(1), narrowed).quality).toBe(3);
    const widened: SettledDevice = { ...gauge, modelLimits: [{ quantity, range: expected(1) }] };
    expect(judgeOne(lane, at(2), widened).quality).toBe(4);
    expect(judgeOne(lane, at(3), gauge).quality).toBe(1);
  });

  it('may differ from month to month', () => {
    const seasons = [
      { months: [6], min: 0, max: 1 },
      { months: [7], min: 0, max: 3 },
    ];
    const seasonal = { ...gauge, limits: [{ quantity, seasons }] };
    const lane = laneOf();
    const inMonth = (month: number) => readingOf({ value: 2, time: Date.UTC(2026, month - 1, 10) });
    expect(judgeOne(lane, inMonth(6), seasonal).tests.climatology).toBe(3);
    expect(judgeOne(lane, inMonth(7), seasonal).tests.climatology).toBe(1);
    expect(judgeOne(lane, inMonth(8), seasonal).tests.climatology).toBe(2);
  });
});
