/** Invariants over all quantities and all codecs. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fieldNames, unitSuffixes } from '../../decoders/field-names.ts';
import {
  isInRange,
  type NumberQuantity,
  quantities,
  quantityOf,
  roundToResolution,
  type StateQuantity,
} from '../../decoders/quantity.ts';
import { codecs, findCodec } from '../../decoders/registry.ts';
import { convertUnit, parseUnit } from '../../decoders/unit-conversion.ts';
import { isUcum } from './ucum.ts';

const all = [...quantities];
const numbers = all.flatMap(([name, quantity]): [string, NumberQuantity][] =>
  quantity.kind === 'number' ? [[name, quantity]] : [],
);
const states = all.flatMap(([name, quantity]): [string, StateQuantity][] =>
  quantity.kind === 'state' ? [[name, quantity]] : [],
);

const azerbaijani = /^[A-ZÇƏĞİÖŞÜa-zçəğıöşü0-9₂₃., ()-]+$/u;
const russian = /^[А-Яа-яёPMCONSHp0-9₂₃., ()-]+$/u;
const english = /^[A-Za-z0-9₂₃., ()-]+$/u;

describe('The vocabulary', () => {
  it('has every quantity once, in snake_case that no unmapped name can take', () => {
    const themes = readdirSync(new URL('../../decoders/vocabulary/', import.meta.url))
      .filter((file) => file !== 'definition.ts')
      .map((file) => new URL(`../../decoders/vocabulary/${file}`, import.meta.url));
    const declared = themes.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^ {2}([a-z0-9_]+): \{$/gm)].map(([, name]) => name),
    );
    expect(declared.sort()).toEqual([...quantities.keys()].sort());
    for (const [name] of all) expect(name).toMatch(/^(?!x_)[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/);
  });

  it.each(all)('names %s in Azerbaijani, Russian and English', (_name, { names }) => {
    expect(names.az).toMatch(azerbaijani);
    expect(names.ru).toMatch(russian);
    expect(names.en).toMatch(english);
  });

  it('gives no two quantities one name in any language', () => {
    for (const language of ['az', 'ru', 'en'] as const) {
      const names = all.map(([, quantity]) => quantity.names[language]);
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    }
  });

  it.each(numbers)('gives %s a UCUM unit, a range and a resolution', (_name, quantity) => {
    expect(quantity.unit === '' || isUcum(quantity.unit)).toBe(true);
    expect(quantity.min).toBeLessThan(quantity.max);
    expect(quantity.resolution).toBeLessThanOrEqual(1);
    expect(Number.isInteger(-Math.log10(quantity.resolution))).toBe(true);
  });

  it.each(states)('gives %s words in three languages that no two states share', (_name, state) => {
    const words = Object.entries(state.states);
    expect(words.length).toBeGreaterThanOrEqual(2);
    for (const [word, { names }] of words) {
      expect(word).toMatch(/^[a-z_]+$/);
      expect(names.az).toMatch(azerbaijani);
      expect(names.ru).toMatch(russian);
      expect(names.en).toMatch(english);
    }
    const spelled = words.flatMap(([word, { spellings = [] }]) => [word, ...spellings]);
    expect(new Set(spelled).size).toBe(spelled.length);
  });

  it.each(states)('knows the words of %s for true and false, or for neither', (_name, state) => {
    const { whenTrue, whenFalse } = state;
    expect(whenTrue === undefined).toBe(whenFalse === undefined);
    for (const word of [whenTrue ?? [], whenFalse ?? []].flat()) {
      expect(Object.keys(state.states)).toContain(word);
    }
  });

  it('knows no quantity by a name from the prototype chain', () => {
    for (const name of ['__proto__', 'constructor', 'toString', '', 'x_air_temperature']) {
      expect(quantityOf(name)).toBeUndefined();
      expect(isInRange(name, 1)).toBe(false);
      expect(findCodec(name)).toBeUndefined();
    }
  });

  it('takes the ends of a range for plausible and what lies beyond for implausible', () => {
    for (const [name, { min, max, resolution }] of numbers) {
      expect([name, isInRange(name, min), isInRange(name, max)]).toEqual([name, true, true]);
      expect([name, isInRange(name, min - resolution)]).toEqual([name, false]);
      expect([name, isInRange(name, max + resolution)]).toEqual([name, false]);
      expect([name, isInRange(name, Number.NaN), isInRange(name, '1')]).toEqual([
        name,
        false,
        false,
      ]);
    }
  });

  it('takes a word of a state for plausible, and no other word and no number', () => {
    expect(isInRange('door', 'open')).toBe(true);
    expect(isInRange('door', 'ajar')).toBe(false);
    expect(isInRange('door', 'constructor')).toBe(false);
    expect(isInRange('door', 1)).toBe(false);
  });

  it('rounds to the shortest decimal of the resolution', () => {
    expect(roundToResolution('air_temperature', 7.1000000000000005)).toBe(7.1);
    expect(roundToResolution('air_temperature', 21.450000762939453)).toBe(21.45);
    expect(Object.is(roundToResolution('air_temperature', -0.001), 0)).toBe(true);
    expect(roundToResolution('latitude', 40.40926169)).toBe(40.4092617);
    expect(roundToResolution('air_temperature', 1e300)).toBe(1e300);
    expect(roundToResolution('x_anything', 0.123456789)).toBe(0.123456789);
    expect(roundToResolution('door', 0.5)).toBe(0.5);
  });
});

describe('The field names', () => {
  it('lead to quantities that exist, and none is a quantity of its own', () => {
    for (const [name, { quantity }] of fieldNames) {
      expect([name, quantityOf(quantity) === undefined]).toEqual([name, false]);
      expect([name, quantityOf(name) === undefined || name === 'pressure']).toEqual([name, true]);
    }
  });

  it('stand under one quantity each', () => {
    const source = new URL('../../decoders/field-names.ts', import.meta.url);
    const table = readFileSync(source, 'utf8').split('export interface')[0] ?? '';
    const words = [...table.matchAll(/'([^']+)'/g)].flatMap(([, text = '']) =>
      text.trim().split(' '),
    );
    const names = words.map((word) => word.replace(/[=:].*/, ''));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('carry units that convert to the unit of their quantity', () => {
    for (const [name, { quantity, unit }] of fieldNames) {
      if (unit === undefined) continue;
      const target = quantityOf(quantity)?.unit ?? '';
      expect([name, convertUnit(1, unit, target) === undefined]).toEqual([name, false]);
    }
    for (const [suffix, unit] of unitSuffixes) {
      expect([suffix, parseUnit(unit)]).toEqual([suffix, unit]);
    }
  });
});

describe('The registry', () => {
  it('has every codec folder once, under the name of its folder', () => {
    const folders = readdirSync(new URL('../../decoders/', import.meta.url), {
      withFileTypes: true,
    })
      .filter((entry) => entry.isDirectory() && entry.name !== 'vocabulary')
      .map((entry) => entry.name);
    expect(codecs.map(({ name }) => name).sort()).toEqual(folders.sort());
  });

  it.each(codecs.map((codec) => [codec.name, codec] as const))(
    'finds %s, whose README names its title and its source',
    (name, codec) => {
      expect(findCodec(name)).toBe(codec);
      expect(name).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)+$/);
      const file = new URL(`../../decoders/${name}/README.md`, import.meta.url);
      const readme = readFileSync(file, 'utf8');
      expect(readme.startsWith(`# ${codec.title} (\`${name}\`)\n`)).toBe(true);
      expect(readme).toContain(`\nSource: ${codec.source}\n`);
    },
  );
});
