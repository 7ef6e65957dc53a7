import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FieldRule, findRule, ruleProblems } from '../../decoders/field-rule.ts';
import { mapDecoded, mapNamed, mapObject } from '../../decoders/mapping.ts';
import { suggestQuantities } from '../../decoders/name-suggestion.ts';

const map = (rules: readonly FieldRule[], object: object) => mapObject(object, rules);

describe('A rule for a field', () => {
  it('says the quantity, the unit, and what to multiply and to add', () => {
    const rules = [
      { from: 'T2', quantity: 'water_temperature', unit: '[degF]' },
      { from: 'lvl', quantity: 'water_level', scale: -0.01, offset: 3.2 },
      { from: 'raw.p', quantity: 'air_pressure', unit: 'Pa', scale: 10 },
    ];
    expect(map(rules, { T2: 50, lvl: 82, raw: { p: 10_132 } })).toEqual([
      { quantity: 'water_temperature', value: 10 },
      { quantity: 'water_level', value: 2.38 },
      { quantity: 'air_pressure', value: 1_013.2 },
    ]);
  });

  it('goes before what the name says by itself, and the name stays right for the others', () => {
    const rules = [{ from: 'temperature', quantity: 'soil_temperature' }];
    expect(map(rules, { temperature: 12.5, humidity: 40 })).toEqual([
      { quantity: 'soil_temperature', value: 12.5 },
      { quantity: 'relative_humidity', value: 40 },
    ]);
  });

  it('finds the field in every spelling of its name, also in that behind x_', () => {
    const rules = [{ from: 'probe_temp_2', quantity: 'probe_temperature', channel: 'deep' }];
    for (const name of ['ProbeTemp_2', 'probe-temp-2', 'PROBE TEMP 2']) {
      expect(map(rules, { [name]: 4 })).toEqual([
        { quantity: 'probe_temperature', value: 4, channel: 'deep' },
      ]);
    }
  });

  it('takes any text for its star, which may name the channel', () => {
    const rules = [{ from: 'zones.*.cnt', quantity: 'people_count', channel: '*' }];
    expect(map(rules, { zones: { north: { cnt: 3 }, s_2: { cnt: 4 } } })).toEqual([
      { quantity: 'people_count', value: 3, channel: 'north' },
      { quantity: 'people_count', value: 4, channel: 's_2' },
    ]);
  });

  it('is the first that speaks of the field, with a star or without', () => {
    const exact = { from: 'a_1', quantity: 'x_exact' };
    const star = { from: 'a_*', quantity: 'x_star' };
    expect(findRule([exact, star], ['a_1'], undefined)?.rule).toBe(exact);
    expect(findRule([star, exact], ['a_1'], undefined)?.rule).toBe(star);
    expect(findRule([star, exact], ['b_1'], undefined)).toBeUndefined();
  });

  it('leaves out a field that is no reading, and a word that stands for none', () => {
    const rules = [
      { from: 'msg', quantity: null },
      { from: 'st', quantity: 'door', words: { AUF: 'open', ZU: 'closed', '?': null } },
    ];
    expect(map(rules, { msg: 'hello', st: 'AUF' })).toEqual([{ quantity: 'door', value: 'open' }]);
    expect(map(rules, { st: '?' })).toEqual([]);
  });

  it('drops nothing that it cannot read: it is kept under its own name', () => {
    const rules = [
      { from: 'T2', quantity: 'water_temperature' },
      { from: 'st', quantity: 'door' },
    ];
    expect(map(rules, { T2: 'err', st: 'ajar?' })).toEqual([
      { quantity: 'x_t2', value: 'err' },
      { quantity: 'x_st', value: 'ajar?' },
    ]);
  });

  it('scales a field that keeps a name of its own', () => {
    const rules = [{ from: 'pump', quantity: 'x_pump_hours', scale: 0.1 }];
    expect(map(rules, { pump: 822 })).toEqual([{ quantity: 'x_pump_hours', value: 82.2 }]);
    expect(map(rules, { pump: 'off' })).toEqual([{ quantity: 'x_pump_hours', value: 'off' }]);
  });

  it('keeps the sender’s unit where it says none itself', () => {
    const rules = [{ from: 'T2', quantity: 'water_temperature' }];
    expect(mapNamed({ name: 'T2', value: 50, unit: '°F' }, rules)?.value).toBe(10);
    expect(mapNamed({ name: 'T2', value: 50, unit: 'parsec' }, rules)?.quantity).toBe('x_t2');
  });

  it('has the last word on the channel, and may speak of one channel only', () => {
    const rules = [
      { from: 'temperature', fromChannel: '2', quantity: 'water_temperature', channel: 'well' },
    ];
    const at = (channel: string) =>
      mapNamed({ name: 'temperature', value: 9, unit: 'Cel', channel }, rules);
    expect(at('2')).toMatchObject({ quantity: 'water_temperature', channel: 'well' });
    expect(at('1')).toMatchObject({ quantity: 'air_temperature', channel: '1' });
    expect(mapNamed({ name: 'temperature', value: Number.NaN }, rules)).toBeNull();
  });

  it('makes a quantity of another of a built-in codec, with time and channel as they were', () => {
    const rules = [{ from: 'distance', quantity: 'water_level', scale: -1, offset: 3.2 }];
    const given = [
      { quantity: 'distance', value: 1.83, channel: '1', time: 5 },
      { quantity: 'battery_voltage', value: 3.1 },
    ];
    expect(mapDecoded(given, rules)).toEqual([
      { quantity: 'water_level', value: 1.37, channel: '1', time: 5 },
      { quantity: 'battery_voltage', value: 3.1 },
    ]);
    expect(mapDecoded(given, [{ from: 'distance', quantity: null }])).toHaveLength(1);
  });

  it('gives the other value a channel where both claim one series', () => {
    const rules = [{ from: 'T2', quantity: 'air_temperature' }];
    expect(map(rules, { temperature: 1, T2: 2 })).toEqual([
      { quantity: 'air_temperature', value: 2 },
      { quantity: 'air_temperature', value: 1, channel: 'temperature' },
    ]);
  });

  it('never throws and never gives a number that is none, on any object and any names', () => {
    const rule = fc.record({
      from: fc.string({ minLength: 1, maxLength: 10 }),
      quantity: fc.constantFrom('water_level', 'door', 'x_own', null),
      scale: fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), fc.object(), (rules, object) => {
        for (const { value } of mapObject(object, rules)) {
          expect(typeof value === 'string' || Number.isFinite(value)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('The check of rules', () => {
  const problems = (rule: FieldRule) =>
    ruleProblems([rule]).map(({ path, message }) => `${path.join('.')}: ${message}`);

  it('passes what names the vocabulary', () => {
    const rules = [
      { from: 'a', quantity: 'no2', unit: 'mg/m3' },
      { from: 'b', quantity: 'door', words: { offen: 'open', x: null } },
      { from: 'c.*', quantity: 'x_own_1', channel: '*' },
      { from: 'd', quantity: null },
      { from: 'e', quantity: 'people_count', words: { none: 0 } },
    ];
    expect(ruleProblems(rules)).toEqual([]);
  });

  it.each([
    [{ from: 'a', quantity: 'temprature' }, /^0\.quantity: temprature is no quantity/],
    [{ from: 'a', quantity: 'no2', unit: 'K' }, /^0\.unit: K cannot be made into ug\/m3/],
    [{ from: 'a', quantity: 'no2', unit: 'parsec' }, /^0\.unit: parsec is no unit/],
    [{ from: 'a', quantity: 'door', scale: 2 }, /^0\.scale: door is a state/],
    [{ from: 'a', quantity: 'door', words: { x: 'ajar' } }, /^0\.words: ajar is no word of door/],
    [{ from: 'a', quantity: 'no2', words: { x: 'low' } }, /^0\.words: no2 is a number/],
    [{ from: 'a*b*', quantity: 'no2' }, /^0\.from: has more than one \*/],
    [{ from: 'a', quantity: 'no2', channel: '*' }, /^0\.channel: is \*, but from has none/],
  ])('names what is wrong with %j', (rule, expected) => {
    expect(problems(rule).join()).toMatch(expected);
  });
});

describe('Suggestions for a field', () => {
  it('are quantities with a name alike', () => {
    expect(suggestQuantities('temprature', 21.5)).toContain('air_temperature');
    expect(suggestQuantities('well_water_level_raw', 2)).toContain('water_level');
    expect(suggestQuantities('door_stat', 'open')).toContain('door');
  });

  it('are none where nothing is alike, and no measure for a text', () => {
    expect(suggestQuantities('qz', 1)).toEqual([]);
    expect(suggestQuantities('temprature', 'hot')).toEqual([]);
  });
});
