import { describe, expect, it } from '@jest/globals';
import { quantities } from '../../../decoders/quantity.ts';
import { defaultLimits } from '../../../gateway/pipeline/quality/default-limits.ts';
import { type LimitRule, limitsFor } from '../../../gateway/pipeline/quality/limits.ts';
import { configOf, loaded, placesOf } from '../../config/configuration-file.ts';

const place = {
  device: 'gauge-1',
  quantity: 'water_level',
  channel: '',
  area: 'harbour',
  model: 'EM500',
};

function ruleOf(metresMax: number, part: Partial<LimitRule> = {}): LimitRule {
  return { quantity: 'water_level', metresMax, ...part };
}

describe('The limits of a series', () => {
  it('are those of its device before its model, its area and everybody', () => {
    const rules = [
      ruleOf(4, { devices: ['gauge-1'] }),
      ruleOf(1),
      ruleOf(3, { models: ['EM500'] }),
      ruleOf(2, { areas: ['harbour'] }),
    ];
    const metres = (left: LimitRule[]) => limitsFor(place, undefined, left).metresMax;
    expect(metres(rules)).toBe(4);
    expect(metres(rules.slice(1))).toBe(3);
    expect(metres([...rules.slice(1, 2), ...rules.slice(3)])).toBe(2);
    expect(metres(rules.slice(1, 2))).toBe(1);
    expect(metres([])).toBeUndefined();
  });

  it('are those of its channel before those of all channels, within one level', () => {
    const rules = [ruleOf(2, { channel: 'deep' }), ruleOf(1)];
    expect(limitsFor({ ...place, channel: 'deep' }, undefined, rules).metresMax).toBe(2);
    expect(limitsFor(place, undefined, rules).metresMax).toBe(1);
  });

  it('are not those of other quantities, areas, models or devices', () => {
    const rules = [
      ruleOf(1, { quantity: 'distance' }),
      ruleOf(2, { areas: ['hill'] }),
      ruleOf(3, { models: ['other'] }),
      ruleOf(4, { devices: ['gauge-2'] }),
    ];
    expect(limitsFor(place, undefined, rules).metresMax).toBeUndefined();
    expect(limitsFor({ ...place, area: undefined }, undefined, rules)).toEqual({});
  });

  it('keep the defaults that no rule names, and lose those that a rule takes away', () => {
    const defaults = defaultLimits.get('water_level');
    const limits = limitsFor(place, defaults, [ruleOf(1, { flat: null })]);
    expect(limits.spike).toEqual({ suspect: 0.8, fail: 3 });
    expect(limits.flat).toBeNull();
    expect(limits.range).toEqual({ min: -50, max: 200 });
  });

  it('have the plausible range of every number in the vocabulary, and none for states', () => {
    for (const [name, quantity] of quantities) {
      const range = defaultLimits.get(name)?.range;
      if (quantity.kind === 'state') expect([name, range]).toEqual([name, undefined]);
      else expect([name, range]).toEqual([name, { min: quantity.min, max: quantity.max }]);
    }
  });

  it('suspect before they fail, for every quantity with defaults', () => {
    for (const [name, { spike, flat, attenuation }] of defaultLimits) {
      if (spike) expect([name, spike.suspect < spike.fail]).toEqual([name, true]);
      if (flat) expect([name, flat.suspectSeconds < flat.failSeconds]).toEqual([name, true]);
      if (attenuation) expect([name, attenuation.fail < attenuation.suspect]).toEqual([name, true]);
    }
  });
});

describe('The configuration of limits', () => {
  it('takes the example of the manual’s page and fills in the rest', () => {
    const { quality } = configOf(
      loaded(
        'version: 1\nquality:\n  limits:\n' +
          '    - { quantity: water_level, flat: { tolerance: 0.001 }, spike: null }\n' +
          '    - { quantity: co2, neighbours: { suspect: 3, fail: 6, deviationMin: 20 } }\n',
      ),
    );
    expect(quality.seriesMax).toBe(100_000);
    expect(quality.limits[0]?.flat).toMatchObject({ suspectCount: 3, failCount: 5 });
    expect(quality.limits[0]?.spike).toBeNull();
    expect(quality.limits[1]?.neighbours).toMatchObject({ countMin: 3, ageSecondsMax: 3_600 });
  });

  it.each([
    ['a span with its ends in the wrong order', '{ quantity: a, range: { min: 2, max: 1 } }'],
    [
      'a season with its ends in the wrong order',
      '{ quantity: a, seasons: [{ months: [1], min: 2, max: 1 }] }',
    ],
    ['a month that there is not', '{ quantity: a, seasons: [{ months: [13], min: 1, max: 2 }] }'],
    ['a failure before a suspicion', '{ quantity: a, spike: { suspect: 3, fail: 1 } }'],
    [
      'neighbours that fail first',
      '{ quantity: a, neighbours: { suspect: 3, fail: 1, deviationMin: 1 } }',
    ],
    [
      'an attenuation that fails last',
      '{ quantity: a, attenuation: { hours: 2, suspect: 1, fail: 2 } }',
    ],
    [
      'more hours than are remembered',
      '{ quantity: a, attenuation: { hours: 25, suspect: 1, fail: 0 } }',
    ],
    [
      'a flat line longer than a day',
      '{ quantity: a, flat: { tolerance: 0, failSeconds: 90000 } }',
    ],
    ['a word that there is not', '{ quantity: a, spikes: null }'],
    ['a rule without a quantity', '{ spike: null }'],
  ])('refuses %s', (_what, rule) => {
    const places = placesOf(loaded(`version: 1\nquality:\n  limits:\n    - ${rule}\n`));
    expect(places.length).toBeGreaterThan(0);
    expect(places.every((place) => place.includes('quality.limits'))).toBe(true);
  });
});
